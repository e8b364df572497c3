"""Settings: a wrong value is the default and is reported, what is not known is kept, a chat has its own."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.engine import Sampling
from pyapp.settings.settings import (
    Settings,
    merged,
    overrides,
    parse,
    reset,
    sampling,
    to_json,
    typed,
    typed_overrides,
)
from pyapp.settings.table import BY_KEY, LONGEST_NAME, LONGEST_TEXT, TABLE, Field, Wrong


def test_the_table_and_the_values_name_the_same() -> None:
    assert [f.name for f in fields(Settings)] == [*(row.key for row in TABLE), "unknown"]
    assert len(BY_KEY) == len(TABLE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.key)
def test_every_default_is_allowed(row: Field) -> None:
    assert row.check(row.default) == row.default == Settings().value(row.key)


def test_the_defaults_are_the_engines() -> None:
    assert sampling(Settings()) == Sampling()
    assert sampling(parse({"temperature": 0, "seed": 7}).settings) == Sampling(temperature=0, seed=7)


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("temperature", "0.2", "type"),
        ("temperature", True, "type"),
        ("temperature", None, "type"),
        ("temperature", 2.1, "range"),
        ("temperature", nan, "range"),
        ("temperature", inf, "range"),
        ("top_k", 1.5, "type"),
        ("top_k", -1, "range"),
        ("top_k", 10**400, "range"),
        ("max_new_tokens", 0, "range"),
        ("overflow", "forget", "choice"),
        ("overflow", ["trim"], "choice"),
        ("send_with_enter", 1, "type"),
        ("system_prompt", 5, "type"),
        ("system_prompt", "x" * (LONGEST_TEXT + 1), "length"),
        ("persona_id", "x" * (LONGEST_NAME + 1), "length"),
    ],
)
def test_a_wrong_value_is_the_default_and_is_reported(key: str, value: object, fault: Any) -> None:
    parsed = parse({key: value, "theme": "dark"})
    assert parsed.settings == Settings(theme="dark")
    (wrong,) = parsed.wrong
    assert (wrong.key, wrong.fault) == (key, fault)


def test_what_is_no_object_is_reported() -> None:
    assert parse([]) == parse([])
    assert parse([]).settings == Settings()
    assert parse("x").wrong == (Wrong("", "type", "x"),)
    assert overrides(None).values == {}


def test_only_what_was_chosen_is_kept_and_what_a_later_version_wrote() -> None:
    parsed = parse({"temperature": 0.7, "top_k": 40, "voice": {"speed": 2}})
    assert to_json(parsed.settings) == {"temperature": 0.7, "voice": {"speed": 2}}
    assert to_json(reset(parsed.settings)) == {"voice": {"speed": 2}}


def test_a_whole_number_may_come_as_a_float_and_is_one() -> None:
    assert repr(parse({"top_k": 7.0}).settings.top_k) == "7"
    assert repr(parse({"temperature": 1}).settings.temperature) == "1.0"


def test_a_chat_has_its_own() -> None:
    own = overrides({"temperature": 0.9, "theme": "dark", "top_k": "many", "voice": 1})
    assert own.values == {"temperature": 0.9, "voice": 1}
    assert [wrong.key for wrong in own.wrong] == ["top_k"]
    app = Settings(temperature=0.1, theme="light")
    assert merged(app, {"temperature": 0.9, "theme": "dark", "top_k": "many", "voice": 1}) == replace(
        app, temperature=0.9
    )


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("temperature", "0,7", 0.7),
        ("temperature", " 1 ", 1.0),
        ("seed", "", None),
        ("seed", "12", 12),
        ("theme", "dark", "dark"),
        ("send_with_enter", "on", True),
        ("send_with_enter", "", False),
        ("system_prompt", "Be kind.", "Be kind."),
    ],
)
def test_what_is_typed(key: str, text: str, value: object) -> None:
    assert typed(Settings(), {key: text}).settings.value(key) == value


@pytest.mark.parametrize(
    ("key", "text", "fault"),
    [
        ("temperature", "hot", "type"),
        ("temperature", "", "type"),
        ("temperature", "3", "range"),
        ("theme", "pink", "choice"),
        ("top_k", "nan", "range"),
    ],
)
def test_what_must_not_be_typed(key: str, text: str, fault: str) -> None:
    read = typed(Settings(theme="light"), {key: text, "seed": "3"})
    assert read.settings == Settings(theme="light", seed=3)
    assert [(wrong.key, wrong.fault, wrong.value) for wrong in read.wrong] == [(key, fault, text)]


def test_overriding_and_going_back() -> None:
    own = typed_overrides({"voice": 1, "top_k": 3}, {"temperature": "0.9", "top_k": "5", "seed": "x"}, {"top_k"})
    assert own.values == {"voice": 1, "temperature": 0.9}
    assert [wrong.key for wrong in own.wrong] == ["seed"]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@given(st.one_of(JSON, st.dictionaries(st.sampled_from([row.key for row in TABLE]), JSON)))
def test_whatever_is_stored_gives_settings_that_are_allowed(value: Any) -> None:
    settings = parse(value).settings
    for row in TABLE:
        assert row.check(settings.value(row.key)) == settings.value(row.key)
    known = Settings(**{row.key: settings.value(row.key) for row in TABLE})  # type: ignore[arg-type]
    assert parse(json.loads(json.dumps(to_json(known)))).settings == known
