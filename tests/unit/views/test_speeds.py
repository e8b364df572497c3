"""The page of speeds: a chart for the eyes, the same in words and in a table for everybody."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from pyapp.chat.tree import Origin
from pyapp.engine import Usage
from pyapp.speeds import Figure
from pyapp.views.chart import HEIGHT, WIDTH, Series, chart, marker, scale
from pyapp.views.speeds import page
from tests.unit.views.languages import EN, ES
from tests.unit.views.test_figures import words

FIRST = Figure(0, Origin("Tiny <1>", "wasm"), Usage(9, 0, 11, 500.0, 1000.0))
SECOND = replace(FIRST, at_ms=86_400_000, usage=replace(FIRST.usage, decode_ms=2000.0))
THIRD = replace(SECOND, at_ms=2 * 86_400_000, origin=Origin("Tiny <1>", "webgpu"))


def test_before_the_first_answer() -> None:
    assert words(page([], EN)).endswith("the last 500 answers. Nothing yet: ask something first.")


def test_all_of_it_in_words() -> None:
    text = words(page([FIRST, SECOND, THIRD], EN))
    assert "Tiny <1>, processor 2 7.5 0.50 Tiny <1>, graphics card 1 5.0 0.50" in text
    assert re.search(r"1970-01-0\d \d\d:\d\d Tiny <1>, graphics card 5.0 0.50 11 2.5 1970", text)  # the newest first
    assert "Tiny <1>, el procesador 2 7,5 0,50" in words(page([FIRST, SECOND, THIRD], ES))


def test_the_pictures_say_what_they_show() -> None:
    labels = re.findall('role="img" aria-label="([^"]*)"', page([FIRST, SECOND], EN))
    assert labels[0].startswith("Tokens per second, answer by answer: from 5.00 to 10.00, 5.00 in the last one.")
    assert labels[1].startswith("Seconds to the first token, answer by answer: from 0.50 to 0.50")


def test_clearing_is_asked_for_twice() -> None:
    def actions(html: str) -> list[str]:
        return re.findall('data-action="figures-([^"]*)"', html)

    assert actions(page([FIRST], EN)) == ["close", "ask"]
    assert actions(page([FIRST], EN, asks_to_clear=True)) == ["close", "keep", "clear"]
    assert actions(page([], EN)) == ["close"]


# ---- the chart ----


@pytest.mark.parametrize(
    ("highest", "expected"),
    [(0, (1, 1)), (1, (1, 0.2)), (10, (10, 2)), (21, (25, 5)), (47, (50, 10)), (87, (100, 20)), (0.3, (0.3, 0.1))],
)
def test_the_axis_has_round_numbers(highest: float, expected: tuple[float, float]) -> None:
    assert scale(highest) == pytest.approx(expected)


@pytest.mark.parametrize("highest", [0.011, 0.5, 1, 3.7, 9.99, 10, 99, 123456])
def test_the_axis_reaches_the_highest_with_few_lines(highest: float) -> None:
    top, step = scale(highest)
    assert highest <= top * 1.0001
    assert round(top / step) <= 6


def test_it_is_well_formed_and_every_point_is_inside() -> None:
    points = tuple((place, float(place % 7)) for place in range(500))
    root = ElementTree.fromstring(chart("A & B", [Series("a", points), Series("b", ((3, 2.5),))], EN))
    assert root.attrib["aria-label"] == "A & B"
    moved = [m for e in root.iter("path") if (m := re.match(r"translate\((\S+) (\S+)\)", e.get("transform", "")))]
    assert len(moved) == 501
    for at in moved:
        assert 0 < float(at[1]) < WIDTH
        assert 0 < float(at[2]) < HEIGHT


def test_one_point_stands_in_the_middle_and_none_is_no_crash() -> None:
    assert "translate(" in chart("x", [Series("a", ((0, 5.0),))], EN)
    assert ">1<" in chart("x", [], EN)
    assert ">0.02<" in chart("x", [Series("a", ((0, 0.09),))], EN)
    assert ">0,2<" in chart("x", [Series("a", ((0, 0.9),))], ES)


def test_series_differ_by_shape() -> None:
    shapes = [re.search('<path d="([^"]*)"', marker(number)) for number in range(5)]
    assert len({shape[1] for shape in shapes if shape}) == 4
    assert "<style" not in marker(0)
