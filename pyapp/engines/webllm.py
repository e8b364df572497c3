"""The engine that runs MLC's models with WebLLM in a worker (site/engines/webllm.js), on WebGPU only.

Nobody of this project has seen it generate: there was no GPU, and its weights are on no package registry. Loading,
its errors and everything up to the first token were seen with the real library; the rest is by its documentation.

Besides its weights a model has a library, a program for the GPU; it is among the variant's files and, as they are,
checked before it runs. Stop strings are found here: the library shows their beginning before it knows. What it cannot
do is go on with an answer, for it wants the user's word last.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
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
    wire,
)
from pyapp.engines.in_worker import InWorker
from pyapp.engines.no_scores import NoScores
from pyapp.engines.stop_strings import StopStrings
from pyapp.errors import EngineFailed, EngineUnavailable, InvalidRequest
from pyapp.models.manifest import ModelSpec, Variant

WINDOW_TOKENS = 4096  # what MLC's own records ask for: the KV cache of all of it is allocated at once
TEMPLATE_TOKENS = 8  # at most, around a message; the library tells only after it was asked


class Webllm(NoScores, InWorker):
    """Implements pyapp.engine.Engine. `now_ms`: a clock."""

    name = "webllm"

    def __init__(self, transport: Transport, *, seed: Callable[[], int], now_ms: Callable[[], float]) -> None:
        super().__init__(transport, seed=seed)
        self._now_ms = now_ms

    def _stages(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        library = library_of(variant)
        if library is None:
            raise EngineUnavailable("no model library", model=model.id, reasons=["no_model_library"])
        payload = {
            "files": {file.path: file.sha256 for file in variant.files},
            "library": library,
            "features": list(variant.features),
            "context_tokens": self._window(model),
        }
        return self._load(payload)

    async def _load(self, payload: Json) -> AsyncGenerator[Progress, None]:
        async with aclosing(self._transport.stream("webllm.load", payload)) as stages:
            async for stage in stages:
                yield Progress(stage["stage"], stage["fraction"])

    def _window(self, model: ModelSpec) -> int:
        return min(model.context_tokens, WINDOW_TOKENS)

    def _constraint(self, request: GenerateRequest) -> Mapping[str, Json]:
        if request.continue_last:
            raise InvalidRequest("WebLLM cannot go on with an answer")
        return {"schema": request.schema}

    async def _count(self, messages: Sequence[Message], continue_last: bool = False) -> int:
        tokens: list[int] = (await self._one("count", {"texts": [message.text for message in messages]}))["tokens"]
        return sum(tokens) + TEMPLATE_TOKENS * (len(messages) + 1)

    async def _events(
        self, request: GenerateRequest, prompt_tokens: int, room: int, constraint: Mapping[str, Json]
    ) -> AsyncGenerator[GenerateEvent, None]:
        stops = StopStrings(request.stop)
        began = first = self._now_ms()
        pieces = 0
        payload = {**self._payload(request, room), **constraint}
        async with aclosing(self._transport.stream("webllm.generate", payload)) as answers:
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

    def _payload(self, request: GenerateRequest, room: int) -> dict[str, Json]:
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
        }


def library_of(variant: Variant) -> str | None:
    """The one of its files that is the model's program for the GPU."""
    return next((file.path for file in variant.files if file.path.endswith(".wasm")), None)


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
