"""The engine that runs MLC's models with WebLLM in a worker (site/engines/webllm.js), on WebGPU only.

Nobody of this project has seen it generate: there was no GPU, and its weights are on no package registry. Loading,
its errors and everything up to the first token were seen with the real library; the rest is by its documentation.

Besides its weights a model has a library, a program for the GPU; it is among the variant's files and, as they are,
checked before it runs. Stop strings are found here: the library shows their beginning before it knows. What it cannot
do is go on with an answer, for it wants the user's word last.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from pyapp.engine import (
    Finished,
    GenerateEvent,
    GenerateRequest,
    Json,
    Message,
    Progress,
    TextDelta,
    Transport,
    Usage,
    values,
    wire,
)
from pyapp.engines.context import fit
from pyapp.engines.stop_strings import StopStrings
from pyapp.errors import EmptyPrompt, EngineFailed, EngineUnavailable, InvalidRequest, NotLoaded, RequestError
from pyapp.models.manifest import ModelSpec, Variant

WINDOW_TOKENS = 4096  # what MLC's own records ask for: the KV cache of all of it is allocated at once
TEMPLATE_TOKENS = 8  # at most, around a message; the library tells only after it was asked


class Webllm:
    """Implements pyapp.engine.Engine. `seed` gives the seed of a request that has none; `now_ms`: a clock."""

    name = "webllm"

    def __init__(self, transport: Transport, *, seed: Callable[[], int], now_ms: Callable[[], float]) -> None:
        self._transport = transport
        self._seed = seed
        self._now_ms = now_ms
        self._loaded: tuple[ModelSpec, Variant] | None = None

    async def load(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        if self._loaded == (model, variant):
            return
        await self.unload()
        library = library_of(variant)
        if library is None:
            raise EngineUnavailable("no model library", model=model.id, reasons=["no_model_library"])
        payload = {
            "files": {file.path: file.sha256 for file in variant.files},
            "library": library,
            "features": list(variant.features),
            "context_tokens": _window(model),
        }
        try:
            async with aclosing(self._transport.stream("webllm.load", payload)) as stages:
                async for stage in stages:
                    yield Progress(stage["stage"], stage["fraction"])
        except BaseException:  # given up counts: half a model is in the worker
            await self._replace_worker()
            raise
        self._loaded = (model, variant)

    async def count(self, messages: Sequence[Message]) -> int:
        """At least as many as it is."""
        self._model()
        try:
            return await self._count(messages)
        except Exception as error:
            await self._failed(error)
            raise

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        if not request.messages or not request.messages[-1].text.strip():
            raise EmptyPrompt()
        if request.continue_last:
            raise InvalidRequest("WebLLM cannot go on with an answer")
        model = self._model()
        try:
            prompt_tokens = await self._count(request.messages)
            room = fit(prompt_tokens, _window(model), request.max_new_tokens)
            async with aclosing(self._events(request, prompt_tokens, room)) as events:
                async for event in events:
                    yield event
        except Exception as error:
            await self._failed(error)
            raise

    async def unload(self) -> None:
        if self._loaded is not None:
            await self._replace_worker()

    def _model(self) -> ModelSpec:
        if self._loaded is None:
            raise NotLoaded()
        return self._loaded[0]

    async def _count(self, messages: Sequence[Message]) -> int:
        payload = {"texts": [message.text for message in messages]}
        tokens: list[int] = (await values(self._transport, "webllm.count", payload))[-1]["tokens"]
        return sum(tokens) + TEMPLATE_TOKENS * (len(messages) + 1)

    async def _events(
        self, request: GenerateRequest, prompt_tokens: int, room: int
    ) -> AsyncGenerator[GenerateEvent, None]:
        stops = StopStrings(request.stop)
        began = first = self._now_ms()
        pieces = 0
        async with aclosing(self._transport.stream("webllm.generate", self._payload(request, room))) as answers:
            async for answer in answers:
                if "finished" in answer:
                    if rest := stops.flush():
                        yield TextDelta(rest)
                    yield _finished(answer["finished"], prompt_tokens)
                    return
                first = first if pieces else self._now_ms()
                pieces += 1
                if shown := stops.push(answer["piece"]):
                    yield TextDelta(shown)
                if stops.stopped:
                    usage = Usage(prompt_tokens, 0, pieces, first - began, self._now_ms() - first)
                    yield Finished("stop", usage)
                    return
        raise EngineFailed("the answer ended without its figures")

    def _payload(self, request: GenerateRequest, room: int) -> Json:
        sampling = request.sampling
        return {
            "messages": wire(request.messages),
            "sampling": {
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "repetition_penalty": sampling.repetition_penalty,
                "seed": self._seed() if sampling.seed is None else sampling.seed,
            },
            "max_new_tokens": room,
            "schema": request.schema,
        }

    async def _failed(self, error: Exception) -> None:
        if not isinstance(error, RequestError):
            await self._replace_worker()

    async def _replace_worker(self) -> None:
        self._loaded = None
        await values(self._transport, "page.replace_worker", {"worker": self.name})


def library_of(variant: Variant) -> str | None:
    """The one of its files that is the model's program for the GPU."""
    return next((file.path for file in variant.files if file.path.endswith(".wasm")), None)


def _window(model: ModelSpec) -> int:
    return min(model.context_tokens, WINDOW_TOKENS)


def _finished(value: Json, counted_tokens: int) -> Finished:
    """The library tells only the tokens that were not in its KV cache."""
    prompt_tokens = max(counted_tokens, value["prompt_tokens"])
    usage = Usage(
        prompt_tokens=prompt_tokens,
        cached_tokens=prompt_tokens - max(1, value["prompt_tokens"]),
        new_tokens=value["new_tokens"],
        prefill_ms=value["prefill_ms"],
        decode_ms=value["decode_ms"],
    )
    return Finished(value["reason"], usage)
