"""The list of chats by day. Groups are codes and dates; their words are the views' business."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Literal

from pyapp.chat.tree import Chat

Code = Literal["pinned", "today", "yesterday", "days_7", "days_30", "month"]


@dataclass(frozen=True, slots=True)
class Group:
    code: Code
    month: date | None  # the first day of the month, of code "month"
    chats: Sequence[Chat]


def local_day(ms: int) -> date:
    return datetime.fromtimestamp(ms / 1000).date()


def listed(chats: Iterable[Chat]) -> list[Chat]:
    """Those that have a message and are not deleted; pinned first, then newest first."""
    return sorted(
        (chat for chat in chats if chat.head is not None and chat.deleted_ms is None),
        key=lambda chat: (chat.pinned, chat.updated_ms, chat.id),
        reverse=True,
    )


def grouped(chats: Iterable[Chat], now_ms: int, day_of: Callable[[int], date] = local_day) -> tuple[Group, ...]:
    """`listed` chats by when they were last changed. `day_of` gives the day of a time in ms."""
    today = day_of(now_ms)

    def place(chat: Chat) -> tuple[Code, date | None]:
        if chat.pinned:
            return "pinned", None
        day = day_of(chat.updated_ms)
        return _place((today - day).days, day)

    return tuple(Group(code, month, tuple(found)) for (code, month), found in groupby(listed(chats), place))


def _place(days: int, day: date) -> tuple[Code, date | None]:
    if days <= 0:  # also what a wrong clock dates in the future
        return "today", None
    if days == 1:
        return "yesterday", None
    if days <= 7:
        return "days_7", None
    if days <= 30:
        return "days_30", None
    return "month", day.replace(day=1)
