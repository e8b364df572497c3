"""What weak models write, made fit to be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.tasks.course.tidy import clean, distinct, ended, fitting, key, line, looks_like_code, name, without_repeats


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Module 1: The Bastille", "The Bastille"),
        ("Lección 12 - La harina.", "La harina"),
        ("3. Bread", "Bread"),
        ("**Bread**", "Bread"),
        ("# «Pan»", "Pan"),
        ("What is bread?", "What is bread?"),
        ("3D printing", "3D printing"),
        ("C++", "C++"),
        ("  two\n lines ", "two lines"),
        ("1.", "1"),
        ("bread and butter and more", ""),
    ],
)
def test_a_title_has_no_number_and_no_quotes(written: str, title: str) -> None:
    assert name(written, 25) == title


@pytest.mark.parametrize(("one", "other"), [("Tea.", "tea"), ("¿Té?", "té"), ("a  b", "A b")])
def test_what_reads_the_same_is_the_same(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(("one", "other"), [("C", "C++"), ("-5", "5"), ("esta", "está"), ("?", "!")])
def test_signs_and_accents_may_be_what_is_taught(one: str, other: str) -> None:
    assert distinct([one, other, one]) == [one, other]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("One is. Two is. Three i", "One is. Two is."),
        ("It costs 3.5 euros. And th", "It costs 3.5 euros."),
        ("He said “yes.” And th", "He said “yes.”"),
        ("no sentence ends he", "no sentence ends…"),
    ],
)
def test_what_was_broken_off_ends_before_that(text: str, whole: str) -> None:
    assert ended(text) == whole


def test_a_text_that_did_not_reach_its_limit_is_whole() -> None:
    assert fitting("no end", 20) == "no end"
    assert fitting("One. Two and no en", 18) == "One."


@given(st.text(), st.integers(2, 40))
def test_it_always_fits(text: str, most: int) -> None:
    assert len(fitting(text, most)) <= most
    assert len(name(text, most)) <= most


@given(st.text(st.characters(), max_size=50))
def test_what_is_clean_can_be_written_to_a_file(text: str) -> None:
    assert clean(text).encode().decode() == clean(text)
    assert not set(clean(text)) & {"\0", "\x1b", "\r", "\ufffe"}
    assert "\n" not in line(text)


def test_a_sentence_stands_once() -> None:
    assert without_repeats("Tea is hot. Tea is hot. It is green.\nTea is hot.\n\nIt is green.\n\nNew.") == (
        "Tea is hot. It is green.\n\nNew."
    )


def test_a_line_that_ends_is_a_paragraph() -> None:
    assert without_repeats("One is.\nTwo is.\n- three.\n- Four.\nand five") == (
        "One is.\n\nTwo is.\n- three.\n- Four.\nand five"
    )


def test_fences_stay_as_they_are() -> None:
    code = "```\na = 1\na = 1\n```"
    assert without_repeats(f"{code}\n\nSo. So.") == f"{code}\n\nSo."


def test_code_where_a_title_should_be() -> None:
    assert looks_like_code("https://a.test/b")
    assert looks_like_code("{style: 1}")
    assert looks_like_code("./recipe.md - Bread")
    assert not looks_like_code("print() and input()")
