"""Whether two chats or runs say the same, whatever their ids, times and titles: so that importing twice makes no
copies."""

from __future__ import annotations

import json
from hashlib import sha256

from pyapp.chat.tree import Conversation
from pyapp.transfer.reading import parents_first


def fingerprint(conversation: Conversation) -> str:
    """Equal for two chats with the same messages and attachments in the same branches."""
    entries = conversation.entries
    marks: dict[str, str] = {}
    for entry_id in parents_first({entry.id: entry.parent for entry in entries.values()}):
        entry = entries[entry_id]
        attachments = [[a.name, a.text] for a in entry.attachments]
        marks[entry_id] = mark([marks.get(entry.parent or ""), entry.role, entry.text, attachments])
    return mark(sorted(marks.values()) or [conversation.chat.draft])


def mark(value: object) -> str:
    """Equal for equal JSON values."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
