"""What is asked, and how what comes back is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.tasks.summarise.prompts import finished, is_over, listing, points_in, retelling


def asked(language: str, written: str, n: int = 3) -> str:
    (message,) = listing(" The text. ", n, language, written)
    assert message.text.startswith("The text.\n\n")
    return message.text.removeprefix("The text.\n\n")


def test_the_wish_is_in_the_language_of_the_summary() -> None:
    assert asked("en", "en") == "List the 3 main points of the text above, one short sentence each."
    assert asked("es", "es") == "Escribe las 3 ideas principales del texto anterior, una frase corta cada una."
    assert asked("en", "en", 1) == "Write the main point of the text above in one short sentence."
    assert asked("en", "es").endswith("each. Write in English.")
    assert asked("es", "en").endswith("cada una. Escribe en español.")
    assert asked("fr", "fr") == asked("en", "en")
    assert asked("", "") == asked("en", "en")


def test_notes_are_told_again_in_prose() -> None:
    (message,) = retelling(["One.", "Two."], "child", 100, "en", "en")
    assert message.text.startswith("One.\nTwo.\n\nExplain these notes to a child of eight in about 100 words")


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        ("1. One is.\n2. Two is.", ["One is.", "Two is."]),
        ("Here are the points:\n\n* **One**: it is\n- “Two is.”\n\nI hope this helps!", ["One: it is.", "Two is."]),
        ("(1) __One__ is\n2) Two is\n3.Three is", ["One is.", "Two is.", "Three is."]),
        ("One is. Two is.\nThree is.", ["One is.", "Two is.", "Three is."]),
        ("The main points are:\nOne is.", ["One is."]),
        ("1. One is. Two is.", ["One is. Two is."]),
        (f"1. One is. {'Two ' * 50}is.", ["One is."]),
        ("1. \n2. Two is.", ["Two is."]),
        ("", []),
        ("1.\n2. …", []),
    ],
)
def test_an_answer_is_read_whatever_its_form(answer: str, points: list[str]) -> None:
    assert points_in(answer, is_whole=True) == points


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        ("1. One is.\n2. Two is bro", ["One is."]),
        ("1. One is.\n2. Two is. Three is bro", ["One is.", "Two is."]),
        ("1. One is\n2. Two is\n\nThis text is bro", ["One is.", "Two is."]),
        ("One is. Two is bro", ["One is."]),
        ("", []),
    ],
)
def test_a_point_that_breaks_off_is_left_out(answer: str, points: list[str]) -> None:
    assert points_in(answer, is_whole=False) == points


def test_what_breaks_off_is_cut_back_to_whole_sentences() -> None:
    assert finished("One is. Two is.") == "One is. Two is."
    assert finished("One is. Two bro") == "One is."
    assert finished("bro") == finished("") == ""


@pytest.mark.parametrize(
    ("answer", "over"),
    [
        ("1. One\n2. Two", False),
        ("1. One\n\n2. Two", False),
        ("- One\n\n- Two", False),
        ("1. One\n2. Two\n\nThis text", True),
        ("1. One\n2. One\n3.", True),
        ("1. One\n2. One", False),  # it may go on
        ("1. the short phrase of the short phrase of the short phrase of the", True),
    ],
)
def test_a_list_is_over_when_nothing_more_of_it_comes(answer: str, over: bool) -> None:
    assert is_over(answer) is over


@given(st.text(st.sampled_from("ab 1.*-“”:\n"), max_size=60), st.booleans())
def test_any_answer_can_be_read(answer: str, is_whole: bool) -> None:
    assert all(point.strip() for point in points_in(answer, is_whole=is_whole))
    is_over(answer)
