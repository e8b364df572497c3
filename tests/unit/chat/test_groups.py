"""The list by day."""

from __future__ import annotations

from datetime import date

from pyapp.chat.groups import grouped, local_day
from tests.unit.chat.made import chat

DAY = 86_400_000
TODAY = date(2026, 3, 15).toordinal()


def day_of(ms: int) -> date:
    return date.fromordinal(ms // DAY)


def test_the_newest_first_by_day_and_the_pinned_before_them() -> None:
    ages = {
        "future": -3,
        "now": 0,
        "yesterday": 1,
        "week": 2,
        "also": 7,
        "weeks": 8,
        "far": 31,
        "farther": 74,
        "pin": 99,
    }
    chats = [chat(name, head="x", updated_ms=(TODAY - age) * DAY, pinned=name == "pin") for name, age in ages.items()]
    groups = grouped([*chats, chat("empty"), chat("gone", head="x", deleted_ms=1)], TODAY * DAY, day_of)
    assert [(g.code, g.month, [c.id for c in g.chats]) for g in groups] == [
        ("pinned", None, ["pin"]),
        ("today", None, ["future", "now"]),
        ("yesterday", None, ["yesterday"]),
        ("days_7", None, ["week", "also"]),
        ("days_30", None, ["weeks"]),
        ("month", date(2026, 2, 1), ["far"]),
        ("month", date(2025, 12, 1), ["farther"]),
    ]


def test_a_day_is_the_readers_own() -> None:
    assert abs((local_day(0) - date(1970, 1, 1)).days) <= 1
