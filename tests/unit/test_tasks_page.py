"""What the user does among the tasks, and what is shown then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyapp.chat.tree import Origin
from pyapp.documents.reading import Document
from pyapp.documents.reading import Reading as FileReading
from pyapp.errors import BadInput, EngineFailed, NoDocument, NotText, StorageFailed
from pyapp.routing.route import Choice
from pyapp.tasks.blocks import Block, Edit
from pyapp.tasks.records import Kept, Run
from pyapp.tasks.runs import UNDO_S
from pyapp.tasks.task import Action, Export, Given, Say
from pyapp.tasks_page import SAY_EVERY_MS, Form, Home, Reading, ReadingFile, Shown, TasksPage
from tests.unit.run import run
from tests.unit.tasks.scripted_task import STRINGS, ScriptedTask
from tests.unit.tasks.stage import Stage as Runs
from tests.unit.views.languages import EN

NEW = "#tasks/new/scripted"


@dataclass
class File:
    """pyapp.documents.file.PickedFile."""

    name: str
    steps: Sequence[Any] = ()
    id: str = "picked-1"
    size: int = 3

    async def read(self, offset: int, length: int) -> bytes:
        raise AssertionError


@dataclass
class Drafts:
    kept: dict[str, Any] = field(default_factory=dict)
    refuses: bool = False

    async def get(self, key: str) -> Any:
        if self.refuses:
            raise StorageFailed()
        return self.kept.get(key)

    def set(self, key: str, value: Any) -> None:
        self.kept[key] = value


@dataclass
class Stage:
    """Implements pyapp.tasks_page.View."""

    runs: Runs = field(default_factory=Runs)
    drafts: Drafts = field(default_factory=Drafts)
    shown: list[Shown] = field(default_factory=list)
    deleted: list[str | None] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    saved: list[Export] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page = TasksPage(
            self,
            self.runs.runs,
            self.drafts,
            self._say,
            read=self._read,
            release=lambda file: self.released.append(file.name),
            now_ms=self.runs.now_ms,
        )

    def _say(self, task: Any) -> Say:
        return EN.having(STRINGS)

    async def _read(self, file: Any) -> AsyncGenerator[FileReading | Document, None]:
        for step in file.steps:
            await asyncio.sleep(1)
            if isinstance(step, Exception):
                raise step
            yield step

    async def frame(self) -> None:
        await asyncio.sleep(0.016)

    def show(self, shown: Shown) -> None:
        self.shown.append(shown)

    def show_deleted(self, run: Run | None) -> None:
        self.deleted.append(run.title if run else None)

    def announce(self, shown: Reading) -> None:
        self.said.append((shown.row.run.status, shown.step.doing if shown.step else ""))

    def save(self, export: Export) -> None:
        self.saved.append(export)

    # ---- what stories need ----

    @property
    def home(self) -> Home:
        assert isinstance(self.shown[-1], Home)
        return self.shown[-1]

    @property
    def form(self) -> Form:
        assert isinstance(self.shown[-1], Form)
        return self.shown[-1]

    @property
    def reading(self) -> Reading:
        assert isinstance(self.shown[-1], Reading)
        return self.shown[-1]

    async def begun(self, **values: Any) -> str:
        await self.page.go(NEW)
        for name, value in {"topic": "Lamps", **values}.items():
            self.page.type(name, value)
        self.page.start()
        await asyncio.sleep(0.1)
        return self.reading.row.run.id


def play(story: Callable[[Stage], Awaitable[None]]) -> None:
    async def whole() -> None:
        await story(Stage())

    run(whole())


def test_where_there_is_nothing_there_is_what_can_be_begun() -> None:
    async def story(s: Stage) -> None:
        assert s.page.address == ""
        assert await s.page.go("#tasks")
        assert [task.name for task in s.home.tasks][-1] == "scripted"
        assert (s.home.rows, s.page.address) == ([], "#tasks")
        assert not await s.page.go("#message")
        for gone in ("#tasks/nothing", "#tasks/new/nothing"):
            assert await s.page.go(gone)
            assert s.home.address == "#tasks"
        s.page.leave()
        assert s.page.address == ""
        s.page.redraw()
        s.page.start()
        s.page.type("topic", "x")
        s.page.act(Action("x"))
        s.page.ask_choices()
        s.page.choose("x")
        s.page.export("text")
        s.page.attach("source", File("a.txt"))
        s.page.detach("source")
        await asyncio.sleep(1)
        assert s.page.address == ""

    play(story)


def test_from_a_form_to_a_run_that_is_done() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begun(parts="2")
        assert s.page.address == f"#tasks/{run_id}"
        await s.runs.until(run_id, "done")
        await asyncio.sleep(1)
        reading = s.reading
        assert (reading.row.run.status, reading.row.run.fraction) == ("done", 1.0)
        assert isinstance(reading.blocks[0], Edit)
        assert reading.routed
        assert s.said[0] == ("running", "")
        assert s.said[-1] == ("done", "")
        assert s.drafts.kept["task_draft/scripted"] is None
        s.page.export("text")
        await asyncio.sleep(0.1)
        assert s.saved[0].name == "Lamps.txt"
        await s.page.go("#tasks")
        assert [row.run.id for row in s.home.rows] == [run_id]
        assert s.runs.runs.live == {}

    play(story)


def test_what_is_wrong_is_said_where_it_is() -> None:
    async def story(s: Stage) -> None:
        await s.page.go(NEW)
        assert s.page.address == NEW
        s.page.start()
        s.page.start()  # it does already
        assert s.form.starting
        await asyncio.sleep(0.1)
        assert s.form.wrong
        assert s.form.wrong.details["field"] == "topic"
        s.page.type("notes", "x")
        s.page.redraw()
        await asyncio.sleep(0.1)
        assert s.form.wrong  # of another field
        s.page.type("topic", "forbidden")
        s.page.redraw()
        await asyncio.sleep(0.1)
        assert s.form.wrong is None
        s.page.start()
        await asyncio.sleep(0.1)
        assert s.form.wrong
        assert s.form.wrong.details["why"] == "scripted.forbidden"

    play(story)


def test_what_cannot_be_begun_for_another_reason() -> None:
    class Broken(ScriptedTask):
        async def check(self, given: Given) -> None:
            raise NoDocument(attempts=1)

    async def story(s: Stage) -> None:
        s.runs.tasks.add(Broken())
        await s.page.go(NEW)
        s.page.type("topic", "x")
        s.page.start()
        await asyncio.sleep(0.1)
        assert isinstance(s.form.error, NoDocument)
        assert not s.form.starting

    play(story)


def test_a_draft_is_kept_and_comes_back() -> None:
    async def story(s: Stage) -> None:
        await s.page.go(NEW)
        s.page.type("topic", "Lam")
        s.page.type("topic", "Lamps")
        assert s.drafts.kept == {}
        await asyncio.sleep(1)
        assert s.drafts.kept["task_draft/scripted"]["topic"] == "Lamps"
        s.page.type("topic", "Lamps!")
        s.page.keep_draft()
        s.page.keep_draft()
        assert s.drafts.kept["task_draft/scripted"]["topic"] == "Lamps!"
        s.drafts.kept["task_draft/scripted"]["gone"] = "a field that is no more"
        await s.page.go("#tasks")
        await s.page.go(NEW)
        assert s.form.values["topic"] == "Lamps!"
        assert "gone" not in s.form.values
        s.page.type("topic", "x")
        s.page.leave()
        s.page.keep_draft()
        assert s.drafts.kept["task_draft/scripted"]["topic"] == "Lamps!"
        s.drafts.refuses = True
        await s.page.go(NEW)
        assert s.form.values["topic"] == ""
        s.page.type("topic", "y")
        s.page.start()  # before it was kept
        await asyncio.sleep(1)
        assert s.drafts.kept["task_draft/scripted"] is None
        await s.page.go(NEW)
        s.page.type("topic", "z")
        await asyncio.sleep(1)
        s.page.start()
        await asyncio.sleep(1)
        assert s.drafts.kept["task_draft/scripted"] is None

    play(story)


def test_who_leaves_sees_nothing_more_of_it() -> None:
    class Slow(ScriptedTask):
        viewing = asyncio.Event()

        async def view(self, given: Given, state: Any, say: Say) -> Sequence[Block]:
            self.viewing.set()
            await asyncio.sleep(1)
            return ()

    async def story(s: Stage) -> None:
        task = Slow()
        s.runs.tasks.add(task)
        run_id = await s.begun()
        await task.viewing.wait()
        s.page.leave()
        shown = len(s.shown)
        await asyncio.sleep(2)
        await s.page.go("#tasks")
        s.page.redraw()
        s.page.leave()
        await s.runs.until(run_id, "done")
        assert len(s.shown) == shown + 1

    play(story)


def test_a_file_is_read_page_by_page() -> None:
    async def story(s: Stage) -> None:
        await s.page.go(NEW)
        s.page.type("topic", "Lamps")
        s.page.attach("source", File("a.pdf", (FileReading(1, 2), Document("a.pdf", ["One.", "Two."]))))
        assert s.form.reading == ReadingFile("source")
        s.page.start()  # not yet
        await asyncio.sleep(1.5)
        assert s.form.reading == ReadingFile("source", 1, 2)
        await asyncio.sleep(1)
        assert s.form.reading is None
        assert s.form.values["source"] == {"name": "a.pdf", "pages": ["One.", "Two."]}
        s.page.detach("source")
        assert s.form.values["source"] is None
        s.page.attach("source", File("b.pdf", (NotText(name="b.pdf"),)))
        await asyncio.sleep(1.5)
        assert (s.form.error_field, type(s.form.error)) == ("source", NotText)
        s.page.attach("source", File("c.pdf", (FileReading(1, 2), Document("c.pdf", []))))
        assert s.form.error is None
        await asyncio.sleep(1.5)
        s.page.attach("source", File("d.pdf", (Document("d.pdf", ["x"]),)))  # in its place
        await asyncio.sleep(1.5)
        assert s.form.values["source"]["name"] == "d.pdf"
        s.page.attach("source", File("e.pdf", (FileReading(1, 2), Document("e.pdf", []))))
        s.page.detach("source")
        await asyncio.sleep(3)
        assert s.form.values["source"] is None
        s.page.attach("source", File("f.pdf", (FileReading(1, 2), Document("f.pdf", []))))
        await s.page.go("#tasks")
        await asyncio.sleep(3)
        assert isinstance(s.shown[-1], Home)
        assert s.released == ["a.pdf", "b.pdf", "c.pdf", "d.pdf", "e.pdf", "f.pdf"]

    play(story)


def test_paused_gone_on_with_deleted_and_back() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begun()
        await s.runs.asked(2)
        s.page.pause(run_id)
        await asyncio.sleep(1)
        assert s.reading.row.run.status == "paused"
        assert s.said[-1] == ("paused", "")
        await s.page.go("#tasks")
        s.page.resume(run_id)
        await asyncio.sleep(1)
        assert s.home.rows[0].run.status == "running"
        await s.page.go(f"#tasks/{run_id}")
        s.page.delete(run_id)
        assert s.home.rows == []
        assert s.deleted == [None, "Lamps"]
        s.page.undo()
        await asyncio.sleep(1)
        assert [row.run.id for row in s.home.rows] == [run_id]
        s.page.undo()
        s.page.delete("nothing")
        s.page.delete(run_id)
        await asyncio.sleep(UNDO_S + 1)
        assert s.deleted[-1] is None
        s.page.resume(run_id)
        await asyncio.sleep(1)
        assert s.home.rows == []

    play(story)


def test_the_list_says_who_waits_and_is_drawn_once_a_frame() -> None:
    async def story(s: Stage) -> None:
        first = await s.begun()
        second = await s.begun()
        await s.page.go("#tasks")
        await asyncio.sleep(1)
        assert [(row.run.id, row.waits) for row in s.home.rows] == [(second, True), (first, False)]
        before = len(s.shown)
        for _ in range(50):
            s.runs.runs.on_change(first)
        await asyncio.sleep(0.1)
        assert len(s.shown) == before + 1
        await s.page.go(f"#tasks/{second}")
        s.page.pause(second)
        await asyncio.sleep(0.5)
        before = len(s.shown)
        await asyncio.sleep(1)  # the other one goes on
        assert len(s.shown) == before

    play(story)


def test_changes_that_wait_are_shown_at_once() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begun()
        await s.runs.asked(2)
        s.page.act(Action("rename", "", "Lights"))
        await asyncio.sleep(0.1)
        assert s.reading.pending == {("rename", ""): "Lights"}
        await s.runs.until(run_id, "done")
        await asyncio.sleep(0.1)
        assert (s.reading.pending, s.reading.row.run.title) == ({}, "Lights")
        s.page.act(Action("rename", "", ""))
        await asyncio.sleep(1)
        assert isinstance(s.reading.refused, BadInput)

    play(story)


def test_another_one_may_do_it() -> None:
    async def story(s: Stage) -> None:
        other = Choice("other", Origin("Other", "webgpu"))
        s.runs.route.others = [other]
        run_id = await s.begun()
        await s.runs.asked(2)
        s.page.pause(run_id)
        s.page.ask_choices()
        await asyncio.sleep(0.5)
        assert s.reading.choices == [other]
        s.page.choose("other")
        await asyncio.sleep(0.5)
        assert s.reading.choices is None
        assert s.runs.route.chosen[-1] == "other"
        s.page.pause(run_id)
        s.runs.route.takes_s = 1
        s.page.ask_choices()
        await s.page.go("#tasks")
        await asyncio.sleep(2)
        assert isinstance(s.shown[-1], Home)

    play(story)


def test_what_a_task_cannot_show_leaves_what_it_showed() -> None:
    class Fragile(ScriptedTask):
        raises: Exception | None = None

        async def view(self, given: Given, state: Any, say: Say) -> Sequence[Block]:
            if self.raises:
                raise self.raises
            return await super().view(given, state, say)

    async def story(s: Stage) -> None:
        task = Fragile()
        s.runs.tasks.add(task)
        run_id = await s.begun()
        await s.runs.asked(2)
        await asyncio.sleep(1)
        for error, shown in ((NoDocument(), NoDocument), (ZeroDivisionError(), EngineFailed)):
            task.raises = error
            await asyncio.sleep(1)
            assert isinstance(s.reading.refused, shown)
            assert s.reading.blocks
        await s.page.go("#tasks")
        for error, shown in ((NoDocument(), NoDocument), (ZeroDivisionError(), EngineFailed)):
            task.raises = error
            await s.page.go("#tasks")
            await s.page.go(f"#tasks/{run_id}")
            assert (type(s.reading.refused), s.reading.blocks) == (shown, ())

    play(story)


def test_what_fails_beside_it_is_said_where_the_run_is() -> None:
    class Speechless(ScriptedTask):
        async def export(self, given: Given, state: Any, kind: str, say: Say) -> Export:
            raise NoDocument(attempts=1)

    async def story(s: Stage) -> None:
        s.runs.tasks.add(Speechless())
        await s.begun()
        s.page.export("text")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert isinstance(s.reading.refused, NoDocument)
        s.page.export("text")
        s.page.leave()
        shown = len(s.shown)
        await asyncio.sleep(1)
        assert len(s.shown) == shown

    play(story)


def test_one_whose_task_is_gone_is_still_there() -> None:
    async def story(s: Stage) -> None:
        s.runs.runs.add(Kept(Run("r", "gone", "Old", 1, 1, "done"), {}, {"x": 1}))
        await s.page.go("#tasks/r")
        assert (s.reading.row.task, s.reading.blocks) == (None, ())
        s.page.ask_choices()
        s.page.export("text")
        s.runs.tasks.on_change()
        await asyncio.sleep(0.5)
        assert s.reading.row.task is None

    play(story)


def test_one_that_cannot_be_read_is_the_list() -> None:
    async def story(s: Stage) -> None:
        s.runs.runs.add(Kept(Run("r", "scripted", "Old", 1, 1, "done"), {}, {}))
        await s.runs.runs.shelf.settled()
        s.runs.tab.trouble = StorageFailed()
        await s.page.go("#tasks/r")
        assert isinstance(s.shown[-1], Home)

    play(story)


def test_one_that_another_tab_deletes_while_it_is_read() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begun(parts="1")
        await s.runs.until(run_id, "done")
        other = Runs(s.runs)
        await other.runs.start()
        await other.runs.clear()
        await asyncio.sleep(1)
        assert isinstance(s.shown[-1], Home)

    play(story)


def test_how_far_it_is_is_not_said_too_often() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begun(parts="30")
        await asyncio.sleep(3)
        before = len(s.said)
        await asyncio.sleep(3 * SAY_EVERY_MS / 1000)
        assert 2 <= len(s.said) - before <= 4
        s.page.pause(run_id)
        await asyncio.sleep(1)
        said = len(s.said)
        await s.page.go("#tasks")
        await s.page.go(f"#tasks/{run_id}")
        assert len(s.said) == said

    play(story)
