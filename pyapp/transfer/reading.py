"""Values of a file that somebody else wrote: each is checked where it is read, and nothing is believed."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from math import isfinite
from typing import Any, Literal

from pyapp.errors import ImportTooLarge, ImportUnreadable
from pyapp.models.strict_json import DEEPEST, MAX_INTEGER, deepest

LARGEST_FILE = 64_000_000  # bytes; a page has no memory for the values of more
LONGEST_TEXT = 2_000_000  # characters of one message or attachment; the page could not show more
LONGEST_TITLE = 1_000
LATEST_MS = 253_370_764_800_000  # the year 9999; no calendar goes further

Reason = Literal[
    "already_here", "empty", "wrong_type", "duplicate_id", "missing_parent", "cycle", "unknown_role", "too_long"
]
Object = Mapping[str, Any]


class Damaged(Exception):
    """One chat of a file cannot be imported; the others can."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def check_size(n_bytes: int) -> None:
    """To be asked before a file is read. Raises ImportTooLarge."""
    if n_bytes > LARGEST_FILE:
        raise ImportTooLarge(f"The file has {n_bytes} bytes")


def document(text: str) -> object:
    """The JSON value in `text`. Raises ImportTooLarge and ImportUnreadable."""
    check_size(len(text))
    if deepest(text) > DEEPEST:
        raise ImportUnreadable(f"The file is nested more than {DEEPEST} levels deep")
    try:
        return json.loads(text.removeprefix("\ufeff"), parse_constant=_finite, parse_float=_finite)
    except ValueError as error:
        raise ImportUnreadable(f"The file is not JSON: {error}") from error


def _finite(number: str) -> float:
    """Infinity could not be written back as JSON. Raises ValueError."""
    value = float(number)
    if not isfinite(value):
        raise ValueError(f"{number} is not a number of JSON")
    return value


def obj(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Damaged("wrong_type")
    return value


def items(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise Damaged("wrong_type")
    return value


def text(value: object, longest: int = LONGEST_TEXT) -> str:
    """A string in which every character is one: half a surrogate pair becomes "?"."""
    if not isinstance(value, str):
        raise Damaged("wrong_type")
    if len(value) > longest:
        raise Damaged("too_long")
    return value.encode(errors="replace").decode()


def one_of(value: object, allowed: tuple[Any, ...], reason: Reason = "wrong_type") -> Any:
    if not isinstance(value, str | None) or value not in allowed:
        raise Damaged(reason)
    return value


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Damaged("wrong_type")
    return value


def count(value: object) -> int:
    """An integer from 0 to the largest that JavaScript counts exactly."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INTEGER:
        raise Damaged("wrong_type")
    return value


def moment(value: object) -> int:
    """Milliseconds since 1970 that a calendar can show."""
    if count(value) > LATEST_MS:
        raise Damaged("wrong_type")
    return count(value)


def amount(value: object) -> float:
    """A finite number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_INTEGER:
        raise Damaged("wrong_type")
    return value


def key(value: object) -> str | None:
    """The identity of a message: a string, or a number as text (llama.cpp had times for ids)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(int(value))
    return value if isinstance(value, str) and value else None


def loose_text(value: object) -> str:
    """As `text`; of anything else than a string, ""."""
    return text(value) if isinstance(value, str) else ""


def loose_title(value: object) -> str:
    return " ".join(value[: 10 * LONGEST_TITLE].split())[:LONGEST_TITLE] if isinstance(value, str) else ""


def loose_ms(value: object, per_unit: int) -> int | None:
    """Milliseconds since 1970 of a time in seconds (`per_unit` 1000) or milliseconds (1); None when it is no time."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < LATEST_MS / per_unit:
        return None
    return int(value * per_unit)


def parents_first(parents: Mapping[str, str | None]) -> list[str]:
    """The keys of a forest, every one after its parent, siblings in their order. What hangs on a cycle is left out."""
    children: dict[str | None, list[str]] = {}
    for child, parent in parents.items():
        children.setdefault(parent if parent in parents else None, []).append(child)
    ordered: list[str] = []
    waiting = deque(children.get(None, ()))
    while waiting:
        ordered.append(waiting.popleft())
        waiting.extend(children.get(ordered[-1], ()))
    return ordered
