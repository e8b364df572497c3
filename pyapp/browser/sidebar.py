"""The list of chats on the page: pyapp.chat_list.ListPage, and the list that hides itself on a phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from js import document, localStorage, window
from pyodide.ffi import create_once_callable, create_proxy

from pyapp.browser.page import by_id
from pyapp.chat.groups import Group
from pyapp.chat.search import Found
from pyapp.chat.tree import Chat
from pyapp.views import chats as view
from pyapp.views.html import Html
from pyapp.views.language import Language

SIDEBAR_KEY = "candil.sidebar"
PHONE = "(max-width: 52rem)"


class Sidebar:
    """`language` is asked for anew each time something is drawn."""

    def __init__(self, language: Callable[[], Language], announce: Callable[[str], None]) -> None:
        self._language = language
        self._announce = announce
        self._make: Callable[[], Html] = Html  # of what is to be shown
        self._asked = False
        self._narrow = window.matchMedia(PHONE)
        self._changed = create_proxy(self._resized)
        self._narrow.addEventListener("change", self._changed)

    # ---- pyapp.chat_list.ListPage ----

    def show_chats(self, groups: Sequence[Group], open_id: str) -> None:
        self._draw(lambda: view.by_day(groups, open_id, self._language()))

    def show_found(self, hits: Sequence[Found]) -> None:
        self._draw(lambda: view.found(hits, self._language()))
        self._announce(self._language().count("chats.found", len(hits)))

    def show_rename(self, chat: Chat) -> None:
        line = by_id("chats").querySelector(f'li[data-chat="{chat.id}"]')
        if line:
            line.innerHTML = view.rename_form(chat, self._language())
            line.querySelector("input").select()

    def leave_rename(self) -> None:
        """The list may be drawn again. What the box says goes with it, unless it was read before."""
        if form := by_id("chats").querySelector("form"):
            form.classList.remove("rename")  # losing its focus, as it does now, is not another answer
            form.remove()

    def show_deleted(self, chat: Chat | None) -> None:
        toast = by_id("toast")
        toast.hidden = chat is None
        toast.innerHTML = view.deleted(chat, self._language()) if chat else ""

    # ---- what only the browser's edge needs ----

    def open(self) -> None:
        """On a phone it covers the conversation, which cannot be reached meanwhile."""
        self._set("open")
        if self._narrow.matches:
            self._cover(True)
        by_id("hide-chats").focus()

    def close(self) -> None:
        self._set("closed")
        self._cover(False)
        by_id("show-chats").focus()

    def chosen(self) -> None:
        """A chat was chosen: where the list covers it, it goes away."""
        if self._narrow.matches and self.is_open:
            self._set("closed", keep=False)
            self._cover(False)

    @property
    def is_open(self) -> bool:
        return bool(document.documentElement.dataset.sidebar == "open")

    @property
    def covers(self) -> bool:
        return self.is_open and bool(self._narrow.matches)

    def _resized(self, event: Any) -> None:
        """There is no room beside the conversation any more, or there is again."""
        closed = event.matches or localStorage.getItem(SIDEBAR_KEY) == "closed"
        self._set("closed" if closed else "open", keep=False)
        self._cover(False)

    def _set(self, state: str, *, keep: bool = True) -> None:
        document.documentElement.dataset.sidebar = state
        if keep and not self._narrow.matches:
            with suppress(Exception):  # storage is switched off: as long as the page
                localStorage.setItem(SIDEBAR_KEY, state)

    def _cover(self, covered: bool) -> None:
        for selector in ("header.bar", "main", "footer.dock"):
            document.querySelector(selector).inert = covered

    def _draw(self, make: Callable[[], Html]) -> None:
        """In the next frame, once, and not while a title is being typed."""
        self._make = make
        if not self._asked:
            self._asked = True
            window.requestAnimationFrame(create_once_callable(self._frame))

    def _frame(self, _time: float) -> None:
        self._asked = False
        chats = by_id("chats")
        if chats.querySelector("form"):
            return
        focused = document.activeElement
        had = focused.dataset.id if focused and chats.contains(focused) else None
        chats.innerHTML = self._make()
        if had and (same := chats.querySelector(f'[data-action="open-chat"][data-id="{had}"]')):
            same.focus()
