"""The tasks in the place of the conversation: pyapp.tasks_page.View, its events, and its addresses.

It is imported when tasks are first asked for: a start needs none of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from js import document, location, window
from pyodide.ffi import create_once_callable

from pyapp.browser import files, focus
from pyapp.browser.events import Action as Press
from pyapp.browser.events import Events
from pyapp.browser.local import new_id, now_ms
from pyapp.browser.own_models import HeldFiles
from pyapp.browser.own_tasks import OwnTasksSection
from pyapp.browser.page import by_id
from pyapp.chat.library import Library
from pyapp.documents.reading import Documents
from pyapp.engine import Json
from pyapp.routing.needs import Kind
from pyapp.tasks.builtin import Tasks
from pyapp.tasks.records import Run
from pyapp.tasks.runs import Runs
from pyapp.tasks.shelf import RunShelf
from pyapp.tasks.task import Action, Export, Say, Task
from pyapp.tasks_page import Form, Home, Reading, Shown, TasksPage
from pyapp.views import chats as chats_view
from pyapp.views import task_blocks
from pyapp.views import tasks as view
from pyapp.views.language import Language
from pyapp.views.task_blocks import Change, Drawer, Piece, changes

if TYPE_CHECKING:
    from pyapp.browser.app import Candil

HIDDEN_FRAME_S = 0.2  # a tab that nobody sees has no frames
SAME = ("action", "id", "name", "value", "text")  # what a button is known by when it is drawn again


class SettingsDrafts:
    """pyapp.tasks_page.Drafts in the database's settings."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def get(self, key: str) -> Json | None:
        records = await self._library.database.read("settings", keys=[key])
        return records[0].get("value") if records else None

    def set(self, key: str, value: Json | None) -> None:
        self._library.keeper.set(key, value)


