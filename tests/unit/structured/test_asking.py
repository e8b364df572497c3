"""Documents out of engines: those that hold the answer to a schema and those that are told it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from pyapp.engine import (
    AnsweredBy,
    Finished,
    FinishReason,
    GenerateEvent,
    GenerateRequest,
    Message,
    ReasoningDelta,
    TextDelta,
    Usage,
)
from pyapp.errors import EngineFailed, InvalidRequest, NoDocument, SchemaUnsupported
from pyapp.structured.asking import documents
from pyapp.structured.document import Document, DocumentEvent, Growing
from pyapp.structured.subset import normalised
from tests.schemas.corpus import obj, text, whole
from tests.unit.run import run

SCHEMA = obj(name=text(20), age=whole(0, 120))
ANNA = {"name": "Anna", "age": 31}
QUESTION = (Message("system", "Be short."), Message("user", "Who is she?"))


@dataclass
class Scripted:
    """Answers in pieces of five characters; what is an error is raised after the first of them."""

    answers: Sequence[str | tuple[str, FinishReason] | Exception]
    constrains: bool = True
    asked: list[GenerateRequest] = field(default_factory=list)
    closed: int = 0

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        answer = self.answers[len(self.asked)]
        self.asked.append(request)
        try:
            yield AnsweredBy("a company", "a model")
            yield ReasoningDelta("{hm")
            if isinstance(answer, Exception):
                yield TextDelta('{"na')
                raise answer
            words, reason = answer if isinstance(answer, tuple) else (answer, "stop")
            for start in range(0, len(words), 5):
                yield TextDelta(words[start : start + 5])
            yield Finished(reason, Usage(10, 4, 5, 100.0, 50.0))
        finally:
            self.closed += 1


def events(engine: Scripted, **more: Any) -> list[DocumentEvent]:
    async def all_of_them() -> list[DocumentEvent]:
        return [event async for event in documents(engine, GenerateRequest(QUESTION, schema=SCHEMA, **more))]

    return run(all_of_them())


def test_a_document_grows_and_is_there() -> None:
    engine = Scripted([json.dumps(ANNA)])
    first, *growing, last = events(engine)
    assert first == AnsweredBy("a company", "a model")
    assert growing == [
        Growing({}),
        Growing({"name": ""}),
        Growing({"name": "Anna"}),
        Growing(ANNA),
    ]
    assert last == Document(ANNA, Usage(10, 4, 5, 100.0, 50.0), 1)
    assert engine.asked[0].messages == QUESTION
    assert engine.asked[0].schema == normalised(SCHEMA)
    assert engine.closed == 1


def test_an_engine_that_does_not_constrain_is_told_the_schema() -> None:
    engine = Scripted(["Of course! " + json.dumps(ANNA) + " Bye"], constrains=False)
    assert events(engine)[-1] == Document(ANNA, Usage(10, 4, 5, 100.0, 50.0), 1)
    (asked,) = engine.asked
    assert asked.schema == normalised(SCHEMA)
    assert asked.messages[0] == QUESTION[0]
    assert asked.messages[1].text.startswith("Who is she?\n\nAnswer with one JSON document")
    assert asked.messages[1].text.endswith(json.dumps(SCHEMA, separators=(",", ":")))


def test_what_is_not_valid_is_asked_for_again_with_the_fault_named() -> None:
    engine = Scripted(['{"name": "Anna", "age": 310}', ('{"name": "Anna", "ag', "length"), json.dumps(ANNA)])
    *_, last = events(engine)
    assert last == Document(ANNA, Usage(30, 12, 15, 300.0, 150.0), 3)
    assert "at /age it must be at most 120" in engine.asked[1].messages[-1].text
    assert "shorter" in engine.asked[2].messages[-1].text
    assert "310" not in engine.asked[2].messages[-1].text
    assert engine.closed == 3


def test_what_was_cut_off_and_can_be_closed_is_enough() -> None:
    engine = Scripted([('{"name": "Anna", "age": 31, ', "length")])
    assert events(engine)[-1] == Document(ANNA, Usage(10, 4, 5, 100.0, 50.0), 1)


def test_after_so_many_attempts_there_is_none() -> None:
    engine = Scripted(["no", '{"name": "Anna"}', '{"name": 1, "age": -1}'])
    with pytest.raises(NoDocument) as caught:
        events(engine)
    assert caught.value.details == {"attempts": 3, "pointer": "/age"}
    assert "at the root it must be one JSON document" in engine.asked[1].messages[-1].text
    assert len(engine.asked) == 3


def test_what_cannot_be_asked_is_refused_before_anything_ran() -> None:
    engine = Scripted([])

    async def ask(request: GenerateRequest) -> None:
        async for _ in documents(engine, request):
            raise AssertionError("nothing is to come")

    with pytest.raises(SchemaUnsupported):
        run(ask(GenerateRequest(QUESTION, schema={"type": "array", "uniqueItems": True})))
    for request in (
        GenerateRequest(QUESTION),
        GenerateRequest((), schema=SCHEMA),
        GenerateRequest(QUESTION, schema=SCHEMA, continue_last=True),
    ):
        with pytest.raises(InvalidRequest):
            run(ask(request))
    assert engine.asked == []


def test_an_engines_error_passes_through() -> None:
    engine = Scripted(["no", EngineFailed("it broke")])
    with pytest.raises(EngineFailed):
        events(engine)
    assert engine.closed == 2


def test_closing_stops_the_engine() -> None:
    engine = Scripted([json.dumps(ANNA)])

    async def leave() -> None:
        generator = documents(engine, GenerateRequest(QUESTION, schema=SCHEMA))
        await anext(generator)
        await generator.aclose()
        assert engine.closed == 1

    run(leave())
