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
from pyapp.browser.page import BrowserPage, by_id
from pyapp.chat.drafts import Draft
from pyapp.chat.library import Library
from pyapp.chat.session import Session
from pyapp.engine import values
from pyapp.engines.transformers_js import TransformersJs
from pyapp.models.store import Store
from pyapp.setup.setup import Setup
from pyapp.views.language import Language, pick

INTENT_KEY = "candil.download"
LANGUAGE_KEY = "candil.language"


class LocalIntent:
    """pyapp.setup.setup.Intent in localStorage."""

    def get(self) -> str | None:
        return localStorage.getItem(INTENT_KEY) or None

    def set(self, key: str | None) -> None:
        if key is None:
            localStorage.removeItem(INTENT_KEY)
        else:
            localStorage.setItem(INTENT_KEY, key)


class Events:
    """One delegated listener per kind of event; the proxies live as long as the page."""

    def __init__(self, app: App, page: BrowserPage, bridge: Bridge) -> None:
        self._app = app
        self._page = page
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
            "earlier": lambda _button: page.show_earlier(),
        }

    def connect(self) -> None:
        self._on(document, "click", self._clicked)
        self._on(by_id("composer"), "submit", self._submitted)
        self._on(by_id("message"), "input", lambda _event: self._draft_changed())
        self._on(by_id("message"), "keydown", self._key_pressed)
        self._on(by_id("stop"), "click", lambda _event: self._app.stop())
        self._on(by_id("new-chat"), "click", lambda _event: self._new_chat())
        self._on(by_id("choice"), "close", self._chosen)
        self._on(by_id("language"), "change", self._language_changed)
        for button in document.querySelectorAll(".suggestion"):
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
        by_id("message").focus()

    def _language_changed(self, event: Any) -> None:
        localStorage.setItem(LANGUAGE_KEY, event.target.value)
        document.documentElement.lang = event.target.value
        self._page.language = Language(event.target.value)
        self._page.redraw()

    def _apply_update(self) -> None:
        asyncio.ensure_future(values(self._bridge, "page.apply_update"))  # noqa: RUF006 -- the page reloads under it


def new_id() -> str:
    return str(uuid.uuid4())


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _watch_updates(bridge: Bridge, page: BrowserPage) -> None:
    async for _ in bridge.stream("page.updates", {}):
        page.show_update(True)


def main() -> None:
    """Starts the application; called once, when Python has arrived."""
    from pyscript.js_modules import bridge as bridge_module

    query = URLSearchParams.new(location.search)
    language = pick([document.documentElement.lang])
    by_id("language").value = language.code
    bridge = Bridge(bridge_module)
    page = BrowserPage(language)
    engine = TransformersJs(bridge, seed=lambda: secrets.randbits(32))
    device = query.get("device")
    setup = Setup(
        bridge,
        {engine.name: engine},
        Store(bridge),
        LocalIntent(),
        device if device in ("wasm", "webgpu") else "auto",
    )
    library = Library(bridge, new_id=new_id, now_ms=now_ms)
    session = Session(library.new(), library, new_id, now_ms, page.show_session)
    app = App(page, setup, session, library)
    page.restore_draft()
    events = Events(app, page, bridge)
    events.connect()
    document.documentElement.dataset.candil = "python"
    _alive.extend([app, events, asyncio.ensure_future(_watch_updates(bridge, page))])
    app.start()


_alive: list[Any] = []  # what must live as long as the page
