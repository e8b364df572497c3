"""site/chats.schema.json describes what is exported, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pyapp.chat.tree import Conversation
from pyapp.settings.settings import Settings, parse
from pyapp.settings.table import TABLE
from pyapp.transfer.exporting import chat_text, document
from pyapp.transfer.form import FORMAT, VERSION
from pyapp.transfer.importing import Skipped, source
from pyapp.transfer.reading import LATEST_MS
from tests.unit.transfer.made import NOW, conversations, damaged, ids, talk

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "site" / "chats.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
ROWS = SCHEMA["$defs"]["settings"]["properties"]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@given(st.lists(conversations(), max_size=2))
def test_every_export_follows_it(chats: list[Conversation]) -> None:
    chosen = Settings(theme="dark", seed=7, context_tokens=None)
    VALIDATOR.validate(json.loads(document([chat_text(each) for each in chats], NOW, chosen, [])))


@given(damaged(json.loads(document([chat_text(talk())], NOW))["chats"][0]))
def test_what_follows_it_is_imported_but_for_its_tree(value: Any) -> None:
    """The tree (cycles, two of one id, missing parents) is what a schema cannot say."""
    file = {"format": FORMAT, "version": VERSION, "chats": [value]}
    (read,) = source(json.dumps(file), ids(), NOW).chats({})
    if not isinstance(read, Skipped):
        return
    tree = read.reason in ("cycle", "duplicate_id", "missing_parent")
    assert tree or not VALIDATOR.is_valid(file), read


def test_it_knows_the_form() -> None:
    assert SCHEMA["properties"]["format"]["const"] == FORMAT
    assert SCHEMA["properties"]["version"]["const"] == VERSION
    assert SCHEMA["$defs"]["time"]["maximum"] == LATEST_MS


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.key)
def test_settings_are_those_of_the_table(row: Any) -> None:
    described = ROWS[row.key]
    if row.choices:
        assert described == {"enum": list(row.choices)}
    elif row.kind in ("number", "integer"):
        assert (described["minimum"], described["maximum"]) == (row.low, row.high)
    validator = Draft202012Validator(described)
    for value in (row.default, None, "x", 5, 0.5, True):
        if validator.is_valid(value):
            assert parse({row.key: value}).wrong == ()
    assert validator.is_valid(row.default)
    assert set(ROWS) == {each.key for each in TABLE}
