"""What engines whose library runs in a worker of ours have in common: when it is started, asked and replaced.

The worker is never used again after a failure: transformers.js chains its runs on promises that stay
rejected, llama.cpp aborts, and a WebAssembly heap never shrinks. So every failure, a load that was given
up and `unload` ask the page for a fresh worker.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from pyapp.engine import (
    Finished,
    GenerateEvent,
    GenerateRequest,
    Json,
    Message,
    Progress,
    Sampling,
    TextDelta,
    Transport,
    Usage,
    wire,
)
from pyapp.engines.context import fit
from pyapp.engines.threads import threads
from pyapp.errors import EmptyPrompt, EngineFailed, NotLoaded, RequestError
from pyapp.models.manifest import ModelSpec, Variant


class InWorker(ABC):
    """Implements pyapp.engine.Engine over the ops "<name>.*". `seed` gives the seed of a request that has none."""

    name: str
    constrains = True

    def __init__(self, transport: Transport, *, seed: Callable[[], int]) -> None:
        self._transport = transport
        self._seed = seed
        self._loaded: tuple[ModelSpec, Variant] | None = None

    @abstractmethod
    def _stages(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        """Loads. Called, not yet iterated, it may raise EngineUnavailable: no worker is started for that."""

    @abstractmethod
    async def _count(self, messages: Sequence[Message], continue_last: bool = False) -> int:
        """Tokens of the prompt, at least as many as it has."""

    @abstractmethod
    def _events(
        self, request: GenerateRequest, prompt_tokens: int, room: int, constraint: Mapping[str, Json]
    ) -> AsyncGenerator[GenerateEvent, None]:
        """Answers, in `room` tokens. `constraint` is what `_constraint` gave."""

    @abstractmethod
    def _constraint(self, request: GenerateRequest) -> Mapping[str, Json]:
        """What "<name>.generate" takes to hold the answer to `request.schema`.

        Raises InvalidRequest for a request that the engine cannot answer.
        """

    async def load(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        if self._loaded == (model, variant):
            return
        await self.unload()
        stages = self._stages(model, variant)
        try:
            async with aclosing(stages):
                async for progress in stages:
                    yield progress
        except BaseException:  # given up counts: half a model is in the worker
            await self._replace_worker()
            raise
        self._loaded = (model, variant)

    async def count(self, messages: Sequence[Message]) -> int:
        self._model()
        try:
            return await self._count(messages)
        except Exception as error:
            await self._failed(error)
            raise

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        if not request.messages or not request.messages[-1].text.strip():
            raise EmptyPrompt()
        constraint = self._constraint(request)
        model = self._model()
        try:
            prompt_tokens = await self._count(request.messages, request.continue_last)
            room = fit(prompt_tokens, self._window(model), request.max_new_tokens)
            async with aclosing(self._events(request, prompt_tokens, room, constraint)) as events:
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

    def _window(self, model: ModelSpec) -> int:
        """Tokens that a prompt and its answer have together."""
        return model.context_tokens

    async def _all(self, verb: str, payload: Json) -> list[Json]:
        async with aclosing(self._transport.stream(f"{self.name}.{verb}", payload)) as values:
            return [value async for value in values]

    async def _one(self, verb: str, payload: Json) -> Json:
        """The one value of an op that gives one."""
        answers = await self._all(verb, payload)
        if not answers:
            raise EngineFailed(f"{verb} gave no answer")
        return answers[0]

    async def _failed(self, error: Exception) -> None:
        if not isinstance(error, RequestError):
            await self._replace_worker()

    async def _replace_worker(self) -> None:
        self._loaded = None
        async with aclosing(self._transport.stream("page.replace_worker", {"worker": self.name})) as values:
            await anext(values, None)  # it has none


class CommonOps(InWorker):
    """Workers of one protocol: they count a prompt themselves, find stop strings and tell their own figures."""

    @abstractmethod
    def _load_payload(self, model: ModelSpec, variant: Variant, threads: int) -> Mapping[str, Json]:
        """What "<name>.load" takes beside the files, the device and the threads."""

    async def _stages(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        probe = await self._one("probe", {})
        some = threads(isolated=probe["cross_origin_isolated"], cores=probe["hardware_concurrency"])
        payload = {
            "files": {file.path: file.sha256 for file in variant.files},
            "device": variant.device,
            "threads": some,
            **self._load_payload(model, variant, some),
        }
        async with aclosing(self._transport.stream(f"{self.name}.load", payload)) as values:
            async for value in values:
                yield Progress(value["stage"])

    async def _count(self, messages: Sequence[Message], continue_last: bool = False) -> int:
        payload = {"messages": wire(messages), "continue_last": continue_last}
        return int((await self._one("count", payload))["tokens"])

    async def _events(
        self, request: GenerateRequest, prompt_tokens: int, room: int, constraint: Mapping[str, Json]
    ) -> AsyncGenerator[GenerateEvent, None]:
        payload = {
            "messages": wire(request.messages),
            "sampling": self._sampling(request.sampling),
            "max_new_tokens": room,
            "stop": list(request.stop),
            "continue_last": request.continue_last,
            **constraint,
        }
        async with aclosing(self._transport.stream(f"{self.name}.generate", payload)) as values:
            ended = False
            async for value in values:
                ended = "finished" in value
                yield _finished(value["finished"]) if ended else TextDelta(value["text"])
        if not ended:
            raise EngineFailed("the answer ended without its figures")

    def _sampling(self, sampling: Sampling) -> Json:
        return {
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "min_p": sampling.min_p,
            "repetition_penalty": sampling.repetition_penalty,
            "seed": self._seed() if sampling.seed is None else sampling.seed,
        }


def _finished(value: Mapping[str, Any]) -> Finished:
    return Finished(
        value["reason"],
        Usage(
            prompt_tokens=value["prompt_tokens"],
            cached_tokens=value["cached_tokens"],
            new_tokens=value["new_tokens"],
            prefill_ms=value["prefill_ms"],
            decode_ms=value["decode_ms"],
        ),
    )
