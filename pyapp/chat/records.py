"""Chats and messages as the JSON records of the browser's database: one record per chat and one per message.

Every record says the version of its form. Reading is tolerant: what a newer Candil wrote is left alone, what is damaged
is skipped, and both are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from pyapp.chat.tree import Attachment, Chat, Entry, Origin
from pyapp.engine import Usage
from pyapp.errors import CandilError, from_wire

VERSION = 2
Record = dict[str, Any]
T = TypeVar("T")

STATES = ("streaming", "done", "stopped", "error")


class Newer(ValueError):
    """A record that a newer Candil wrote."""


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """What could be read of some records, and the ids of those that could not."""

    values: Sequence[T]
    damaged: Sequence[str]
    newer: Sequence[str]


@dataclass(frozen=True, slots=True)
class KeptChat:
    """A chat and the revision of its record: who writes it says which revision was changed."""

    chat: Chat
    rev: int


def chat_record(chat: Chat, rev: int) -> Record:
    plain = {name: getattr(chat, name) for name in Chat.__dataclass_fields__}
    return plain | {"v": VERSION, "rev": rev, "settings": dict(chat.settings), "chosen": dict(chat.chosen)}


def entry_record(entry: Entry) -> Record:
    plain = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    return plain | {
        "v": VERSION,
        "attachments": [asdict(a) for a in entry.attachments],
        "origin": entry.origin and asdict(entry.origin),
        "usage": entry.usage and asdict(entry.usage),
        "error": error_record(entry.error),
    }


def error_record(error: CandilError | None) -> Record | None:
    return {"code": error.code, "message": error.message, "details": error.details} if error else None


def read_all(records: Iterable[object], parse: Callable[[Any], T]) -> Read[T]:
    """`parse` is read_chat or read_entry."""
    values: list[T] = []
    damaged: list[str] = []
    newer: list[str] = []
    for record in records:
        try:
            values.append(parse(record))
        except Newer:
            newer.append(_id(record))
        except (ValueError, KeyError, TypeError, AttributeError):
            damaged.append(_id(record))
    return Read(values, damaged, newer)


def _id(record: object) -> str:
    return str(record.get("id")) if isinstance(record, dict) else ""


def read_chat(record: Record) -> KeptChat:
    """Raises Newer; ValueError, KeyError, TypeError or AttributeError for what is damaged."""
    check_version(record, VERSION)
    return KeptChat(
        Chat(
            id=is_a(str, record["id"]),
            created_ms=is_a(int, record["created_ms"]),
            updated_ms=is_a(int, record["updated_ms"]),
            title=is_a(str, record["title"]),
            titled_by=one_of(("text", "user", "model"), record["titled_by"]),
            pinned=is_a(bool, record["pinned"]),
            head=maybe(str, record["head"]),
            draft=is_a(str, record["draft"]),
            settings=dict(record["settings"]),
            deleted_ms=maybe(int, record["deleted_ms"]),
            chosen={is_a(str, k): is_a(str, v) for k, v in record["chosen"].items()},
        ),
        is_a(int, record["rev"]),
    )


def read_entry(record: Record) -> Entry:
    """Raises as read_chat."""
    check_version(record, VERSION)
    return Entry(
        id=is_a(str, record["id"]),
        chat_id=is_a(str, record["chat_id"]),
        parent=maybe(str, record["parent"]),
        role=one_of(("user", "assistant"), record["role"]),
        text=is_a(str, record["text"]),
        created_ms=is_a(int, record["created_ms"]),
        state=one_of(STATES, record["state"]),
        attachments=tuple(Attachment(is_a(str, a["name"]), is_a(str, a["text"])) for a in record["attachments"]),
        origin=Origin(**record["origin"]) if record["origin"] else None,
        usage=Usage(**record["usage"]) if record["usage"] else None,
        reason=one_of((None, "stop", "length"), record["reason"]),
        error=read_error(record["error"]),
    )


def read_error(value: Mapping[str, Any] | None) -> CandilError | None:
    return from_wire(value["code"], value["message"], value["details"]) if value else None


def check_version(record: Record, known: int) -> None:
    if is_a(int, record["v"]) > known:
        raise Newer()


def is_a(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{kind.__name__} expected")
    return value


def maybe(kind: type[T], value: Any) -> T | None:
    return None if value is None else is_a(kind, value)


def one_of(choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices:
        raise ValueError("not one of the values there are")
    return value
