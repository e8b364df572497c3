"""A run of a task, and the JSON records it is kept as: a small one for the list, and what it was given and has made.

The two parts are records of their own, because what was given may be a book and is written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from pyapp.chat.records import Record, check_version, error_record, is_a, maybe, one_of, read_error
from pyapp.chat.tree import Origin
from pyapp.engine import Json, Usage
from pyapp.errors import CandilError

VERSION = 1
Status = Literal["running", "paused", "done", "failed"]
STATUSES: tuple[Status, ...] = ("running", "paused", "done", "failed")
NOTHING_USED = Usage(0, 0, 0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Run:
    """What the list shows of it. `fraction` is in [0, 1], None when it is unknown how far it has come."""

    id: str
    task: str  # its name
    title: str
    created_ms: int
    changed_ms: int
    status: Status = "paused"
    fraction: float | None = None
    by: tuple[Origin, ...] = ()  # who made it, in the order of their first words
    usage: Usage = NOTHING_USED  # of all that was asked
    worked_ms: int = 0
    error: CandilError | None = None  # of one that failed
    deleted_ms: int | None = None  # kept until Undo is over

    @property
    def ended(self) -> Run:
        """As it is when nobody works on it any more."""
        return replace(self, status="paused") if self.status == "running" else self


@dataclass(frozen=True, slots=True)
class Kept:
    """A run with its parts. `state` is of the last settled step, None before the first."""

    run: Run
    given: Mapping[str, Json]
    state: Json | None = None


def run_record(run: Run) -> Record:
    plain = {name: getattr(run, name) for name in Run.__dataclass_fields__}
    return plain | {
        "v": VERSION,
        "by": [asdict(origin) for origin in run.by],
        "usage": asdict(run.usage),
        "error": error_record(run.error),
    }


def read_run(record: Record) -> Run:
    """Raises Newer; ValueError, KeyError, TypeError or AttributeError for what is damaged."""
    check_version(record, VERSION)
    return Run(
        id=is_a(str, record["id"]),
        task=is_a(str, record["task"]),
        title=is_a(str, record["title"]),
        created_ms=is_a(int, record["created_ms"]),
        changed_ms=is_a(int, record["changed_ms"]),
        status=one_of(STATUSES, record["status"]),
        fraction=None if record["fraction"] is None else float(record["fraction"]),
        by=tuple(Origin(**origin) for origin in record["by"]),
        usage=Usage(**record["usage"]),
        worked_ms=is_a(int, record["worked_ms"]),
        error=read_error(record["error"]),
        deleted_ms=maybe(int, record["deleted_ms"]),
    )


def given_key(run_id: str) -> str:
    """Of the record in "run_parts"."""
    return f"{run_id}/given"


def state_key(run_id: str) -> str:
    return f"{run_id}/state"


def plus(one: Usage, other: Usage) -> Usage:
    return Usage(*(getattr(one, name) + getattr(other, name) for name in Usage.__dataclass_fields__))
