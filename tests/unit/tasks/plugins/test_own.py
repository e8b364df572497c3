"""Tasks that the user adds: looked at, asked about, kept, allowed, removed; in two tabs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyapp.chat.database import Database
from pyapp.errors import PluginRefused, QuotaExceeded, StorageFailed
from pyapp.tasks.builtin import BUILT_IN, Tasks
from pyapp.tasks.plugins import own as owns
from pyapp.tasks.plugins.guest import PluginFile
from pyapp.tasks.plugins.own import KEY, OwnTasks, read_kept
from tests.unit.run import run
from tests.unit.tasks.plugins.worker import EXAMPLE, NOTES, InProcess

BYTES = EXAMPLE.encode()


class Page:
    """A Transport with a database that other tabs share, and workers."""

    def __init__(self, folder: Path, records: dict[str, Any] | None = None) -> None:
        self.records = {} if records is None else records
        self.workers = InProcess(folder)
        self.fails: Exception | None = None
        self.posts: asyncio.Queue[Any] = asyncio.Queue()
        self.others: list[Page] = []

    def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        return (self.workers.stream if op.startswith("plugins.") else self._kept)(op, payload)

    async def _kept(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        if self.fails:
            raise self.fails
        match op:
            case "db.read":
                yield {"records": [self.records[key] for key in payload["keys"] if key in self.records]}
            case "db.write":
                self.records |= {record["key"]: record for record in payload["puts"]["settings"]}
                for key in payload["deletes"]["settings"]:
                    del self.records[key]
                yield {"written": True}
            case "page.post":
                for other in self.others:
                    other.posts.put_nowait(payload)
            case "page.posts":
                while True:
                    yield await self.posts.get()


def opened(page: Page) -> tuple[OwnTasks, Tasks]:
    tasks = Tasks()
    return OwnTasks(page, Database(page), tasks), tasks


async def added(own: OwnTasks, data: bytes = BYTES, name: str = "flash_cards.py") -> None:
    await own.look(name, data)
    await own.add()


def names(tasks: Tasks) -> list[str]:
    return [task.name for task in tasks.all() if task.name not in BUILT_IN]


def test_a_file_is_looked_at_and_then_asked_about(tmp_path: Path) -> None:
    async def scenario() -> None:
        page = Page(tmp_path)
        own, tasks = opened(page)
        seen: list[Any] = []
        own.on_change = lambda: seen.append(own.adding and (own.adding.file, own.adding.own is not None))
        await own.look("flash_cards.py", BYTES)
        assert seen == [("flash_cards.py", False), ("flash_cards.py", True)]
        assert page.workers.ended == 1
        assert (names(tasks), page.records) == ([], {})
        await own.add()
        assert (own.adding, names(tasks)) == (None, ["flash_cards"])
        assert (await own.file("flash_cards")).data == BYTES
        found = tasks.find("flash_cards")
        assert found
        assert await found.title(NOTES, None) == "The sea is salt."

    run(scenario())


def test_it_is_there_after_a_reload(tmp_path: Path) -> None:
    async def scenario() -> None:
        page = Page(tmp_path)
        await added(opened(page)[0])
        again, tasks = opened(Page(tmp_path, page.records))
        await again.start()
        assert names(tasks) == ["flash_cards"]
        own = again.kept["flash_cards"]
        assert (own.file, own.size, own.online) == ("flash_cards.py", len(BYTES), False)
        found = tasks.find("flash_cards")
        assert found
        assert await found.title(NOTES, None) == "The sea is salt."

    run(scenario())


def test_what_it_may_do_is_said_and_taken_back(tmp_path: Path) -> None:
    async def scenario() -> list[bool]:
        page = Page(tmp_path)
        own, tasks = opened(page)
        await added(own)
        for online in (True, False):
            await own.allow("flash_cards", online)
            found = tasks.find("flash_cards")
            assert found
            await found.title(NOTES, None)
        await own.allow("another", True)
        await added(own, BYTES.replace(b"flash_cards", b"memory_cards"))
        assert names(tasks) == ["flash_cards", "memory_cards"]
        return [options["online"] for options in page.workers.options]

    assert run(scenario()) == [False, True, False, False]  # looked at without


def test_another_file_of_that_name_takes_its_place_and_may_do_nothing_yet(tmp_path: Path) -> None:
    async def scenario() -> None:
        page = Page(tmp_path)
        own, tasks = opened(page)
        await added(own)
        await own.allow("flash_cards", True)
        await added(own, BYTES.replace(b"Flash cards", b"Better cards"))
        assert not own.kept["flash_cards"].online
        assert names(tasks) == ["flash_cards"]
        assert len(page.records) == 2  # the list, and one file
        found = tasks.find("flash_cards")
        assert found
        assert found.strings["en"]["flash_cards.title"] == "Better cards"

    run(scenario())


def test_one_that_is_removed_leaves_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        page = Page(tmp_path)
        own, tasks = opened(page)
        await added(own)
        found = tasks.find("flash_cards")
        assert found
        await found.title(NOTES, None)
        await own.remove("flash_cards")
        await own.remove("flash_cards")
        assert (names(tasks), own.kept, list(page.records)) == ([], {}, [KEY])
        assert page.workers.ended == 2  # its worker too

    run(scenario())


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("cards.txt", b"", "other_file"),
        ("cards.py", b"x" * 2000, "too_large"),
        ("cards.py", b"x = 1", "no_task"),
        ("cards.py", b"from types import SimpleNamespace as S\n", "no_task"),
    ],
)
def test_a_file_that_cannot_be_added(
    name: str, data: bytes, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        own, tasks = opened(Page(tmp_path))
        monkeypatch.setattr(owns, "LONGEST_FILE", 1000)
        await own.look(name, data)
        assert own.adding
        assert isinstance(own.adding.error, PluginRefused)
        assert own.adding.error.details["why"] == why
        await own.add()
        assert (own.kept, names(tasks)) == ({}, [])
        own.give_up()
        assert own.adding is None

    run(scenario())


def test_a_name_that_comes_with_candil_is_taken(tmp_path: Path) -> None:
    async def scenario() -> None:
        own, _ = opened(Page(tmp_path))
        await own.look("mine.py", BYTES.replace(b"flash_cards", b"summarise"))
        assert own.adding
        assert own.adding.error
        assert own.adding.error.details == {"why": "name_taken", "what": "summarise"}

    run(scenario())


def test_one_that_was_given_up_while_it_was_looked_at_stays_away(tmp_path: Path) -> None:
    async def scenario() -> None:
        own, _ = opened(Page(tmp_path))
        looking = asyncio.ensure_future(own.look("flash_cards.py", BYTES))
        await asyncio.sleep(0)
        own.give_up()
        await looking
        assert own.adding is None

    run(scenario())


def test_a_file_that_is_not_what_was_added_is_not_run(tmp_path: Path) -> None:
    async def scenario() -> None:
        page = Page(tmp_path)
        own, _ = opened(page)
        await added(own)
        key = next(key for key in page.records if key != KEY)
        page.records[key]["value"] = ""
        for _ in range(2):
            with pytest.raises(PluginRefused) as caught:
                await own.file("flash_cards")
            assert caught.value.details["why"] == "damaged"
            page.records.pop(key, None)

    run(scenario())


def test_without_storage_nothing_is_there_and_nothing_is_added(tmp_path: Path) -> None:
    async def scenario() -> None:
        page = Page(tmp_path)
        own, tasks = opened(page)
        page.fails = StorageFailed()
        await own.start()
        await own.follow()
        await own.look("flash_cards.py", BYTES)
        page.fails = QuotaExceeded(bytes_needed=5)
        with pytest.raises(QuotaExceeded):
            await own.add()
        assert own.adding
        assert names(tasks) == []

    run(scenario())


def test_other_tabs_follow(tmp_path: Path) -> None:
    async def scenario() -> None:
        here = Page(tmp_path)
        there = Page(tmp_path, here.records)
        here.others = [there]
        (own, _), (other, tasks) = opened(here), opened(there)
        following = asyncio.ensure_future(other.follow())
        there.posts.put_nowait({"value": {"settings": True}})
        await added(own)
        await asyncio.sleep(1)
        assert names(tasks) == ["flash_cards"]
        await own.remove("flash_cards")
        await asyncio.sleep(1)
        assert names(tasks) == []
        following.cancel()

    run(scenario())


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    async def scenario() -> list[Any]:
        page = Page(tmp_path)
        await added(opened(page)[0])
        return page.records[KEY]["value"]  # type: ignore[no-any-return]

    good = run(scenario())
    bad = [good[0] | {"described": good[0]["described"] | {"name": "A b"}}, good[0] | {"size": "x"}, 5]
    assert list(read_kept([*bad, *good])) == ["flash_cards"]
    assert read_kept(None) == {}
    assert replace(read_kept(good)["flash_cards"], online=True).online


def test_they_travel_as_files_without_what_they_were_allowed(tmp_path: Path) -> None:
    async def scenario() -> None:
        page = Page(tmp_path)
        here, _ = opened(page)
        await added(here)
        await here.allow("flash_cards", True)
        await added(here, BYTES.replace(b"flash_cards", b"memory_cards"), "memory.py")
        damaged = f"own_task_file/{here.kept['memory_cards'].sha256}"
        page.records[damaged] = page.records[damaged] | {"value": ""}
        files = [file async for file in here.everything()]
        assert [file.name for file in files] == ["flash_cards.py"]
        there, tasks = opened(Page(tmp_path))
        assert [await there.take(file) for file in files * 2] == [True, False]
        assert names(tasks) == ["flash_cards"]
        assert not there.kept["flash_cards"].online
        with pytest.raises(PluginRefused):
            await there.take(PluginFile("x.py", b"x = 1"))

    run(scenario())
