"""Pieces of a PDF's pages to paragraphs: lines, columns, headers, divided words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.documents.layout import Line, Piece, joined, lines_of, pages_of

SIZE = 10.0


def line(text: str, y: float, *, left: float = 70, right: float = 520, size: float = SIZE) -> Line:
    return Line(text, left, right, y, size)


def block(texts: Sequence[str], top: float, *, left: float = 70) -> list[Line]:
    return [line(text, top - 14 * n, left=left, right=left + 450) for n, text in enumerate(texts)]


def page(*paragraphs: Sequence[str]) -> list[Line]:
    """With more room between paragraphs than between lines."""
    lines: list[Line] = []
    top = 750.0
    for texts in paragraphs:
        lines += block(texts, top)
        top -= 14 * len(texts) + 8
    return lines


def test_pieces_become_lines_where_the_file_ends_them_or_the_height_changes() -> None:
    pieces = [
        Piece("El", 70, 700, 10, 10, False),
        Piece(" ", 80, 700, 3, 0, False),
        Piece("niño", 83, 700, 20, 10, False),
        Piece("2", 103, 703, 3, 6, False),  # a superscript is of its line
        Piece("", 70, 700, 0, 0, True),
        Piece("come", 70, 686, 20, 10, False),
        Piece("pan", 70, 672, 20, 10, False),
        Piece("  ", 70, 672, 5, 0, True),
        Piece(" ", 70, 658, 5, 0, True),
    ]
    assert lines_of(pieces) == [
        Line("El niño2", 70, 106, 700, 10),
        Line("come", 70, 90, 686, 10),
        Line("pan", 70, 90, 672, 10),
    ]
    assert lines_of([]) == []


def test_paragraphs_are_told_by_the_room_between_them() -> None:
    assert pages_of([page(["The sun is", "a star."], ["It is", "far away."])]) == [
        "The sun is a star.\n\nIt is far away."
    ]


def test_a_heading_is_a_paragraph_and_so_is_each_item_of_a_list() -> None:
    lines = [line("Stars", 750, size=16), *block(["A star shines", "- the sun", "- Sirius", "2. Vega"], 730)]
    assert pages_of([lines]) == ["Stars\n\nA star shines\n\n- the sun\n\n- Sirius\n\n2. Vega"]


def test_a_short_last_line_or_an_indent_ends_a_paragraph_only_after_a_sentence() -> None:
    short = [
        line("It is late.", 750, right=140),
        line("We went", 736),
        line("home", 722, right=90),
        line("and slept", 708),
    ]
    assert pages_of([short]) == ["It is late.\n\nWe went home and slept"]
    indented = [
        line("It is late.", 750),
        line("We went", 736, left=90),
        line("home and", 722),
        line("slept", 708, left=90),
    ]
    assert pages_of([indented]) == ["It is late.\n\nWe went home and slept"]


def test_a_sentence_goes_on_in_the_next_column() -> None:
    columns = [*block(["A star is born", "where dust and"], 300), *block(["gas meet."], 750, left=320)]
    assert pages_of([columns]) == ["A star is born where dust and gas meet."]
    anew = [*block(["A star is born."], 300), *block(["its light", "shines"], 750, left=320)]
    assert pages_of([anew]) == ["A star is born.\n\nits light shines"]
    capital = [*block(["A star is born"], 300), *block(["Gas"], 750, left=320)]
    assert pages_of([capital]) == ["A star is born\n\nGas"]


def test_headers_footers_and_page_numbers_go_and_the_text_stays() -> None:
    def numbered(n: int, name: str) -> list[Line]:
        body = block([name, "and the", "Annual report", f"of {name}."], 700)
        return [line("Annual report", 800), *body, line(f"Page {n} of 9", 40)]

    names = ["Ann", "Bo", "Cleo"]
    texts = pages_of([numbered(n, name) for n, name in enumerate(names)])
    assert texts == [f"{name} and the Annual report of {name}." for name in names]


def test_slides_of_a_line_each_are_not_taken_for_headers() -> None:
    assert pages_of([[line(f"Slide {n}", 400)] for n in range(3)]) == ["Slide 0", "Slide 1", "Slide 2"]


def test_one_page_alone_loses_only_its_number() -> None:
    lines = [line("Annual report", 800), *page(["A text", "of lines", "and more"]), line("- 7 -", 40)]
    assert pages_of([lines]) == ["Annual report\n\nA text of lines and more"]
    assert pages_of([[]]) == [""]


@pytest.mark.parametrize(
    ("text", "more", "words", "whole"),
    [
        ("una fotosín-", "tesis", set(), "una fotosíntesis"),
        ("una fotosín\u00ad", "tesis", set(), "una fotosíntesis"),
        ("a well-", "known star", {"well-known"}, "a well-known star"),
        ("a well-", "known star", {"well-known", "wellknown"}, "a wellknown star"),
        ("Saint-", "Denis", set(), "Saint- Denis"),
        ("from 3 -", "four", set(), "from 3 - four"),
        ("a star-", "(old)", set(), "a star- (old)"),
    ],
)
def test_words_divided_at_the_end_of_a_line(text: str, more: str, words: set[str], whole: str) -> None:
    assert joined(text, more, words) == whole


LINES = st.builds(
    Line,
    text=st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12),
    left=st.floats(0, 600),
    right=st.floats(0, 600),
    y=st.floats(-10, 900),
    size=st.floats(0, 40),
)


@given(st.lists(st.lists(LINES, max_size=12), max_size=6))
def test_nothing_of_the_body_is_lost_whatever_a_file_holds(pages: list[list[Line]]) -> None:
    texts = pages_of(pages)
    assert len(texts) == len(pages)
    for lines, text in zip(pages, texts, strict=True):
        inner = sorted(lines, key=lambda line: line.y)[2:-2]
        shown = "".join(text.split())
        for one in inner:
            if sum(other == one for other in lines) == 1:
                assert one.text.rstrip("-\u2010\u00ad") in shown
