"""All engines as one: the variant that is loaded says which of them answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from pyapp.engine import Engine, GenerateEvent, GenerateRequest, Message, Progress
from pyapp.errors import EngineHung, EngineUnavailable, NotLoaded
from pyapp.models.manifest import ModelSpec, Variant

FIRST_TOKEN_S = 900.0  # a window full of words on a slow processor
NEXT_TOKEN_S = 120.0  # the slowest that was seen working, WebGPU on a processor, takes 10


class Current:
    """Implements pyapp.engine.Engine. One model at a time, whichever engine runs it: memory is short."""

    name = "current"

    def __init__(self, engines: Sequence[Engine]) -> None:
        self.engines: Mapping[str, Engine] = {engine.name: engine for engine in engines}
        self._now: Engine | None = None

    async def load(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        """Raises EngineUnavailable for a variant of an engine this page does not have."""
        engine = self.engines.get(variant.engine)
        if engine is None:
            raise EngineUnavailable(f"no engine {variant.engine}", model=model.id, reasons=["not_built"])
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

    async def unload(self) -> None:
        if self._now is not None:
            await self._now.unload()
            self._now = None

    def _engine(self) -> Engine:
        if self._now is None:
            raise NotLoaded()
        return self._now
