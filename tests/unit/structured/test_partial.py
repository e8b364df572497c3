"""A document that is still being written: what is there only grows, and costs what it is long."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.structured.partial import DEEPEST, Growth, partial, unescaped
from tests.unit.structured.made import json_values

DOCUMENTS = st.one_of(
    st.lists(json_values, max_size=4),
    st.dictionaries(st.text(max_size=4), json_values, max_size=4),
    st.text(max_size=9),
)


def grows(before: Any, after: Any) -> bool:
    match before, after:
        case None, _:
            return True
        case dict(), dict():
            return all(name in after and grows(member, after[name]) for name, member in before.items())
        case list(), list():
            return len(before) <= len(after) and all(map(grows, before, after))
        case str(), str():
            return after.startswith(before)
        case _:
            return type(before) is type(after) and before == after


@settings(max_examples=60)
@given(DOCUMENTS, st.booleans(), st.sampled_from((None, 2)))
def test_every_prefix_is_a_step_towards_the_whole(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    growth, before = Growth(), None
    for end, character in enumerate(text, 1):
        changed = growth.feed(character)
        after = growth.value
        assert end % 5 or after == partial(text[:end])
        assert grows(before, after)
        assert changed or after == before
        before = after
    assert growth.complete
    assert growth.value == value


@given(st.text("{}[]\",:\\ntu019eE+-. \n'a", max_size=40), st.integers(1, 5))
def test_nothing_is_ever_raised_and_pieces_make_no_difference(text: str, size: int) -> None:
    growth = Growth()
    for start in range(0, len(text), size):
        before = growth.value
        growth.feed(text[start : start + size])
        assert json.dumps(before) == json.dumps(before)
    assert growth.value == partial(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("  ", None),
        ("12", None),
        ("Here you are:\n```json\n{\"a\": 1}\n```\nDone {", {"a": 1}),
        ('I say "hello', None),
        ('  "hello', "hello"),
        ("[1, 2,]", [1, 2]),
        ('{"a": 1,}', {"a": 1}),
        ("[True, None, False]", [True, None, False]),
        ('["two\nlines"]', ["two\nlines"]),
        ("[1", []),
        ("[1 2]", [1]),
        ("[tru]", []),
        ("[1e999]", []),
        ("[-]", []),
        ("[" + "1" * 500 + "]", []),
        ("[" + "1" * 500, []),
        ("[}", []),
        ('{"a"]', {}),
        ('{"a": ]', {}),
        ("{1: 2}", {}),
        ("{[1]: 2}", {}),
        ('{"a" "b"}', {}),
        ('{"a": "b" "c"}', {"a": "b"}),
        ('["a\\qb"]', ["a"]),
        ('["a\\u12x4"]', ["a"]),
        ('["\\ud83d"]', ["\ufffd"]),
        ('["\\ud83dx"]', ["\ufffdx"]),
        ('["\\ud83d\\u0041"]', ["\ufffdA"]),
        ('["\\ude00"]', ["\ufffd"]),
        ('["\\ud83d\\', [""]),
        ("{]", {}),
        ("[:", []),
        ('{"a": {"b": [1, {"c": "d', {"a": {"b": [1, {"c": "d"}]}}),
    ],
)  # fmt: skip
def test_what_is_no_json_ends_there(text: str, value: Any) -> None:
    assert partial(text) == value


def test_a_quotation_mark_after_words_in_another_piece_is_no_document() -> None:
    growth = Growth()
    assert not growth.feed("I say ")
    assert not growth.feed('"hello" ')
    assert growth.feed("[")
    assert growth.value == []


def test_a_value_does_not_change_when_more_comes() -> None:
    growth = Growth()
    growth.feed('{"a": [{"b": "c')
    before = growth.value
    growth.feed('d"}, 1]}')
    assert before == {"a": [{"b": "c"}]}
    assert growth.value == {"a": [{"b": "cd"}, 1]}


def test_without_what_is_open() -> None:
    growth = Growth()
    growth.feed('{"a": [{"b": 1}, {"c": "d')
    assert list(growth.values()) == [
        {"a": [{"b": 1}, {"c": "d"}]},
        {"a": [{"b": 1}, {}]},
        {"a": [{"b": 1}]},
        {},
    ]


def test_depth_is_bounded() -> None:
    value = partial("[" * 100_000)
    depth = 0
    while value:
        value = value[0]
        depth += 1
    assert depth == DEEPEST - 1


def test_a_course_in_five_thousand_pieces_costs_what_it_is_long() -> None:
    lesson = {"title": "A lesson", "content": "words " * 60, "exercises": ["one", "two"]}
    course = {"title": "A course", "modules": [{"title": "A module", "lessons": [lesson] * 4}] * 4}
    text = json.dumps(course)
    assert len(text) > 6_000

    def seconds(pieces: str) -> float:
        growth = Growth()
        started = time.process_time()
        for start in range(0, len(pieces), 4):
            growth.feed(pieces[start : start + 4])
            assert growth.value is not None
        return time.process_time() - started

    once = seconds(text)
    four = seconds("[" + ", ".join([text] * 4) + "]")
    assert four < 10 * once + 0.1  # not the square, which is 16 times


def test_escapes() -> None:
    assert unescaped("") is None
    assert unescaped("n") == ("\n", 1)
    assert unescaped("u00e9") == ("é", 5)
    assert unescaped("u00e") is None
    assert unescaped("ud83d\\ude00") == ("😀", 11)
    assert unescaped("ud83d\\ude0") is None
