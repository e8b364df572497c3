"""A conversation as a tree of messages: every edit and every regenerated answer is a branch, and none is lost.

Pure values: identity, time and storage come from outside. `Chat.head` names the leaf the reader sees; the path from the
root to it is the conversation as it is shown and asked. What moves the head is in pyapp.chat.branches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from pyapp.engine import FinishReason, Usage
from pyapp.errors import CandilError
from pyapp.models.manifest import Device

State = Literal["streaming", "done", "stopped", "error"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who answered, shown under every answer: nothing leaves the device unnoticed."""

    model: str  # its title
    device: Device
    engine: str = "transformers_js"
    host: str = ""  # of the server that answered, and got the words
    provider: str = ""  # the company it passed them on to


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text file, or a long text that was pasted; part of the prompt, folded on the page."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of one chat. `id` is never reused; `parent` is None for a first message."""

    id: str
    chat_id: str
    parent: str | None
    role: Literal["user", "assistant"]
    text: str
    created_ms: int
    state: State = "done"
    attachments: tuple[Attachment, ...] = ()
    origin: Origin | None = None  # of an answer
    usage: Usage | None = None  # of an answer that ended by itself
    reason: FinishReason | None = None
    error: CandilError | None = None

    @property
    def ended(self) -> Entry:
        """As it is when it grows no more."""
        return replace(self, state="stopped") if self.state == "streaming" else self

    @property
    def words(self) -> str:
        """What can be searched for: the text and what is attached."""
        return "\n\n".join([self.text, *(f"{each.name}\n{each.text}" for each in self.attachments)])


@dataclass(frozen=True, slots=True)
class Chat:
    """What the list of chats shows, and what is kept beside the messages."""

    id: str
    created_ms: int
    updated_ms: int
    title: str = ""  # empty until there is a message
    titled_by: Literal["text", "user", "model"] = "text"
    pinned: bool = False
    head: str | None = None
    draft: str = ""
    settings: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))  # overrides of the app's
    deleted_ms: int | None = None  # kept until Undo is over
    chosen: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # at a fork ("" is the root): the
    # branch that was read last, so that going back to a branch goes back to where one was in it


Children = Mapping[str | None, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat with all its messages, by id."""

    chat: Chat
    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    _children: Children | None = field(default=None, init=False, repr=False, compare=False)  # made when it is needed

    @property
    def children(self) -> Children:
        """The ids below an entry, oldest first; below None, the first messages. Leaves are not in it."""
        if self._children is None:
            below: dict[str | None, list[Entry]] = {}
            for entry in self.entries.values():
                below.setdefault(entry.parent, []).append(entry)
            ordered = {parent: tuple(e.id for e in sorted(found, key=age)) for parent, found in below.items()}
            object.__setattr__(self, "_children", ordered)
        return self._children or {}

    def siblings(self, entry_id: str) -> tuple[str, ...]:
        """The branches at this place, oldest first, the entry itself among them."""
        return self.children[self.entries[entry_id].parent]

    def path(self, upto: str | None = None) -> tuple[Entry, ...]:
        """From the first message to `upto` (the head when None), as it is shown."""
        path: list[Entry] = []
        at = upto or self.chat.head
        while at is not None:
            path.append(self.entries[at])
            at = path[-1].parent
        return tuple(reversed(path))

    def put(self, entry: Entry) -> Conversation:
        """With `entry` added or replaced; the head stays where it is."""
        before = self.entries.get(entry.id)
        entries = dict(self.entries)
        entries[entry.id] = entry
        after = replace(self, entries=entries)
        if before is not None and before.parent == entry.parent and before.created_ms == entry.created_ms:
            object.__setattr__(after, "_children", self._children)  # a growing answer is put at every token
        return after

    def without(self, entry_ids: frozenset[str]) -> Conversation:
        return replace(self, entries={i: e for i, e in self.entries.items() if i not in entry_ids})


def age(entry: Entry) -> tuple[int, str]:
    """Sorts messages oldest first, the same on every machine."""
    return entry.created_ms, entry.id
