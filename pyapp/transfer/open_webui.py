"""Open WebUI's export: a list of chats, each with its messages by id (`chat.history.messages`), oldest files as a list.

Times are seconds. `currentId` is the message that was read last.
"""

from __future__ import annotations

from typing import Any

from pyapp.chat.tree import Attachment
from pyapp.transfer.loose import Loose, Node, role
from pyapp.transfer.reading import Damaged, items, key, loose_ms, loose_text, loose_title, obj, text


def chats(document: object) -> list[Any] | None:
    """The chats of `document`; None when it is of another kind."""
    found = document if isinstance(document, list) else [document]
    return found if any(isinstance(it, dict) and isinstance(it.get("chat"), dict) for it in found) else None


def read(item: object) -> Loose:
    """Raises Damaged."""
    outer = obj(item)
    chat = obj(outer.get("chat"))
    history = chat.get("history")
    if isinstance(history, dict) and history.get("messages"):
        nodes = [_node(name, obj(message)) for name, message in obj(history["messages"]).items()]
        head = key(history.get("currentId"))
    else:
        nodes = _linear(items(chat.get("messages")))
        head = nodes[-1].key if nodes else None
    return Loose(
        title=loose_title(outer.get("title")) or loose_title(chat.get("title")),
        nodes=nodes,
        head=head,
        created_ms=loose_ms(outer.get("created_at"), 1000) or loose_ms(chat.get("timestamp"), 1),
        updated_ms=loose_ms(outer.get("updated_at"), 1000),
        pinned=outer.get("pinned") is True,
    )


def _linear(messages: list[Any]) -> list[Node]:
    return [_node(str(at), {**obj(it), "parentId": str(at - 1) if at else None}) for at, it in enumerate(messages)]


def _node(name: str, message: dict[str, Any]) -> Node:
    return Node(
        key=name,
        parent=key(message.get("parentId")),
        role=role(message.get("role")),
        text=loose_text(message.get("content")),
        created_ms=loose_ms(message.get("timestamp"), 1000),
        attachments=_attachments(message.get("files")),
    )


def _attachments(files: object) -> tuple[Attachment, ...]:
    """The text of the files that have some; pictures and collections have none."""
    found: list[Attachment] = []
    for file in files if isinstance(files, list) else []:
        try:
            content = text(obj(obj(obj(file)["file"])["data"])["content"])
        except (KeyError, Damaged):
            continue
        found.append(Attachment(loose_title(file.get("name")) or "file.txt", content))
    return tuple(found)
