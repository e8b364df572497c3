"""The chats there are: kept, found, deleted for a while and then for good, read from whatever is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from pyapp.chat.database import WEDGED_S
from pyapp.chat.drafts import INTERVAL_S
from pyapp.chat.library import UNDO_S, Library
from pyapp.chat.news import ChatsChanged, Followed, LibraryEvent, NotKept
from pyapp.chat.records import VERSION, chat_record, entry_record
from pyapp.chat.tree import Attachment, Chat, Entry
from pyapp.chat.version_1 import CHAT_ID
from pyapp.errors import CandilError, StorageFailed
from tests.unit.chat.made import chat, entry
from tests.unit.chat.tabs import Browser
from tests.unit.run import run
from tests.unit.transport import Answer, Forever, ScriptedTransport


class Stage:
    """One tab of a browser that may have chats already."""

    def __init__(self, browser: Browser | None = None) -> None:
        self.browser = browser or Browser()
        self.tab = self.browser.tab()
        self.heard: list[LibraryEvent] = []
        ids = count(100 * len(self.browser.tabs))
        self.library = Library(self.tab, new_id=lambda: str(next(ids)), now_ms=lambda: 1000, on_event=self.heard.append)

    def has(self, made: Chat, *entries: Entry) -> Stage:
        self.browser.stores["chats"][made.id] = chat_record(made, 1)
        self.browser.stores["messages"] |= {e.id: entry_record(e) for e in entries}
        return self

    async def say(self, text: str) -> Chat:
        """A new chat with a message."""
        made = replace(self.library.new().chat, title=text)
        self.library.add(made)
        self.library.keep(entry(f"m{made.id}", chat_id=made.id, text=text))
        self.library.change(made.id, lambda c: replace(c, head=f"m{made.id}"))
        await self.library.keeper.settled()
        return made

    def titles(self) -> list[str]:
        return [c.title for group in self.library.groups() for c in group.chats]


def play(story: Coroutine[Any, Any, None]) -> None:
    run(story)


ONE = chat("c", title="One", head="1", updated_ms=5)


def test_what_was_said_is_there_at_the_next_start() -> None:
    async def story() -> None:
        first = Stage()
        await first.library.start()
        assert first.library.latest() is None
        made = await first.say("Hello")
        again = Stage(first.browser)
        await again.library.start()
        await asyncio.sleep(1)
        assert again.titles() == ["Hello"]
        latest = again.library.latest()
        assert latest is not None
        assert [e.text for e in (await again.library.open(latest.id)).path()] == ["Hello"]
        assert again.library.search("héllo")[0].chat_id == made.id

    play(story())


def test_an_answer_that_was_growing_when_the_page_died_is_stopped() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1", state="streaming", text="half"))
        await stage.library.start()
        assert (await stage.library.open("c")).path()[0].state == "stopped"

    play(story())


def test_what_is_not_written_yet_is_opened_too() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1"), entry("2", "1", at=1))
        await stage.library.start()
        stage.tab.trouble = StorageFailed()
        stage.library.keep(entry("3", "1", at=2))
        stage.library.forget("c", ["2", "never there"])
        await asyncio.sleep(1)
        stage.tab.trouble = None
        opened = await stage.library.open("c")
        assert set(opened.entries) == {"1", "3"}

    play(story())


def test_what_is_attached_is_found_too() -> None:
    async def story() -> None:
        attached = replace(entry("1"), attachments=(Attachment("notes.txt", "The heron waits."),))
        stage = Stage().has(ONE, attached)
        await stage.library.start()
        await asyncio.sleep(1)
        for query in ("heron", "notes.txt"):
            (hit,) = stage.library.search(query)
            assert hit.entry_id == "1"

    play(story())


def test_rename_pin_delete_and_undo() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1")).has(replace(ONE, id="d", title="Two", updated_ms=9))
        await stage.library.start()
        assert stage.titles() == ["Two", "One"]
        stage.library.rename("c", "  \n")
        stage.library.rename("c", " New\nname ")
        stage.library.pin("c", True)
        assert stage.titles() == ["New name", "Two"]
        stage.library.delete("d")
        assert stage.titles() == ["New name"]
        stage.library.undelete("d")
        assert stage.titles() == ["New name", "Two"]
        stage.library.rename("unknown", "x")
        await asyncio.sleep(UNDO_S + 1)
        assert {row["title"] for row in stage.browser.rows("chats")} == {"New name", "Two"}
        assert ChatsChanged(frozenset({"c"})) in stage.heard

    play(story())


def test_a_deleted_chat_is_gone_for_good_after_a_while() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1")).has(replace(ONE, id="d"), entry("2", chat_id="d"))
        await stage.library.start()
        stage.library.delete("c")
        await asyncio.sleep(UNDO_S + 1)
        assert [row["id"] for row in stage.browser.rows("messages")] == ["2"]
        assert "c" not in stage.library.chats
        stage.library.undelete("c")  # too late
        stage.library.keep(entry("1"))  # by a page that still shows it
        await asyncio.sleep(1)
        assert [row["id"] for row in stage.browser.rows("messages")] == ["2"]

    play(story())


def test_what_nobody_sees_is_purged_after_a_start() -> None:
    async def story() -> None:
        stage = Stage().has(replace(ONE, deleted_ms=1), entry("1")).has(chat("empty"))
        await stage.library.start()
        await asyncio.sleep(UNDO_S + 1)
        assert stage.browser.rows("chats") == stage.browser.rows("messages") == []

    play(story())


def test_a_purge_that_fails_is_done_at_the_next_start() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1"))
        await stage.library.start()
        stage.library.delete("c")
        await asyncio.sleep(1)
        stage.tab.trouble = StorageFailed()
        await asyncio.sleep(UNDO_S)
        again = Stage(stage.browser)
        await again.library.start()
        assert again.titles() == []
        await asyncio.sleep(UNDO_S + 1)
        assert stage.browser.rows("messages") == []

    play(story())


def test_a_chat_that_another_tab_brought_back_is_not_purged() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1"))
        await stage.library.start()
        stage.library.delete("c")
        await asyncio.sleep(UNDO_S - 1)
        stage.browser.stores["chats"]["c"] = chat_record(ONE, 50)  # and has not told yet
        await asyncio.sleep(2)
        assert stage.browser.rows("messages")

    play(story())


def test_damaged_and_newer_records_are_named_and_hide_nothing_else() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1"), entry("3", "2", at=3))
        stage.browser.stores["chats"]["bad"] = {"id": "bad"}
        stage.browser.stores["messages"]["2"] = entry_record(entry("2", "1", at=2)) | {"text": 5}
        stage.browser.stores["messages"]["9"] = entry_record(entry("9", "1", at=9)) | {"v": VERSION + 1}
        await stage.library.start()
        await asyncio.sleep(1)
        opened = await stage.library.open("c")
        assert [e.id for e in opened.path()] == ["1", "3"]
        assert (stage.library.damaged, stage.library.newer) == ({"bad", "2"}, {"9"})
        assert "9" in stage.browser.stores["messages"]

    play(story())


@pytest.mark.parametrize("trouble", [StorageFailed(), Forever()])
def test_without_a_database_everything_lasts_until_the_tab_closes(trouble: CandilError | Forever) -> None:
    async def story() -> None:
        stage = Stage()
        stage.tab.trouble = trouble
        await stage.library.start()
        assert isinstance(stage.heard[-1], NotKept)
        made = replace(stage.library.new().chat, title="Here", head="m")
        stage.library.add(made)
        stage.library.keep(entry("m", chat_id=made.id))
        await asyncio.sleep(WEDGED_S + 1)
        assert stage.titles() == ["Here"]
        assert [e.id for e in (await stage.library.open(made.id)).path()] == ["m"]
        assert stage.library.search("m")

    play(story())


def test_a_database_that_failed_at_the_start_is_read_when_it_works_again() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1"))
        stage.tab.trouble = StorageFailed()
        await stage.library.start()
        await stage.say("New")
        assert stage.titles() == ["New"]
        stage.tab.trouble = None
        await stage.say("Newer")
        await asyncio.sleep(1)
        assert sorted(stage.titles()) == ["New", "Newer", "One"]
        assert NotKept(None) in stage.heard

    play(story())


def test_a_database_that_fails_while_messages_are_indexed_stops_that_only() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1"))
        stage.browser.delay = lambda: 0.1
        await stage.library.start()
        stage.tab.trouble = StorageFailed()
        await asyncio.sleep(1)
        assert stage.titles() == ["One"]
        assert stage.library.search("1") == []

    play(story())


def test_other_tabs_are_followed() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1"))
        other = Stage(stage.browser)
        await stage.library.start()
        await other.library.start()
        await asyncio.sleep(1)
        other.library.keep(entry("2", "1", at=2, text="Hello there"))
        other.library.rename("c", "Theirs")
        await asyncio.sleep(1)
        followed = [event for event in stage.heard if isinstance(event, Followed)]
        assert [e.text for event in followed for e in event.entries] == ["Hello there"]
        assert stage.titles() == ["Theirs"]
        assert stage.library.search("hello")
        other.library.forget("c", ["2"])
        await asyncio.sleep(1)
        last = [event for event in stage.heard if isinstance(event, Followed)][-1]
        assert set(last.gone) == {"2"}
        assert stage.library.search("hello") == []
        await other.library.clear()
        await asyncio.sleep(1)
        assert stage.titles() == other.titles() == []
        assert stage.browser.rows("settings") == []

    play(story())


def test_messages_of_a_chat_that_is_not_known_are_not_told() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.library.start()
        await asyncio.sleep(1)
        stage.tab.hear({"chats": [], "messages": {"unknown": ["x"]}})
        await asyncio.sleep(1)
        assert not [event for event in stage.heard if isinstance(event, Followed)]

    play(story())


def test_a_database_that_fails_once_does_not_end_the_following() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1"))
        await stage.library.start()
        await asyncio.sleep(1)
        stage.tab.trouble = StorageFailed()
        stage.browser.stores["chats"]["c"] = chat_record(replace(ONE, title="Theirs"), 9)
        stage.tab.hear({"chats": ["c"], "messages": {}})
        await asyncio.sleep(1)
        assert stage.titles() == ["One"]
        stage.tab.trouble = None
        stage.tab.hear({"chats": ["c"], "messages": {}})
        await asyncio.sleep(1)
        assert stage.titles() == ["Theirs"]

    play(story())


@pytest.mark.parametrize("posts", [[], [StorageFailed()]])
def test_without_a_way_to_hear_other_tabs_everything_else_works(posts: list[Exception]) -> None:
    async def story() -> None:
        answers: dict[str, Answer] = {"db.read": lambda _: [{"records": []}], "page.posts": lambda _: posts}
        library = Library(ScriptedTransport(answers), new_id=str, now_ms=int)
        await library.start()
        await asyncio.sleep(1)
        assert library.groups() == ()

    play(story())


def test_what_another_tab_changed_is_seen_when_writing_although_it_was_not_heard_of() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1"))
        await stage.library.start()
        stage.browser.stores["chats"]["c"] = chat_record(replace(ONE, title="Theirs"), 9)
        stage.library.pin("c", True)
        await stage.library.keeper.settled()
        assert stage.titles() == ["Theirs"]
        assert Followed(stage.library.chats["c"]) in stage.heard

    play(story())


def version_1(*texts: str, **damage: Any) -> str:
    empty = {"origin": None, "usage": None, "reason": None, "error": None}
    entries = [{"id": n, "role": "user", "state": "streaming", "text": text} | empty for n, text in enumerate(texts)]
    return json.dumps({"entries": [*entries, *([damage] if damage else [])]})


@pytest.mark.parametrize(
    ("kept", "texts"),
    [
        (version_1("Hi", "there"), ["Hi", "there"]),
        (version_1("Hi", role="nobody"), ["Hi"]),
        (version_1(), []),
        ("not JSON", []),
    ],
)
def test_what_version_1_kept_becomes_a_chat_once(kept: str, texts: list[str]) -> None:
    async def story() -> None:
        stage = Stage()
        stage.browser.stores["settings"]["version_1"] = {"v": VERSION, "key": "version_1", "value": kept}
        stages = [stage, Stage(stage.browser)]
        await asyncio.gather(*(each.library.start() for each in stages))
        await asyncio.sleep(5)
        assert [row["text"] for row in stage.browser.rows("messages")] == texts
        assert stage.browser.rows("settings") == []
        for each in stages:
            assert each.titles() == texts[:1]
        if texts:
            assert {e.state for e in (await stage.library.open(CHAT_ID)).path()} == {"stopped"}

    play(story())


def test_drafts_are_kept_seldom() -> None:
    async def story() -> None:
        stage = Stage().has(ONE, entry("1"))
        await stage.library.start()
        drafts = stage.library.drafts
        assert drafts.get("c") == ""
        before = stage.tab.ops.count("db.write")
        for text in ("a", "ab", "abc"):
            drafts.set("c", text)
        drafts.set("new", "of a new chat")
        assert (drafts.get("c"), drafts.get("new")) == ("abc", "of a new chat")
        await asyncio.sleep(INTERVAL_S + 1)
        drafts.set("c", "abc")
        await asyncio.sleep(INTERVAL_S + 1)
        assert stage.tab.ops.count("db.write") == before + 1
        assert stage.browser.rows("chats")[0]["draft"] == "abc"
        drafts.set("c", "gone by then")
        await stage.library.clear()
        await asyncio.sleep(INTERVAL_S + 1)
        assert stage.browser.rows("chats") == []

    play(story())
