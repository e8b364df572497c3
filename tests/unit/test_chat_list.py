"""The list of chats as it is used: shown when it changes, searched, changed, and what was deleted comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pyapp.chat.groups import Group
from pyapp.chat.library import UNDO_S
from pyapp.chat.search import Found
from pyapp.chat.tree import Chat
from pyapp.chat_list import ChatList
from tests.unit.test_app import Stage, answered, play, say


@dataclass
class Shown:
    """pyapp.chat_list.ListPage that remembers."""

    titles: list[str] = field(default_factory=list)
    open_id: str = ""
    counts: list[int] = field(default_factory=list)
    hits: list[str] | None = None
    renamed: Chat | None = None
    deleted: Chat | None = None

    def soon(self, show: Callable[[], None]) -> None:
        show()

    def show_chats(self, groups: Sequence[Group], open_id: str, count: Callable[[str], int]) -> None:
        self.titles, self.hits, self.open_id = [c.title for g in groups for c in g.chats], None, open_id
        self.counts = [count(c.id) for g in groups for c in g.chats]

    def show_found(self, hits: Sequence[Found]) -> None:
        self.hits = [hit.title.text for hit in hits]

    def show_rename(self, chat: Chat) -> None:
        self.renamed = chat

    def show_deleted(self, chat: Chat | None) -> None:
        self.deleted = chat


async def two_chats(s: Stage) -> tuple[ChatList, Shown]:
    shown = Shown()
    chats = ChatList(shown, s.app)
    await say(s, "First")
    s.app.new_chat()
    await say(s, "Second")
    assert sorted(shown.titles) == ["First", "Second"]
    chats.refresh()
    assert shown.counts == [2, 2]
    return chats, shown


def test_it_is_shown_when_it_changes_and_when_it_is_searched() -> None:
    async def story(s: Stage) -> None:
        chats, shown = await two_chats(s)
        assert shown.open_id == s.app.open_id
        chats.search("  fírst ")
        assert shown.hits == ["First"]
        s.app.new_chat()
        assert shown.hits == ["First"]
        chats.search("")
        assert shown.hits is None
        assert len(shown.titles) == 2

    play(Stage(engine=answered("a", "b")), story)


def test_rename_and_pin() -> None:
    async def story(s: Stage) -> None:
        chats, shown = await two_chats(s)
        first = next(c for c in s.app.library.chats.values() if c.title == "First")
        chats.begin_rename(first.id)
        assert shown.renamed == first
        chats.rename(first.id, " ")
        chats.rename(first.id, "Zebra")
        chats.pin(first.id)
        assert shown.titles == ["Zebra", "Second"]
        chats.pin(first.id)
        assert not s.app.library.chats[first.id].pinned
        for change in (chats.begin_rename, chats.pin, chats.delete):
            change("unknown")
        chats.rename("unknown", "x")
        assert len(shown.titles) == 2

    play(Stage(engine=answered("a", "b")), story)


def test_what_was_deleted_last_comes_back_for_a_while() -> None:
    async def story(s: Stage) -> None:
        chats, shown = await two_chats(s)
        chats.undo()  # nothing was deleted
        second = s.app.open_id
        chats.delete(second)
        assert shown.deleted is not None
        assert shown.titles == ["First"]
        assert s.app.open_id != second
        chats.undo()
        await asyncio.sleep(1)
        assert shown.deleted is None
        assert s.app.open_id == second
        assert s.conversation()[0][2] == "Second"
        chats.delete(second)
        await asyncio.sleep(UNDO_S + 1)
        assert shown.deleted is None
        chats.undo()
        assert shown.titles == ["First"]

    play(Stage(engine=answered("a", "b")), story)
