"""Composition root: builds everything once, and turns the page's events into calls of pyapp.app.App."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any

from js import URLSearchParams, document, localStorage, location
from pyodide.ffi import create_proxy

from pyapp.app import App
from pyapp.browser.bridge import Bridge
from pyapp.browser.intl import BrowserFormats
from pyapp.browser.models import ModelsDialog
from pyapp.browser.page import BrowserPage, by_id
from pyapp.browser.sidebar import Sidebar
from pyapp.browser.speeds import SpeedsDialog
from pyapp.chat.attach import LARGEST_FILE_BYTES
from pyapp.chat.drafts import Draft
from pyapp.chat.library import Library
from pyapp.chat.session import Session
from pyapp.chat_list import ChatList
from pyapp.engine import values
from pyapp.engines.transformers_js import TransformersJs
from pyapp.figures import conditions
from pyapp.models.store import Store
from pyapp.models_page import ModelsPage
from pyapp.setup.setup import Setup
from pyapp.setup.state import Ready, SetupState
from pyapp.views.language import Language, pick

INTENT_KEY = "candil.download"
CHOSEN_KEY = "candil.model"
LANGUAGE_KEY = "candil.language"


class LocalIntent:
    """pyapp.setup.setup.Intent in localStorage."""

    def __init__(self, key: str) -> None:
        self._key = key

    def get(self) -> str | None:
        return localStorage.getItem(self._key) or None

    def set(self, key: str | None) -> None:
        if key is None:
            localStorage.removeItem(self._key)
        else:
            localStorage.setItem(self._key, key)


class Events:
    """One delegated listener per kind of event; the proxies live as long as the page."""

    def __init__(
        self,
        app: App,
        page: BrowserPage,
        chats: ChatList,
        sidebar: Sidebar,
        bridge: Bridge,
        more: dict[str, Callable[[Any], None]],
    ) -> None:
        self._app = app
        self._page = page
        self._chats = chats
        self._sidebar = sidebar
        self._bridge = bridge
        self._proxies: list[Any] = []
        self._actions: dict[str, Callable[[Any], None]] = {
            "try-again": lambda button: app.try_again(button.dataset.id),
            "retry-setup": lambda _button: app.retry_setup(),
            "dismiss": lambda _button: app.dismiss(),
            "choose": lambda _button: app.choose(),
            "resume": lambda _button: app.download(),
            "cancel": lambda _button: app.cancel_download(),
            "take-over": lambda _button: app.take_over(),
            "apply-update": lambda _button: self._apply_update(),
            "later-update": lambda _button: page.show_update(False),
            "suggestion": lambda button: self._suggested(button.textContent),
            "copy-code": page.copy_code,
            **self._of_messages(),
            **self._of_chats(),
        }

    def _of_messages(self) -> dict[str, Callable[[Any], None]]:
        app = self._app
        return {
            "copy-message": self._page.copy_message,
            "edit-message": lambda button: self._edit(lambda: app.edit(button.dataset.id)),
            "cancel-edit": lambda _button: self._edit(app.cancel_edit),
            "regenerate": lambda button: app.regenerate(button.dataset.id),
            "continue": lambda button: app.continue_(button.dataset.id),
            "switch-branch": lambda button: self._page.keep_focus(button, lambda: app.switch(button.dataset.id)),
            "delete-message": lambda button: self._delete_message(button.dataset.id),
            "undo-message": lambda _button: self._undelete_message(),
            "attach": lambda _button: by_id("file").click(),
            "remove-file": lambda button: self._edit(lambda: app.remove_attachment(int(button.dataset.id))),
        }

    def _of_chats(self) -> dict[str, Callable[[Any], None]]:
        chats, sidebar = self._chats, self._sidebar
        return {
            "new-chat": lambda _button: self._new_chat(),
            "open-chat": lambda button: self._open_chat(button.dataset.id, button.dataset.entry or None),
            "rename-chat": lambda button: chats.begin_rename(button.dataset.id),
            "pin-chat": lambda button: chats.pin(button.dataset.id),
            "delete-chat": lambda button: self._delete_chat(button.dataset.id),
            "undo-chat": lambda _button: self._undo_chat(),
            "close-toast": lambda _button: chats.leave_undo(),
            "show-chats": lambda _button: sidebar.open(),
            "hide-chats": lambda _button: sidebar.close(),
        }
        self._actions |= more

    def connect(self) -> None:
        self._on(document, "click", self._clicked)
        self._on(by_id("composer"), "submit", self._submitted)
        self._on(by_id("message"), "input", lambda _event: self._draft_changed())
        self._on(by_id("message"), "keydown", self._key_pressed)
        self._on(by_id("stop"), "click", lambda _event: self._app.stop())
        self._on(by_id("message"), "paste", self._pasted)
        self._on(by_id("file"), "change", self._files_chosen)
        self._on(by_id("search"), "input", lambda event: self._chats.search(event.target.value))
        self._on(by_id("chats"), "submit", self._renamed)
        self._on(by_id("chats"), "focusout", self._renamed)
        self._on(document, "keydown", self._escaped)
        self._on(by_id("choice"), "close", self._chosen)
        self._on(by_id("language"), "change", self._language_changed)
        for button in document.querySelectorAll(".suggestion, #new-chat, #attach"):
            button.disabled = False

    def _on(self, target: Any, kind: str, handler: Any) -> None:
        proxy = create_proxy(handler)
        self._proxies.append(proxy)
        target.addEventListener(kind, proxy)

    def _clicked(self, event: Any) -> None:
        button = event.target.closest("button[data-action]")
        if button:
            self._actions[button.dataset.action](button)

    def _suggested(self, text: str) -> None:
        self._page.set_draft(Draft(text))
        by_id("message").focus()
        self._app.send()

    def _draft_changed(self) -> None:
        self._page.draft_changed()
        self._app.draft_changed()

    def _submitted(self, event: Any) -> None:
        event.preventDefault()
        self._app.send()

    def _key_pressed(self, event: Any) -> None:
        # Enter that ends an input method's composition chooses a character; it sends nothing.
        if event.key == "Enter" and not event.shiftKey and not event.isComposing:
            event.preventDefault()
            self._app.send()
        elif event.key == "ArrowUp" and not event.target.value:
            event.preventDefault()
            self._edit(self._app.edit_last)

    def _escaped(self, event: Any) -> None:
        """Escape leaves the innermost thing: a title, the list that covers a phone's page, an edit, an answer."""
        if event.key != "Escape" or event.isComposing or document.querySelector("dialog[open]"):
            return
        if event.target.closest(".rename"):
            self._sidebar.leave_rename()
            self._chats.refresh()
        elif self._sidebar.covers:
            self._sidebar.close()
        elif self._page.draft().replaces is not None:
            self._edit(self._app.cancel_edit)
        else:
            self._app.stop()

    def _edit(self, change: Callable[[], None]) -> None:
        change()
        by_id("message").focus()

    def _pasted(self, event: Any) -> None:
        text = event.clipboardData.getData("text/plain")
        if text and self._app.paste(self._page.language.text("attach.pasted"), text):
            event.preventDefault()

    def _files_chosen(self, event: Any) -> None:
        asyncio.ensure_future(self._read(list(event.target.files)))  # noqa: RUF006 -- ends by itself
        event.target.value = ""

    async def _read(self, files: list[Any]) -> None:
        for file in files:
            whole = file.slice(0, LARGEST_FILE_BYTES + 1)  # enough to see that it is too large
            self._app.attach(file.name, (await whole.arrayBuffer()).to_bytes())
        by_id("message").focus()

    def _delete_message(self, entry_id: str) -> None:
        self._app.delete(entry_id)
        self._page.show_undo("message.deleted", "undo-message")

    def _undelete_message(self) -> None:
        self._app.undelete()
        self._chats.leave_undo()

    def _open_chat(self, chat_id: str, entry_id: str | None) -> None:
        self._app.open_chat(chat_id, entry_id)
        self._sidebar.chosen()
        by_id("message").focus()

    def _delete_chat(self, chat_id: str) -> None:
        self._chats.delete(chat_id)
        by_id("toast").querySelector("button").focus()

    def _undo_chat(self) -> None:
        self._chats.undo()
        by_id("message").focus()

    def _renamed(self, event: Any) -> None:
        """Enter, or going elsewhere, keeps the title."""
        form = event.target.closest(".rename")
        if form:
            event.preventDefault()
            title, chat_id = form.elements.title.value, form.dataset.id
            self._sidebar.leave_rename()
            self._chats.rename(chat_id, title)

    def _chosen(self, event: Any) -> None:
        match event.target.returnValue:
            case "download":
                self._app.download()
            case "shown-elsewhere":
                pass
            case _:  # "later", Escape
                self._app.not_now()
        event.target.returnValue = ""
        by_id("message").focus()

    def _new_chat(self) -> None:
        self._app.new_chat()
        self._sidebar.chosen()
        by_id("message").focus()

    def _language_changed(self, event: Any) -> None:
        localStorage.setItem(LANGUAGE_KEY, event.target.value)
        document.documentElement.lang = event.target.value
        self._page.language = speak(event.target.value)
        self._page.redraw()
        self._chats.refresh()

    def _apply_update(self) -> None:
        asyncio.ensure_future(values(self._bridge, "page.apply_update"))  # noqa: RUF006 -- the page reloads under it


