"""Every text of a grammar is a document of its schema, in each notation."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pyapp.structured.faults import first_fault
from pyapp.structured.grammar import Notation, grammar
from tests.schemas.corpus import CASES, Case
from tests.unit.structured.gbnf import Grammar
from tests.unit.structured.made import is_supported, schemas

NOTATIONS: tuple[Notation, ...] = ("gbnf", "xgrammar")


def unlike(schema: Any, notation: Notation, seeds: range) -> list[Any]:
    """Texts of the grammar that are not what the schema says."""
    of = Grammar(grammar(schema, notation), in_bytes=notation == "xgrammar")
    texts = [of.text(Random(seed)) for seed in seeds]
    faults = [(text, first_fault(schema, json.loads(text))) for text in texts]
    return [(text, fault) for text, fault in faults if fault]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_what_a_grammar_lets_through_validates(case: Case, notation: Notation) -> None:
    assert unlike(case.schema, notation, range(12)) == []


@settings(deadline=None)
@given(schemas, st.integers(0, 1000))
def test_of_any_schema(schema: Any, seed: int) -> None:
    assume(is_supported(schema))
    for notation in NOTATIONS:
        assert unlike(schema, notation, range(seed, seed + 2)) == []


def test_documents_are_written_as_json_dumps_does() -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1}, "b": {"const": [1, "é"]}}, "required": ["a", "b"]}
    assert Grammar(grammar(schema)).text(Random(1)) == '{"a": 1, "b": [1, "é"]}'
