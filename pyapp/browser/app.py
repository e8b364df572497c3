"""Composition root: builds everything once and brings the page's events to it."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any

from js import URLSearchParams, document, localStorage, location, navigator, performance, window

from pyapp.app import App
from pyapp.browser import look
from pyapp.browser.bridge import Bridge
from pyapp.browser.composer import Composer
from pyapp.browser.dialogs import Dialogs
from pyapp.browser.digit import DigitTest
from pyapp.browser.events import Events
from pyapp.browser.intl import BrowserFormats
from pyapp.browser.keyboard import Keyboard
from pyapp.browser.meter import ContextMeter
from pyapp.browser.models import ModelsDialog
from pyapp.browser.own_models import HeldFiles, OwnModelsSection
from pyapp.browser.page import BrowserPage, by_id
from pyapp.browser.servers import ServersSection
from pyapp.browser.sidebar import Sidebar
from pyapp.browser.speeds import SpeedsDialog
from pyapp.chat.library import Library
from pyapp.chat.session import Session
from pyapp.chat_list import ChatList
from pyapp.device_page import DevicePage
from pyapp.engine import Engine, values
from pyapp.engines.builtin_ai import BuiltinAi
from pyapp.engines.current import Current
from pyapp.engines.openai_http import OpenAiHttp
from pyapp.engines.transformers_js import TransformersJs
from pyapp.engines.webllm import Webllm
from pyapp.engines.wllama import Wllama
from pyapp.figures import conditions
from pyapp.models.capabilities import Capabilities
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.models.store import Store
from pyapp.models_page import ModelsPage
from pyapp.own_models import OwnModels
from pyapp.preferences import Preferences
from pyapp.servers.connections import Connections
from pyapp.servers_page import ServersPage
from pyapp.settings.tailored import Tailored
from pyapp.setup.setup import Setup
from pyapp.setup.state import Ready
from pyapp.views.language import Language, pick
from pyapp.your_data import YourData

INTENT_KEY = "candil.download"
CHOSEN_KEY = "candil.model"
UNFINISHED_KEY = "candil.own_download"
LOADING_KEY = "candil.loading"
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


def new_id() -> str:
    return str(uuid.uuid4())


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _seed() -> int:
    return secrets.randbits(32)


def _languages() -> list[str]:
    return [document.documentElement.lang, *navigator.languages]


def speak(code: str) -> Language:
    return Language(code, BrowserFormats(code))


class Candil:
    """Everything there is, once, and what holds it together."""

    def __init__(self, bridge: Bridge, files: HeldFiles) -> None:
        language = speak(pick([document.documentElement.lang]))
        by_id("language").value = language.code
        self.bridge = bridge
        self.files = files
        self.page = page = BrowserPage(language)
        self.events = Events()
        self.library = Library(bridge, new_id=new_id, now_ms=now_ms)
        self.session = Session(self.library.new(), self.library, new_id, now_ms, page.show_session)
        self.preferences = Preferences(self.library, self.session, self._text, new_id)
        self.servers = Connections(self.library.database)
        engines: list[Engine] = [
            TransformersJs(bridge, seed=_seed),
            Wllama(bridge, seed=_seed),
            Webllm(bridge, seed=_seed, now_ms=performance.now),
            BuiltinAi(bridge, languages=_languages, now_ms=performance.now),
            OpenAiHttp(bridge, self.servers.key_for, seed=_seed, now_ms=performance.now),
        ]
        self.engines = [engine.name for engine in engines]
        current = Current(engines)
        self.engine = Tailored(current, self.preferences.wishes, self.preferences.words)
        self.store = Store(bridge)
        self.setup = self._setup()
        self.app = App(page, self.setup, self.session, self.library)
        self.sidebar = Sidebar(lambda: page.language, page.announce)
        self.chats = ChatList(self.sidebar, self.app)
        self.composer = Composer(self.app, page, lambda: self.preferences.app.send_with_enter)
        servers = ServersPage(bridge, self.servers, self._use_server, location.origin)
        device = DevicePage(self.setup, current, self.app.speeds, now_ms, self.session.stop)
        self.models = ModelsDialog(
            ModelsPage(self.setup, self.store, self.session.stop),
            device,
            DigitTest(bridge, self._capabilities, lambda: page.language),
            ServersSection(servers, lambda: page.language),
            lambda: page.language,
        )
        self.own = OwnModels(self.setup, self.store, self.session.stop, self.files.release, LocalIntent(UNFINISHED_KEY))
        self.own_section = OwnModelsSection(self.own, self.files, self.models, self.composer, lambda: page.language)
        self.speeds = SpeedsDialog(self.app.speeds, lambda: page.language)
        self.dialogs = self._dialogs()
        self.meter = ContextMeter(page, self.session, self.engine)
        self.keyboard = Keyboard(
            {
                "new-chat": lambda: self.sidebar.new(self.app),
                "search": self.sidebar.search,
                "toggle-chats": self.sidebar.toggle,
                "copy-answer": page.copy_last,
                "settings": lambda: self.dialogs.open("app"),
                "shortcuts": lambda: self.dialogs.open("shortcuts"),
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
            engines=self.engines,
            loading=LocalIntent(LOADING_KEY),
            served=self.servers.specs,
        )

    def _capabilities(self) -> Capabilities | None:
        return self.setup.catalog.capabilities if self.setup.catalog else None

    async def _use_server(self, model: ModelSpec, variant: Variant) -> None:
        self.session.stop()
        await self.setup.use(model, variant)

    def _dialogs(self) -> Dialogs:
        data = YourData(self.library, self.preferences, self.store, self.bridge, self._text, new_id, now_ms)
        apple = "Mac" in navigator.userAgent
        return Dialogs(self.page, self.session, self.setup, self.preferences, data, apple=apple)

    def start(self) -> None:
        self.page.restore_draft()
        self._connect()
        document.documentElement.dataset.candil = "python"
        self.tasks = [asyncio.ensure_future(work) for work in (self._watch_updates(), self.preferences.start())]
        self.app.start()

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
        self.dialogs.connect(events)
        self.models.connect(events)
        self.own_section.connect(events)
        self.speeds.connect(events)
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

    def _text(self, key: str) -> str:
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
        else:
            self.composer.escape()

    def _chosen(self, event: Any) -> None:
        match event.target.returnValue:
            case "download":
                self.app.download()
            case "shown-elsewhere":
                pass
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

    candil = Candil(Bridge(bridge_module), HeldFiles(bridge_module))
    _alive.append(candil)
    candil.start()


_alive: list[Candil] = []  # what must live as long as the page
