"""The dialog of settings, personas, data and shortcuts: shows its sections, reads its forms, picks and saves files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from js import document, location
from pyodide.ffi import create_proxy

from pyapp.browser import files
from pyapp.browser.events import Events
from pyapp.browser.page import BrowserPage, by_id
from pyapp.browser.routing import RoutingSection
from pyapp.chat.session import Session
from pyapp.errors import CandilError, StorageError
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.preferences import Preferences
from pyapp.routing import rules as routing_rules
from pyapp.settings.personas import Persona, dumps
from pyapp.settings.settings import Settings
from pyapp.settings.table import BY_KEY, Wrong
from pyapp.setup.catalog import pick_key
from pyapp.setup.setup import Setup
from pyapp.transfer.reading import check_size
from pyapp.views import personas as persona_views
from pyapp.views import settings as settings_views
from pyapp.views import setup as setup_views
from pyapp.views import shortcuts as shortcut_views
from pyapp.views import your_data as data_views
from pyapp.views.html import Html, join
from pyapp.views.panel import Section, panel
from pyapp.your_data import File, YourData


class Dialogs:
    """<dialog> itself gives the focus back to what opened it."""

    def __init__(
        self,
        page: BrowserPage,
        session: Session,
        setup: Setup,
        preferences: Preferences,
        data: YourData,
        *,
        routing: RoutingSection,
        apple: bool,
    ) -> None:
        self._page = page
        self._session = session
        self._setup = setup
        self._preferences = preferences
        self._data = data
        self._routing = routing
        self._apple = apple
        self._section: Section = "app"
        self._models: Sequence[tuple[ModelSpec, Variant]] = ()  # that a chat may choose from
        self._offered: Settings | None = None  # of the file that was imported last
        self._tasks: set[asyncio.Task[None]] = set()
        self._proxies: list[Any] = []  # of file pickers
        self._actions: dict[str, Callable[[Any], None]] = {
            "export-chat": lambda button: self._do(self._export(self._data.chat_to_read(button.dataset.id))),
            "export-shown": lambda _button: self._save(self._data.readable(self._session.conversation)),
            "open-settings": lambda _button: self.open("app"),
            "open-shortcuts": lambda _button: self.open("shortcuts"),
            "open-chat-settings": lambda _button: self.open("chat"),
            "open-routing": lambda _button: self.open("routing"),
            "close-panel": lambda _button: self._panel.close(),
            "show-section": lambda button: self._show(button.dataset.id, to_focus=button.dataset.id),
            "reset-settings": lambda _button: self._do(self._reset()),
            "new-persona": lambda _button: self._show_persona(None),
            "cancel-persona": lambda _button: self._show("personas", to_focus="personas"),
            "use-persona": lambda button: self._with_persona(button, self._use),
            "edit-persona": lambda button: self._with_persona(button, self._show_persona),
            "duplicate-persona": lambda button: self._with_persona(button, self._duplicate),
            "share-persona": lambda button: self._with_persona(button, self._share),
            "delete-persona": lambda button: self._do(self._delete_persona(button.dataset.id)),
            "route-export": lambda _button: self._save(self._rules_file()),
            "route-import": lambda _button: self._pick(self._import_rules),
            "import-personas": lambda _button: self._pick(self._import_personas),
            "data-export": lambda _button: self._do(self._export(self._data.everything())),
            "data-export-markdown": lambda _button: self._do(self._export(self._data.chat_to_read(self._open_id))),
            "data-export-json": lambda _button: self._do(self._export(self._data.chat_to_keep(self._open_id))),
            "data-import": lambda _button: self._pick(self._import),
            "data-use-settings": lambda _button: self._do(self._use_settings()),
            "data-delete": lambda _button: self._do(self._confirm()),
            "data-keep": lambda _button: self._keep_everything(),
            "data-delete-confirmed": lambda _button: self._do(self._delete_everything()),
        }

    def connect(self, events: Events) -> None:
        events.add(self._actions)
        events.on(self._panel, "change", self._changed)
        events.on(self._panel, "submit", self._submitted)
        events.on(self._panel, "cancel", lambda _event: self._keep_focused())

    def open(self, section: Section) -> None:
        self._do(self._open(section))

    async def _open(self, section: Section) -> None:
        with suppress(CandilError):  # the store refuses: a chat has no choice then
            self._models = await self._setup.here()
            await self._routing.look()
        self._show(section)
        if not self._panel.open:
            self._panel.showModal()

    # ---- what is shown ----

    @property
    def _panel(self) -> Any:
        return by_id("panel")

    @property
    def _open_id(self) -> str:
        return self._session.conversation.chat.id

    def _show(self, section: Section, *, to_focus: str = "") -> None:
        self._section = section
        self._panel.innerHTML = panel(section, self._body(section), self._page.language)
        self._panel.querySelector("[aria-current]").scrollIntoView()
        if to_focus:
            self._panel.querySelector(f'[data-action="show-section"][data-id="{to_focus}"]').focus()

    def _body(self, section: Section) -> Html:
        preferences, language = self._preferences, self._page.language
        match section:
            case "app":
                form = settings_views.app_form(preferences.app, self._choices(), language)
                chat = bool(self._session.conversation.entries)
                return join([form, data_views.section(language, chat=chat)])
            case "chat":
                return settings_views.chat_form(preferences.app, preferences.own, self._choices(), language)
            case "routing":
                return self._routing.html()
            case "personas":
                return persona_views.library(preferences.personas, language)
            case "shortcuts":
                return shortcut_views.table(language, apple=self._apple)

    def _choices(self) -> settings_views.Choices:
        return {
            "persona": [(each.id, each.title) for each in self._preferences.personas],
            "model": [(pick_key(*pick), setup_views.pick(*pick, self._page.language)) for pick in self._models],
        }

    def _tell(self, sentence: str) -> None:
        if self._panel.open:
            by_id("panel-status").textContent = sentence
        else:
            self._page.announce(sentence)

    # ---- settings ----

    def _changed(self, event: Any) -> None:
        target = event.target
        if target.form and target.form.dataset.form in ("app-settings", "chat-settings"):
            key = target.value if target.name == "inherit" else target.name
            self._do(self._keep(key))

    def _keep_focused(self) -> None:
        """Escape: what was typed last has not been told as a change."""
        focused = document.activeElement
        if focused and getattr(focused, "form", None) and focused.name in BY_KEY:
            self._do(self._keep(focused.name))

    async def _keep(self, key: str) -> None:
        """Keeps one setting as its control stands, or says beside it what is wrong."""
        scope = self._section
        control = by_id(f"{scope}-setting-{key}")
        text = ("on" if control.checked else "") if control.type == "checkbox" else str(control.value)
        if scope == "app":
            wrong = await self._preferences.save_typed({key: text})
        else:
            inherit = by_id(f"chat-setting-{key}-inherit").checked
            wrong = self._preferences.save_chat_typed({key: text}, {key} if inherit else ())
            self._inherit(key, control, inherit)
        self._mark(scope, key, wrong)

    def _inherit(self, key: str, control: Any, inherited: bool) -> None:
        """What is as in the app is shown so, and cannot be changed."""
        control.disabled = inherited
        if inherited:
            value = self._preferences.app.value(key)
            control.value = "" if value is None else value

    def _mark(self, scope: str, key: str, wrong: Any) -> None:
        faults: list[Wrong] = list(wrong)
        language = self._page.language
        by_id(f"{scope}-setting-{key}-wrong").textContent = settings_views.fault(faults[0], language) if faults else ""
        by_id(f"{scope}-setting-{key}").setAttribute("aria-invalid", "true" if faults else "false")
        self._tell("" if faults else language.text("settings.saved"))

    async def _reset(self) -> None:
        await self._preferences.reset()
        self._show("app")
        self._panel.querySelector('[data-action="reset-settings"]').focus()
        self._tell(self._page.language.text("settings.saved"))

    # ---- personas ----

    def _show_persona(self, persona: Persona | None) -> None:
        self._show("personas")
        by_id("panel-body").innerHTML = persona_views.form(persona, self._page.language)
        by_id("persona-name").focus()

    def _submitted(self, event: Any) -> None:
        event.preventDefault()
        form = event.target
        if form.dataset.form == "persona":
            self._do(self._save_persona(form.dataset.id))

    async def _save_persona(self, persona_id: str) -> None:
        fields = by_id("persona-name"), by_id("persona-prompt")
        if await self._preferences.save_persona(persona_id, *(str(field.value) for field in fields)):
            return self._personas_changed("settings.saved")
        by_id("persona-wrong").textContent = persona_views.fault(self._page.language)
        for field in fields:
            field.setAttribute("aria-invalid", "false" if str(field.value).strip() else "true")
        next((field for field in fields if not str(field.value).strip()), fields[0]).focus()

    def _with_persona(self, button: Any, do: Callable[[Persona], None]) -> None:
        persona = self._preferences.persona(button.dataset.id)
        if persona:
            do(persona)

    def _use(self, persona: Persona) -> None:
        self._preferences.use_persona(persona.id)
        self._tell(self._page.language.text("personas.used", title=persona.title))

    def _duplicate(self, persona: Persona) -> None:
        self._do(self._duplicated(persona))

    async def _duplicated(self, persona: Persona) -> None:
        await self._preferences.duplicate(persona)
        self._personas_changed("settings.saved")

    def _share(self, persona: Persona) -> None:
        self._save(File(self._data.file_name(persona.title, ".json"), dumps([persona])))

    async def _delete_persona(self, persona_id: str) -> None:
        await self._preferences.delete_persona(persona_id)
        self._personas_changed("settings.saved")

    async def _import_personas(self, text: str) -> None:
        found = await self._preferences.import_personas(text)
        self._personas_changed("personas.imported", n=found)

    def _personas_changed(self, key: str, **values: object) -> None:
        self._show("personas", to_focus="personas")
        self._tell(self._page.language.text(key, **values))

    # ---- who answers ----

    def _rules_file(self) -> File:
        name = self._data.file_name(self._page.language.text("route.title"), ".json")
        return File(name, routing_rules.dumps(self._preferences.rules))

    async def _import_rules(self, text: str) -> None:
        await self._routing.apply(routing_rules.loads(text), "route.imported")

    # ---- files ----

    async def _export(self, making: Coroutine[Any, Any, File]) -> None:
        self._tell(self._page.language.text("data.working"))
        self._save(await making)

    def _save(self, file: File) -> None:
        files.save(file.name, file.type, file.text)
        self._tell(self._page.language.text("data.exported", name=file.name))

    def _pick(self, then: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        picker = document.createElement("input")
        picker.type = "file"
        picker.accept = ".json,application/json"

        def picked(_event: Any) -> None:
            self._do(self._read(picker.files.item(0), then))

        self._on(picker, "change", picked)
        picker.click()

    async def _read(self, file: Any, then: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        check_size(int(file.size))
        self._tell(self._page.language.text("data.working"))
        await then(str(await file.text()))

    async def _import(self, text: str) -> None:
        report = await self._data.take_in(text, self._progress)
        self._offered = report.settings
        self._show("app")
        self._news(data_views.report(report, self._page.language))

    def _progress(self, done: int, all_: int) -> None:
        language = self._page.language
        self._tell(language.text("data.progress", done=language.number(done), all=language.number(all_)))

    async def _use_settings(self) -> None:
        if self._offered:
            await self._preferences.save(self._offered)
        self._show("app", to_focus="app")
        self._tell(self._page.language.text("settings.saved"))

    # ---- deleting ----

    async def _confirm(self) -> None:
        inventory = await self._data.inventory()
        self._news(data_views.confirmation(inventory, self._page.language))

    def _keep_everything(self) -> None:
        by_id("data-news").innerHTML = ""
        self._panel.querySelector('[data-action="data-delete"]').focus()

    async def _delete_everything(self) -> None:
        self._tell(self._page.language.text("data.deleting"))
        await self._data.delete_everything()
        location.reload()

    def _news(self, html: Html) -> None:
        """Above the buttons, where it is seen and read out."""
        self._tell("")
        by_id("data-news").innerHTML = html
        heading = self._panel.querySelector("#data-news h4")
        heading.tabIndex = -1
        heading.focus()

    # ---- small parts ----

    def _on(self, target: Any, kind: str, handler: Any) -> None:
        proxy = create_proxy(handler)
        self._proxies.append(proxy)
        target.addEventListener(kind, proxy)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(self._told(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        """What goes wrong is said in the dialog."""
        try:
            await work
        except StorageError:
            self._tell(self._page.language.text("settings.not_kept"))
        except CandilError as error:
            self._tell(self._page.language.error(error))
        except KeyError:  # the chat is gone
            with suppress(Exception):
                self._show(self._section)
