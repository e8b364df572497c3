"""The history of speeds: what is kept of an answer, and how long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from pyapp.chat.database import Database
from pyapp.chat.keeper import Keeper
from pyapp.chat.shown import Changed, Cut
from pyapp.chat.tree import Entry, Origin
from pyapp.engine import Usage
from pyapp.errors import StorageFailed
from pyapp.speeds import MOST, Figure, Speeds, Summary, summaries
from tests.unit.run import run
from tests.unit.transport import ScriptedTransport

USAGE = Usage(prompt_tokens=9, cached_tokens=4, new_tokens=11, prefill_ms=500, decode_ms=1000)
GROWING = Entry("a", "c", "q", "assistant", "", 7, "streaming", origin=Origin("Tiny", "wasm"))
DONE = replace(GROWING, state="done", usage=USAGE, reason="stop")
FIGURE = Figure(7, Origin("Tiny", "wasm"), USAGE)


class Settings:
    """The store "settings" of a database that works."""

    def __init__(self) -> None:
        self.records: dict[str, Any] = {"theme": {"v": 2, "key": "theme", "value": "dark"}}
        self.reads = 0

    def read(self, payload: Any) -> list[Any]:
        self.reads += 1
        return [{"records": list(self.records.values())}]

    def write(self, payload: Any) -> list[Any]:
        for record in payload["puts"].get("settings", []):
            self.records[record["key"]] = record
        for key in payload["deletes"].get("settings", []):
            self.records.pop(key, None)
        return [{"written": True}]

    def speeds(self) -> Speeds:
        table = ScriptedTransport({"db.read": self.read, "db.write": self.write, "page.post": lambda _: []})
        return Speeds(Keeper(Database(table), lambda _: None, lambda _: None, lambda _: None))


def play(story: Callable[[Settings, Speeds], Awaitable[None]]) -> Settings:
    settings = Settings()

    async def whole() -> None:
        await story(settings, settings.speeds())

    run(whole())
    return settings


def test_an_answer_that_ends_here_is_kept() -> None:
    async def story(settings: Settings, speeds: Speeds) -> None:
        speeds.heard(Changed(GROWING))
        speeds.heard(Changed(replace(GROWING, text="Hi"), "Hi"))
        speeds.heard(Changed(DONE))
        await asyncio.sleep(1)
        assert await speeds.read() == (FIGURE,)
        assert await settings.speeds().read() == (FIGURE,)  # after a reload

    assert play(story).records["figure:a"]["value"]["at_ms"] == 7


@pytest.mark.parametrize(
    "ended",
    [
        replace(DONE, usage=None, state="stopped"),
        replace(DONE, origin=None),
        replace(DONE, usage=replace(USAGE, new_tokens=1)),
    ],
)
def test_what_has_no_speed_is_not_kept(ended: Entry) -> None:
    async def story(settings: Settings, speeds: Speeds) -> None:
        speeds.heard(Changed(GROWING))
        speeds.heard(Changed(ended))
        await asyncio.sleep(1)

    assert play(story).records.keys() == {"theme"}


def test_an_answer_that_was_only_opened_or_imported_is_not_of_this_device() -> None:
    async def story(settings: Settings, speeds: Speeds) -> None:
        speeds.heard(Changed(DONE))
        speeds.heard(Cut("a"))
        await asyncio.sleep(1)

    assert play(story).records.keys() == {"theme"}


def test_the_oldest_are_forgotten() -> None:
    async def story(settings: Settings, speeds: Speeds) -> None:
        for number in range(MOST + 3):
            entry = replace(DONE, id=f"{number}", created_ms=number)
            speeds.heard(Changed(replace(entry, state="streaming", usage=None)))
            speeds.heard(Changed(entry))
            await asyncio.sleep(0.01)
        figures = await speeds.read()
        assert [figures[0].at_ms, figures[-1].at_ms, len(figures)] == [3, MOST + 2, MOST]
        assert settings.reads <= 3  # not one for every answer

    assert len(play(story).records) == MOST + 1


def test_clearing_leaves_the_settings() -> None:
    async def story(settings: Settings, speeds: Speeds) -> None:
        speeds.heard(Changed(GROWING))
        speeds.heard(Changed(DONE))
        await asyncio.sleep(1)
        await speeds.clear()
        assert await speeds.read() == ()
        speeds.heard(Changed(GROWING))
        speeds.heard(Changed(DONE))
        await asyncio.sleep(1)
        assert await speeds.read() == (FIGURE,)
        await speeds.clear()

    assert play(story).records.keys() == {"theme"}


@pytest.mark.parametrize(
    "value", [None, 3, {}, asdict(FIGURE) | {"usage": {"x": 1}}, asdict(FIGURE) | {"origin": None}, {"at_ms": "x"}]
)
def test_a_damaged_record_is_passed_over(value: Any) -> None:
    async def story(settings: Settings, speeds: Speeds) -> None:
        settings.records["figure:x"] = {"v": 2, "key": "figure:x", "value": value}
        settings.records["figure:y"] = {"v": 2, "key": "figure:y", "value": asdict(FIGURE)}
        assert await speeds.read() == (FIGURE,)

    play(story)


def test_a_record_in_which_nothing_was_decoded_is_passed_over() -> None:
    async def story(settings: Settings, speeds: Speeds) -> None:
        nothing = replace(FIGURE, usage=replace(USAGE, new_tokens=1))
        settings.records["figure:x"] = {"v": 2, "key": "figure:x", "value": asdict(nothing)}
        assert await speeds.read() == ()

    play(story)


def test_without_a_database_nothing_is_kept_and_nothing_fails() -> None:
    async def story(settings: Settings, speeds: Speeds) -> None:
        settings.read = lambda payload: [StorageFailed()]  # type: ignore[method-assign]
        speeds = settings.speeds()
        speeds.heard(Changed(GROWING))
        speeds.heard(Changed(DONE))
        await asyncio.sleep(1)
        with pytest.raises(StorageFailed):
            await speeds.read()

    assert play(story).records.keys() == {"theme"}


def test_what_is_usual_is_the_median_of_a_model_on_a_device() -> None:
    slow = replace(FIGURE, usage=replace(USAGE, decode_ms=100_000, prefill_ms=9000))
    gpu = replace(FIGURE, origin=Origin("Tiny", "webgpu"))
    assert summaries([FIGURE, gpu, slow, FIGURE]) == (
        Summary(("Tiny", "wasm"), 3, 10.0, 0.5),
        Summary(("Tiny", "webgpu"), 1, 10.0, 0.5),
    )
    assert summaries([]) == ()
