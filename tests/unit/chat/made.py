"""Chats and messages written down in a line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pyapp.chat.tree import Chat, Conversation, Entry


def chat(chat_id: str = "c", **changes: Any) -> Chat:
    return replace(Chat(chat_id, 0, 0), **changes)


def entry(
    entry_id: str, parent: str | None = None, *, at: int = 0, role: Literal["user", "assistant"] = "user", **more: Any
) -> Entry:
    text = more.pop("text", entry_id)
    return Entry(entry_id, more.pop("chat_id", "c"), parent, role, text, at, **more)


def tree(*lines: str, head: str | None = None) -> Conversation:
    """Each line is "parent>id" or "id", in the order in which they were written."""
    entries: dict[str, Entry] = {}
    for at, line in enumerate(lines):
        parent, _, entry_id = line.rpartition(">")
        entries[entry_id] = entry(entry_id, parent or None, at=at)
    return Conversation(chat(head=head), entries)


@dataclass
class MemoryShelf:
    """pyapp.chat.shelf.Shelf."""

    chats: dict[str, Chat] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)

    def add(self, chat: Chat) -> None:
        self.chats.setdefault(chat.id, chat)

    def change(self, chat_id: str, change: Callable[[Chat], Chat]) -> None:
        self.chats[chat_id] = change(self.chats[chat_id])

    def keep(self, entry: Entry) -> None:
        self.entries[entry.id] = entry

    def forget(self, chat_id: str, entry_ids: Iterable[str]) -> None:
        for entry_id in entry_ids:
            del self.entries[entry_id]
