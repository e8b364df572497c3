"""The form of our own exports, `candil.chats` version 1, which site/chats.schema.json describes.

A chat goes with all its branches, without whatever belongs to one device (deletions not yet final). Members that are
not known are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from pyapp.chat.records import STATES, error_record
from pyapp.chat.repair import repaired
from pyapp.chat.tree import Attachment, Chat, Conversation, Entry, Origin
from pyapp.engine import Usage
from pyapp.errors import CandilError, from_wire
from pyapp.models.manifest import Device
from pyapp.settings.settings import overrides
from pyapp.transfer.loose import ROLES
from pyapp.transfer.reading import (
    LONGEST_TITLE,
    Damaged,
    Object,
    amount,
    count,
    flag,
    items,
    moment,
    obj,
    one_of,
    parents_first,
    text,
)

FORMAT = "candil.chats"
VERSION = 1
TITLED_BY = ("text", "user", "model")
REASONS = (None, "stop", "length")
DEVICES: tuple[Device, ...] = ("wasm", "webgpu", "browser", "server")


def chat_value(conversation: Conversation) -> dict[str, object]:
    chat = conversation.chat
    ordered = parents_first({entry.id: entry.parent for entry in conversation.entries.values()})
    return {
        "id": chat.id,
        "created_ms": chat.created_ms,
        "updated_ms": chat.updated_ms,
        "title": chat.title,
        "titled_by": chat.titled_by,
        "pinned": chat.pinned,
        "head": chat.head,
        "draft": chat.draft,
        "settings": dict(chat.settings),
        "chosen": dict(chat.chosen),
        "entries": [_entry_value(conversation.entries[entry_id]) for entry_id in ordered],
    }


def _entry_value(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "parent": entry.parent,
        "role": entry.role,
        "text": entry.text,
        "created_ms": entry.created_ms,
        "state": "stopped" if entry.state == "streaming" else entry.state,
        "attachments": [asdict(attachment) for attachment in entry.attachments],
        "origin": entry.origin and asdict(entry.origin),
        "usage": entry.usage and asdict(entry.usage),
        "reason": entry.reason,
        "error": error_record(entry.error),
    }


def chat_read(item: object, new_id: Callable[[], str], personas: Mapping[str, str]) -> Conversation:
    """The chat with ids of its own; `personas` are the ids that personas of the file have here. Raises Damaged."""
    value = obj(item)
    records = [obj(record) for record in items(member(value, "entries"))]
    ids = _new_ids(records, new_id)
    chat_id = new_id()
    head = member(value, "head")
    chat = Chat(
        id=chat_id,
        created_ms=moment(member(value, "created_ms")),
        updated_ms=moment(member(value, "updated_ms")),
        title=text(member(value, "title"), LONGEST_TITLE),
        titled_by=one_of(member(value, "titled_by"), TITLED_BY),
        pinned=flag(member(value, "pinned")),
        head=None if head is None else ids.get(text(head)),
        draft=text(member(value, "draft")),
        settings=_settings(member(value, "settings"), personas),
        chosen=_chosen(value.get("chosen", {}), ids),
    )
    entries = {ids[record["id"]]: _entry_read(record, chat_id, ids) for record in records}
    return repaired(chat, entries.values())


def _new_ids(records: list[dict[str, Any]], new_id: Callable[[], str]) -> dict[str, str]:
    """Old id -> new id, of messages that are a forest. Raises Damaged."""
    parents: dict[str, str | None] = {}
    for record in records:
        entry_id, parent = text(member(record, "id")), member(record, "parent")
        if entry_id in parents or not entry_id:
            raise Damaged("duplicate_id" if entry_id else "wrong_type")
        parents[entry_id] = None if parent is None else text(parent)
    if any(parent is not None and parent not in parents for parent in parents.values()):
        raise Damaged("missing_parent")
    if len(parents_first(parents)) != len(parents):
        raise Damaged("cycle")
    # In the same order: messages of one moment stand as they stood.
    return dict(zip(sorted(parents), sorted(new_id() for _ in parents), strict=True))


def _entry_read(record: Object, chat_id: str, ids: Mapping[str, str]) -> Entry:
    attachments = [obj(it) for it in items(member(record, "attachments"))]
    origin, usage, error = (member(record, name) for name in ("origin", "usage", "error"))
    return Entry(
        id=ids[record["id"]],
        chat_id=chat_id,
        parent=None if record["parent"] is None else ids[record["parent"]],
        role=one_of(member(record, "role"), ROLES, "unknown_role"),
        text=text(member(record, "text")),
        created_ms=moment(member(record, "created_ms")),
        state=one_of(member(record, "state"), STATES[1:]),
        attachments=tuple(Attachment(text(member(a, "name")), text(member(a, "text"))) for a in attachments),
        origin=None if origin is None else origin_read(obj(origin)),
        usage=None if usage is None else usage_read(obj(usage)),
        reason=one_of(member(record, "reason"), REASONS),
        error=None if error is None else error_read(obj(error)),
    )


def origin_read(value: Object) -> Origin:
    device = one_of(member(value, "device"), DEVICES)
    host, provider = (text(value.get(name, "")) for name in ("host", "provider"))  # older exports have none
    return Origin(text(member(value, "model")), device, text(member(value, "engine")), host, provider)


def usage_read(value: Object) -> Usage:
    counts = (count(member(value, name)) for name in ("prompt_tokens", "cached_tokens", "new_tokens"))
    return Usage(*counts, *(amount(member(value, name)) for name in ("prefill_ms", "decode_ms")))


def error_read(value: Object) -> CandilError:
    code, message = text(member(value, "code")), text(member(value, "message"))
    details = obj(member(value, "details")).items()
    return from_wire(code, message, {name: it for name, it in details if isinstance(it, int | float)})


def _settings(value: object, personas: Mapping[str, str]) -> Mapping[str, object]:
    kept = dict(overrides(obj(value)).values)
    if "persona_id" in kept:
        kept["persona_id"] = personas.get(str(kept["persona_id"]), kept["persona_id"])
    return MappingProxyType(kept)


def _chosen(value: object, ids: Mapping[str, str]) -> Mapping[str, str]:
    """At a fork, the branch read last; "" is the root. What names no message is left out."""
    known = {"": "", **ids}
    pairs = ((fork, branch) for fork, branch in obj(value).items() if isinstance(branch, str))
    return MappingProxyType({known[fork]: ids[branch] for fork, branch in pairs if fork in known and branch in ids})


def member(value: Object, name: str) -> Any:
    if name not in value:
        raise Damaged("wrong_type")
    return value[name]
