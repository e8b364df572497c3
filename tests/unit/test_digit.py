"""From strokes to pixels, and from pixels to a name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyapp.digit import SIZE, Digits, Named, Pixels, digits, name, pixels
from pyapp.errors import DeviceLost, EngineFailed, FileMissing
from tests.unit.run import run
from tests.unit.setup.test_advice import LAPTOP, device
from tests.unit.transport import ScriptedTransport

PROBABILITIES = [0.0, 0.9, *[0.0125] * 8]
ANSWER = {"probabilities": PROBABILITIES, "run_ms": 0.4, "load_ms": 80.0}


def rows(image: Pixels) -> list[str]:
    """# where there is more ink than not."""
    return ["".join("#" if share > 0.5 else "." for share in image[r : r + SIZE]) for r in range(0, SIZE**2, SIZE)]


def test_a_stroke_from_top_to_bottom() -> None:
    image = pixels([[(100, 20), (100, 200)]])
    assert rows(image) == ["...##..."] * 8
    assert all(0 <= share <= 1 for share in image)


def test_where_and_how_large_it_is_drawn_does_not_matter() -> None:
    small = pixels([[(10, 10), (15, 20)], [(10, 20), (15, 10)]])
    large = pixels([[(50, 40), (150, 240)], [(50, 240), (150, 40)]])
    assert small == large
    assert rows(small)[0].strip(".") != rows(small)[4].strip(".")


def test_a_wide_drawing_fills_the_width() -> None:
    assert rows(pixels([[(0, 50), (200, 50)]])) == ["........"] * 3 + ["########"] * 2 + ["........"] * 3


def test_a_dot_and_nothing() -> None:
    assert sum(pixels([[(5, 5)]])) == pytest.approx(1.5, abs=0.3)
    assert pixels([]) == (0.0,) * 64


def transport(**answers: Any) -> ScriptedTransport:
    table = {"digits.name": lambda _: [ANSWER], "page.replace_worker": lambda _: []}
    return ScriptedTransport(table | {op.replace("_", ".", 1): answer for op, answer in answers.items()})


def test_the_processor_where_there_is_no_graphics_card() -> None:
    page = transport()
    named = run(name((0.5,) * 64, page, device(webgpu=None)))
    assert named == Named(tuple(PROBABILITIES), 0.4, 80.0, "wasm")
    assert named.digit == 1
    assert page.calls == [("digits.name", {"pixels": [0.5] * 64, "device": "wasm"})]


def test_a_graphics_card_that_fails_is_replaced_by_the_processor() -> None:
    page = transport()
    assert run(name((0.0,) * 64, page, LAPTOP)).device == "webgpu"
    page = transport(digits_name=lambda asked: [DeviceLost("gone") if asked["device"] == "webgpu" else ANSWER])
    assert run(name((0.0,) * 64, page, LAPTOP)).device == "wasm"
    assert page.ops() == ["digits.name", "page.replace_worker", "digits.name"]


def test_a_runtime_that_does_not_run_is_an_error() -> None:
    with pytest.raises(EngineFailed):
        run(name((0.0,) * 64, transport(digits_name=lambda _: [EngineFailed("no")]), device(webgpu=None)))


def test_what_the_build_has_made() -> None:
    body = json.dumps({"accuracy": 0.91, "samples": [[0, 1]]})
    assert run(digits(transport(page_read=lambda _: [{"body": body}]))) == Digits(0.91, ((0.0, 1.0),))


@pytest.mark.parametrize("answer", [FileMissing("404"), {"body": "<!doctype html>"}, {"body": "{}"}, {"body": "[]"}])
def test_a_build_that_has_made_none(answer: Any) -> None:
    assert run(digits(transport(page_read=lambda _: [answer]))) is None
