"""Conversations are values; an id is given once."""

from __future__ import annotations

from dataclasses import replace

from pyapp.chat.conversation import Conversation, Entry
from pyapp.engine import Message


def test_ids_are_given_in_order_and_never_again() -> None:
    conversation = Conversation().add(Entry(0, "user", "a")).add(Entry(0, "assistant", "b"))
    assert [e.id for e in conversation.entries] == [1, 2]
    cut = conversation.before(2).add(Entry(0, "assistant", "c"))
    assert [(e.id, e.text) for e in cut.entries] == [(1, "a"), (3, "c")]


def test_put_replaces_the_entry_of_that_id() -> None:
    conversation = Conversation().add(Entry(0, "user", "a")).add(Entry(0, "assistant", "b"))
    changed = conversation.put(replace(conversation.entries[1], text="B"))
    assert [e.text for e in changed.entries] == ["a", "B"]


def test_the_prompt_holds_what_was_said() -> None:
    conversation = (
        Conversation()
        .add(Entry(0, "user", "a"))
        .add(Entry(0, "assistant", "", "error"))
        .add(Entry(0, "user", "b"))
        .add(Entry(0, "assistant", "half", "streaming"))
    )
    assert conversation.prompt() == (Message("user", "a"), Message("user", "b"))
