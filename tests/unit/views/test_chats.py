"""The list of chats: named by title whatever is in it, the open one with what can be done to it."""

from __future__ import annotations

from datetime import date

import pytest

from pyapp.chat.groups import Group
from pyapp.chat.search import Excerpt, Found
from pyapp.chat.tree import Chat
from pyapp.views.chats import by_day, deleted, found, rename_form
from pyapp.views.icons import icon
from tests.unit.views.languages import EN, ES
from tests.unit.views.test_chat import words

OPEN = Chat("a", 0, 0, "Ships & <b>boats</b>", head="1")
OTHER = Chat("b", 0, 1_700_000_000_000, "שלום", head="2", pinned=True)


def test_the_open_chat_has_its_actions() -> None:
    html = by_day([Group("pinned", None, [OTHER]), Group("today", None, [OPEN])], "a", {"a": 1, "b": 4}.__getitem__, EN)
    assert words(html) == "Pinned שלום Today Ships & <b>boats</b>"
    assert html.count('aria-label="Rename"') == html.count('aria-current="true"') == 1
    assert 'dir="auto" title="2023-11-14 22:13 · 4 messages"' in html


def test_months_are_named_and_chats_without_a_title_too() -> None:
    html = by_day([Group("month", date(2026, 3, 1), [Chat("c", 0, 0, head="1")])], "", lambda _: 0, EN)
    assert words(html) == "2026-03 Untitled chat"


def test_a_pinned_chat_can_be_unpinned() -> None:
    assert 'aria-label="Dejar de fijar"' in by_day([Group("pinned", None, [OTHER])], "b", lambda _: 0, ES)


def test_no_chats_and_nothing_found_are_sentences() -> None:
    assert "will be listed here" in by_day([], "", lambda _: 0, EN)
    assert "No chat has all these words" in found([], EN)


def test_what_was_found_is_marked() -> None:
    title = Excerpt("Piñas <i>", ((0, 4),))
    html = found([Found("a", title, "7", Excerpt("una piña y otra", ((4, 8),))), Found("b", Excerpt("", ()))], EN)
    assert "<mark>Piña</mark>s &lt;i&gt;" in html
    assert "una <mark>piña</mark> y otra" in html
    assert 'data-id="a" data-entry="7"' in html
    assert "Untitled chat" in html


def test_a_title_is_edited_as_it_is() -> None:
    assert 'value="Ships &amp; &lt;b&gt;boats&lt;/b&gt;"' in rename_form(OPEN, EN)


def test_what_was_deleted_can_come_back() -> None:
    html = deleted(OPEN, EN)
    assert "“Ships &amp; &lt;b&gt;boats&lt;/b&gt;” was deleted." in html
    assert 'data-action="undo-chat"' in html


def test_there_is_no_drawing_of_everything() -> None:
    with pytest.raises(KeyError):
        icon("no such thing")
