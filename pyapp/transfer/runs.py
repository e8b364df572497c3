"""Runs of tasks in our own exports: with what they were given and have made, which only their task understands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from pyapp.chat.records import error_record
from pyapp.tasks.records import STATUSES, Kept, Run
from pyapp.transfer.fingerprint import mark
from pyapp.transfer.form import error_read, member, origin_read, usage_read
from pyapp.transfer.reading import LONGEST_TITLE, Damaged, amount, count, items, moment, obj, one_of, text

LONGEST_NAME = 200  # characters of a task's name


def run_text(kept: Kept) -> str:
    """One run as JSON, for `exporting.document`."""
    run = kept.run.ended
    value = {
        "id": run.id,
        "task": run.task,
        "title": run.title,
        "created_ms": run.created_ms,
        "changed_ms": run.changed_ms,
        "status": run.status,
        "fraction": run.fraction,
        "by": [asdict(origin) for origin in run.by],
        "usage": asdict(run.usage),
        "worked_ms": run.worked_ms,
        "error": error_record(run.error),
        "given": dict(kept.given),
        "state": kept.state,
    }
    return json.dumps(value, ensure_ascii=False)


def run_read(item: object, new_id: Callable[[], str]) -> Kept:
    """With an id of its own. Raises Damaged."""
    value = obj(item)
    error, fraction = member(value, "error"), member(value, "fraction")
    run = Run(
        id=new_id(),
        task=text(member(value, "task"), LONGEST_NAME),
        title=text(member(value, "title"), LONGEST_TITLE),
        created_ms=moment(member(value, "created_ms")),
        changed_ms=moment(member(value, "changed_ms")),
        status=one_of(member(value, "status"), STATUSES),
        fraction=None if fraction is None else _share(fraction),
        by=tuple(origin_read(obj(each)) for each in items(member(value, "by"))),
        usage=usage_read(obj(member(value, "usage"))),
        worked_ms=count(member(value, "worked_ms")),
        error=None if error is None else error_read(obj(error)),
    )
    return Kept(run.ended, obj(member(value, "given")), member(value, "state"))


def _share(value: object) -> float:
    share = amount(value)
    if share > 1:
        raise Damaged("wrong_type")
    return share


def run_mark(kept: Kept) -> str:
    """Equal for two runs that were given and have made the same."""
    return mark([kept.run.task, dict(kept.given), kept.state])
