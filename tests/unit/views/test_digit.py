"""The self-test in words and bars."""

from __future__ import annotations

import pytest

from pyapp.digit import Digits, Named
from pyapp.errors import EngineFailed
from pyapp.views.digit import answer, self_test
from pyapp.views.language import Language
from tests.unit.views.languages import EN, ES
from tests.unit.views.test_chat import words

DIGITS = Digits(0.911, ((0.0,) * 64,) * 10)
NAMED = Named((0.0, 0.9, *[0.0125] * 8), 0.42, 80.0, "wasm")


@pytest.mark.parametrize("language", [EN, ES])
def test_every_sample_can_be_picked_by_name(language: Language) -> None:
    html = self_test(DIGITS, language)
    assert html.count('data-action="digit-sample"') == 10
    assert language.text("digit.sample", digit=7) in html
    assert 'data-action="digit-clear"' in html
    assert language.percent(0.911) in html


def test_the_answer_is_ten_bars_and_what_it_took() -> None:
    html = answer(NAMED, EN)
    assert html.count("<progress") == 10
    assert 'value="900" aria-label="1"' in html
    assert "This is a 1. Computed in 0.4 ms by: processor. Getting ready took 80 ms." in words(html)
    assert "Getting ready" not in answer(Named(NAMED.probabilities, 0.4, 0.0, "webgpu"), EN)


def test_nothing_yet_and_an_error() -> None:
    assert answer(None, EN) == ""
    assert EN.error(EngineFailed()) in words(answer(EngineFailed(), EN))
