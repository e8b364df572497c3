"""Every text of a grammar is a document of its schema, in each notation."""

from __future__ import annotations

import json
import re
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

NOTATIONS: tuple[Notation, ...] = ("plain", "xgrammar")  # GBNF: tests/tools/test_structured_independent.py


def unlike(schema: Any, notation: Notation, seeds: range) -> list[Any]:
    """Texts of the grammar that are not what the schema says."""
    of = Grammar(grammar(schema, notation), in_bytes=notation == "xgrammar")
    texts = [of.text(Random(seed)) for seed in seeds]
    faults = [(text, first_fault(schema, json.loads(text))) for text in texts]
    return [(text, fault) for text, fault in faults if fault]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_what_a_grammar_lets_through_validates(case: Case, notation: Notation) -> None:
    assert unlike(case.schema, notation, range(4)) == []


@settings(max_examples=40)
@given(schemas, st.integers(0, 1000))
def test_of_any_schema(schema: Any, seed: int) -> None:
    assume(is_supported(schema))
    for notation in NOTATIONS:
        assert unlike(schema, notation, range(seed, seed + 2)) == []


def test_documents_are_written_as_json_dumps_does() -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1}, "b": {"const": [1, "é"]}}, "required": ["a", "b"]}
    assert Grammar(grammar(schema)).text(Random(1)) == '{"a": 1, "b": [1, "é"]}'


def test_beyond_ascii_xgrammar_is_told_of_bytes() -> None:
    schema = {"type": "string", "pattern": "^[éü日-本🙂\\u0800-\\uffff]{1,3}$"}
    assert unlike(schema, "xgrammar", range(40)) == []
    assert "[\\u00c3\\u00c3] [\\u00a9\\u00a9]" in grammar(schema, "xgrammar")


def test_long_texts_are_counted_in_blocks_or_not_at_all() -> None:
    schema = {"type": "string", "minLength": 3, "maxLength": 1000}
    assert "{64}" in grammar(schema)
    assert "{3,1000}" in grammar(schema, "plain")
    assert "{3,}" in grammar(schema, "xgrammar")


def longest(schema: Any) -> int:
    """Characters that the blocks of a text come to."""
    (body,) = re.findall(r"root ::= (.*)", grammar(schema))
    counts = [int(most) for most in re.findall(r"\{(?:\d+,)?(\d+)\}", body)]
    return counts[0] * 64 + counts[1]


@pytest.mark.parametrize("most", [129, 130, 191, 192, 193, 4000])
def test_blocks_come_to_the_length_that_is_allowed(most: int) -> None:
    assert longest({"type": "string", "maxLength": most}) == most
