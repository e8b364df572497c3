"""What a task asks reaches the engine as it is, and what is answered is counted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from pyapp.chat.tree import Origin
from pyapp.engine import AnsweredBy, Finished, GenerateEvent, GenerateRequest, Message, TextDelta, Usage
from pyapp.engines.browser_summarizer import BrowserSummarizer
from pyapp.routing.needs import Needs
from pyapp.routing.route import Routed
from pyapp.routing.table import Decision
from pyapp.structured.document import Document
from pyapp.tasks.engine_work import EngineWork
from tests.unit.run import run
from tests.unit.tasks.stage import ORIGIN, USAGE
from tests.unit.transport import ScriptedTransport

ASKED = (Message("user", "one two"),)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


class Engine:
    name = "scripted"
    constrains = True
    scores = True

    def __init__(self) -> None:
        self.requests: list[GenerateRequest] = []

    async def count(self, messages: Sequence[Message]) -> int:
        return 7

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        return [-1.0 for _ in candidates]

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        self.requests.append(request)
        yield AnsweredBy("Acme", "acme-1")
        for piece in ('{"a"', ": 5}"):
            yield TextDelta(piece)
        yield Finished("stop", USAGE)


class Stage:
    def __init__(self) -> None:
        self.engine: Any = Engine()
        self.origin = ORIGIN
        self.heard: list[AnsweredBy | Usage] = []
        self.work = EngineWork("es", lambda: 5, self._routed, self.heard.append)

    async def _routed(self) -> Routed:
        return Routed(self.engine, self.origin, 2048, Needs("course"), Decision(None, (), ()), 135)


@pytest.mark.parametrize(
    ("engine", "availability", "used"),
    [("builtin_ai", "available", True), ("builtin_ai", "downloadable", False), ("wllama", "available", False)],
)
def test_the_browsers_summarizer_is_for_where_its_model_answers(engine: str, availability: str, used: bool) -> None:
    async def story() -> None:
        s = Stage()
        s.origin = Origin("Nano", "browser", engine)
        assert await s.work.summarizer() is None  # a page without one
        own = BrowserSummarizer(ScriptedTransport({"summarizer.probe": lambda _: [{"availability": availability}]}))
        s.work.browsers = own
        assert await s.work.summarizer() is (own if used else None)

    run(story())


def test_asked_as_it_is() -> None:
    async def story() -> None:
        s = Stage()
        assert (s.work.language, s.work.now_ms()) == ("es", 5)
        assert await s.work.parameters() == 135
        assert (await s.work.window(), await s.work.count(ASKED)) == (2048, 7)
        request = GenerateRequest(ASKED, max_new_tokens=3)
        events = [event async for event in s.work.ask(request)]
        assert events[-1] == Finished("stop", USAGE)
        assert s.engine.requests == [request]
        assert s.heard == [AnsweredBy("Acme", "acme-1"), USAGE]

    run(story())


def test_a_document() -> None:
    async def story() -> None:
        s = Stage()
        events = [event async for event in s.work.document(GenerateRequest(ASKED, schema=SCHEMA))]
        assert isinstance(events[-1], Document)
        assert events[-1].value == {"a": 5}
        assert s.heard == [AnsweredBy("Acme", "acme-1"), USAGE]

    run(story())


def test_probabilities_where_there_are_any() -> None:
    async def story() -> None:
        s = Stage()
        assert await s.work.score(ASKED, ["yes", "no"]) == [-1.0, -1.0]
        s.engine.scores = False
        assert await s.work.score(ASKED, ["yes", "no"]) is None

    run(story())


def test_closing_it_stops_the_engine() -> None:
    async def story() -> None:
        s = Stage()
        async with aclosing(s.work.ask(GenerateRequest(ASKED))) as events:
            await anext(events)
        assert s.heard == [AnsweredBy("Acme", "acme-1")]

    run(story())
