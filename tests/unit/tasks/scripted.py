"""A Work whose engine is a function: what was asked -> what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyapp.engine import Finished, GenerateEvent, GenerateRequest, Json, Message, TextDelta, Usage
from pyapp.errors import CandilError
from pyapp.structured.document import Document, DocumentEvent, Growing
from pyapp.tasks.task import Summarizer

USAGE = Usage(10, 0, 5, 1.0, 1.0)


def words_of(messages: Sequence[Message]) -> int:
    return sum(len(message.text.split()) for message in messages)


def _nothing(_asked: Any) -> Any:
    raise AssertionError("this was not to be asked")


@dataclass
class ScriptedWork:
    """Implements pyapp.tasks.task.Work. An answer that is an error is raised; a token is a word."""

    text: Callable[[GenerateRequest], str | CandilError] = _nothing
    json: Callable[[GenerateRequest], Json | CandilError] = _nothing
    scores: Callable[[Sequence[Message], Sequence[str]], Sequence[float] | None] = lambda _messages, _candidates: None
    tokens: int = 2048
    language: str = "en"
    size: int = 135_000_000
    own_summarizer: Summarizer | None = None
    asked: list[GenerateRequest] = field(default_factory=list)
    clock_ms: int = 0

    def now_ms(self) -> int:
        self.clock_ms += 1000
        return self.clock_ms

    async def window(self) -> int:
        return self.tokens

    async def count(self, messages: Sequence[Message]) -> int:
        return words_of(messages)

    async def parameters(self) -> int:
        return self.size

    async def summarizer(self) -> Summarizer | None:
        return self.own_summarizer

    async def ask(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        answer = await self._answer(self.text, request)
        for word in answer.split(" "):
            yield TextDelta(word + " ")
        yield Finished("stop", USAGE)

    async def document(self, request: GenerateRequest) -> AsyncGenerator[DocumentEvent, None]:
        assert request.schema is not None
        answer = await self._answer(self.json, request)
        yield Growing({} if isinstance(answer, dict) else [])
        yield Document(answer, USAGE)

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float] | None:
        return self.scores(messages, candidates)

    async def _answer(self, answers: Callable[[GenerateRequest], Any], request: GenerateRequest) -> Any:
        await asyncio.sleep(0)
        assert words_of(request.messages) + request.max_new_tokens <= self.tokens, "it does not fit the window"
        self.asked.append(request)
        answer = answers(request)
        if isinstance(answer, CandilError):
            raise answer
        return answer
