"""A whole tree out of messages of which some are missing or damaged: nothing that can be read stays unseen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace

from pyapp.chat.branches import leaf
from pyapp.chat.tree import Chat, Conversation, Entry, age


def repaired(chat: Chat, entries: Iterable[Entry]) -> Conversation:
    """Orphans go below the message written before them, cycles are opened at their oldest message, and the head is a
    leaf: the one below it, or the newest there is. What is whole stays as it is."""
    by_id = {entry.id: entry for entry in entries}
    _adopt(by_id)
    _open_cycles(by_id)
    conversation = Conversation(chat, by_id)
    head = chat.head if chat.head in by_id else max(by_id.values(), key=age).id if by_id else None
    head = leaf(conversation, head) if head else None
    return conversation if head == chat.head else replace(conversation, chat=replace(chat, head=head))


def _adopt(by_id: dict[str, Entry]) -> None:
    orphans = [e for e in by_id.values() if e.parent is not None and e.parent not in by_id]
    oldest_first = sorted(by_id.values(), key=age) if orphans else []
    for orphan in orphans:
        place = bisect_left(oldest_first, age(orphan), key=age)
        before = oldest_first[place - 1].id if place else None
        by_id[orphan.id] = replace(orphan, parent=before)


def _open_cycles(by_id: dict[str, Entry]) -> None:
    rooted: set[str] = set()
    for start in list(by_id):
        way: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in rooted and at not in way:
            way[at] = None
            at = by_id[at].parent
        if at in way:
            ids = list(way)
            oldest = min((by_id[i] for i in ids[ids.index(at) :]), key=age)
            by_id[oldest.id] = replace(oldest, parent=None)
        rooted |= way.keys()
