"""What crosses to a task of the user's own and back, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from pyapp.engine import AnsweredBy, Finished, GenerateEvent, GenerateRequest, Message, TextDelta, Usage
from pyapp.errors import BadInput
from pyapp.structured.document import Document, DocumentEvent, Growing
from pyapp.tasks.blocks import (
    Block,
    Button,
    Choice,
    Edit,
    Fold,
    Heading,
    Passage,
    Point,
    Points,
    Prose,
    Question,
    Section,
    Table,
)
from pyapp.tasks.plugins import wire
from pyapp.tasks.plugins.wire import Fault, read, read_all, to_json
from pyapp.tasks.task import Action, Export, Field, Step

USAGE = Usage(1, 0, 2, 3.0, 4.5)
BLOCKS = [
    Heading("Cards", 4),
    Prose("*text*"),
    Passage("p1", "text"),
    Points((Point("one", ("p1",)),)),
    Table(("a", "b"), (("x", 1.5), (None, 2)), "caption"),
    Button("more", "More", "1"),
    Edit("edit", "1", "Title", "Sea", 3),
    Choice("label", "1", "Label", ("a", "b"), "b"),
    Table(("a",), ((Choice("label", "1", "Label", ("a", ""), ""),),)),
    Question("answer", "q1", "Is it?", ("yes", "no"), 1, 0, "because"),
    Fold("Open", (Section((Prose("inside"),), "s", True),)),
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_a_block_comes_back_as_it_was(block: Any) -> None:
    assert read_all(Block, to_json([block]), "blocks") == (block,)


@pytest.mark.parametrize(
    "value",
    [
        Step({"a": [1, None]}, 0.5, "x.doing", {"n": 1}, False),
        Action("edit", "1", "text"),
        Export("a.csv", "text/csv", b"\x00\xff"),
        Field("level", "choice", options=("low", "high"), default="low"),
        GenerateRequest((Message("user", "hi"),), schema={"type": "object"}),
    ],
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert read(type(value), to_json(value)) == value


def test_events_are_told_apart() -> None:
    events = [AnsweredBy("them", "model"), TextDelta("a"), Finished("stop", USAGE)]
    assert list(read_all(GenerateEvent, to_json(events), "events")) == events
    found = [Growing({"a": 1}), Document([1], USAGE)]
    assert list(read_all(DocumentEvent, to_json(found), "events")) == found


@pytest.mark.parametrize("value", [{1, 2}, object(), float("nan"), BadInput()])
def test_what_is_no_json_is_not_sent(value: object) -> None:
    with pytest.raises(Fault, match="is not a JSON value"):
        to_json({"a": [value]})


WRONG: list[tuple[Any, Any, str]] = [
    (Heading, {"is": "Heading", "text": "a", "level": 2}, r"it.level must be 3 to 6, not 2"),
    (Heading, {"is": "Heading", "text": 5}, "it.text must be a text, not 5"),
    (Heading, {"is": "Heading"}, "must have exactly its members: text"),
    (Heading, {"is": "Heading", "text": "a", "html": "<b>"}, "must have exactly its members: html"),
    (Heading, {"is": "Prose", "text": "a"}, "it must be a Heading"),
    (Heading, ["Heading"], "it must be a Heading"),
    (Prose, {"is": "Prose", "markdown": None}, "must be a text"),
    (Table, {"is": "Table", "columns": ["a"], "rows": [["x", "y"]]}, r"it.rows\[0\] has 2 cells for 1 columns"),
    (Table, {"is": "Table", "columns": ["a"], "rows": [[{}]]}, "must be one of Edit, Choice"),
    (Table, {"is": "Table", "columns": ["a"], "rows": [[True]]}, "must be a text"),
    (Choice, to_json(Choice("a", "b", "c", ("x",), "y")), "it.chosen must be one of its options, not 'y'"),
    (Table, {"is": "Table", "columns": "ab", "rows": []}, "it.columns must be a list"),
    (Question, to_json(Question("a", "b", "c", ("x",), 1)), "it.right must be the index of one of the 1 options"),
    (Question, to_json(Question("a", "b", "c", ("x",), 0, -1)), "it.chosen must be the index"),
    (Field, {"is": "Field", "name": "A b", "kind": "line"}, "it.name must be a short name in small letters"),
    (Field, {"is": "Field", "name": "a", "kind": "html"}, "it.kind must be one of line, text, number"),
    (Field, {"is": "Field", "name": "a", "kind": "choice", "options": ["x"]}, "it.default must be one of its options"),
    (Field, {"is": "Field", "name": "a", "kind": "number", "least": True}, "must be a whole number"),
    (Step, {"is": "Step", "state": 1, "fraction": 1.5}, "it.fraction must be in 0 to 1"),
    (Step, {"is": "Step", "state": 1, "fraction": float("inf")}, "must be a number"),
    (Step, {"is": "Step", "state": 1, "values": []}, "it.values must be a dict"),
    (Step, {"is": "Step", "state": 1, "settled": 1}, "it.settled must be True or False"),
    (Export, {"is": "Export", "name": "a", "type": "text/csv", "data": "?"}, "it.data is not base64"),
    (Export, {"is": "Export", "name": "a", "type": "text/csv", "data": 5}, "it.data must be base64"),
    (Export, {"is": "Export", "name": "a", "type": "<b>", "data": ""}, "it.type must be a MIME type"),
    (Export, {"is": "Export", "name": " ", "type": "text/csv", "data": ""}, "it.name must not be empty"),
]


@pytest.mark.parametrize(("kind", "value", "message"), WRONG)
def test_what_is_wrong_is_named(kind: Any, value: Any, message: str) -> None:
    with pytest.raises(Fault, match=message):
        read(kind, value)


def test_a_block_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(Fault, match=r"blocks\[0\] must be one of Heading, Prose"):
        read_all(Block, [{"is": "Html", "text": "<script>"}], "blocks")


def test_lists_and_objects_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_ITEMS", 2)
    with pytest.raises(Fault, match="has more than 2 items"):
        read_all(str, ["a", "b", "c"], "texts")
    with pytest.raises(Fault, match="has more than 2 members"):
        read(Step, {"is": "Step", "state": 1, "values": {"a": 1, "b": 2, "c": 3}})
