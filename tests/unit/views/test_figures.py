"""The line under an answer: short, and all of it behind it; advice only when it was slow."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import get_args

import pytest

from pyapp.chat.tree import Entry, Origin
from pyapp.engine import Usage
from pyapp.figures import Advice, Conditions
from pyapp.views.figures import stats
from pyapp.views.language import Language
from pyapp.views.strings import LANGUAGES
from tests.unit.views.languages import EN, ES

USAGE = Usage(prompt_tokens=9, cached_tokens=4, new_tokens=3, prefill_ms=500, decode_ms=100)
ANSWER = Entry("a", "c", "q", "assistant", "Hi", 0, "done", origin=Origin("Tiny", "wasm"), usage=USAGE, reason="stop")


def words(html: str) -> str:
    found: list[str] = []

    class Collector(HTMLParser):
        def handle_data(self, data: str) -> None:
            found.append(data)

    Collector().feed(html)
    return " ".join(" ".join(found).split())


def line(entry: Entry, language: Language = EN) -> str:
    summary = re.search("<summary>(.*)</summary>", stats(entry, language, Conditions()))
    return words(summary[1]) if summary else ""


def behind(entry: Entry, language: Language = EN) -> str:
    return words(stats(entry, language, Conditions()).partition("</summary>")[2])


def test_one_short_line() -> None:
    assert line(ANSWER) == "3 tokens in 0.6 s 20.0 tokens/s first token in 0.50 s Tiny Stayed on this device"
    assert line(ANSWER, ES).startswith("3 tokens en 0,6 s 20,0 tokens/s primer token en 0,50 s")


def test_all_of_it_behind_the_line() -> None:
    text = behind(ANSWER)
    assert "Reading 5 tokens in 0.50 s · 10.0 tokens/s" in text
    assert "Writing 3 tokens in 0.10 s · 20.0 tokens/s Not read again 4 tokens were still in memory" in text
    assert "memory" not in behind(replace(ANSWER, usage=replace(USAGE, cached_tokens=0)))
    assert "Model Tiny Engine transformers.js (ONNX Runtime) Runs on processor" in text
    assert "Your words For this answer nothing was sent anywhere." in text
    assert "Motor transformers.js (ONNX Runtime) Se ejecuta en el procesador" in behind(ANSWER, ES)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (replace(ANSWER, state="stopped", usage=None, reason=None), "Stopped Tiny Stayed on this device"),
        (replace(ANSWER, reason="length"), "Cut off at the length limit 3 tokens in 0.6 s"),
        (replace(ANSWER, usage=replace(USAGE, new_tokens=1)), "1 token in 0.6 s 0.0 tokens/s"),
        (replace(ANSWER, origin=None), "3 tokens in 0.6 s 20.0 tokens/s first token in 0.50 s"),
    ],
)
def test_how_it_ended(entry: Entry, expected: str) -> None:
    assert line(entry).startswith(expected)


def test_nothing_is_claimed_of_an_answer_from_elsewhere() -> None:
    assert stats(replace(ANSWER, origin=None, usage=None), EN, Conditions()) == ""
    assert "this device" not in line(replace(ANSWER, origin=None))


def test_a_slow_answer_comes_with_advice() -> None:
    slow = replace(ANSWER, usage=replace(USAGE, decode_ms=41_000))
    html = stats(slow, EN, Conditions(30))
    assert "This took 42 s; you would like at most 30 s. Other programs" in words(html)
    assert "Ha tardado 42 s" in stats(slow, ES, Conditions(30))
    assert 'class="slow"' not in stats(slow, EN, Conditions(60))
    assert 'class="slow"' not in stats(replace(slow, origin=None), EN, Conditions(30))


def test_every_advice_has_its_sentence() -> None:
    for code in get_args(Advice):
        assert f"stats.advice.{code}" in LANGUAGES["en"]


def test_names_are_escaped() -> None:
    assert "<b>" not in stats(replace(ANSWER, origin=Origin("<b>", "wasm")), EN, Conditions())


def test_words_that_went_to_a_server_are_not_said_to_have_stayed() -> None:
    for host, said in (
        ("localhost:1234", "Stayed on this computer: localhost:1234"),
        ("a.example", "Sent to a.example"),
    ):
        html = stats(replace(ANSWER, origin=Origin("m", "server", "openai_http", host)), EN, Conditions())
        assert said in html
        assert "Stayed on this device" not in html
        assert "nothing was sent" not in html
    assert 'class="sent"' in html


def test_what_left_the_device_names_company_and_model() -> None:
    cloud = replace(ANSWER, origin=Origin("large-1", "server", "openai_http", "localhost:8000", "Acme AI"))
    assert line(cloud).endswith("Sent to Acme AI (large-1)")
    assert line(cloud, ES).endswith("Enviado a Acme AI (large-1)")
    assert "sent to localhost:8000 and from there to Acme AI" in behind(cloud)
    assert "the cloud" in behind(cloud)
