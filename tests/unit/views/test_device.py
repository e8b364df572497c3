"""This device in words, in every language."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from pyapp.chat.tree import Origin
from pyapp.device_page import Ranked, ShownDevice
from pyapp.errors import DeviceLost
from pyapp.models.capabilities import Adapter, BuiltinAi
from pyapp.setup.advice import Recommendation, Verdict, Why
from pyapp.views.device import device, suggestion
from pyapp.views.language import Language
from tests.unit.setup.scripted import MODEL, WASM
from tests.unit.setup.test_advice import LAPTOP
from tests.unit.views.languages import EN, ES
from tests.unit.views.test_chat import words

SHOWN = ShownDevice(LAPTOP, "graphics_card", Recommendation(MODEL, WASM, "measured"), can_measure=True)


def test_nothing_before_the_device_was_looked_at() -> None:
    assert device(ShownDevice(), EN) == ""


@pytest.mark.parametrize("language", [EN, ES])
def test_every_verdict_and_every_reason_has_its_sentence(language: Language) -> None:
    for verdict in get_args(Verdict):
        assert language.text(f"device.verdict.{verdict}") in device(replace(SHOWN, verdict=verdict), language)
    for why in get_args(Why):
        assert "Tiny" in suggestion(Recommendation(MODEL, WASM, why), language)
    assert suggestion(None, language)
    for builtin in get_args(BuiltinAi):
        shown = replace(SHOWN, capabilities=replace(LAPTOP, builtin_ai=builtin))
        assert language.text(f"device.facts.builtin.{builtin}") in device(shown, language)


def test_what_the_browser_reports() -> None:
    said = words(device(SHOWN, EN))
    assert "intel gen-12lp, half precision, files up to" in said
    assert "at least 8 GB" in said
    bare = replace(LAPTOP, webgpu=Adapter("", "", False, 1 << 30), memory_gb=None, opfs=False)
    said = words(device(replace(SHOWN, capabilities=bare), EN))
    assert "there is one, without a name, without half precision" in said
    assert "not told" in said
    assert "not offered" in words(device(replace(SHOWN, capabilities=replace(LAPTOP, webgpu=None)), EN))


def test_the_ranking_and_what_is_being_measured() -> None:
    assert "Nothing was measured yet." in device(SHOWN, EN)
    origin = Origin("<Tiny>", "wasm", "wllama")
    html = device(replace(SHOWN, ranking=(Ranked(origin, 33.33),), measuring=origin, can_measure=False), EN)
    assert "&lt;Tiny&gt;, processor (wllama): <strong>33.3 tokens/s" in html
    assert "Measuring &lt;Tiny&gt;" in html
    assert " disabled" in html
    assert " disabled" not in device(SHOWN, EN)


def test_an_error_is_told() -> None:
    assert 'role="alert"' in device(replace(SHOWN, error=DeviceLost()), EN)
