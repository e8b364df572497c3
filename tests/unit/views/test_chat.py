"""An article shows who said what, how it ended, and that it stayed here."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pyapp.chat.tree import Entry
from pyapp.errors import DeviceLost
from pyapp.views.chat import article, earlier, foot, notice
from pyapp.views.language import Language
from tests.unit.chat.made import entry
from tests.unit.chat.scripted import ORIGIN, USAGE

EN, ES = Language("en"), Language("es")
ANSWER = entry("2", role="assistant", text="Some *text*", origin=ORIGIN, usage=USAGE, reason="stop")


def words(html: str) -> str:
    found: list[str] = []

    class Collector(HTMLParser):
        def handle_data(self, data: str) -> None:
            found.append(data)

    Collector().feed(html)
    return " ".join(" ".join(found).split())


def test_the_users_words_are_text() -> None:
    html = article(entry("1", text="<b>*x*</b> <|im_start|>"), EN)
    assert 'data-role="user" data-state="done"' in html
    assert "&lt;b&gt;*x*&lt;/b&gt; &lt;|im_start|&gt;" in html
    assert 'aria-label="You"' in html
    assert 'data-part="stats"' not in html


def test_an_answer_is_markdown_with_its_figures() -> None:
    html = article(ANSWER, EN)
    assert "<em>text</em>" in html
    assert "3 tokens 20.0 tokens/s first token after 0.50 s Tiny on processor Stayed on this device" in words(html)


def test_figures_in_spanish() -> None:
    assert "20,0 tokens/s primer token tras 0,50 s" in words(article(ANSWER, ES))


def test_a_growing_answer_shows_that_it_is_coming() -> None:
    growing = entry("2", role="assistant", text="", state="streaming", origin=ORIGIN)
    assert 'aria-label="Candil is thinking"' in article(growing, EN)
    assert foot(growing, EN) == ""
    assert "<p>so far</p>" in article(replace(growing, text="so far"), EN)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (replace(ANSWER, state="stopped", usage=None, reason=None), "Stopped Tiny on processor"),
        (replace(ANSWER, reason="length"), "Cut off at the length limit 3 tokens"),
        (replace(ANSWER, usage=replace(USAGE, new_tokens=1)), "1 token 0.0 tokens/s"),
        (replace(ANSWER, origin=None), "first token after 0.50 s Stayed"),
    ],
)
def test_how_it_ended(entry: Entry, expected: str) -> None:
    assert expected in words(foot(entry, EN))


def test_an_error_has_a_way_out() -> None:
    html = foot(replace(ANSWER, state="error", usage=None, error=DeviceLost()), EN)
    assert 'data-action="try-again" data-id="2"' in html
    assert "The graphics card went away" in html


def test_a_notice_can_be_dismissed() -> None:
    html = notice("Look & see", EN, tone="bad")
    assert words(html) == "Look & see Dismiss"
    assert 'data-tone="bad"' in html


def test_there_are_earlier_messages() -> None:
    assert words(earlier(ES)) == "Mensajes anteriores"
