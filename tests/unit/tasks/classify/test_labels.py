"""What the user writes about labels, well and badly."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.errors import BadInput
from pyapp.tasks.classify.labels import (
    LONGEST_LABEL,
    MOST_EXAMPLES,
    MOST_LABELS,
    Example,
    Label,
    by_folded,
    known_labels,
    parse_examples,
    parse_labels,
)

SPORT, PRESS = Label("Sport"), Label("The  Press".replace("  ", " "), "papers: all of them")


def refused(parse: object) -> tuple[object, object]:
    """Why, and in which line."""
    assert callable(parse)
    with pytest.raises(BadInput) as caught:
        parse()
    return str(caught.value.details["why"]).removeprefix("classify.bad."), caught.value.details["line"]


def test_a_label_a_line_with_what_it_means() -> None:
    assert parse_labels("\n Sport \n\nThe \t Press: papers:  all of them\n") == [SPORT, PRESS]
    assert parse_labels("Re:\nhttp://x") == [Label("Re"), Label("http://x")]
    assert parse_labels("") == []


def test_quotes_and_marks_stay_as_they_are() -> None:
    written = ['"so called"', "it's", "<b>", "100 %", "a => b", "=1+1", "naïve", "«ñ»"]
    assert [label.name for label in parse_labels("\n".join(written))] == written


def test_one_label_may_begin_as_another() -> None:
    assert [label.name for label in parse_labels("pos\npositive\npositive things")] == [
        "pos",
        "positive",
        "positive things",
    ]


@pytest.mark.parametrize(
    ("text", "why", "line"),
    [
        ("a\n: nothing before it", "label_empty", 2),
        (":", "label_empty", 1),
        ("Sport\n\nSPORT", "label_twice", 3),
        ("the press\nThe   Press: again", "label_twice", 2),
        ("straße\nSTRASSE", "label_twice", 2),
        ("caf\u00e9\ncafe\u0301", "label_twice", 2),
        ("a; b", "label_semicolon", 1),
        ("x" * (LONGEST_LABEL + 1), "label_long", 1),
        ("x: " + "y" * 301, "label_long", 1),
        ("\n".join(map(str, range(MOST_LABELS + 1))), "labels_many", MOST_LABELS + 1),
    ],
)
def test_labels_that_cannot_be_used(text: str, why: str, line: int) -> None:
    assert refused(lambda: parse_labels(text)) == (why, line)


def test_as_many_as_there_may_be() -> None:
    assert len(parse_labels("\n".join(map(str, range(MOST_LABELS))))) == MOST_LABELS


def test_an_example_a_line() -> None:
    labels = [SPORT, PRESS]
    assert parse_examples("a => b =>  sport\n\ntwo  words=>the press; SPORT;", labels) == [
        Example("a => b", ["Sport"]),
        Example("two words", ["Sport", "The Press"]),
    ]


@pytest.mark.parametrize(
    ("text", "why", "line"),
    [
        ("no arrow", "example_form", 1),
        ("\n => Sport", "example_form", 2),
        ("text => ", "example_label", 1),
        ("text => Sport; chess", "example_label", 1),
        ("x => Sport\n" * (MOST_EXAMPLES + 1), "examples_many", MOST_EXAMPLES + 1),
    ],
)
def test_examples_that_cannot_be_used(text: str, why: str, line: int) -> None:
    assert refused(lambda: parse_examples(text, [SPORT, PRESS])) == (why, line)


@given(st.lists(st.text(max_size=20)))
def test_what_is_taken_has_names_that_differ(names: list[str]) -> None:
    with suppress(BadInput):
        labels = parse_labels("\n".join(names))
        known = by_folded([label.name for label in labels])
        assert len(known) == len(labels)
        assert known_labels(" ;".join(known), known) == [label.name for label in labels]
