"""What of a conversation reaches the model, and what it is called."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyapp.chat.tree import Attachment, Entry
from pyapp.documents.naming import beginning
from pyapp.engine import Message


def prompt(path: Iterable[Entry]) -> tuple[Message, ...]:
    """Every message that says something, the growing answer excluded."""
    said = (Message(e.role, text(e), attached=bool(e.attachments)) for e in path if e.state != "streaming")
    return tuple(message for message in said if message.text)


def text(entry: Entry) -> str:
    """An entry as the model reads it: its attachments, each fenced and named, then its own words."""
    parts = [*(_fenced(a) for a in entry.attachments), entry.text]
    return "\n\n".join(part for part in parts if part)


def _fenced(attachment: Attachment) -> str:
    runs = re.findall(r"`{3,}", attachment.text)
    fence = "`" * (1 + max((len(run) for run in runs), default=2))  # longer than any inside it
    name = " ".join(attachment.name.split())
    return f"File: {name}\n{fence}\n{attachment.text.rstrip()}\n{fence}"


def title(entry: Entry) -> str:
    """What a chat is called after its first message."""
    return beginning(entry.text) or next((beginning(attachment.name) for attachment in entry.attachments), "")
