"""What version 1 kept: one conversation, a list of messages in one string. It is read once, and becomes a chat."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pyapp.chat.prompt import title
from pyapp.chat.records import read_error
from pyapp.chat.tree import Chat, Conversation, Entry, Origin
from pyapp.engine import Usage

SETTING = "version_1"  # where the database's upgrade leaves the string
CHAT_ID = "version-1"  # the same in every tab, so that two that read it at once make one chat of it


def conversation(text: str, now_ms: int) -> Conversation | None:
    """The conversation that `text` holds; None when it is empty or cannot be read."""
    entries: dict[str, Entry] = {}
    parent: str | None = None
    try:
        for number, value in enumerate(json.loads(text)["entries"]):
            entry = _entry(value, f"{CHAT_ID}-{number}", parent, now_ms + number)
            entries[entry.id] = entry
            parent = entry.id
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # what came before the damage is kept
    if parent is None:
        return None
    first, last = next(iter(entries.values())), entries[parent]
    return Conversation(Chat(CHAT_ID, now_ms, last.created_ms, title(first), head=last.id), entries)


def _entry(value: Mapping[str, Any], entry_id: str, parent: str | None, created_ms: int) -> Entry:
    return Entry(
        id=entry_id,
        chat_id=CHAT_ID,
        parent=parent,
        role=value["role"],
        text=value["text"],
        created_ms=created_ms,
        state="stopped" if value["state"] == "streaming" else value["state"],
        origin=Origin(**value["origin"]) if value["origin"] else None,
        usage=Usage(**value["usage"]) if value["usage"] else None,
        reason=value["reason"],
        error=read_error(value["error"]),
    )