class TasksView:
    """Implements pyapp.tasks_page.View. `to_chat` is called when the conversation is to be seen again."""

    def __init__(self, candil: Candil) -> None:
        self._candil = candil
        self._drawn: tuple[Piece, ...] = ()
        self._shown: Shown | None = None
        self._drawer: tuple[str, Drawer] | None = None  # of one run in one language
        self._title = ""  # of the document, for the conversation
        self.tasks = Tasks()
        self.runs = Runs(
            candil.bridge,
            RunShelf(candil.library.database, candil.library.keeper.tell),
            self.tasks,
            candil.router,
            language=lambda: self._language.code,
            new_id=new_id,
            now_ms=now_ms,
        )
        candil.router.leaving = lambda: self.runs.engine_left(candil.engines)
        held = HeldFiles(candil.bridge.module)
        self._held = held
        self.page = TasksPage(
            self,
            self.runs,
            SettingsDrafts(candil.library),
            self._say,
            read=Documents(candil.bridge).read,
            release=lambda file: held.release([file.id]),
            now_ms=now_ms,
        )
        self.own = OwnTasksSection(candil, self.tasks, self.tasks.on_change)

    @property
    def _language(self) -> Language:
        return self._candil.page.language

    @property
    def _root(self) -> Any:
        return by_id("tasks")

    def _say(self, task: Task) -> Say:
        return self._language.having(task.strings)

    # ---- pyapp.tasks_page.View ----

    async def frame(self) -> None:
        if document.hidden:
            return await asyncio.sleep(HIDDEN_FRAME_S)
        drawn = asyncio.Event()
        window.requestAnimationFrame(create_once_callable(lambda _time: drawn.set()))
        with suppress(TimeoutError):  # the tab was hidden meanwhile
            await asyncio.wait_for(drawn.wait(), HIDDEN_FRAME_S)

    def show(self, shown: Shown) -> None:
        before, self._shown = self._shown, shown
        moved = before is None or before.address != shown.address
        if moved:
            self._enter(shown, replaces=isinstance(before, Form) and isinstance(shown, Reading))
        self._draw(self._pieces(shown))
        if moved:
            self._root.scrollTop = 0
            self._heading().focus(preventScroll=True)
        elif isinstance(shown, Form) and isinstance(before, Form) and shown.wrong and shown.wrong is not before.wrong:
            self._focus_field(str(shown.wrong.details["field"]))

    def show_deleted(self, run: Run | None) -> None:
        toast = by_id("toast")
        with focus.kept(toast):
            toast.hidden = run is None
            toast.innerHTML = (
                chats_view.undo(view.deleted(run, self._language), "undo-task", self._language) if run else ""
            )

    def announce(self, shown: Reading) -> None:
        self._candil.page.announce(view.said(shown, self._language))

    def save(self, export: Export) -> None:
        files.save(export.name, export.type, export.data)
        self._candil.page.announce(self._language.text("tasks.exported", name=export.name))

    # ---- events ----

    def connect(self, events: Events) -> None:
        page = self.page
        events.add(
            {
                "tasks-home": lambda _button: self.open(),
                "tasks-chat": lambda _button: self._back_to_chat(),
                "task-new": lambda button: self.open(f"#tasks/new/{button.dataset.id}"),
                "task-open": lambda button: self.open(f"#tasks/{button.dataset.id}"),
                "task-pause": _of_run(page.pause),
                "task-resume": _of_run(page.resume),
                "task-delete": _of_run(self._delete),
                "undo-task": lambda _button: self._undo(),
                "task-export": lambda button: page.export(button.dataset.id),
                "task-choices": lambda _button: page.ask_choices(),
                "task-once": lambda button: page.choose(button.dataset.key),
                "task-always": self._always,
                "task-act": lambda button: page.act(_action(button)),
                "task-answer": self._answer,
                "task-edit": self._edit,
                "task-cancel-edit": lambda button: self._end_edit(button.closest(".edit")),
                "task-passage": lambda button: self._show_passage(button.dataset.value),
                "task-pick": lambda button: button.parentElement.querySelector("input").click(),
                "task-detach": lambda button: page.detach(button.dataset.id),
            }
        )
        root = self._root
        self.own.connect(events, root)
        events.on(root, "submit", self._submitted)
        events.on(root, "input", self._typed)
        events.on(root, "change", self._typed)
        events.on(root, "keydown", self._key_pressed)
        events.on(root, "drop", self._dropped)
        events.on(window, "popstate", lambda _event: self._moved())
        events.on(window, "pagehide", lambda _event: self._page_left())
        self._candil.sidebar.on_chosen = self.leave
        self._candil.on_language = self.redraw

    def open(self, address: str = "#tasks") -> None:
        self._candil.sidebar.uncover()
        self._candil.hold(self._go(address))

    async def _go(self, address: str) -> None:
        await self.own.ready()
        await self.page.go(address)
        self._heading().focus(preventScroll=True)  # also where one was there already

    def leave(self) -> None:
        """The conversation is shown again; what works goes on."""
        if self._shown is not None:
            self._close()
            window.history.pushState(None, "", location.pathname + location.search)

    def redraw(self) -> None:
        """In the language of now."""
        self._drawer = None
        self._drawn = ()
        self._root.innerHTML = ""
        self.page.redraw()

    def _back_to_chat(self) -> None:
        self.leave()
        focus.to_writing()

    def _enter(self, shown: Shown, *, replaces: bool) -> None:
        self._drawn = ()
        self._root.innerHTML = ""
        if not self._title:
            self._title = str(document.title)
        document.title = f"{_name(shown, self._language)} – Candil"
        document.documentElement.dataset.view = "tasks"
        self._root.hidden = False
        by_id("open-tasks").setAttribute("aria-current", "page")
        if location.hash != shown.address:
            move = window.history.replaceState if replaces else window.history.pushState
            move(None, "", shown.address)

    def _close(self) -> None:
        self.page.keep_draft()
        self.page.leave()
        self._shown, self._drawn = None, ()
        self._root.innerHTML = ""
        self._root.hidden = True
        del document.documentElement.dataset.view
        by_id("open-tasks").removeAttribute("aria-current")
        document.title, self._title = self._title, ""

    def _moved(self) -> None:
        """The browser's Back and Forward."""
        address = str(location.hash)
        if address.startswith("#tasks"):
            self._candil.hold(self._go(address))
        elif self._shown is not None:
            self._close()
            focus.to_writing()

    def _page_left(self) -> None:
        self.page.keep_draft()
        self.runs.left()

    def _always(self, button: Any) -> None:
        kind, key = cast(Kind, str(button.dataset.kind)), str(button.dataset.key)
        self._candil.hold(self._candil.router.always(kind, key))
        self._candil.page.announce(self._language.text("settings.saved"))
        self.page.choose(key)

    def _delete(self, run_id: str) -> None:
        self.page.delete(run_id)
        by_id("toast").querySelector("button").focus()

    def _undo(self) -> None:
        self.page.undo()
        self._heading().focus(preventScroll=True)

    # ---- the form ----

    def _typed(self, event: Any) -> None:
        target = event.target
        if target.getAttribute("data-change") and event.type == "change":
            return self.page.act(Action(target.dataset.name, target.dataset.value, str(target.value)))
        if not target.form or target.form.dataset.form != "task":
            return
        if target.type == "file":
            if event.type == "change" and target.files.length:
                self.page.attach(target.name, self._held.hold(target.files.item(0)))
        else:
            self.page.type(target.name, bool(target.checked) if target.type == "checkbox" else str(target.value))

    def _submitted(self, event: Any) -> None:
        event.preventDefault()
        if event.target.dataset.form == "task":
            self.page.start()
        elif event.target.dataset.form == "task-edit":
            place = event.target.closest(".edit")
            text = str(event.target.elements.text.value)
            if text != place.dataset.text:
                self.page.act(Action(place.dataset.name, place.dataset.value, text))
                place.dataset.text = text
            self._end_edit(place)

    def _dropped(self, event: Any) -> None:
        place = event.target.closest("[data-drop]") or self._root.querySelector("[data-drop]")
        if place and event.dataTransfer.files.length:
            event.preventDefault()
            event.stopPropagation()  # it is for this form, and not for the chat
            self.page.attach(place.dataset.drop, self._held.hold(event.dataTransfer.files.item(0)))

    def _focus_field(self, name: str) -> None:
        place = self._root.querySelector(f'[data-field="{name}"]')
        if place:
            place.querySelector("input:not([hidden]), textarea, select, button").focus()

    # ---- what a task has made ----

    def _answer(self, button: Any) -> None:
        right, text = button.dataset.right, button.dataset.text
        self.page.act(_action(button))
        self._candil.page.announce(task_blocks.said_of(int(text), int(right), self._language))

    def _edit(self, button: Any) -> None:
        place = button.closest(".edit")
        data = place.dataset
        place.innerHTML = task_blocks.editor(data.label, data.text, int(data.lines), self._language)
        place.querySelector("[name=text]").focus()

    def _end_edit(self, place: Any) -> None:
        """As it was, or as it will be when the task has taken it up."""
        data = place.dataset
        place.innerHTML = task_blocks.edit_inside(
            data.label, data.text, self._language, markdown=data.markdown == "true"
        )
        place.querySelector("button").focus()

    def _key_pressed(self, event: Any) -> None:
        place = event.target.closest(".editor")
        if place and event.key == "Escape" and not event.isComposing:
            event.stopPropagation()
            self._end_edit(place.closest(".edit"))
        elif place and event.key == "Enter" and (event.ctrlKey or event.metaKey):
            place.requestSubmit()

    def _show_passage(self, passage_id: str) -> None:
        for passage in self._root.querySelectorAll("[data-passage]"):
            passage.toggleAttribute("data-found", passage.dataset.passage == passage_id)
        found = self._root.querySelector("[data-found]")
        if not found:
            return
        outer = found.parentElement
        while outer and not outer.isSameNode(self._root):
            if outer.matches("details"):
                outer.open = True
            outer = outer.parentElement
        found.scrollIntoView(block="center")
        found.focus(preventScroll=True)

    # ---- drawing ----

    def _pieces(self, shown: Shown) -> tuple[Piece, ...]:
        language = self._language
        match shown:
            case Home():
                return (*view.home(shown, language), self.own.piece(language))
            case Form():
                return view.form(shown, language)
            case Reading():
                key = f"{shown.address} {language.code}"
                if self._drawer is None or self._drawer[0] != key:
                    self._drawer = key, Drawer(language)
                return view.reading(shown, self._drawer[1], language)

    def _draw(self, pieces: tuple[Piece, ...]) -> None:
        before, self._drawn = self._drawn, pieces
        for change in changes(before, pieces):
            self._apply(change)

    def _apply(self, change: Change) -> None:
        target = self._at(change.path)
        match change.do:
            case "replace":
                self._replace(target, change.html)
            case "append":
                inside = _inside(target)
                inside.insertAdjacentHTML("beforeend", change.html)
                _finish(inside.lastElementChild)
            case "remove":
                outer = target.parentElement
                with focus.kept(outer):
                    while not outer.lastElementChild.isSameNode(target):
                        outer.lastElementChild.remove()
                    target.remove()
            case "head":
                self._replace(target.firstElementChild, change.html)
            case "growing":
                target.toggleAttribute("data-growing", change.growing)

    def _replace(self, target: Any, html: str) -> None:
        if target.querySelector(".editor"):
            return  # somebody is writing in it
        focused = document.activeElement
        same = _selector(focused) if focused and target.contains(focused) else None
        target.insertAdjacentHTML("afterend", html)
        new = target.nextElementSibling
        target.remove()
        _finish(new)
        if same is not None:
            found = new.querySelector(same) if same else None
            (found or new.querySelector("button:enabled, input, textarea") or self._heading()).focus(preventScroll=True)

    def _at(self, path: tuple[int, ...]) -> Any:
        element = self._root
        for place in path:
            element = _inside(element).children.item(place)
        return element

    def _heading(self) -> Any:
        return by_id("tasks-title")


def _inside(element: Any) -> Any:
    return element if element.hasAttribute("data-inside") else element.querySelector("[data-inside]")


def _selector(button: Any) -> str:
    """Of the button that does the same when it has been drawn anew; "" for what is none."""
    known = {name: button.getAttribute(f"data-{name}") for name in SAME}
    parts = [f'[data-{name}="{window.CSS.escape(value)}"]' for name, value in known.items() if value is not None]
    return "".join(parts)


def _finish(element: Any) -> None:
    """Colours code in it and sets formulas, when their libraries have come."""
    from pyscript.js_modules import bridge

    bridge.finish(element)


def _action(button: Any) -> Action:
    data = button.dataset
    return Action(data.name, data.value, button.getAttribute("data-text") or "")


def _of_run(do: Callable[[str], None]) -> Press:
    return lambda button: do(button.dataset.id)


def _name(shown: Shown, language: Language) -> str:
    match shown:
        case Form(task):
            return language.having(task.strings).text(f"{task.name}.title")
        case Reading(row):
            return row.run.title
        case _:
            return language.text("tasks.title")
