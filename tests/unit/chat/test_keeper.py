"""What changes is written soon, together and for good; what cannot be written now is written later."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pyapp.chat.database import WEDGED_S, Database
from pyapp.chat.keeper import Keeper
from pyapp.chat.records import VERSION, KeptChat, chat_record
from pyapp.chat.tree import Chat
from pyapp.errors import CandilError, QuotaExceeded, StorageFailed
from tests.unit.chat.made import chat, entry
from tests.unit.chat.tabs import Browser
from tests.unit.run import run
from tests.unit.transport import Answer, Forever, ScriptedTransport


class Stage:
    def __init__(self) -> None:
        self.browser = Browser()
        self.tab = self.browser.tab()
        self.kept: list[Chat] = []
        self.vanished: list[str] = []
        self.trouble: list[CandilError | None] = []
        self.keeper = Keeper(Database(self.tab), self.kept.append, self.trouble.append, self.vanished.append)

    def texts(self) -> dict[str, str]:
        return {m["id"]: m["text"] for m in self.browser.rows("messages")}

    def writes(self) -> int:
        return self.tab.ops.count("db.write")


def test_a_growing_answer_is_written_at_most_every_half_second_and_its_end_at_once() -> None:
    async def story() -> None:
        stage = Stage()
        for n in range(30):
            stage.keeper.put(entry("1", state="streaming", text="a" * n))
            await asyncio.sleep(0.1)
            assert n - 6 <= len(stage.texts()["1"]) <= n  # never more behind
        assert stage.writes() <= 7
        stage.keeper.put(entry("1", text="all"))
        await stage.keeper.settled()
        assert stage.texts() == {"1": "all"}
        await asyncio.sleep(5)
        assert stage.texts() == {"1": "all"}

    run(story())


def test_what_comes_while_one_is_written_goes_in_the_next_transaction() -> None:
    async def story() -> None:
        stage = Stage()
        stage.browser.delay = lambda: 1.0
        stage.keeper.add(chat())
        stage.keeper.put(entry("1"))
        await asyncio.sleep(0.1)
        for n in range(2, 9):
            stage.keeper.put(entry(str(n)))
        assert set(stage.keeper.unwritten("c")) == {str(n) for n in range(1, 9)}
        assert stage.keeper.unwritten("other") == {}
        await stage.keeper.settled()
        assert len(stage.texts()) == 8
        assert stage.writes() == 2
        assert stage.keeper.unwritten("c") == {}

    run(story())


def test_a_deleted_message_is_not_written_again_by_its_growing() -> None:
    async def story() -> None:
        stage = Stage()
        stage.keeper.put(entry("1", state="streaming"))
        stage.keeper.put(entry("1", state="streaming", text="more"))
        stage.keeper.delete("c", ["1"])
        assert stage.keeper.unwritten("c") == {"1": None}
        await asyncio.sleep(5)
        assert stage.texts() == {}

    run(story())


def test_nothing_more_is_written_of_a_chat_that_is_gone() -> None:
    async def story() -> None:
        stage = Stage()
        stage.keeper.add(chat())
        stage.keeper.put(entry("1", state="streaming"))
        await stage.keeper.settled()
        stage.keeper.put(entry("1", state="streaming", text="more"))
        stage.keeper.put(entry("2"))
        stage.keeper.put(entry("3", chat_id="other"))
        stage.keeper.change("c", lambda c: replace(c, title="x"))
        stage.keeper.drop("c")
        await asyncio.sleep(5)
        assert stage.texts() == {"1": "1", "3": "3"}
        assert stage.browser.rows("chats")[0]["title"] == ""

    run(story())


def test_settings_are_kept_and_deleted() -> None:
    async def story() -> None:
        stage = Stage()
        stage.keeper.set("a", {"b": 1})
        await stage.keeper.settled()
        assert stage.browser.rows("settings") == [{"v": VERSION, "key": "a", "value": {"b": 1}}]
        stage.keeper.set("a", None)
        await stage.keeper.settled()
        assert stage.browser.rows("settings") == []

    run(story())


def test_another_tab_wrote_first_and_both_changes_are_kept() -> None:
    async def story() -> None:
        stage = Stage()
        stage.keeper.add(chat())
        await stage.keeper.settled()
        theirs = chat(title="theirs")
        stage.browser.stores["chats"]["c"] = chat_record(theirs, 9)
        stage.keeper.change("c", lambda c: replace(c, pinned=True))
        await stage.keeper.settled()
        assert stage.kept[-1] == replace(theirs, pinned=True)
        assert stage.browser.rows("chats")[0]["rev"] == 10
        assert stage.keeper.learn(KeptChat(chat(title="old"), 3)).title == "theirs"

    run(story())


@pytest.mark.parametrize("rev", [0, "damaged"])
def test_a_record_that_is_gone_or_damaged_is_written_anew(rev: object) -> None:
    async def story() -> None:
        stage = Stage()
        stage.keeper.add(chat(title="mine"))
        await stage.keeper.settled()
        if rev:
            stage.browser.stores["chats"]["c"] = {"id": "c", "v": VERSION, "rev": 4}
        else:
            del stage.browser.stores["chats"]["c"]
        stage.keeper.change("c", lambda c: replace(c, pinned=True))
        await stage.keeper.settled()
        assert stage.vanished == ([] if rev else ["c"])
        (record,) = stage.browser.rows("chats")
        assert (record["title"], record["pinned"]) == ("mine", True)

    run(story())


def test_what_a_newer_version_wrote_is_not_overwritten() -> None:
    async def story() -> None:
        stage = Stage()
        newer = chat_record(chat(), 5) | {"v": VERSION + 1}
        stage.browser.stores["chats"]["c"] = newer
        stage.keeper.add(chat(title="mine"))
        await stage.keeper.settled()
        assert stage.browser.rows("chats") == [newer]
        assert isinstance(stage.trouble[0], StorageFailed)

    run(story())


@pytest.mark.parametrize("trouble", [StorageFailed(), QuotaExceeded(), Forever()])
def test_what_could_not_be_written_goes_with_the_next(trouble: CandilError | Forever) -> None:
    async def story() -> None:
        stage = Stage()
        stage.tab.trouble = trouble
        stage.keeper.add(chat())
        stage.keeper.put(entry("1"))
        await asyncio.sleep(WEDGED_S + 1)
        assert isinstance(stage.trouble[0], CandilError)
        stage.keeper.put(entry("2"))
        await asyncio.sleep(WEDGED_S + 1)
        assert set(stage.keeper.unwritten("c")) == {"1", "2"}
        stage.tab.trouble = None
        stage.keeper.put(entry("2", text="newer"))
        await stage.keeper.settled()
        assert stage.texts() == {"1": "1", "2": "newer"}
        assert stage.trouble[-1] is None
        stage.keeper.put(entry("3"))
        await stage.keeper.settled()
        assert stage.trouble.count(None) == 1

    run(story())


def test_a_chat_is_purged_with_its_messages_unless_somebody_changed_it() -> None:
    async def story() -> None:
        stage = Stage()
        stage.keeper.add(chat())
        stage.keeper.put(entry("1"))
        stage.keeper.put(entry("2", chat_id="other"))
        await stage.keeper.settled()
        stage.browser.stores["chats"]["c"]["rev"] = 7
        assert not await stage.keeper.purge("c")
        stage.browser.stores["chats"]["c"]["rev"] = 1
        assert await stage.keeper.purge("c")
        assert (stage.browser.rows("chats"), stage.texts()) == ([], {"2": "2"})

    run(story())


def test_other_tabs_that_cannot_be_told_are_no_trouble() -> None:
    async def story() -> None:
        told: list[CandilError | None] = []
        answers: dict[str, Answer] = {
            "db.write": lambda _: [{"written": True}],
            "page.post": lambda _: [StorageFailed()],
        }
        keeper = Keeper(Database(ScriptedTransport(answers)), lambda _: None, told.append, lambda _: None)
        keeper.put(entry("1"))
        await keeper.settled()
        assert told == []

    run(story())


def test_a_database_without_an_answer_has_failed() -> None:
    with pytest.raises(StorageFailed):
        run(Database(ScriptedTransport({"db.read": lambda _: []})).read("chats"))
