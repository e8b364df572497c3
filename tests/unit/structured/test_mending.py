"""Nearly a document: what is certain is mended, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.structured.faults import first_fault
from pyapp.structured.mending import coerced, mended
from tests.schemas.corpus import BOOLEAN, NULL, NUMBER, STRING, arr, matching, obj, one_of_these, ref, text, whole
from tests.unit.structured.made import is_supported, json_values, schemas

PERSON = obj("note", name=text(10), age=whole(0, 120), note=text(20))
ANNA = {"name": "Anna", "age": 31}


@pytest.mark.parametrize(
    "answer",
    [
        '{"name": "Anna", "age": 31}',
        '```json\n{"name": "Anna", "age": 31}\n```',
        'Here it is [as you asked]: {"name": "Anna", "age": 31}. Anything else?',
        '{"name": "Anna", "age": 31,}',
        '{"name": "Anna", "age": "31"}',
        '{"name": "Anna", "age": 31, "note": null}',
        '{"name": "Anna", "age": 31, "shoe size": 38}',
        '{"name": "Anna", "age": 31, "note',
    ],
)
def test_what_is_certain(answer: str) -> None:
    assert mended(PERSON, answer, cut=False) == (ANNA, None)


@pytest.mark.parametrize(
    ("answer", "pointer", "wanted"),
    [
        ("", "", "must be one JSON document"),
        ("I cannot do that.", "", "must be one JSON document"),
        ('{"name": "Anna"', "", 'must have "age"'),
        ('{"name": "Anna", "age": "about thirty"}', "/age", "must be of type integer"),
        ('{"name": "Anna", "age": 310}', "/age", "must be at most 120"),
        ('{"name": ["Anna"], "age": 31}', "/name", "must be of type string"),
        ("31", "", "must be of type object"),
    ],
)
def test_what_is_not(answer: str, pointer: str, wanted: str) -> None:
    value, fault = mended(PERSON, answer, cut=False)
    assert value is None
    assert fault is not None
    assert (fault.pointer, fault.wanted) == (pointer, wanted)


def test_what_was_cut_off_is_closed_and_what_was_only_begun_is_left_out() -> None:
    people = arr(PERSON, 1, 5)
    whole_ones = json.dumps([ANNA, ANNA])[:-1]
    assert mended(people, whole_ones, cut=True) == ([ANNA, ANNA], None)
    assert mended(people, whole_ones + ', {"name": "Be', cut=True) == ([ANNA, ANNA], None)
    assert mended(people, whole_ones + ', {"name": "Berta", "age": 4', cut=True) == ([ANNA, ANNA], None)
    assert mended(arr(text(20)), '["one", "two th', cut=True) == (["one", "two th"], None)


def test_documents_that_are_one_value() -> None:
    assert mended(whole(), " 42\n", cut=False) == (42, None)
    assert mended(BOOLEAN, "```json\ntrue\n```", cut=False) == (True, None)
    assert mended(STRING, '"yes"', cut=False) == ("yes", None)
    assert mended(whole(), "42", cut=True)[1] is not None  # of 421?
    assert mended(whole(), "1" * 5000, cut=False)[1] is not None


@pytest.mark.parametrize(
    ("schema", "value", "meant"),
    [
        (True, "x", "x"),
        (whole(), "-3", -3),
        (whole(), "3.5", "3.5"),
        (whole(), "0x3", "0x3"),
        (NUMBER, " 3.5 ", 3.5),
        (BOOLEAN, "True", True),
        (NULL, "null", None),
        (STRING, 3, "3"),
        (STRING, True, "true"),
        (STRING, None, None),
        (STRING, ["a"], ["a"]),
        ({"type": ["integer", "null"]}, "7", 7),
        ({}, "7", "7"),
        (one_of_these("yes", "no"), "Yes.", "yes"),
        (one_of_these("yes", "no"), "perhaps", "perhaps"),
        (one_of_these("a", "A"), " a", " a"),
        (one_of_these(1, 2), "2", 2),
        (one_of_these("a", None), None, None),
        ({"const": "done"}, "Done", "done"),
        (matching("^[a-z]+$"), " abc\n", "abc"),
        (matching("^[a-z]+$"), "abc", "abc"),
        (text(12), "one two three", "one two"),
        (text(12), "onetwothreefour", "onetwothreef"),
        (text(12), "a bbbbbbbbbbbbbbbbb", "a bbbbbbbbbb"),
        ({"anyOf": [whole(), BOOLEAN]}, "true", True),
        ({"anyOf": [whole(), BOOLEAN]}, "maybe", "maybe"),
        ({"$defs": {"n": whole()}, "items": ref("n")}, ["1", 2], [1, 2]),
        ({"$defs": {"n": whole()}, "anyOf": [arr(ref("n")), NULL]}, ["1"], [1]),
        ({"prefixItems": [whole()], "items": BOOLEAN}, ["1", "true", "x"], [1, True, "x"]),
        (obj(a=BOOLEAN), {"a": "false", "b": 1}, {"a": False}),
        (obj(a=NULL), {"a": None}, {"a": None}),
        (obj("a", a={"anyOf": [NULL, STRING]}), {"a": None}, {"a": None}),
        ({"properties": {"a": True}}, {"a": None, "b": None}, {"a": None, "b": None}),
        ({"properties": {"a": False}, "required": ["a"]}, {"a": 1}, {}),
    ],
)
def test_coercion(schema: Any, value: Any, meant: Any) -> None:
    result = coerced(schema, value)
    assert result == meant
    assert type(result) is type(meant)


@given(schemas, json_values, st.text(max_size=20))
def test_what_validates_is_not_touched_and_what_is_given_validates(schema: Any, value: Any, answer: str) -> None:
    if is_supported(schema):
        if isinstance(value, list | dict) and first_fault(schema, value) is None:
            assert mended(schema, json.dumps(value), cut=False) == (value, None)
        for cut in (True, False):
            document, fault = mended(schema, answer + json.dumps(value)[:-1], cut=cut)
            assert fault is not None or first_fault(schema, document) is None


def test_branches_in_branches_do_not_multiply() -> None:
    def formula(op: str) -> Any:
        return obj(left={"$ref": "#"}, op={"const": op})

    value: Any = "1"
    for _ in range(40):
        value = {"left": value, "op": "+"}
    meant = coerced({"anyOf": [{"const": 1}, formula("-"), formula("+")]}, value)
    while isinstance(meant, dict):
        meant = meant["left"]
    assert meant == 1
