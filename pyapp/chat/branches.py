"""Moves in the tree of a conversation. The head is always a leaf; None stands for a conversation without messages."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pyapp.chat.tree import Conversation, Entry


@dataclass(frozen=True, slots=True)
class Removed:
    """What `restore` needs to undo a `remove`."""

    entries: tuple[Entry, ...]
    head: str | None


def add(conversation: Conversation, entry: Entry) -> Conversation:
    """With `entry` in the tree and shown."""
    return move(conversation.put(entry), entry.id)


def move(conversation: Conversation, head: str | None) -> Conversation:
    """With another head; the branches that are left are remembered, so that `switch` comes back to where one was."""
    chat = conversation.chat
    if chat.head == head:
        return conversation
    chosen = dict(chat.chosen)
    if chat.head in conversation.entries and (head is None or conversation.entries[head].parent != chat.head):
        for entry in conversation.path():
            if len(conversation.siblings(entry.id)) > 1:
                chosen[entry.parent or ""] = entry.id
    return replace(conversation, chat=replace(chat, head=head, chosen=chosen))


def leaf(conversation: Conversation, entry_id: str) -> str:
    """The end of the branch below an entry: at every fork the way that was read last, else the newest."""
    chosen, at = conversation.chat.chosen, entry_id
    while below := conversation.children.get(at):
        at = chosen[at] if chosen.get(at) in below else below[-1]
    return at


def switch(conversation: Conversation, entry_id: str) -> Conversation:
    """Shows the branch that goes through an entry, as far down as it was read."""
    return move(conversation, leaf(conversation, entry_id))


def subtree(conversation: Conversation, entry_id: str) -> tuple[str, ...]:
    """An entry and everything below it, parents first."""
    found = [entry_id]
    for each in found:  # it grows while it is walked
        found += conversation.children.get(each, ())
    return tuple(found)


def remove(conversation: Conversation, entry_id: str) -> tuple[Conversation, Removed]:
    """Without an entry and what is below it; the branch beside it is shown then, or what was above it."""
    gone = subtree(conversation, entry_id)
    removed = Removed(tuple(conversation.entries[i] for i in gone), conversation.chat.head)
    rest = conversation.without(frozenset(gone))
    if conversation.chat.head not in gone:
        return rest, removed
    siblings = conversation.siblings(entry_id)
    place = siblings.index(entry_id)
    beside = siblings[place - 1] if place else next(iter(siblings[1:]), None)
    head = leaf(rest, beside) if beside else conversation.entries[entry_id].parent
    return replace(rest, chat=replace(rest.chat, head=head)), removed


def restore(conversation: Conversation, removed: Removed) -> Conversation:
    """With what `remove` took away. It is shown again if it was shown then."""
    entries = dict(conversation.entries) | {entry.id: entry for entry in removed.entries}
    whole = replace(conversation, entries=entries)
    was_shown = removed.head in {entry.id for entry in removed.entries}
    shown = removed.head if was_shown else conversation.chat.head
    return move(whole, leaf(whole, shown or removed.entries[0].id))
