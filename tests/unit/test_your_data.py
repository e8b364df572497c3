"""What goes out comes in again; what is deleted is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace

import pytest

from pyapp.chat.library import Library
from pyapp.chat.session import Session
from pyapp.chat.tree import Chat, Conversation, Entry, Origin
from pyapp.errors import DeviceLost, EngineBusy, ImportTooNew, PluginRefused
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.models.record import Installed
from pyapp.preferences import Preferences
from pyapp.settings.personas import Persona
from pyapp.settings.settings import Settings
from pyapp.tasks.plugins.guest import PluginFile
from pyapp.tasks.records import Kept, Run
from pyapp.transfer.form import chat_value
from pyapp.transfer.importing import Skipped
from pyapp.transfer.own_tasks import file_text
from pyapp.transfer.runs import run_text
from pyapp.your_data import Inventory, Report, YourData
from tests.unit.chat.tabs import Browser
from tests.unit.models.made import model, variant
from tests.unit.run import run
from tests.unit.transfer import examples
from tests.unit.transfer.made import NOW, USAGE, ids, own, talk, without_ids

VARIANT = variant()
MODEL = model(VARIANT)
PIRATE = Persona("p", "Pirate", "Arr")


@dataclass
class ScriptedModels:
    here: list[Installed] = field(default_factory=lambda: [Installed(MODEL, VARIANT)])
    swept: bool = False
    busy: bool = False

    async def records(self) -> list[Installed]:
        return list(self.here)

    async def delete(self, model: ModelSpec, variant: Variant) -> None:
        if self.busy:
            raise EngineBusy()
        self.here.remove(Installed(model, variant))

    async def sweep(self, wanted: Collection[Variant]) -> None:
        assert list(wanted) == []
        self.swept = True


@dataclass
class RunsHere:
    here: list[Kept] = field(default_factory=list)

    async def everything(self) -> AsyncGenerator[Kept, None]:
        for kept in self.here:
            yield kept

    def add(self, kept: Kept) -> None:
        self.here.append(kept)

    async def clear(self) -> None:
        self.here.clear()


@dataclass
class OwnHere:
    here: list[PluginFile] = field(default_factory=list)

    async def everything(self) -> AsyncGenerator[PluginFile, None]:
        for file in self.here:
            yield file

    async def take(self, file: PluginFile) -> bool:
        if file.data == b"no task":
            raise PluginRefused(why="no_task", what="")
        new = file not in self.here
        self.here += [file] * new
        return new


RUN = Kept(
    Run("r", "course", "Lamps", NOW, NOW, "running", 0.5, (Origin("Tiny", "wasm"),), USAGE, 1234, DeviceLost("gone")),
    {"topic": "Lamps"},
    {"modules": [1, None]},
)


@dataclass
class Stage:
    database: Browser = field(default_factory=Browser)
    models: ScriptedModels = field(default_factory=ScriptedModels)

    def __post_init__(self) -> None:
        self.tab = self.database.tab()
        new_id = ids("id")
        self.library = Library(self.tab, new_id=new_id, now_ms=lambda: NOW)
        session = Session(self.library.new(), self.library, new_id, lambda: NOW, lambda _: None)
        self.preferences = Preferences(self.library, session, lambda key: f"[{key}]", new_id)
        self.runs = RunsHere()
        self.own = OwnHere()
        self.data = YourData(
            self.library,
            self.preferences,
            self.models,
            self.tab,
            lambda key: f"[{key}]",
            new_id,
            lambda: NOW,
            lambda: self.runs,
            lambda: self.own,
        )

    def put(self, conversation: Conversation) -> None:
        self.library.add(conversation.chat)
        for entry in conversation.entries.values():
            self.library.keep(entry)

    async def everything(self) -> list[object]:
        return [without_ids(await self.library.open(chat_id)) for chat_id in sorted(self.library.chats)]


def play(story: Callable[[Stage], Awaitable[None]]) -> None:
    async def whole() -> None:
        stage = Stage()
        await stage.library.start()
        await story(stage)

    run(whole())


def other(text: str = "Ho") -> Conversation:
    """Another chat, of one message."""
    entry = Entry(f"{text}-1", text, None, "user", text, NOW)
    return Conversation(Chat(text, NOW, NOW, text, head=entry.id), {entry.id: entry})


def test_one_chat_to_read_and_to_keep() -> None:
    async def story(s: Stage) -> None:
        s.put(talk())
        read = await s.data.chat_to_read("c")
        assert read.name.startswith("Candil - Greeting - 20")
        assert read.name.endswith(".md")
        assert read.type == "text/markdown"
        assert "[chat.you]" in read.text
        kept = await s.data.chat_to_keep("c")
        assert kept.name.endswith(".json")
        assert json.loads(kept.text)["chats"] == [json.loads(json.dumps(chat_value(talk())))]

    play(story)


def test_export_delete_everything_import_is_identical() -> None:
    async def story(s: Stage) -> None:
        s.put(talk())
        s.put(other())
        await s.preferences.save(Settings(theme="dark", persona_id="p"))
        await s.preferences.keep([PIRATE])
        before = await s.everything()
        file = await s.data.everything()
        await s.data.delete_everything()
        assert await s.everything() == []
        assert not any(s.database.stores.values())
        assert await s.data.take_in(file.text) == Report(chats=2, personas=1)
        assert sorted(await s.everything(), key=str) == sorted(before, key=str)
        assert s.preferences.app == Settings(theme="dark", persona_id="p")
        assert s.preferences.mine == (PIRATE,)
        again = Stage(s.database)  # after a reload
        await again.library.start()
        assert sorted(await again.everything(), key=str) == sorted(before, key=str)

    play(story)


def test_runs_of_tasks_go_out_and_come_in() -> None:
    async def story(s: Stage) -> None:
        s.runs.add(RUN)
        assert (await s.data.inventory()).runs == 1
        text = (await s.data.everything()).text
        assert (await s.data.take_in(text)).skipped == (Skipped("Lamps", "already_here"),)
        await s.data.delete_everything()
        assert s.runs.here == []
        assert await s.data.take_in(text) == Report(runs=1)
        (back,) = s.runs.here
        assert back.run.id != "r"
        assert repr(back.run.error) == repr(RUN.run.error)
        assert replace(back, run=replace(back.run, id="r", error=None)) == replace(
            RUN, run=replace(RUN.run, status="paused", error=None)
        )

    play(story)


@pytest.mark.parametrize(
    "damage",
    [
        {"fraction": 2},
        {"fraction": "x"},
        {"given": 5},
        {"by": [5]},
        {"status": "flying"},
        {"created_ms": 10**18},
        {"worked_ms": -1},
        {"error": 5},
        {"task": None},
    ],
    ids=lambda damage: next(iter(damage)),
)
def test_damaged_runs_are_named_and_left_out(damage: dict[str, object]) -> None:
    async def story(s: Stage) -> None:
        value = json.loads(run_text(RUN)) | damage
        report = await s.data.take_in(own(runs=[value, 5]))
        assert report == Report(skipped=(Skipped("Lamps", "wrong_type"), Skipped("", "wrong_type")))
        assert s.runs.here == []

    play(story)


def test_a_run_of_which_little_is_known() -> None:
    async def story(s: Stage) -> None:
        value = json.loads(run_text(RUN)) | {"fraction": None, "error": None, "state": None}
        assert await s.data.take_in(own(runs=[value, value])) == Report(
            skipped=(Skipped("Lamps", "already_here"),), runs=1
        )

    play(story)


def test_importing_twice_makes_no_copies() -> None:
    async def story(s: Stage) -> None:
        s.put(talk())
        await s.preferences.keep([PIRATE])
        await s.preferences.save(Settings(theme="dark"))
        text = (await s.data.everything()).text
        assert await s.data.take_in(text) == Report(skipped=(Skipped("Greeting", "already_here"),))
        for _ in range(2):
            await s.data.take_in(json.dumps(examples.CHATGPT * 2))
        assert sorted(chat.title for chat in s.library.chats.values()) == ["Greeting", "Stars"]

    play(story)


def test_personas_of_a_file_do_not_replace_those_of_here() -> None:
    async def story(s: Stage) -> None:
        await s.preferences.keep([PIRATE])
        chat = chat_value(talk()) | {"settings": {"persona_id": "p"}}
        same_id = {"id": "p", "title": "Pirate", "prompt": "Ahoy"}
        report = await s.data.take_in(own(chat, personas=[same_id], settings={"persona_id": "p"}))
        assert report == Report(chats=1, personas=1)
        new = s.preferences.mine[1]
        assert (s.preferences.mine[0], new.prompt) == (PIRATE, "Ahoy")
        assert new.id != "p"
        assert next(iter(s.library.chats.values())).settings == {"persona_id": new.id}
        assert s.preferences.app.persona_id == new.id

    play(story)


def test_settings_of_a_file_are_not_taken_over_those_of_here() -> None:
    async def story(s: Stage) -> None:
        await s.preferences.save(Settings(theme="light"))
        report = await s.data.take_in(own(settings={"theme": "dark"}))
        assert report == Report(settings=Settings(theme="dark"))
        assert s.preferences.app == Settings(theme="light")

    play(story)


def test_what_is_damaged_is_reported_and_what_is_refused_changes_nothing() -> None:
    async def story(s: Stage) -> None:
        steps: list[tuple[int, int]] = []
        bad = chat_value(talk()) | {"entries": 5}
        report = await s.data.take_in(own(bad, chat_value(talk())), lambda *step: steps.append(step))
        assert report == Report(chats=1, skipped=(Skipped("Greeting", "wrong_type"),))
        assert steps == [(1, 2), (2, 2)]
        before = json.dumps(s.database.stores)
        with pytest.raises(ImportTooNew):
            await s.data.take_in('{"format": "candil.chats", "version": 9}')
        assert json.dumps(s.database.stores) == before

    play(story)


def test_a_long_import_leaves_time_for_others() -> None:
    async def story(s: Stage) -> None:
        turns = 0

        async def beside() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        others = asyncio.ensure_future(beside())
        chats = [chat_value(other(f"{number}")) for number in range(50)]
        assert (await s.data.take_in(own(*chats))).chats == 50
        others.cancel()
        assert turns >= 50

    play(story)


def test_a_chat_that_is_deleted_during_an_export_is_not_in_it() -> None:
    async def story(s: Stage) -> None:
        s.put(talk())
        s.put(other())
        await asyncio.sleep(1)
        exporting = asyncio.ensure_future(s.data.everything())
        await asyncio.sleep(0)
        s.library.chats.pop(min(s.library.chats))
        assert len(json.loads((await exporting).text)["chats"]) == 1

    play(story)


def test_deleting_everything_says_what_and_leaves_nothing() -> None:
    async def story(s: Stage) -> None:
        s.put(talk())
        await s.preferences.keep([PIRATE])
        assert await s.data.inventory() == Inventory(chats=1, personas=1, models=1)
        await s.data.delete_everything()
        assert await s.data.inventory() == Inventory(chats=0, personas=0, models=0)
        assert s.models.swept
        assert s.tab.ops[-1] == "page.forget"

    play(story)


def test_during_a_download_nothing_is_deleted() -> None:
    async def story(s: Stage) -> None:
        s.put(talk())
        s.models.busy = True
        with pytest.raises(EngineBusy):
            await s.data.delete_everything()
        assert (await s.data.inventory()).chats == 1
        assert "page.forget" not in s.tab.ops

    play(story)


def test_own_tasks_go_out_and_come_in_again() -> None:
    async def story(s: Stage) -> None:
        file = PluginFile("cards.py", b"TASK = \xff")
        s.own.here = [file]
        text = (await s.data.everything()).text
        s.own.here = []
        assert (await s.data.take_in(text)).own_tasks == 1
        assert s.own.here == [file]
        assert (await s.data.take_in(text)).skipped == (Skipped("cards.py", "already_here"),)
        value = json.loads(text)
        value["own_tasks"] = [json.loads(file_text(PluginFile("x.py", b"no task"))), {"file": "y.py", "data": "?"}, 5]
        skipped = (await s.data.take_in(json.dumps(value))).skipped
        assert skipped == tuple(Skipped(name, "wrong_type") for name in ("x.py", "", ""))

    play(story)
