"""The list of chats on the page: pyapp.chat_list.ListPage, and the list that hides itself on a phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from js import document, localStorage, window
from pyodide.ffi import create_once_callable, create_proxy

from pyapp.app import App
from pyapp.browser import focus
from pyapp.browser.events import Events
from pyapp.browser.page import by_id
from pyapp.chat.groups import Group
from pyapp.chat.search import Found
from pyapp.chat.tree import Chat
from pyapp.chat_list import ChatList
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
        self._show: Callable[[], None] | None = None  # what the next frame calls
        self._to_focus: str | None = None  # what gets the focus when the list is drawn, as a selector
        self.on_chosen: Callable[[], None] = lambda: None  # a chat is to be seen
        self._narrow = window.matchMedia(PHONE)
        self._changed = create_proxy(self._resized)
        self._narrow.addEventListener("change", self._changed)

    # ---- pyapp.chat_list.ListPage ----

    def soon(self, show: Callable[[], None]) -> None:
        if self._show is None:
            window.requestAnimationFrame(create_once_callable(self._frame))
        self._show = show

    def show_chats(self, groups: Sequence[Group], open_id: str, count: Callable[[str], int]) -> None:
        self._draw(view.by_day(groups, open_id, count, self._language()))

    def show_found(self, hits: Sequence[Found]) -> None:
        self._draw(view.found(hits, self._language()))
        self._announce(self._language().count("chats.found", len(hits)))

    def show_rename(self, chat: Chat) -> None:
        line = by_id("chats").querySelector(f'li[data-chat="{chat.id}"]')
        if line:
            line.innerHTML = view.rename_form(chat, self._language())
            line.querySelector("input").select()

    def show_deleted(self, chat: Chat | None) -> None:
        toast = by_id("toast")
        with focus.kept(toast):
            toast.hidden = chat is None
            toast.innerHTML = view.deleted(chat, self._language()) if chat else ""

    # ---- what only the browser's edge needs ----

    def connect(self, events: Events, app: App, chats: ChatList) -> None:
        events.add(
            {
                "new-chat": lambda _button: self.new(app),
                "open-chat": lambda button: self._open_chat(app, button),
                "rename-chat": lambda button: chats.begin_rename(button.dataset.id),
                "pin-chat": lambda button: chats.pin(button.dataset.id),
                "delete-chat": lambda button: self._delete(chats, button.dataset.id),
                "undo-chat": lambda _button: self._undo(chats),
                "close-toast": lambda _button: chats.leave_undo(),
                "show-chats": lambda _button: self.open(),
                "hide-chats": lambda _button: self.close(),
            }
        )
        events.on(by_id("search"), "input", lambda event: chats.search(event.target.value))
        for kind in ("submit", "focusout", "keydown"):
            events.on(by_id("chats"), kind, lambda event: self._renamed(chats, event))

    def search(self) -> None:
        """The box to search in, wherever it is."""
        if not self.is_open:
            self.open()
        by_id("search").focus()

    def toggle(self) -> None:
        self.close() if self.is_open else self.open()

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

    def new(self, app: App) -> None:
        app.new_chat()
        self._chosen()

    def _open_chat(self, app: App, button: Any) -> None:
        app.open_chat(button.dataset.id, button.dataset.entry or None)
        self._chosen()

    def _chosen(self) -> None:
        self.on_chosen()
        self.uncover()
        focus.to_writing()

    def uncover(self) -> None:
        """Where the list covers the conversation, it goes away: what was chosen, or said, is there."""
        if self.covers:
            self._set("closed", keep=False)
            self._cover(False)

    def _delete(self, chats: ChatList, chat_id: str) -> None:
        chats.delete(chat_id)
        self.uncover()
        by_id("toast").querySelector("button").focus()

    def _undo(self, chats: ChatList) -> None:
        chats.undo()
        focus.to_writing()

    def _renamed(self, chats: ChatList, event: Any) -> None:
        """Enter, or going elsewhere, keeps the title; Escape leaves it as it was."""
        form = event.target.closest(".rename")
        if not form or (event.type == "keydown" and event.key != "Escape"):
            return
        event.preventDefault()
        event.stopPropagation()  # this Escape has done its work
        title, chat_id = form.elements.title.value, form.dataset.id
        form.classList.remove("rename")  # losing its focus, as it does now, is not another answer
        form.remove()
        chats.rename(chat_id, "" if event.type == "keydown" else title)
        if event.type != "focusout":
            self._to_focus = _same("rename-chat", chat_id)

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
        with focus.kept(by_id("sidebar")):
            document.documentElement.dataset.sidebar = state
        if keep and not self._narrow.matches:
            with suppress(Exception):  # storage is switched off: as long as the page
                localStorage.setItem(SIDEBAR_KEY, state)

    def _cover(self, covered: bool) -> None:
        for selector in ("header.bar", "#main", "#tasks", "footer.dock"):
            document.querySelector(selector).inert = covered

    def _frame(self, _time: float) -> None:
        show, self._show = self._show, None
        if show and not by_id("chats").querySelector("form"):  # a title is being typed: the list is shown after it
            show()

    def _draw(self, html: Html) -> None:
        chats = by_id("chats")
        focused = document.activeElement
        if focused and chats.contains(focused):
            self._to_focus = _same(focused.dataset.action, focused.dataset.id)
        with focus.kept(chats):
            chats.innerHTML = html
            same = chats.querySelector(self._to_focus) if self._to_focus else None
            if same:
                same.focus()
        self._to_focus = None


def _same(action: str, chat_id: str) -> str:
    """A selector of the button that does the same, when the list has been drawn anew."""
    return f'[data-action="{action}"][data-id="{chat_id}"]'
