"""What may be asked for: all of the corpus; the rest is refused with the keyword named, at once."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.errors import SchemaUnsupported
from pyapp.structured import keywords
from pyapp.structured.faults import first_fault
from pyapp.structured.subset import check, normalised
from tests.schemas.corpus import CASES, obj, ref
from tests.schemas.refused import REFUSALS
from tests.unit.structured.made import is_supported, json_values, schemas

KEYWORDS = st.sampled_from(sorted({*keywords.ASSERTIONS, *keywords.UNSUPPORTED, "$ref", "$defs", "$id", "title"}))
# More kinds than are compared with each other.
MANY = {"anyOf": [{"anyOf": [{"const": "x"}] * 60}, {"anyOf": [{"const": "y"}] * 60}]}
# Anything at all under the names that mean something, references into it and back included.
ANYTHING = st.recursive(
    st.one_of(json_values, st.sampled_from(("#", "#/$defs/a", "#/anyOf/0", "object", "string", "^a+$", "date"))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYWORDS, inner, max_size=4)),
    max_leaves=12,
)


def test_the_corpus_has_200() -> None:
    assert len(CASES) == len({case.name for case in CASES}) == 200


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_all_of_it_may_be_asked_for_and_is_normal_once_normal(case: Any) -> None:
    normal = normalised(case.schema)
    assert normalised(normal) == normal


@pytest.mark.parametrize("number", range(len(REFUSALS)))
def test_what_is_refused_is_named(number: int) -> None:
    schema, keyword, pointer = REFUSALS[number]
    with pytest.raises(SchemaUnsupported) as caught:
        check(schema)
    assert caught.value.details == {"keyword": keyword, "pointer": pointer}


def test_refusing_is_quick() -> None:
    started = time.process_time()
    for schema, _, _ in REFUSALS:
        with pytest.raises(SchemaUnsupported):
            check(schema)
    assert time.process_time() - started < 5


@given(ANYTHING)
def test_of_any_json_value_there_is_an_answer(schema: Any) -> None:
    with suppress(SchemaUnsupported):
        check(schema)


@given(schemas, json_values)
def test_a_schema_in_normal_form_takes_nothing_more(schema: Any, value: Any) -> None:
    if is_supported(schema) and first_fault(normalised(schema), value) is None:
        assert first_fault(schema, value) is None


def test_what_normal_form_looks_like() -> None:
    assert normalised({"type": ["string", "null"], "maxLength": 3, "title": "T"}) == {
        "anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]
    }
    assert normalised({"$defs": {"a b": {"const": 1}}, "$ref": "#/$defs/a%20b"}) == {
        "$ref": "#/$defs/ref-0",
        "$defs": {"ref-0": {"enum": [1]}},
    }
    assert normalised({"minLength": 2, "maximum": 3.5}) == {
        "anyOf": [
            {"type": "string", "minLength": 2, "maxLength": keywords.FREE_TEXT},
            {"type": "number", "maximum": 3.5},
        ]
    }
    assert normalised({"type": "object", "properties": {"a": {"type": "null"}}})["additionalProperties"] is False
    assert normalised({"type": "object"})["additionalProperties"] == normalised(True)
    assert normalised({"enum": [1, 1.0, True, "a"], "type": ["integer", "boolean"]}) == {"enum": [1.0, True]}
    assert normalised({"type": ["number", "integer"]}) == {"type": "number"}


def test_required_members_that_are_not_described() -> None:
    schema = {"type": "object", "required": ["a"], "additionalProperties": {"type": "null"}}
    assert normalised(schema)["properties"] == {"a": {"type": "null"}}


def test_references_to_the_whole() -> None:
    normal = normalised(obj("more", more={"$ref": "#"}))
    assert normal["$ref"] == "#/$defs/root"
    assert normal["$defs"]["root"]["properties"]["more"] == {"$ref": "#/$defs/root"}


def test_names_of_definitions_that_would_be_one() -> None:
    schema = {"$defs": {"a": {"const": 1}}, "definitions": {"a": {"const": 2}}}
    normal = normalised(schema | obj(x=ref("a"), y={"$ref": "#/definitions/a"}))
    assert len(normal["$defs"]) == 2


def test_a_long_chain_of_references_is_read() -> None:
    chain = {f"d{n}": ref(f"d{n + 1}") for n in range(400)} | {"d400": {"type": "null"}}
    check({"$defs": chain, "$ref": "#/$defs/d0"})


def test_more_references_than_there_may_be() -> None:
    properties = {f"p{n}": {"$ref": f"#/$defs/a/prefixItems/{n}"} for n in range(400)}
    more = {f"q{n}": {"$ref": f"#/$defs/b/prefixItems/{n}"} for n in range(400)}
    many = {"$defs": {name: {"type": "array", "prefixItems": [True] * 400} for name in "ab"}}
    with pytest.raises(SchemaUnsupported) as caught:
        check(many | obj(x=obj(**properties), y=obj(**more)))
    assert caught.value.details["keyword"] == "$ref"


@pytest.mark.parametrize(
    ("branches", "disjoint"),
    [
        ([{"type": "string"}, {"type": "integer"}], True),
        ([{"enum": [1]}, {"type": "string"}], True),
        ([{"enum": [1]}, {"type": "number"}], False),
        ([obj(a={"const": 1}), obj(a={"const": 2})], True),
        ([obj(a=obj(b={"const": 1})), obj(a=obj(b={"const": 2}))], True),
        ([obj(a={"const": 1}, b=True), obj(a=True, b={"const": 1})], False),
        ([obj(a=True), obj(b=True)], True),
        ([{"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]}], True),
        ([obj(a=True), {"type": "object", "additionalProperties": True}], False),
        ([obj("a", a=True), obj("b", b=True)], False),
        ([{"type": "array"}, {"type": "array"}], False),
        ([{"anyOf": [{"type": "null"}, ref("n")]}, {"type": "string"}], True),
        ([{"anyOf": [{"type": "null"}, ref("n")]}, {"type": "integer"}], False),
        ([{"anyOf": [ref("n"), ref("n")]}, {"type": "string"}], True),
        ([{"enum": ["a"]}, ref("list")], True),
        ([MANY, {"const": "z"}], False),
    ],
)  # fmt: skip
def test_one_of_needs_branches_that_are_seen_to_be_apart(branches: list[Any], disjoint: bool) -> None:
    more = {"anyOf": [{"type": "null"}, {"type": "array", "items": ref("list")}]}
    defs = {"n": {"type": "integer"}, "list": more, "loop": {"anyOf": [ref("n"), ref("loop2")]}, "loop2": ref("n")}
    assert is_supported({"$defs": defs, "oneOf": branches}) == disjoint


def test_a_discriminator_that_is_too_far_down_is_not_seen() -> None:
    def deep(value: int) -> Any:
        return obj(a=obj(a=obj(a=obj(a=obj(a={"const": value})))))

    assert not is_supported({"oneOf": [deep(1), deep(2)]})


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"enum": [1], "properties": {}}, "properties"),
        ({"enum": [{}], "anyOf": [True]}, "anyOf"),
        ({"anyOf": [{"$ref": "#/$defs/a"}], "type": "null", "$defs": {"a": True}}, "anyOf"),
        ({"type": "object", "properties": {"a": True}, "anyOf": [{"additionalProperties": False}]}, "anyOf"),
        ({"type": "null", "anyOf": [7]}, "anyOf"),
        ({"enum": ["\ud800"]}, "enum"),
        ({"const": {"a": [[[[[[[[[1]]]]]]]]]}}, "const"),
        ({"const": (1, 2)}, "const"),
        ({"type": "string", "pattern": r"^\x00$"}, "pattern"),
        ({"type": "number", "minimum": 1e-20}, "minimum"),
        ({"type": "integer", "minimum": 10**20}, "minimum"),
        ({"type": "string", "format": "email", "maxLength": 2}, "maxLength"),
    ],
)
def test_more_that_is_refused(schema: Any, keyword: str) -> None:
    with pytest.raises(SchemaUnsupported) as caught:
        check(schema)
    assert caught.value.details["keyword"] == keyword
