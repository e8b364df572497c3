"""A chat as other programs tell it, and how it becomes one of ours.

Others keep messages we have no place for (of the system, of tools, empty ones): what follows such a message then
follows the message before it. Times and parents that are missing are made up; a circle or two messages of one id are
damage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pyapp.chat.prompt import title
from pyapp.chat.repair import repaired
from pyapp.chat.tree import Attachment, Chat, Conversation, Entry
from pyapp.transfer.reading import Damaged, parents_first

ROLES = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class Node:
    key: str
    parent: str | None
    role: Literal["user", "assistant"] | None  # None: not kept
    text: str = ""
    created_ms: int | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Loose:
    title: str
    nodes: list[Node]
    head: str | None = None
    created_ms: int | None = None
    updated_ms: int | None = None
    pinned: bool = False


def role(value: object) -> Any:
    """The role of a node: None for one that is not ours."""
    return value if value in ROLES else None


def planted(loose: Loose, new_id: Callable[[], str], now_ms: int) -> Conversation:
    """The chat with ids and times of its own. Raises Damaged."""
    nodes = {node.key: node for node in loose.nodes}
    order = parents_first({node.key: node.parent for node in loose.nodes})
    if len(nodes) != len(loose.nodes):
        raise Damaged("duplicate_id")
    if len(order) != len(nodes):
        raise Damaged("cycle")
    chat_id, entries, place = new_id(), dict[str, Entry](), dict[str, str | None]()
    first_ms = loose.created_ms or next((n.created_ms for n in loose.nodes if n.created_ms), now_ms)
    clock = first_ms - 1
    for node in (nodes[key] for key in order):
        parent = place.get(node.parent or "")
        place[node.key] = parent
        if node.role is None or not (node.text.strip() or node.attachments):
            continue
        # Siblings are shown by age: where times are missing or equal, the file's order is the order.
        clock = max(node.created_ms or 0, clock + 1)
        entry = Entry(new_id(), chat_id, parent, node.role, node.text, clock, attachments=node.attachments)
        entries[entry.id] = entry
        place[node.key] = entry.id
    if not entries:
        raise Damaged("empty")
    name = loose.title or title(next(iter(entries.values())))
    updated_ms = max(loose.updated_ms or 0, first_ms)
    head = place.get(loose.head or "")
    chat = Chat(chat_id, first_ms, updated_ms, name, "user" if loose.title else "text", loose.pinned, head)
    return repaired(chat, entries.values())
