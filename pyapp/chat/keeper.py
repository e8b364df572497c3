"""Writes chats and messages as they change: at most a second of an answer can be lost to a crash.

A growing answer is written at most once per INTERVAL_S, everything else at once; what waits goes in one transaction.
What could not be written stays here and goes with the next attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from pyapp.chat.database import Conflict, Database, by_chat
from pyapp.chat.records import VERSION, KeptChat, Newer, Record, chat_record, entry_record, read_chat
from pyapp.chat.tree import Chat, Entry
from pyapp.errors import CandilError, StorageFailed

INTERVAL_S = 0.5  # and the write itself takes a while
Change = Callable[[Chat], Chat]


@dataclass
class Batch:
    """What one transaction writes; None stands for what it deletes."""

    changes: dict[str, list[Change]] = field(default_factory=dict)  # by chat
    entries: dict[str, tuple[str, Entry | None]] = field(default_factory=dict)  # by id, with the chat's id
    settings: dict[str, Record | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.changes or self.entries or self.settings)

    def then(self, later: Batch) -> Batch:
        changes = {i: [*self.changes.get(i, ()), *later.changes.get(i, ())] for i in self.changes | later.changes}
        return Batch(changes, self.entries | later.entries, self.settings | later.settings)

    def apply(self, chat: Chat) -> Chat:
        return reduce(lambda latest, change: change(latest), self.changes.get(chat.id, ()), chat)

    def puts(self, chats: Iterable[KeptChat]) -> dict[str, list[Record]]:
        return {
            "chats": [chat_record(kept.chat, kept.rev) for kept in chats],
            "messages": [entry_record(entry) for _, entry in self.entries.values() if entry],
            "settings": [record for record in self.settings.values() if record],
        }

    def deletes(self) -> dict[str, list[str]]:
        return {
            "messages": [entry_id for entry_id, (_, entry) in self.entries.items() if not entry],
            "settings": [key for key, record in self.settings.items() if not record],
        }

    def announcement(self) -> dict[str, Any]:
        """For the other tabs: the ids of what is different."""
        return {
            "chats": list(self.changes),
            "messages": by_chat((chat_id, entry_id) for entry_id, (chat_id, _) in self.entries.items()),
        }


@dataclass
class Keeper:
    """`on_kept` hears each chat as it has been written, with what another tab changed in it.

    `on_trouble` hears the error of a write that failed, and None when a later one has gone through. `on_vanished` hears
    each chat whose record was there and is not any more: somebody has deleted the database.
    """

    database: Database
    on_kept: Callable[[Chat], None]
    on_trouble: Callable[[CandilError | None], None]
    on_vanished: Callable[[str], None]
    _known: dict[str, KeptChat] = field(default_factory=dict)  # the records as they were last seen
    _waiting: Batch = field(default_factory=Batch)
    _under_way: Batch = field(default_factory=Batch)
    _resting: dict[str, Entry | None] = field(default_factory=dict)  # growing answers written less than INTERVAL_S ago
    _writing: asyncio.Task[None] | None = None
    _in_trouble: bool = False

    def learn(self, kept: KeptChat) -> Chat:
        """A record that was read. Gives the chat with the changes that are not written yet."""
        known = self._known.get(kept.chat.id)
        if known is None or kept.rev > known.rev:
            self._known[kept.chat.id] = known = kept
        return self._waiting.apply(self._under_way.apply(known.chat))

    def add(self, chat: Chat) -> None:
        """A new chat."""
        self._known.setdefault(chat.id, KeptChat(chat, 0))
        self.change(chat.id, lambda latest: latest)

    def change(self, chat_id: str, change: Change) -> None:
        self._waiting.changes.setdefault(chat_id, []).append(change)
        self._wake()

    def put(self, entry: Entry) -> None:
        if entry.state != "streaming":
            self._resting.pop(entry.id, None)
        elif entry.id in self._resting:
            self._resting[entry.id] = entry
            return
        else:
            self._resting[entry.id] = None
            asyncio.get_running_loop().call_later(INTERVAL_S, self._rested, entry.id)
        self._waiting.entries[entry.id] = (entry.chat_id, entry)
        self._wake()

    def delete(self, chat_id: str, entry_ids: Iterable[str]) -> None:
        for entry_id in entry_ids:
            self._resting.pop(entry_id, None)
            self._waiting.entries[entry_id] = (chat_id, None)
        self._wake()

    def drop(self, chat_id: str) -> None:
        """Writes nothing more of a chat that is gone."""
        self._waiting.changes.pop(chat_id, None)
        for entry_id in [i for i, (its_chat, _) in self._waiting.entries.items() if its_chat == chat_id]:
            del self._waiting.entries[entry_id]
        for entry_id in [i for i, entry in self._resting.items() if entry and entry.chat_id == chat_id]:
            self._resting[entry_id] = None

    def set(self, key: str, value: object) -> None:
        """A setting; None deletes it."""
        self._waiting.settings[key] = None if value is None else {"v": VERSION, "key": key, "value": value}
        self._wake()

    def unwritten(self, chat_id: str) -> Mapping[str, Entry | None]:
        """Messages of a chat that are not in the database yet, by id; None for those that still are but are deleted."""
        entries = self._under_way.entries | self._waiting.entries
        entries |= {i: (entry.chat_id, entry) for i, entry in self._resting.items() if entry}
        return {i: entry for i, (its_chat, entry) in entries.items() if its_chat == chat_id}

    async def settled(self) -> None:
        """Until all that may be written now is written, or a write has failed."""
        while self._writing:
            await asyncio.wait({self._writing})

    async def purge(self, chat_id: str) -> bool:
        """Deletes a chat with all its messages, unless another tab has changed it since it was last seen here."""
        await self.settled()
        messages = await self.database.read("messages", index="chat_id", key=chat_id)
        deletes = {"chats": [chat_id], "messages": [message["id"] for message in messages]}
        if await self.database.write({}, deletes, {chat_id: self._known[chat_id].rev}):
            return False
        await self._announce({"chats": [chat_id], "messages": {}})
        return True

    # ---- the writing ----

    def _rested(self, entry_id: str) -> None:
        if entry := self._resting.pop(entry_id, None):
            self.put(entry)

    def _wake(self) -> None:
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                self._under_way, self._waiting = self._waiting, Batch()
                await self._write_batch(self._under_way)
                self._under_way = Batch()
            self.tell(None)
        except CandilError as error:
            self._waiting = self._under_way.then(self._waiting)
            self._under_way = Batch()
            self.tell(error)
        finally:
            self._writing = None

    async def _write_batch(self, batch: Batch) -> None:
        while True:
            before = {i: self._known[i] for i in batch.changes}
            after = [KeptChat(batch.apply(kept.chat), kept.rev + 1) for kept in before.values()]
            expected = {i: kept.rev for i, kept in before.items()}
            conflict = await self.database.write(batch.puts(after), batch.deletes(), expected)
            if conflict is None:
                break
            self._resolve(conflict)
        for kept in after:
            self._known[kept.chat.id] = kept
            self.on_kept(self._waiting.apply(kept.chat))
        await self._announce(batch.announcement())

    def _resolve(self, conflict: Conflict) -> None:
        """The next attempt starts from what is there now. What is gone or damaged is written anew."""
        for chat_id, record in conflict.found.items():
            if record is None:
                self._known[chat_id] = KeptChat(self._known[chat_id].chat, 0)
                self.on_vanished(chat_id)
                continue
            try:
                kept = read_chat(record)
            except Newer:
                raise StorageFailed("a newer version has changed this chat") from None
            except (ValueError, KeyError, TypeError, AttributeError):
                rev = record.get("rev")
                kept = KeptChat(self._known[chat_id].chat, rev if isinstance(rev, int) else 0)
            self._known[chat_id] = kept

    async def _announce(self, value: object) -> None:
        with suppress(CandilError):  # then other tabs see it when they are opened again
            await self.database.post(value)

    def tell(self, error: CandilError | None) -> None:
        """That the database has failed; None after a write that has gone through."""
        if error or self._in_trouble:
            self._in_trouble = error is not None
            self.on_trouble(error)
