"""The chats of llama.cpp's web UI, in the three forms it has exported:

- now: one or a list of {conv, messages}, the messages with `parent` and `children`, times in milliseconds
- its React version of 2025: the whole database as dexie-export-import writes it, ids being times
- before that: {id, lastModified, messages}, one after the other

Every chat of the first two has an empty message of type "root" that the first ones hang on.
"""

from __future__ import annotations

from typing import Any

from pyapp.chat.tree import Attachment
from pyapp.transfer.loose import Loose, Node, role
from pyapp.transfer.reading import Damaged, items, key, loose_ms, loose_text, loose_title, obj, text


def chats(document: object) -> list[Any] | None:
    """The chats of `document` as {conv, messages}; None when it is of another kind."""
    if isinstance(document, dict) and document.get("formatName") == "dexie":
        return _tables(document)
    found = document if isinstance(document, list) else [document]
    ours = [it for it in found if isinstance(it, dict) and "messages" in it and ("conv" in it or "lastModified" in it)]
    return found if ours else None


def _tables(document: dict[str, Any]) -> list[Any] | None:
    try:
        tables = {
            obj(table).get("tableName"): items(table.get("rows")) for table in items(obj(document["data"])["data"])
        }
        messages = [obj(row) for row in tables["messages"]]
        return [
            {"conv": conv, "messages": [m for m in messages if m.get("convId") == obj(conv).get("id")]}
            for conv in tables["conversations"]
        ]
    except (KeyError, TypeError, Damaged):
        return None


def read(item: object) -> Loose:
    """Raises Damaged."""
    chat = obj(item)
    messages = [obj(message) for message in items(chat.get("messages"))]
    if "conv" not in chat:
        return Loose("", _linear(messages), str(len(messages) - 1), updated_ms=loose_ms(chat.get("lastModified"), 1))
    conv = obj(chat["conv"])
    return Loose(
        title=loose_title(conv.get("name")),
        nodes=[_node(message) for message in messages],
        head=key(conv.get("currNode")),
        updated_ms=loose_ms(conv.get("lastModified"), 1),
    )


def _linear(messages: list[dict[str, Any]]) -> list[Node]:
    """The ids were times: they order the messages, and date them."""
    return [
        Node(str(at), str(at - 1) if at else None, role(it.get("role")), _said(it), loose_ms(it.get("id"), 1))
        for at, it in enumerate(messages)
    ]


def _node(message: dict[str, Any]) -> Node:
    name = key(message.get("id"))
    if name is None:
        raise Damaged("wrong_type")
    return Node(
        key=name,
        parent=key(message.get("parent")),
        role=None if message.get("type") == "root" else role(message.get("role")),
        text=_said(message),
        created_ms=loose_ms(message.get("timestamp"), 1),
        attachments=_attachments(message.get("extra")),
    )


def _said(message: dict[str, Any]) -> str:
    """Its words; the reasoning, which newer versions keep apart, in front as models write it."""
    words = loose_text(message.get("content"))
    thought = loose_text(message.get("reasoningContent")) or loose_text(message.get("thinking"))
    return f"<think>\n{thought.strip()}\n</think>\n\n{words}" if thought.strip() else words


def _attachments(extra: object) -> tuple[Attachment, ...]:
    """Text files, pasted texts and what was read out of PDFs; pictures and sound have no `content`."""
    found = [it for it in extra if isinstance(it, dict)] if isinstance(extra, list) else []
    return tuple(
        Attachment(loose_title(it.get("name")) or "file.txt", text(it["content"]))
        for it in found
        if isinstance(it.get("content"), str)
    )
