"""What a task works with, over the engine that the route gives: asked as the task asks, without a chat's trimming."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from pyapp.engine import AnsweredBy, Finished, GenerateEvent, GenerateRequest, Message, Usage
from pyapp.engines.browser_summarizer import BrowserSummarizer
from pyapp.engines.builtin_ai import BuiltinAi
from pyapp.routing.route import Routed
from pyapp.structured.asking import documents
from pyapp.structured.document import Document, DocumentEvent
from pyapp.tasks.task import Summarizer

BUILTIN_AI = BuiltinAi.name


@dataclass
class EngineWork:
    """Implements pyapp.tasks.task.Work. `heard` is told who answers, and what each answer took."""

    language: str
    clock_ms: Callable[[], int]
    routed: Callable[[], Awaitable[Routed]]  # the same one until this work is over
    heard: Callable[[AnsweredBy | Usage], None] = lambda _: None
    browsers: BrowserSummarizer | None = None

    def now_ms(self) -> int:
        return self.clock_ms()

    async def window(self) -> int:
        return (await self.routed()).window_tokens

    async def count(self, messages: Sequence[Message]) -> int:
        return await (await self.routed()).engine.count(messages)

    async def parameters(self) -> int:
        return (await self.routed()).parameters

    async def summarizer(self) -> Summarizer | None:
        if self.browsers is None or (await self.routed()).origin.engine != BUILTIN_AI:
            return None
        return self.browsers if await self.browsers.is_ready(self.language) else None

    async def ask(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        engine = (await self.routed()).engine
        async with aclosing(engine.generate(request)) as events:
            async for event in events:
                self._hear(event)
                yield event

    async def document(self, request: GenerateRequest) -> AsyncGenerator[DocumentEvent, None]:
        engine = (await self.routed()).engine
        async with aclosing(documents(engine, request)) as events:
            async for event in events:
                self._hear(event)
                yield event

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float] | None:
        engine = (await self.routed()).engine
        return await engine.score(messages, candidates) if engine.scores else None

    def _hear(self, event: GenerateEvent | DocumentEvent) -> None:
        match event:
            case AnsweredBy():
                self.heard(event)
            case Finished(_, usage) | Document(_, usage):
                self.heard(usage)
            case _:
                pass
