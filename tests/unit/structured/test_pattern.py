"""Patterns: read, matched as ECMA-262 has it, narrowed to a length."""

from __future__ import annotations

import math
import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.structured import pattern
from pyapp.structured.automaton import matcher
from pyapp.structured.narrowing import fitted, is_writable, lengths
from pyapp.structured.pattern import Alt, Char, Node, NotRegular, Repeat, Seq, parsed
from tests.schemas import refused

# Their meaning is the same in Python, for texts without line breaks.
ATOMS = st.sampled_from(
    ("a", "b", ".", "[ab]", "[^a]", r"\d", r"[\d-]", "[a-c]", r"\.", "é", "(?:)", r"\x41", r"\u00e9")
)
REPEATS = st.sampled_from(("", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"))
BODIES = st.recursive(
    st.tuples(ATOMS, REPEATS).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.tuples(st.lists(inner, min_size=1, max_size=3).map("|".join), REPEATS).map(lambda p: f"({p[0]}){p[1]}"),
    ),
    max_leaves=6,
)
PATTERNS = st.lists(
    st.tuples(st.sampled_from(("", "^")), BODIES, st.sampled_from(("", "$"))).map("".join), min_size=1, max_size=2
).map("|".join)
TEXTS = st.text("abc.-1éA\\", max_size=8)


@given(PATTERNS, TEXTS)
def test_what_is_found_is_what_python_finds(written: str, text: str) -> None:
    assert matcher(written).matches(text) == bool(re.search(written, text, re.ASCII))


@pytest.mark.parametrize(
    ("written", "matching", "other"),
    [
        (r"^\w$", "_", "é"),  # a word's characters are ASCII
        (r"^\s$", "\u00a0", "\u180e"),
        (r"^\S$", "x", "\ufeff"),
        (r"^\W$", "é", "a"),
        (r"^\D$", "٣", "3"),
        ("^.$", "🙂", "\u2028"),
        ("^a$", "a", "a\n"),  # unlike Python's
        (r"^\u{1F642}$", "🙂", "u"),
        (r"^[\b\t-\r]$", "\b", "b"),
        (r"^[\s\S]$", "\n", ""),
        (r"^[]$|^[^]$", "]", ""),
        (r"^\0\cJ?$".replace(r"\cJ?", ""), "\0", "0"),
        ("^[a-]$", "-", "b"),
        ("^a}]$", "a}]", "a"),
        (r"^(?:a|)$", "", "b"),
    ],
)
def test_as_ecma_262_has_it(written: str, matching: str, other: str) -> None:
    assert matcher(written).matches(matching)
    assert not matcher(written).matches(other)


@pytest.mark.parametrize(
    "written", [w for (schema, _, _) in refused.PATTERNS if isinstance(w := schema["pattern"], str)]
)
def test_what_is_not_in_the_subset_is_refused(written: str) -> None:
    with pytest.raises(NotRegular):
        parsed(written)


@pytest.mark.parametrize(
    "written", [r"\u12", r"\u{110000}", r"\u{}", r"\xg0", "[a-\\d]", "[\\d-a]", "a{,2}", "a{2", "a)", "a{٣}"]
)
def test_what_is_written_wrongly_is_refused(written: str) -> None:
    with pytest.raises(NotRegular):
        parsed(written)


def test_time_is_linear_where_backtracking_is_exponential() -> None:
    assert not matcher("^(a+)+$").matches("a" * 3000 + "b")
    assert not matcher("^(a|a)*$").matches("a" * 3000 + "b")


def text_of(node: Node, random: Random) -> str:
    match node:
        case Char(found):
            return chr(random.choice(random.choice(found)))
        case Seq(parts):
            return "".join(text_of(part, random) for part in parts)
        case Alt(options):
            return text_of(random.choice(options), random)
        case Repeat(inner, least, most):
            times = random.randint(least, least + 3 if most is None else most)
            return "".join(text_of(inner, random) for _ in range(times))


@given(PATTERNS, st.integers(0, 9), st.integers(0, 9), st.integers(0, 99))
def test_a_narrower_pattern_matches_less_and_only_what_is_long_enough(
    written: str, one: int, other: int, seed: int
) -> None:
    least, most = sorted((one, other))
    node = fitted(parsed(written), least, most)
    if node is not None:
        text = text_of(node, Random(seed))
        assert matcher(written).matches(text)
        assert least <= len(text) <= most


@given(PATTERNS)
def test_lengths_are_those_of_texts(written: str) -> None:
    low, high = lengths(parsed(written))
    for seed in range(3):
        assert low <= len(text_of(parsed(written), Random(seed))) <= high


@pytest.mark.parametrize(
    ("written", "least", "most", "possible"),
    [
        ("^[a-z]*$", 3, 5, True),
        ("^[a-z]{2,30}$", 0, 5, True),
        ("^(ab|cd)+$", 0, 8, True),
        ("x", 0, 10, True),
        ("^abc$", 0, 2, False),
        ("^a?$", 2, 9, False),
        ("^(a|bc)*$", 4, 4, False),  # it is possible, and not simple
    ],
)
def test_fitting(written: str, least: int, most: int, possible: bool) -> None:
    assert (fitted(parsed(written), least, most) is not None) == possible


def test_ranges() -> None:
    assert pattern.others(()) == ((0, pattern.LAST),)
    assert pattern.others(((0, 5), (7, pattern.LAST))) == ((6, 6),)
    assert pattern.ranges((5, 9), (1, 4), (20, 20)) == ((1, 9), (20, 20))
    assert lengths(parsed("^a*$")) == (0, math.inf)
    assert lengths(parsed("^(a*){0}$")) == (0, 0)


@pytest.mark.parametrize(
    ("written", "writable"),
    [
        ("^a$", True),
        (r"^\n$", True),
        (r"^\0$", False),
        (r"^(a|\x01)$", False),
        (r"^[\uD800-\uDFFF]*$", False),
        ("[^]", True),
    ],
)
def test_what_can_be_written_in_json(written: str, writable: bool) -> None:
    assert is_writable(parsed(written)) == writable
