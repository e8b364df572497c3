"""An article shows who said what, how it ended, and that it stayed here."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pyapp.chat.tree import Attachment
from pyapp.errors import CloudFailed, DeviceLost
from pyapp.views.chat import article, earlier, editing, files, foot, not_kept, notice
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
    html = article(entry("1", text="<b>*x*</b> <|im_start|>"), ["1"], EN)
    assert 'data-role="user" data-state="done"' in html
    assert "&lt;b&gt;*x*&lt;/b&gt; &lt;|im_start|&gt;" in html
    assert 'aria-label="You"' in html
    assert 'data-part="stats"' not in html


def test_attachments_are_folded_and_chips_can_go() -> None:
    file = Attachment("<i>.txt", "one & two")
    html = article(replace(entry("1", text="x"), attachments=(file,)), ["1"], EN)
    assert "<summary>" in html
    assert "&lt;i&gt;.txt · 3 words" in html
    assert "one &amp; two</pre>" in html
    assert 'aria-label="Remove &lt;i&gt;.txt"' in files([file], EN)
    assert 'data-action="cancel-edit"' in editing(EN)


def test_a_message_that_may_scroll_can_be_reached_by_keyboard() -> None:
    reached = '<div data-part="text" dir="auto" tabindex="0">'
    assert reached in article(entry("1", text="word " * 100), ["1"], EN)
    assert reached in article(entry("1", text="x\n" * 20), ["1"], EN)
    assert reached not in article(entry("1", text="short"), ["1"], EN)
    assert reached not in article(entry("2", role="assistant", text="word " * 100), ["2"], EN)


def test_what_an_answer_says_comes_later_and_its_figures_at_once() -> None:
    html = article(ANSWER, ["2"], EN)
    assert 'data-part="text" dir="auto"></div>' in html
    assert "20.0 tokens/s" in words(html)
    assert "Stayed on this device" in words(html)


def test_a_growing_answer_shows_that_it_is_coming() -> None:
    growing = entry("2", role="assistant", text="", state="streaming", origin=ORIGIN)
    assert 'aria-label="Candil is thinking"' in article(growing, ["2"], EN)
    assert foot(growing, ["2"], EN) == ""
    assert "thinking" not in article(replace(growing, text="so far"), ["2"], EN)


def actions(html: str) -> list[str]:
    return re.findall(r'data-action="([a-z-]+)"', html)


def test_what_can_be_done_to_a_message() -> None:
    asked = foot(entry("1", text="x"), ["1"], EN)
    assert actions(asked) == ["copy-message", "edit-message", "delete-message"]
    done = [a for a in actions(foot(ANSWER, ["2"], EN)) if a != "open-figures"]
    assert done == ["copy-message", "regenerate", "delete-message"]
    for cut in (replace(ANSWER, state="stopped"), replace(ANSWER, reason="length")):
        assert "continue" in actions(foot(cut, ["2"], EN))
    assert "continue" not in actions(foot(replace(ANSWER, text="", state="stopped"), ["2"], EN))


@pytest.mark.parametrize(
    ("at", "off"), [(0, ["previous"]), (1, []), (2, ["next"])], ids=["first", "in between", "last"]
)
def test_versions_have_a_way_to_those_beside_them(at: int, off: list[str]) -> None:
    siblings = ["a", "b", "c"]
    html = foot(entry(siblings[at], text="x"), siblings, EN)
    assert f'aria-label="Version {at + 1} of 3"' in html
    for name in ("previous", "next"):
        label = f"{name.capitalize()} version"
        assert (f'title="{label}" disabled' in html) == (name in off)


def test_an_error_has_a_way_out() -> None:
    html = foot(replace(ANSWER, state="error", usage=None, error=DeviceLost()), ["2"], EN)
    assert 'data-action="try-again" data-id="2"' in html
    assert "use-device" not in html
    assert "The graphics card went away" in html
    html = foot(replace(ANSWER, state="error", usage=None, error=CloudFailed()), ["2"], EN)
    assert 'data-action="use-device" data-id="2"' in html


def test_a_notice_can_be_dismissed() -> None:
    html = notice("Look & see", EN, tone="bad")
    assert words(html) == "Look & see Dismiss"
    assert 'data-tone="bad"' in html


def test_there_are_earlier_messages() -> None:
    assert words(earlier(ES)) == "Mensajes anteriores"


def test_a_chat_that_is_not_kept_can_be_saved_as_a_file() -> None:
    assert "last until this tab is closed" in words(not_kept(EN))
    assert 'data-action="export-shown"' in not_kept(EN)
