"""ChatGPT's conversations.json: a list of chats, each a tree (`mapping`) of nodes that may hold a message.

What is kept is what the two said to each other: not the system's, the tools' and the hidden messages, not what the
assistant says to a tool, and of a message with pictures its words.
"""

from __future__ import annotations

from typing import Any

from pyapp.transfer.loose import Loose, Node, role
from pyapp.transfer.reading import LONGEST_TEXT, Damaged, key, loose_ms, loose_title, obj, text


def chats(document: object) -> list[Any] | None:
    """The chats of `document`; None when it is of another kind."""
    found = document if isinstance(document, list) else [document]
    return found if any(isinstance(it, dict) and "mapping" in it for it in found) else None


def read(item: object) -> Loose:
    """Raises Damaged."""
    chat = obj(item)
    return Loose(
        title=loose_title(chat.get("title")),
        nodes=[_node(name, obj(node)) for name, node in obj(chat.get("mapping")).items()],
        head=key(chat.get("current_node")),
        created_ms=loose_ms(chat.get("create_time"), 1000),
        updated_ms=loose_ms(chat.get("update_time"), 1000),
    )


def _node(name: str, node: dict[str, Any]) -> Node:
    parent = key(node.get("parent"))
    if node.get("message") is None:
        return Node(name, parent, None)
    message = obj(node["message"])
    said = _said(message)
    who = role(obj(message.get("author")).get("role")) if said else None
    return Node(name, parent, who, said, loose_ms(message.get("create_time"), 1000))


def _said(message: dict[str, Any]) -> str:
    content = message.get("content")
    metadata = message.get("metadata")
    hidden = isinstance(metadata, dict) and metadata.get("is_visually_hidden_from_conversation") is True
    if not isinstance(content, dict) or hidden or message.get("recipient", "all") != "all":
        return ""
    kind, parts = content.get("content_type", "text"), content.get("parts")
    if kind not in ("text", "multimodal_text") or not isinstance(parts, list):
        return ""
    words = [text(part) for part in map(_words, parts) if part]
    if sum(map(len, words)) > LONGEST_TEXT:
        raise Damaged("too_long")
    return "\n\n".join(words)


def _words(part: object) -> object:
    """A part is a string, or an object: of a picture, or of speech with its words as text."""
    return part.get("text") if isinstance(part, dict) and isinstance(part.get("text"), str) else _string(part)


def _string(part: object) -> str:
    return part if isinstance(part, str) else ""
