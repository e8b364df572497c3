"""The tasks in the page: what there is to begin, the form before it, the runs, and one run as it grows.

Rules of this file: what is shown is a value, made anew at most once per frame; a task's own words come from the task.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pyapp.documents import reading as documents
from pyapp.documents.file import PickedFile
from pyapp.documents.reading import Document
from pyapp.engine import Json
from pyapp.errors import BadInput, CandilError, EngineFailed
from pyapp.routing.route import Choice, Routed
from pyapp.tasks.blocks import Block
from pyapp.tasks.fields import Typed, defaults, given
from pyapp.tasks.records import Run
from pyapp.tasks.runs import UNDO_S, Live, Runs
from pyapp.tasks.task import Action, Export, Say, Step, Task

SAY_EVERY_MS = 20_000  # how far it has come, to those who cannot see it
KEEP_DRAFT_S = 0.5
DRAFT_KEY = "task_draft/"  # in the database's settings, with the task's name


@dataclass(frozen=True, slots=True)
class Row:
    """A run in the list."""

    run: Run
    task: Task | None  # None: only its runs are left
    waits: bool = False  # for its turn, or for an engine
    elsewhere: bool = False  # another tab works on it


@dataclass(frozen=True, slots=True)
class Home:
    tasks: Sequence[Task]
    rows: Sequence[Row]
    address: str = "#tasks"


@dataclass(frozen=True, slots=True)
class ReadingFile:
    """The file of a field is being read: how many pages of how many, where it has pages."""

    field: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    task: Task
    values: Typed
    wrong: BadInput | None = None
    error: CandilError | None = None  # of a file that cannot be read
    error_field: str = ""
    reading: ReadingFile | None = None
    starting: bool = False

    @property
    def address(self) -> str:
        return f"#tasks/new/{self.task.name}"


@dataclass(frozen=True, slots=True)
class Reading:
    """One run. `blocks` is what it has made, as the task shows it."""

    row: Row
    blocks: Sequence[Block] = ()
    step: Step | None = None  # while it works
    seconds_left: float | None = None
    routed: Routed | None = None
    refused: CandilError | None = None  # what the last change cannot be taken for
    choices: Sequence[Choice] | None = None  # who else could do it, when that was asked
    pending: Mapping[tuple[str, str], str] | None = None  # changes that wait: (action, value) -> text

    @property
    def address(self) -> str:
        return f"#tasks/{self.row.run.id}"


Shown = Home | Form | Reading


class View(Protocol):
    """The part of the page that shows it. No method raises."""

    async def frame(self) -> None:
        """Until the next frame, or soon in a tab that nobody sees."""
        ...

    def show(self, shown: Shown) -> None: ...

    def show_deleted(self, run: Run | None) -> None:
        """With a way to undo it; None when that is over."""
        ...

    def announce(self, shown: Reading) -> None:
        """How far it has come, or how it ended."""
        ...

    def save(self, export: Export) -> None: ...


class Drafts(Protocol):
    """What was typed into forms, kept."""

    async def get(self, key: str) -> Json | None: ...

    def set(self, key: str, value: Json | None) -> None: ...


class TasksPage:
    """`say` gives the user's language with a task's words in it. `release` hears of a file that is needed no more."""

    def __init__(
        self,
        view: View,
        runs: Runs,
        drafts: Drafts,
        say: Callable[[Task], Say],
        *,
        read: Callable[[PickedFile], AsyncGenerator[documents.Reading | Document, None]],
        release: Callable[[PickedFile], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._view = view
        self._runs = runs
        self._drafts = drafts
        self._say = say
        self._read = read
        self._release = release
        self._reader: asyncio.Task[None] | None = None
        self._now_ms = now_ms
        self._shown: Shown | None = None  # None: the chat is shown
        self._dirty = False
        self._drawing: asyncio.Task[None] | None = None
        self._keeping: asyncio.TimerHandle | None = None
        self._undo: asyncio.TimerHandle | None = None
        self._deleted: str | None = None
        self._said: tuple[object, ...] = ()
        self._said_ms = 0
        self._tasks: set[asyncio.Task[None]] = set()
        runs.on_change = self._changed
        runs.tasks.on_change = lambda: self._changed("")

    # ---- where the user is ----

    async def go(self, address: str) -> bool:
        """Shows what an address of ours names; False for another's. What is gone is the list."""
        if address != "#tasks" and not address.startswith("#tasks/"):
            return False
        await self._runs.start()
        kind, _, name = address.removeprefix("#tasks").removeprefix("/").partition("/")
        if kind == "new" and (task := self._runs.tasks.find(name)):
            await self._open_form(task)
        elif kind and self._runs.find(kind):
            await self._open_run(kind)
        else:
            self._show(self._home())
        return True

    def leave(self) -> None:
        """Back to the chat; what works goes on."""
        self._close_run()
        self._stop_reading()
        self._shown = None

    @property
    def address(self) -> str:
        """Of what is shown; "" for the chat."""
        return self._shown.address if self._shown else ""

    def redraw(self) -> None:
        """In the language of now."""
        if self._shown:
            self._refresh()

    # ---- the form ----

    def type(self, name: str, value: Json) -> None:
        """A field has another value."""
        if isinstance(form := self._shown, Form):
            wrong = None if form.wrong and form.wrong.details["field"] == name else form.wrong
            self._shown = replace(form, values={**form.values, name: value}, wrong=wrong)
            self._keep_draft()

    def attach(self, name: str, file: PickedFile) -> None:
        """A file was picked or dropped; one that is still being read is given up for it."""
        if isinstance(form := self._shown, Form):
            self._stop_reading()
            self._show(replace(form, reading=ReadingFile(name), error=None, error_field=""))
            self._reader = self._do(self._attach(name, file))
            self._reader.add_done_callback(lambda _: self._release(file))

    def detach(self, name: str) -> None:
        """No file, or no longer reads it."""
        if isinstance(self._shown, Form):
            self._stop_reading()
            self.type(name, None)
            self._show(replace(self._shown, reading=None))

    def _stop_reading(self) -> None:
        if self._reader:
            self._reader.cancel()
            self._reader = None

    def start(self, choice: str = "") -> None:
        if isinstance(form := self._shown, Form) and not form.starting and not form.reading:
            self._show(replace(form, starting=True, wrong=None))
            self._do(self._start(form, choice))

    async def _start(self, form: Form, choice: str) -> None:
        try:
            run_id = await self._runs.begin(form.task, given(form.task.fields, form.values), choice)
        except BadInput as error:
            return self._show(replace(form, wrong=error))
        except CandilError as error:
            return self._show(replace(form, error=error))
        self._forget_draft(form.task)
        await self._open_run(run_id)

    async def _attach(self, name: str, file: PickedFile) -> None:
        value: Json = None
        failure: CandilError | None = None
        try:
            async with aclosing(self._read(file)) as steps:
                async for step in steps:
                    if isinstance(step, Document):
                        value = {"name": step.name, "pages": step.pages}
                    else:
                        self._show(replace(self._form, reading=ReadingFile(name, step.done, step.total)))
        except CandilError as error:
            failure = error
        self._shown = replace(self._form, reading=None, error=failure, error_field=name if failure else "")
        if not failure:
            self.type(name, value)
        self._show(self._form)

    @property
    def _form(self) -> Form:
        """While a file is read for it: that ends when something else is shown."""
        assert isinstance(self._shown, Form)
        return self._shown

    async def _open_form(self, task: Task) -> None:
        values = dict(defaults(task.fields))
        with suppress(CandilError):
            kept = await self._drafts.get(DRAFT_KEY + task.name)
            values |= {name: value for name, value in (kept or {}).items() if name in values}
        self._show(Form(task, values))

    def _keep_draft(self) -> None:
        """Not at every key: a file may be in it."""
        if self._keeping is None:
            self._keeping = asyncio.get_running_loop().call_later(KEEP_DRAFT_S, self.keep_draft)

    def keep_draft(self) -> None:
        """Now: the page may go away."""
        if self._keeping:
            self._keeping.cancel()
            self._keeping = None
            if isinstance(form := self._shown, Form):
                self._drafts.set(DRAFT_KEY + form.task.name, dict(form.values))

    def _forget_draft(self, task: Task) -> None:
        if self._keeping:
            self._keeping.cancel()
            self._keeping = None
        self._drafts.set(DRAFT_KEY + task.name, None)

    # ---- runs ----

    def pause(self, run_id: str) -> None:
        self._runs.pause(run_id)

    def resume(self, run_id: str, choice: str = "") -> None:
        """Goes on, with the engine of `choice` this once."""
        self._do(self._resume(run_id, choice))

    async def _resume(self, run_id: str, choice: str) -> None:
        with suppress(KeyError):  # it was deleted meanwhile
            await self._runs.open(run_id)
            if choice:
                self._runs.choose(run_id, choice)
            else:
                self._runs.resume(run_id)

    def ask_choices(self) -> None:
        """Who else could do it."""
        if isinstance(shown := self._shown, Reading) and shown.row.task:
            self._do(self._ask_choices(shown.row.run.id, shown.row.task))

    async def _ask_choices(self, run_id: str, task: Task) -> None:
        live = await self._runs.open(run_id)
        choices = await self._runs.route.choices(task.needs(live.kept.given))
        if isinstance(shown := self._shown, Reading) and shown.row.run.id == run_id:
            self._show(replace(shown, choices=choices))

    def choose(self, key: str) -> None:
        if isinstance(shown := self._shown, Reading):
            self._shown = replace(shown, choices=None)
            self.resume(shown.row.run.id, key)

    def act(self, action: Action) -> None:
        if isinstance(self._shown, Reading):
            self._runs.act(self._shown.row.run.id, action)

    def delete(self, run_id: str) -> None:
        """It can come back for UNDO_S seconds."""
        if (run := self._runs.find(run_id)) is None:
            return
        self._runs.delete(run_id)
        self.leave_undo()
        self._deleted = run_id
        self._view.show_deleted(run)
        self._undo = asyncio.get_running_loop().call_later(UNDO_S, self.leave_undo)
        if isinstance(self._shown, Reading) and self._shown.row.run.id == run_id:
            self._show(self._home())

    def undo(self) -> None:
        """Brings the run back that was deleted last."""
        run_id = self._deleted
        self.leave_undo()
        if run_id is not None:
            self._runs.undelete(run_id)

    def leave_undo(self) -> None:
        if self._undo:
            self._undo.cancel()
        self._deleted = self._undo = None
        self._view.show_deleted(None)

    def export(self, kind: str) -> None:
        if isinstance(shown := self._shown, Reading) and shown.row.task:
            self._do(self._export(shown.row.run.id, shown.row.task, kind))

    async def _export(self, run_id: str, task: Task, kind: str) -> None:
        kept = (await self._runs.open(run_id)).kept
        self._view.save(await task.export(kept.given, kept.state, kind, self._say(task)))

    # ---- what is shown ----

    async def _open_run(self, run_id: str) -> None:
        self._close_run(run_id)
        try:
            await self._runs.open(run_id)
        except (KeyError, CandilError):
            return self._show(self._home())
        self._show(await self._reading(run_id))

    def _close_run(self, but: str = "") -> None:
        if isinstance(shown := self._shown, Reading) and shown.row.run.id != but:
            self._runs.close(shown.row.run.id)

    def _changed(self, run_id: str) -> None:
        match self._shown:
            case Home():
                self._refresh()
            case Reading(row) if run_id in ("", row.run.id):
                self._refresh()
            case _:
                pass

    def _refresh(self) -> None:
        self._dirty = True
        if self._drawing is None:
            self._drawing = self._do(self._draw())

    async def _draw(self) -> None:
        """At most once per frame, and for at most a quarter of the time: the rest is the user's."""
        try:
            while self._dirty:
                await self._view.frame()
                self._dirty = False
                began = self._now_ms()
                await self._draw_now()
                await asyncio.sleep(3 * max(0, self._now_ms() - began) / 1000)
        finally:
            self._drawing = None

    async def _draw_now(self) -> None:
        match self._shown:
            case Home():
                self._show(self._home())
            case Form():
                self._show(self._shown)
            case Reading(row):
                reading = await self._reading(row.run.id)
                if isinstance(self._shown, Reading) and self._shown.address == row_address(row):
                    self._show(reading)
            case _:
                pass

    def _show(self, shown: Shown) -> None:
        if not isinstance(shown, Reading):
            self._close_run()
        if self._shown and self._shown.address != shown.address:
            self._stop_reading()
        self._shown = shown
        self._view.show(shown)
        if isinstance(shown, Reading):
            self._tell(shown)

    def _home(self) -> Home:
        return Home(self._runs.tasks.all(), [self._row(run) for run in self._runs.listed()])

    def _row(self, run: Run) -> Row:
        live = self._runs.live.get(run.id)
        return Row(run, self._runs.tasks.find(run.task), bool(live and live.waits), run.id in self._runs.elsewhere)

    async def _reading(self, run_id: str) -> Shown:
        live, run = self._runs.live.get(run_id), self._runs.find(run_id)
        if live is None or run is None:
            return self._home()
        row = self._row(replace(run, usage=live.kept.run.usage, fraction=live.kept.run.fraction))
        before = self._shown if isinstance(self._shown, Reading) and self._shown.row.run.id == run_id else None
        blocks: Sequence[Block] = ()
        refused: CandilError | None = live.refused
        if row.task and live.state is not None:
            try:
                blocks = await row.task.view(live.kept.given, live.state, self._say(row.task))
            except CandilError as error:
                blocks, refused = before.blocks if before else (), error
            except Exception as error:  # a mistake in a task: what it showed stays
                blocks, refused = before.blocks if before else (), EngineFailed(type(error).__name__)
        return Reading(
            row,
            blocks,
            live.step,
            live.seconds_left,
            live.routed,
            refused,
            before.choices if before else None,
            _pending(live),
        )

    def _tell(self, reading: Reading) -> None:
        """When something else begins or it ends, and now and then how far it has come."""
        run = reading.row.run
        what = (run.id, run.status, reading.row.waits, reading.step.doing if reading.step else "")
        now = self._now_ms()
        works = run.status == "running"
        if what != self._said or (works and now - self._said_ms >= SAY_EVERY_MS):
            opened = not self._said or self._said[0] != run.id
            self._said, self._said_ms = what, now
            if works or not opened:  # what one opens says itself how it stands
                self._view.announce(reading)

    # ---- small parts ----

    def _do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs `work` beside everything else; kept in a set because the loop holds tasks only weakly."""
        task = asyncio.ensure_future(self._told(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # it was given up before it had begun
        return task

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        """What goes wrong is said where the run is."""
        try:
            await work
        except CandilError as error:
            if isinstance(self._shown, Reading):
                self._view.show(replace(self._shown, refused=error))


def row_address(row: Row) -> str:
    return f"#tasks/{row.run.id}"


def _pending(live: Live) -> Mapping[tuple[str, str], str]:
    return {(action.name, action.value): action.text for action in live.actions}
