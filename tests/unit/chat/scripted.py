"""An engine that says what the test wrote down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from pyapp.chat.session import Answerer
from pyapp.chat.tree import Origin
from pyapp.engine import Finished, GenerateEvent, GenerateRequest, Message, Progress, TextDelta, Usage
from pyapp.models.manifest import ModelSpec, Variant

ORIGIN = Origin("Tiny", "wasm")
USAGE = Usage(prompt_tokens=9, cached_tokens=0, new_tokens=3, prefill_ms=500, decode_ms=100)
DONE = Finished("stop", USAGE)


@dataclass
class ScriptedEngine:
    """Plays one script per generate: text deltas, Finished, an exception to raise, seconds to wait."""

    scripts: list[Sequence[GenerateEvent | Exception | float | str]] = field(default_factory=list)
    loads: list[Sequence[Exception]] = field(default_factory=list)
    name: str = "transformers_js"
    constrains: bool = False
    scores: bool = False
    scored: Sequence[float] = ()
    requests: list[GenerateRequest] = field(default_factory=list)
    loaded: list[Variant] = field(default_factory=list)
    closed: int = 0
    unloaded: int = 0

    async def load(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        self.loaded.append(variant)
        yield Progress("session")
        await asyncio.sleep(1)
        for error in self.loads.pop(0) if self.loads else ():
            raise error

    async def count(self, messages: Sequence[Message]) -> int:
        return sum(len(m.text) for m in messages)

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        self.requests.append(request)
        try:
            for step in self.scripts.pop(0):
                match step:
                    case Exception():
                        raise step
                    case float() | int():
                        await asyncio.sleep(step)
                    case str():
                        yield TextDelta(step)
                    case _:
                        yield step
        finally:
            self.closed += 1

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        return self.scored

    async def unload(self) -> None:
        self.unloaded += 1


def by(*scripts: Sequence[GenerateEvent | Exception | float | str]) -> Answerer:
    return Answerer(ScriptedEngine(list(scripts)), ORIGIN)


def requests(answerer: Answerer) -> list[GenerateRequest]:
    engine = answerer.engine
    assert isinstance(engine, ScriptedEngine)
    return engine.requests
