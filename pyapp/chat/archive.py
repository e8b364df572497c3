"""A conversation as JSON, to be there again after a reload or a crash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pyapp.chat.conversation import Conversation, Entry, Origin
from pyapp.engine import Usage
from pyapp.errors import from_wire

FORMAT = 1


def dumps(conversation: Conversation) -> str:
    return json.dumps({"format": FORMAT, "entries": [_entry(e) for e in conversation.entries]}, ensure_ascii=False)


def _entry(entry: Entry) -> dict[str, object]:
    error = entry.error and {"code": entry.error.code, "message": entry.error.message, "details": entry.error.details}
    return asdict(entry) | {"error": error}


def loads(text: str) -> Conversation:
    """The conversation of `dumps`; an answer that was growing when it was written is a stopped one.

    What cannot be read (another format, a damaged record) is an empty conversation.
    """
    try:
        value = json.loads(text)
        entries = [_parse(e) for e in value["entries"]] if value["format"] == FORMAT else []
    except (ValueError, KeyError, TypeError):
        entries = []
    conversation = Conversation()
    for entry in entries:
        conversation = conversation.add(entry)
    return conversation


def _parse(value: Mapping[str, Any]) -> Entry:
    error = value["error"]
    return Entry(
        id=0,
        role=value["role"],
        text=value["text"],
        state="stopped" if value["state"] == "streaming" else value["state"],
        origin=Origin(**value["origin"]) if value["origin"] else None,
        usage=Usage(**value["usage"]) if value["usage"] else None,
        reason=value["reason"],
        error=from_wire(error["code"], error["message"], error["details"]) if error else None,
    )
