"""Composition root: builds everything once and brings the page's events to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any

from js import URLSearchParams, document, localStorage, location, window

from pyapp.app import App
from pyapp.browser import look
from pyapp.browser.bridge import Bridge
from pyapp.browser.composer import Composer
from pyapp.browser.engines import makers
from pyapp.browser.events import Events
from pyapp.browser.intl import BrowserFormats
from pyapp.browser.keyboard import Keyboard
from pyapp.browser.local import LocalIntent, new_id, now_ms
from pyapp.browser.meter import ContextMeter
from pyapp.browser.page import BrowserPage, by_id
from pyapp.browser.sidebar import Sidebar
from pyapp.chat.library import Library
from pyapp.chat.session import Session
from pyapp.chat_list import ChatList
from pyapp.cloud import Cloud
from pyapp.engine import values
from pyapp.engines.current import Current
from pyapp.figures import conditions
from pyapp.models.manifest import ModelSpec
from pyapp.models.store import Store
from pyapp.preferences import Preferences
from pyapp.routing.router import Router
from pyapp.servers.connections import Connections
from pyapp.settings.tailored import Tailored
from pyapp.setup.setup import Setup
from pyapp.setup.state import Ready
from pyapp.views.language import Language, pick

INTENT_KEY = "candil.download"
CHOSEN_KEY = "candil.model"
LOADING_KEY = "candil.loading"
CLOUD_KEY = "candil.cloud"
CLOUD_TOKEN_KEY = "candil.cloud_token"
LANGUAGE_KEY = "candil.language"
PANEL_MODULES = ("pyapp.browser.models", "pyapp.browser.dialogs", "pyapp.browser.own_models", "pyapp.your_data")


def speak(code: str) -> Language:
    return Language(code, BrowserFormats(code))


class Candil:
    """Everything there is, once, and what holds it together."""

    def __init__(self, bridge: Bridge) -> None:
        language = speak(pick([document.documentElement.lang]))
        by_id("language").value = language.code
        self._running: set[asyncio.Task[Any]] = set()
        self.bridge = bridge
        self.on_language: Callable[[], None] = lambda: None  # another one was chosen
        self.page = page = BrowserPage(language)
        self.events = Events()
        self.library = Library(bridge, new_id=new_id, now_ms=now_ms)
        self.session = Session(self.library.new(), self.library, new_id, now_ms, page.show_session)
        self.preferences = Preferences(self.library, self.session, self.text, new_id)
        self.servers = Connections(self.library.database)
        self.cloud = Cloud(bridge, LocalIntent(CLOUD_KEY), LocalIntent(CLOUD_TOKEN_KEY), location.origin)
        self.engines = Current(makers(bridge, self._key_for))
        self.engine = Tailored(self.engines, self.preferences.wishes, self.preferences.words)
        self.store = Store(bridge)
        self.setup = self._setup()
        self.app = App(page, self.setup, self.session, self.library)
        self.router = self.app.router = Router(
            self.setup, self.engines, self.app.speeds, lambda: self.preferences.rules, self.preferences.save_rules
        )
        self.router.idle = self.app.idle
        self.sidebar = Sidebar(lambda: page.language, page.announce)
        self.chats = ChatList(self.sidebar, self.app)
        self.composer = Composer(self.app, page, lambda: self.preferences.app.send_with_enter)
        self.meter = ContextMeter(page, self.session, self.engine)
        self.keyboard = Keyboard(
            {
                "new-chat": lambda: self.sidebar.new(self.app),
                "search": self.sidebar.search,
                "toggle-chats": self.sidebar.toggle,
                "copy-answer": page.copy_last,
                "settings": lambda: self.events.do("open-settings"),
                "shortcuts": lambda: self.events.do("open-shortcuts"),
            }
        )

    def _setup(self) -> Setup:
        device = URLSearchParams.new(location.search).get("device")
        return Setup(
            self.bridge,
            self.engine,
            self.store,
            LocalIntent(INTENT_KEY),
            device if device in ("wasm", "webgpu") else "auto",
            chosen=LocalIntent(CHOSEN_KEY),
            engines=self.engines.names,
            loading=LocalIntent(LOADING_KEY),
            served=self._served,
        )

    async def _served(self) -> tuple[ModelSpec, ...]:
        return (*await self.servers.specs(), *await self.cloud.specs())

    def _key_for(self, base_url: str) -> str:
        key = self.cloud.key_for(base_url)
        return self.servers.key_for(base_url) if key is None else key

    def start(self) -> None:
        self.page.restore_draft()
        self._connect()
        document.documentElement.dataset.candil = "python"
        work = (self._watch_updates(), self.preferences.start(), self._open_panels(), self.cloud.look())
        for each in work:
            self.hold(each)
        self.app.start()

    def hold(self, work: Coroutine[Any, Any, Any]) -> None:
        """Runs `work` beside everything else; kept because the loop holds tasks only weakly."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _open_panels(self) -> None:
        """A module at a time, so that the page answers meanwhile; what is asked of them before waits for them."""
        for name in PANEL_MODULES:
            import_module(name)
            await asyncio.sleep(0)
        from pyapp.browser.panels import Panels

        self.panels = Panels(self)

    def _connect(self) -> None:
        app, events = self.app, self.events
        events.add(
            {
                "retry-setup": lambda _button: app.retry_setup(),
                "dismiss": lambda _button: app.dismiss(),
                "choose": lambda _button: app.choose(),
                "resume": lambda _button: app.download(),
                "cancel": lambda _button: app.cancel_download(),
                "take-over": lambda _button: app.take_over(),
                "apply-update": lambda _button: self._apply_update(),
                "later-update": lambda _button: self.page.show_update(False),
            }
        )
        self.composer.connect(events)
        self.sidebar.connect(events, app, self.chats)
        events.on(document, "keydown", self._escaped)
        events.on(window, "pagehide", lambda _event: self.setup.left())
        events.on(by_id("choice"), "close", self._chosen)
        events.on(by_id("language"), "change", self._language_changed)
        for button in document.querySelectorAll("button[data-waits]"):
            button.disabled = False
        self.engine.on_meter = self.meter.show
        self.session.on_event = _both(self.session.on_event, self.meter.session_changed)
        self.setup.watchers.append(lambda _state: self._measure())
        self.preferences.on_change = self._prefer
        self.cloud.on_change = lambda: self.page.offer_cloud(self.cloud.readers)

    def text(self, key: str) -> str:
        return self.page.language.text(key)

    def _measure(self) -> None:
        """What answers are measured by, and how full the window is, with the model of now."""
        in_use = self.setup.state.model if isinstance(self.setup.state, Ready) else None
        self.page.conditions = conditions(self.setup.catalog, in_use, self.preferences.app.slow_budget_s)
        self.meter.measure()

    def _prefer(self) -> None:
        look.apply(self.preferences.app.theme)
        self._measure()

    def _escaped(self, event: Any) -> None:
        """Escape leaves the innermost thing: a dialog by itself, the list on a phone, an edit, an answer."""
        if event.key != "Escape" or event.isComposing or document.querySelector("dialog[open]"):
            return
        if self.sidebar.covers:
            self.sidebar.close()
        elif by_id("tasks").hidden:
            self.composer.escape()

    def _chosen(self, event: Any) -> None:
        match event.target.returnValue:
            case "download":
                self.app.download()
            case "shown-elsewhere":
                pass
            case "cloud" | "cloud-yes" | "cloud-no" as step:
                event.target.returnValue = ""
                return self.events.do(step)
            case _:  # "later", Escape
                self.app.not_now()
        event.target.returnValue = ""
        by_id("message").focus()

    def _language_changed(self, event: Any) -> None:
        localStorage.setItem(LANGUAGE_KEY, event.target.value)
        document.documentElement.lang = event.target.value
        self.page.language = speak(event.target.value)
        self.page.redraw()
        self.chats.refresh()
        self._prefer()  # the meter's words
        self.on_language()

    async def _watch_updates(self) -> None:
        async for _ in self.bridge.stream("page.updates", {}):
            self.page.show_update(True)

    def _apply_update(self) -> None:
        asyncio.ensure_future(values(self.bridge, "page.apply_update"))  # noqa: RUF006 -- the page reloads under it


def _both(first: Callable[[Any], None], second: Callable[[Any], None]) -> Callable[[Any], None]:
    def both(event: Any) -> None:
        first(event)
        second(event)

    return both


def main() -> None:
    """Starts the application; called once, when Python has arrived."""
    from pyscript.js_modules import bridge as bridge_module

    candil = Candil(Bridge(bridge_module))
    _alive.append(candil)
    candil.start()


_alive: list[Candil] = []  # what must live as long as the page
