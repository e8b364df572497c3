"""Records and back; what is damaged or newer is named and harms nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pyapp.chat.records import VERSION, KeptChat, chat_record, entry_record, read_all, read_chat, read_entry
from pyapp.chat.tree import Attachment
from pyapp.errors import DeviceLost
from tests.unit.chat.made import chat, entry
from tests.unit.chat.scripted import ORIGIN, USAGE

CHAT = chat(title="سلام", pinned=True, head="1", draft="d", settings={"seed": 1}, chosen={"": "1"}, deleted_ms=3)
ENTRY = entry(
    "1",
    role="assistant",
    attachments=(Attachment("a", "b"),),
    origin=ORIGIN,
    usage=USAGE,
    reason="length",
    state="error",
    error=DeviceLost("gone", device="x"),
)


def test_a_chat_and_a_message_come_back_as_they_were() -> None:
    assert read_chat(json.loads(json.dumps(chat_record(CHAT, 7)))) == KeptChat(CHAT, 7)
    back = read_entry(json.loads(json.dumps(entry_record(ENTRY))))
    assert replace(back, error=None) == replace(ENTRY, error=None)
    assert isinstance(back.error, DeviceLost)
    assert (back.error.message, back.error.details) == ("gone", {"device": "x"})
    plain = entry("2")
    assert read_entry(entry_record(plain)) == plain


@pytest.mark.parametrize(
    "damage",
    [
        {"id": 1},
        {"pinned": "yes"},
        {"created_ms": True},
        {"titled_by": "nobody"},
        {"chosen": []},
        {"v": "2"},
        {"rev": None},
        {"settings": 5},
    ],
)
def test_a_damaged_chat_is_named(damage: dict[str, Any]) -> None:
    record = chat_record(CHAT, 1) | damage
    read = read_all([record, chat_record(chat("whole"), 1)], read_chat)
    assert [kept.chat.id for kept in read.values] == ["whole"]
    assert read.damaged == [str(record["id"])]


@pytest.mark.parametrize("record", [None, [], {}, {"v": VERSION}, entry_record(ENTRY) | {"usage": {"x": 1}}])
def test_a_damaged_message_is_named(record: Any) -> None:
    read = read_all([record], read_entry)
    assert (read.values, len(read.damaged)) == ([], 1)


def test_what_a_newer_version_wrote_is_left_alone() -> None:
    read = read_all([entry_record(ENTRY) | {"v": VERSION + 1, "role": "tool"}], read_entry)
    assert (read.values, read.damaged, read.newer) == ([], [], ["1"])
