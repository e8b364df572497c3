"""What the page is told: how the messages it shows have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyapp.chat.tree import Conversation, Entry


@dataclass(frozen=True, slots=True)
class Opened:
    """Another conversation is shown now: all of it, from its first message."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Changed:
    """An entry is new at the end, or different; `delta` is the text just appended, None when something else changed.

    `siblings` are then the ids of the branches at its place, oldest first, its own among them.
    """

    entry: Entry
    delta: str | None = None
    siblings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """The entry `from_id` and everything after it is not shown any more."""

    from_id: str


SessionEvent = Opened | Changed | Cut
Listener = Callable[[SessionEvent], None]


def differences(before: Conversation, after: Conversation) -> Iterator[SessionEvent]:
    """What turns the messages shown of one conversation into those of the other."""
    old, new = before.path(), after.path()
    same = 0
    while same < min(len(old), len(new)) and old[same].id == new[same].id:
        siblings = after.siblings(new[same].id)
        if before.siblings(old[same].id) != siblings:
            yield Changed(new[same], None, siblings)
        elif old[same] != new[same]:
            yield _changed(old[same], new[same], siblings)
        same += 1
    if same < len(old):
        yield Cut(old[same].id)
    for entry in new[same:]:
        yield Changed(entry, None, after.siblings(entry.id))


def _changed(old: Entry, new: Entry, siblings: tuple[str, ...]) -> Changed:
    grew = old.state == new.state == "streaming" and new.text.startswith(old.text)
    return Changed(new, new.text[len(old.text) :]) if grew else Changed(new, None, siblings)
