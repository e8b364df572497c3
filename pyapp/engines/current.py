"""All engines as one: the variant that is loaded says which of them answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing

from pyapp.engine import Engine, GenerateEvent, GenerateRequest, Message, Progress
from pyapp.errors import EngineHung, EngineUnavailable, NotLoaded
from pyapp.models.manifest import ModelSpec, Variant

FIRST_TOKEN_S = 900.0  # a window full of words on a slow processor
NEXT_TOKEN_S = 120.0  # the slowest that was seen working, WebGPU on a processor, takes 10


class Current:
    """Implements pyapp.engine.Engine. One model at a time, whichever engine runs it: memory is short."""

    name = "current"

    def __init__(self, makers: Mapping[str, Callable[[], Engine]]) -> None:
        """An engine is made, once, when the first model of its kind is loaded."""
        self._makers = makers
        self._made: dict[str, Engine] = {}
        self._now: Engine | None = None

    @property
    def names(self) -> Collection[str]:
        """Of the engines there are, as variants name them."""
        return self._makers.keys()

    @property
    def constrains(self) -> bool:
        return self._now is not None and self._now.constrains

    @property
    def scores(self) -> bool:
        return self._now is not None and self._now.scores

    async def load(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        """Raises EngineUnavailable for a variant of an engine this page does not have."""
        engine = self._one(model, variant)
        if self._now is not engine:
            await self.unload()
            self._now = engine
        async with aclosing(engine.load(model, variant)) as stages:
            async for progress in stages:
                yield progress

    async def count(self, messages: Sequence[Message]) -> int:
        return await self._engine().count(messages)

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        """Raises EngineHung, with the engine's worker replaced, when nothing comes for too long."""
        patience_s = FIRST_TOKEN_S
        async with aclosing(self._engine().generate(request)) as events:
            while True:
                try:
                    event = await asyncio.wait_for(anext(events), patience_s)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    break
                yield event
                patience_s = NEXT_TOKEN_S
        await self.unload()
        raise EngineHung(f"nothing came for {patience_s:.0f} s")

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        return await self._engine().score(messages, candidates)

    async def unload(self) -> None:
        if self._now is not None:
            await self._now.unload()
            self._now = None

    def _one(self, model: ModelSpec, variant: Variant) -> Engine:
        name = variant.engine
        if name not in self._makers:
            raise EngineUnavailable(f"no engine {name}", model=model.id, reasons=["not_built"])
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def _engine(self) -> Engine:
        if self._now is None:
            raise NotLoaded()
        return self._now
