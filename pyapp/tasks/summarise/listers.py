"""Who lists the points of a text: the model by a prompt, or the browser's own summarizer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from pyapp.engine import Finished, GenerateRequest, Message, Sampling, TextDelta
from pyapp.errors import InvalidRequest
from pyapp.tasks.summarise import prompts
from pyapp.tasks.task import Summarizer, Work

# A small model that may choose its words, or must not repeat itself, leaves the text; a larger one needs neither.
FAITHFUL = Sampling(temperature=0.0, repetition_penalty=1.0)
SMALL_PARAMETERS = 1_000_000_000
SMALL_CHARACTERS = 1_100  # of text, that a small model is asked about at once: of more it hears only the beginning
MOST_TOKENS = 6_000  # of text, for any other
ANSWER = 80  # tokens that are not points: a heading, a sentence before the list


@dataclass(frozen=True, slots=True)
class Answer:
    """As far as it has come; at last with `is_whole`, or without where there was no room for its end."""

    text: str
    is_over: bool = False
    is_whole: bool = True


class Lister(Protocol):
    @property
    def most_characters(self) -> int:
        """Of a text, whatever fits."""
        ...

    async def room_tokens(self, n: int) -> int:
        """For a text whose `n` points are to be listed."""
        ...

    async def tokens(self, text: str, n: int) -> int: ...

    def points(self, text: str, n: int) -> AsyncGenerator[Answer, None]: ...


@dataclass(frozen=True, slots=True)
class Prompted:
    work: Work
    language: str
    written: str
    is_small: bool

    @property
    def most_characters(self) -> int:
        return SMALL_CHARACTERS if self.is_small else MOST_TOKENS * 6

    async def room_tokens(self, n: int) -> int:
        return min(await self.work.window() - await self._answer_tokens(n), MOST_TOKENS)

    async def tokens(self, text: str, n: int) -> int:
        return await self.work.count(self._asked(text, n))

    async def points(self, text: str, n: int) -> AsyncGenerator[Answer, None]:
        most = await self._answer_tokens(n)
        request = GenerateRequest(self._asked(text, n), FAITHFUL, most, stop=(f"\n{n + 1}.",))
        async with aclosing(asked(self.work, request, prompts.FIRST if self.is_small else "")) as answers:
            async for answer in answers:
                if self.is_small and not answer.is_over and prompts.is_over(answer.text):
                    yield Answer(answer.text, is_over=True, is_whole=False)
                    return
                yield answer

    async def _answer_tokens(self, n: int) -> int:
        return min(prompts.TOKENS_OF_A_POINT * n + ANSWER, await self.work.window() // 3)

    def _asked(self, text: str, n: int) -> list[Message]:
        return prompts.listing(text, n, self.language, self.written)


@dataclass(frozen=True, slots=True)
class BrowsersOwn:
    summarizer: Summarizer
    language: str
    most_characters: int = MOST_TOKENS * 6

    async def room_tokens(self, n: int) -> int:
        return await self.summarizer.window()

    async def tokens(self, text: str, n: int) -> int:
        return await self.summarizer.count(text)

    async def points(self, text: str, n: int) -> AsyncGenerator[Answer, None]:
        said = ""
        async with aclosing(self.summarizer.points(text, n, self.language)) as pieces:
            async for piece in pieces:
                said += piece
                yield Answer(said)
        yield Answer(said, is_over=True)


async def asked(work: Work, request: GenerateRequest, beginning: str = "") -> AsyncGenerator[Answer, None]:
    """The answer with its `beginning`, which is given to the model where its engine can go on with one."""
    if beginning:
        begun = replace(request, messages=[*request.messages, Message("assistant", beginning)], continue_last=True)
        try:
            async with aclosing(_heard(work, begun, beginning)) as answers:
                async for answer in answers:
                    yield answer
            return
        except InvalidRequest:
            pass
    async with aclosing(_heard(work, request, "")) as answers:
        async for answer in answers:
            yield answer


async def _heard(work: Work, request: GenerateRequest, text: str) -> AsyncGenerator[Answer, None]:
    async with aclosing(work.ask(request)) as events:
        async for event in events:
            match event:
                case TextDelta(piece):
                    text += piece
                    yield Answer(text)
                case Finished(reason, _):
                    yield Answer(text, is_over=True, is_whole=reason == "stop")
                case _:
                    pass