def new_id() -> str:
    return str(uuid.uuid4())


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def speak(code: str) -> Language:
    return Language(code, BrowserFormats(code))


async def _watch_updates(bridge: Bridge, page: BrowserPage) -> None:
    async for _ in bridge.stream("page.updates", {}):
        page.show_update(True)


def _measure(page: BrowserPage, setup: Setup, state: SetupState) -> None:
    in_use = state.model if isinstance(state, Ready) else None
    page.conditions = conditions(setup.catalog, in_use, page.conditions.budget_s)


def main() -> None:
    """Starts the application; called once, when Python has arrived."""
    from pyscript.js_modules import bridge as bridge_module

    query = URLSearchParams.new(location.search)
    language = speak(pick([document.documentElement.lang]))
    by_id("language").value = language.code
    bridge = Bridge(bridge_module)
    page = BrowserPage(language)
    engine = TransformersJs(bridge, seed=lambda: secrets.randbits(32))
    device = query.get("device")
    store = Store(bridge)
    setup = Setup(
        bridge,
        {engine.name: engine},
        store,
        LocalIntent(INTENT_KEY),
        device if device in ("wasm", "webgpu") else "auto",
        chosen=LocalIntent(CHOSEN_KEY),
    )
    library = Library(bridge, new_id=new_id, now_ms=now_ms)
    session = Session(library.new(), library, new_id, now_ms, page.show_session)
    app = App(page, setup, session, library)
    page.restore_draft()
    models = ModelsDialog(ModelsPage(setup, store, session.stop), lambda: page.language)
    speeds = SpeedsDialog(app.speeds, lambda: page.language)
    setup.watchers.append(lambda state: _measure(page, setup, state))
    sidebar = Sidebar(lambda: page.language, page.announce)
    more = {"open-models": models.open, "open-figures": speeds.open}
    events = Events(app, page, ChatList(sidebar, app), sidebar, bridge, more)
    events.connect()
    document.documentElement.dataset.candil = "python"
    _alive.extend([app, events, asyncio.ensure_future(_watch_updates(bridge, page))])
    app.start()


_alive: list[Any] = []  # what must live as long as the page
