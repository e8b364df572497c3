"""The rules: what is done to them, and what they are as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pyapp.errors import ImportTooNew, ImportUnreadable
from pyapp.routing.rules import (
    KINDS,
    ROWS,
    VERSION,
    Row,
    Rules,
    always,
    differences,
    dumps,
    loads,
    moved,
    parse,
    to_json,
    toggled,
    typed,
    with_long,
)

HEAD = {"format": "candil.routing", "version": 1}
MINE = always(
    moved(replace(Rules(), privacy="ask", most_cost=2.5, long_words=30), "code", "builtin", -1), "data", "m/v"
)


def test_every_kind_has_a_row_and_nothing_leaves_unasked() -> None:
    assert set(ROWS) == set(KINDS)
    assert Rules().privacy == "device_only"


def test_one_comes_earlier_or_later() -> None:
    assert moved(Rules(), "code", "builtin", -1).rows["code"].order == ("builtin", "device", "own_server")
    assert moved(Rules(), "code", "builtin", 1).rows["code"].order == ("device", "own_server", "builtin")
    assert moved(Rules(), "code", "device", -1) == Rules() == moved(Rules(), "code", "own_server", 1)


def test_one_is_left_out_and_comes_back_and_somebody_stays() -> None:
    rules = toggled(toggled(Rules(), "code", "device"), "code", "own_server")
    assert rules.rows["code"].order == ("builtin",)
    assert toggled(rules, "code", "builtin") == rules
    assert toggled(rules, "code", "cloud").rows["code"].order == ("builtin", "cloud")


def test_long_texts_leave_or_stay() -> None:
    assert with_long(Rules(), "summarise", True).rows["summarise"].long_leaves
    assert not with_long(Rules(), "chat", False).rows["chat"].long_leaves


def test_numbers_are_read_as_people_write_them() -> None:
    assert typed(Rules(), "long_words", " 250 ").long_words == 250
    assert typed(Rules(), "least_tokens_per_s", "7,5").least_tokens_per_s == 7.5
    assert typed(Rules(), "most_cost", "0").most_cost == 0
    assert typed(MINE, "most_cost", "").most_cost is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("long_words", ""),
        ("long_words", "-1"),
        ("least_tokens_per_s", "nan"),
        ("most_cost", "much"),
        ("most_cost", "1e9"),
    ],
)
def test_what_is_no_number_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        typed(Rules(), name, text)


def test_they_come_back_from_a_file_and_from_what_is_kept() -> None:
    for rules in (Rules(), MINE, with_long(MINE, "research", True)):
        assert loads(dumps(rules)) == rules
        assert parse(json.loads(json.dumps(differences(rules)))) == rules


def test_only_what_differs_is_kept() -> None:
    assert differences(Rules()) == HEAD
    assert differences(MINE).keys() == {*HEAD, "privacy", "most_cost", "long_words", "kinds"}
    kinds: Any = differences(MINE)["kinds"]
    assert kinds.keys() == {"code", "data"}


def test_what_is_not_said_is_as_it_is_unasked() -> None:
    assert parse(HEAD) == Rules()
    row = {"order": ["cloud"]}
    assert parse(HEAD | {"kinds": {"chat": row}}).rows["chat"] == Row(("cloud",))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "else"},
        {"version": 0},
        {"privacy": "none"},
        {"long_words": 1.5},
        {"long_words": 10**9},
        {"least_tokens_per_s": True},
        {"least_tokens_per_s": "fast"},
        {"most_cost": -1},
        {"kinds": []},
        {"kinds": {"cooking": {"order": ["cloud"]}}},
        {"kinds": {"chat": {}}},
        {"kinds": {"chat": {"order": []}}},
        {"kinds": {"chat": {"order": ["moon"]}}},
        {"kinds": {"chat": {"order": ["cloud", "cloud"]}}},
        {"kinds": {"chat": {"order": ["cloud"], "long_leaves": 1}}},
        {"kinds": {"chat": {"order": ["cloud"], "always": None}}},
        {"kinds": {"chat": {"order": ["cloud"], "always": "x" * 1001}}},
    ],
)
def test_what_is_wrong_is_refused_whole(change: dict[str, Any]) -> None:
    with pytest.raises(ImportUnreadable, match=r"^\$"):
        parse({**to_json(MINE), **change})


@pytest.mark.parametrize("value", [None, [], "rules", {}])
def test_what_are_no_rules_are_refused(value: object) -> None:
    with pytest.raises(ImportUnreadable):
        parse(value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"format": NaN}'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ImportUnreadable):
        loads(text)


def test_rules_of_a_later_candil_are_told_apart() -> None:
    with pytest.raises(ImportTooNew) as refused:
        loads(json.dumps(to_json(MINE) | {"version": VERSION + 1}))
    assert refused.value.details == {"version": VERSION + 1, "known": VERSION}
