"""Our validator and our grammars beside `jsonschema`, which is compiled and therefore not in the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pyapp.structured.automaton import matcher
from pyapp.structured.faults import first_fault
from pyapp.structured.grammar import grammar
from pyapp.structured.subset import normalised
from tests.schemas.corpus import CASES, Case
from tests.unit.structured.gbnf import Grammar
from tests.unit.structured.made import is_supported, json_values, schemas


def ecma_pattern(_validator: Any, wanted: str, value: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
    """Python's patterns mean something else beyond ASCII and before line breaks."""
    if isinstance(value, str) and not matcher(wanted).matches(value):
        yield jsonschema.ValidationError("does not match")


Independent = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": ecma_pattern}
)


def changed(value: Any, other: Any, random: Random) -> Any:
    """With one thing in it replaced, left out or added."""
    match value:
        case dict() if value and random.random() < 0.8:
            name = random.choice(list(value))
            rest = {n: m for n, m in value.items() if n != name}
            return rest if random.random() < 0.3 else rest | {name: changed(value[name], other, random)}
        case list() if value and random.random() < 0.8:
            at = random.randrange(len(value))
            more = [] if random.random() < 0.3 else [changed(value[at], other, random)]
            return [*value[:at], *more, *value[at + 1 :]]
        case _:
            return other


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_documents_of_the_corpus(case: Case) -> None:
    jsonschema.Draft202012Validator.check_schema(case.schema)
    jsonschema.Draft202012Validator.check_schema(normalised(case.schema))
    of = Grammar(grammar(case.schema))
    for seed in range(10):
        document = json.loads(of.text(Random(seed)))
        assert list(Independent(case.schema).iter_errors(document)) == []
        assert list(Independent(normalised(case.schema)).iter_errors(document)) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_they_say_the_same_of_what_is_nearly_a_document(case: Case) -> None:
    schema = without_format(case.schema)
    of = Grammar(grammar(schema))
    for seed in range(10):
        random = Random(seed)
        other = random.choice((None, True, 0, 1.0, -7.5, 1000, "", "yes", [], {}, ["a"], {"a": 1}))
        value = changed(json.loads(of.text(random)), other, random)
        assert (first_fault(schema, value) is None) == Independent(schema).is_valid(value)


def without_format(schema: Any) -> Any:
    """What a format is, `jsonschema` leaves to other packages."""
    if isinstance(schema, list):
        return [without_format(item) for item in schema]
    if isinstance(schema, dict):
        return {name: without_format(member) for name, member in schema.items() if name != "format"}
    return schema


@settings(max_examples=200)
@given(schemas, json_values)
def test_they_say_the_same_of_any_value(schema: Any, value: Any) -> None:
    assume(is_supported(schema))
    schema = without_format(schema)
    assert (first_fault(schema, value) is None) == Independent(schema).is_valid(value)


@settings(max_examples=200)
@given(schemas, st.integers(0, 1000))
def test_what_any_grammar_lets_through_validates(schema: Any, seed: int) -> None:
    assume(is_supported(schema))
    document = json.loads(Grammar(grammar(schema)).text(Random(seed)))
    assert Independent(schema).is_valid(document)
