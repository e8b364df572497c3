"""All chats: their list in memory, their messages in the browser's database, and other tabs that change them too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pyapp.chat import version_1
from pyapp.chat.database import Database
from pyapp.chat.drafts import Drafts
from pyapp.chat.groups import Group, grouped, listed
from pyapp.chat.keeper import Change, Keeper
from pyapp.chat.news import ChatsChanged, Followed, LibraryEvent, NotKept, Vanished
from pyapp.chat.records import Read, Record, read_all, read_chat, read_entry
from pyapp.chat.repair import repaired
from pyapp.chat.search import Found, Index
from pyapp.chat.tree import Chat, Conversation, Entry, age
from pyapp.engine import Transport
from pyapp.errors import CandilError, StorageError

UNDO_S = 30.0  # how long a deleted chat can come back


class Library:
    """Implements pyapp.chat.shelf.Shelf. Without a database everything works and lasts until the tab closes.

    `on_event` must not raise.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        new_id: Callable[[], str],
        now_ms: Callable[[], int],
        on_event: Callable[[LibraryEvent], None] = lambda _: None,
    ) -> None:
        self.database = Database(transport)
        self.keeper = Keeper(self.database, self._kept, self._trouble, self._vanished)
        self.chats: dict[str, Chat] = {}  # deleted ones too, while they can come back
        self.index = Index()
        self.drafts = Drafts(self.chats, self._change)
        self.damaged: set[str] = set()  # ids of records that could not be read
        self.newer: set[str] = set()  # ids of records that a newer version wrote
        self.on_event = on_event
        self._started = False
        self._new_id = new_id
        self._now_ms = now_ms
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Reads the list of chats; their messages are indexed, and other tabs followed, beside everything else."""
        try:
            await self._read_chats()
            await self._read_version_1()
        except CandilError as error:
            return self.keeper.tell(error)
        self._started = True
        self._do(self._follow())
        self._do(self._index_all())
        for chat in [c for c in self.chats.values() if _is_over(c)]:
            self._do(self._purge(chat.id))

    # ---- chats ----

    def new(self) -> Conversation:
        """An empty chat; it is in the list as soon as it has a message."""
        now = self._now_ms()
        return Conversation(Chat(self._new_id(), now, now))

    async def open(self, chat_id: str) -> Conversation:
        """A chat with its messages. What the database does not give is not in it; that is told as NotKept."""
        records: Sequence[Any] = ()
        try:
            records = await self.database.read("messages", index="chat_id", key=chat_id)
        except CandilError as error:
            self.keeper.tell(error)
        # What was growing when it was written grows no more, or its tab will tell.
        entries = {e.id: e.ended for e in self._entries(records)}
        for entry_id, entry in self.keeper.unwritten(chat_id).items():
            if entry:
                entries[entry_id] = entry
            else:
                entries.pop(entry_id, None)
        return repaired(self.chats[chat_id], entries.values())

    def latest(self) -> Chat | None:
        """The chat that was changed last."""
        return max(listed(self.chats.values()), key=lambda chat: chat.updated_ms, default=None)

    def groups(self) -> tuple[Group, ...]:
        """The list, pinned first, then newest first."""
        return grouped(self.chats.values(), self._now_ms())

    def search(self, query: str) -> Sequence[Found]:
        """Chats with every word of `query` in their title or in one message; in the order of the list."""
        return self.index.search(query, {chat.id: chat.title for chat in listed(self.chats.values())})

    def rename(self, chat_id: str, title: str) -> None:
        """An empty title changes nothing."""
        if words := " ".join(title.split()):
            self._change(chat_id, lambda chat: replace(chat, title=words, titled_by="user"))

    def pin(self, chat_id: str, pinned: bool) -> None:
        self._change(chat_id, lambda chat: replace(chat, pinned=pinned))

    def delete(self, chat_id: str) -> None:
        """`undelete` brings it back; after UNDO_S it is gone for good."""
        now = self._now_ms()
        self._change(chat_id, lambda chat: replace(chat, deleted_ms=now))
        self._do(self._purge(chat_id))

    def undelete(self, chat_id: str) -> None:
        self._change(chat_id, lambda chat: replace(chat, deleted_ms=None))

    async def clear(self) -> None:
        """Everything is gone for good: chats, messages, settings. Raises StorageError."""
        await self.keeper.settled()
        await self.database.clear()
        gone = list(self.chats)
        for chat_id in gone:
            self._drop(chat_id)
        self.on_event(ChatsChanged(frozenset(gone)))
        await self.database.post({"chats": gone, "messages": {}})

    # ---- pyapp.chat.shelf.Shelf ----

    def add(self, chat: Chat) -> None:
        if chat.id not in self.chats:
            self.chats[chat.id] = chat
            self.keeper.add(chat)
            self.on_event(ChatsChanged(frozenset({chat.id})))

    def change(self, chat_id: str, change: Change) -> None:
        """By the conversation itself: it brings a chat back that another tab has deleted."""
        self._change(chat_id, lambda chat: replace(change(chat), deleted_ms=None))

    def keep(self, entry: Entry) -> None:
        if entry.chat_id not in self.chats:
            return  # its chat is gone for good
        self.keeper.put(entry)
        if entry.state != "streaming":
            self.index.put(entry.chat_id, {entry.id: entry.words})

    def forget(self, chat_id: str, entry_ids: Iterable[str]) -> None:
        gone = list(entry_ids)
        self.keeper.delete(chat_id, gone)
        self.index.drop(chat_id, gone)

    # ---- reading ----

    async def _read_chats(self) -> None:
        read = self._count(read_all(await self.database.read("chats"), read_chat))
        for kept in read.values:
            self.chats[kept.chat.id] = self.keeper.learn(kept)
        self.on_event(ChatsChanged(frozenset(self.chats)))

    async def _read_version_1(self) -> None:
        found = await self.database.read("settings", keys=[version_1.SETTING])
        if not found:
            return
        conversation = version_1.conversation(str(found[0].get("value")), self._now_ms())
        self.keeper.set(version_1.SETTING, None)
        if conversation and conversation.chat.id not in self.chats:
            self.add(conversation.chat)
            for entry in conversation.entries.values():
                self.keep(entry)

    async def _index_all(self) -> None:
        """One chat at a time, newest first, so that nobody waits for it."""
        for chat in listed(self.chats.values()):
            try:
                records = await self.database.read("messages", index="chat_id", key=chat.id)
            except CandilError:
                return
            known = self.keeper.unwritten(chat.id)
            entries = sorted(self._entries(records), key=age)
            self.index.put(chat.id, {entry.id: entry.words for entry in entries if entry.id not in known})
            await asyncio.sleep(0)

    def _entries(self, records: Iterable[Record]) -> Sequence[Entry]:
        return self._count(read_all(records, read_entry)).values

    def _count(self, read: Read[Any]) -> Read[Any]:
        self.damaged.update(read.damaged)
        self.newer.update(read.newer)
        return read

    # ---- what other tabs do ----

    async def _follow(self) -> None:
        try:
            async for post in self.database.posts():
                with suppress(CandilError):  # this tab shows what it knows
                    await self._catch_up(post["chats"], post["messages"])
        except CandilError:
            return  # no way to hear them

    async def _catch_up(self, chat_ids: Sequence[str], messages: dict[str, list[str]]) -> None:
        records = await self.database.read("chats", keys=list(chat_ids))
        for kept in self._count(read_all(records, read_chat)).values:
            self.chats[kept.chat.id] = self.keeper.learn(kept)
        for chat_id in set(chat_ids) - {record.get("id") for record in records}:
            self._drop(chat_id)
        for chat_id in dict.fromkeys([*chat_ids, *messages]):
            await self._catch_up_messages(chat_id, messages.get(chat_id, []))
        self.on_event(ChatsChanged(frozenset(chat_ids)))

    async def _catch_up_messages(self, chat_id: str, entry_ids: Sequence[str]) -> None:
        records = await self.database.read("messages", keys=list(entry_ids)) if entry_ids else ()
        own = self.keeper.unwritten(chat_id)  # what this tab has done since is newer
        entries = [entry for entry in self._entries(records) if entry.id not in own]
        gone = set(entry_ids) - {record.get("id") for record in records} - own.keys()
        if chat_id in self.chats:
            self.index.drop(chat_id, gone)
            self.index.put(chat_id, {e.id: e.words for e in entries if e.state != "streaming"})
            self.on_event(Followed(self.chats[chat_id], entries, gone))

    # ---- small parts ----

    def _change(self, chat_id: str, change: Change) -> None:
        if chat_id not in self.chats:
            return  # it is gone for good
        self.chats[chat_id] = change(self.chats[chat_id])
        self.keeper.change(chat_id, change)
        self.on_event(ChatsChanged(frozenset({chat_id})))

    def _kept(self, chat: Chat) -> None:
        if self.chats.get(chat.id) != chat:
            self.chats[chat.id] = chat
            self.on_event(Followed(chat))
            self.on_event(ChatsChanged(frozenset({chat.id})))

    def _trouble(self, error: CandilError | None) -> None:
        self.on_event(NotKept(error))
        if error is None and not self._started:
            self._do(self.start())

    def _vanished(self, chat_id: str) -> None:
        self.on_event(Vanished(chat_id))

    async def _purge(self, chat_id: str) -> None:
        await asyncio.sleep(UNDO_S)
        try:
            chat = self.chats.get(chat_id)
            if chat and _is_over(chat) and await self.keeper.purge(chat_id):
                self._drop(chat_id)
                self.on_event(ChatsChanged(frozenset({chat_id})))
        except StorageError:
            return  # at the next start

    def _drop(self, chat_id: str) -> None:
        self.chats.pop(chat_id, None)
        self.keeper.drop(chat_id)
        self.index.drop(chat_id)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` beside everything else; kept in a set because the loop holds tasks only weakly."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_over(chat: Chat) -> bool:
    """Deleted, or without a message: nobody sees it."""
    return chat.deleted_ms is not None or chat.head is None
