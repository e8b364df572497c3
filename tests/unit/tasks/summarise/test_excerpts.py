"""Texts cut into excerpts and sentences, without losing any of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.tasks.summarise.excerpts import LONGEST, Excerpt, excerpts, sentences

PARAGRAPH = "The sun is a star. " * 10


def test_an_excerpt_is_a_paragraph_named_by_its_page_and_place() -> None:
    found = excerpts([f"{PARAGRAPH}\n\n{PARAGRAPH}", "", PARAGRAPH])
    assert found == [Excerpt(id_, int(id_[0]), PARAGRAPH.strip()) for id_ in ("1.1", "1.2", "3.1")]


def test_a_heading_goes_with_what_it_is_of_and_a_last_short_line_is_not_lost() -> None:
    assert [each.text for each in excerpts([f"Stars\n\n{PARAGRAPH}\n\nThe end."])] == [
        f"Stars {PARAGRAPH}".strip(),
        "The end.",
    ]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    found = excerpts(["The sun is a star. " * 100])
    assert len(found) == 3
    assert all(each.text.startswith("The sun") and each.text.endswith("star.") for each in found)


def test_what_has_no_end_is_cut_between_words_or_anywhere() -> None:
    assert [len(each.text) for each in excerpts(["ab " * 300])] == [398, 500]
    assert [len(each.text) for each in excerpts(["a" * 1000])] == [400, 601]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("¿Qué? ¡Sí! «No.» Vale…", ["¿Qué?", "¡Sí!", "«No.»", "Vale…"]),
        (
            "Dr. Smith and J. Doe met at 3.5 km, i.e. far away. They ran.",
            ["Dr. Smith and J. Doe met at 3.5 km, i.e. far away.", "They ran."],
        ),
        ("La Sra. García vino. (Tarde.)", ["La Sra. García vino.", "(Tarde.)"]),
        ("太陽は星です。地球は惑星です。", ["太陽は星です。", "地球は惑星です。"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.lists(st.text(st.sampled_from("ab. \n\0é!?"), max_size=900), max_size=3))
def test_every_letter_is_in_an_excerpt_that_is_not_too_long(pages: list[str]) -> None:
    found = excerpts(pages)
    for number, page in enumerate(pages, start=1):
        kept = "".join(each.text for each in found if each.page == number)
        assert "".join(kept.split()) == "".join(page.replace("\0", " ").split())
    assert all(0 < len(each.text) <= LONGEST for each in found)
    assert len({each.id for each in found}) == len(found)
