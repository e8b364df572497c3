"""A conversation as values: settled messages and, at its end, perhaps an answer that is still growing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pyapp.engine import FinishReason, Message, Usage
from pyapp.errors import CandilError

State = Literal["streaming", "done", "stopped", "error"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who answered, shown under every answer: nothing leaves the device unnoticed."""

    model: str  # its title
    device: Literal["wasm", "webgpu"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One article of the log. `id` is unique in its conversation and never reused."""

    id: int
    role: Literal["user", "assistant"]
    text: str
    state: State = "done"
    origin: Origin | None = None  # of an answer
    usage: Usage | None = None  # of an answer that ended by itself
    reason: FinishReason | None = None
    error: CandilError | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Oldest first."""

    entries: tuple[Entry, ...] = ()
    next_id: int = 1

    def add(self, entry: Entry) -> Conversation:
        """With `entry` (its id is given here) at the end."""
        return Conversation((*self.entries, replace(entry, id=self.next_id)), self.next_id + 1)

    def put(self, entry: Entry) -> Conversation:
        """With the entry of the same id replaced."""
        return replace(self, entries=tuple(entry if e.id == entry.id else e for e in self.entries))

    def before(self, entry_id: int) -> Conversation:
        """Cut before the entry: it and everything after it is gone."""
        return replace(self, entries=tuple(e for e in self.entries if e.id < entry_id))

    def prompt(self) -> tuple[Message, ...]:
        """What an engine is asked: every message that says something, the growing answer excluded."""
        return tuple(Message(e.role, e.text) for e in self.entries if e.text and e.state != "streaming")
