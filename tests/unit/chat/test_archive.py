"""What was written is read again; what cannot be read does no harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.chat.archive import dumps, loads
from pyapp.chat.conversation import Conversation, Entry
from pyapp.errors import DeviceLost
from tests.unit.chat.scripted import ORIGIN, USAGE

ENTRIES = st.builds(
    Entry,
    id=st.just(0),
    role=st.sampled_from(["user", "assistant"]),
    text=st.text(),
    state=st.sampled_from(["done", "stopped", "error"]),
    origin=st.sampled_from([None, ORIGIN]),
    usage=st.sampled_from([None, USAGE]),
    reason=st.sampled_from([None, "stop", "length"]),
)


@given(st.lists(ENTRIES, max_size=5))
def test_round_trip(entries: list[Entry]) -> None:
    conversation = Conversation()
    for entry in entries:
        conversation = conversation.add(entry)
    assert loads(dumps(conversation)) == conversation


def test_a_growing_answer_is_read_as_a_stopped_one() -> None:
    growing = Conversation().add(Entry(0, "assistant", "half", "streaming", ORIGIN))
    assert [(e.text, e.state) for e in loads(dumps(growing)).entries] == [("half", "stopped")]


def test_errors_keep_their_class_and_details() -> None:
    failed = Conversation().add(Entry(0, "assistant", "half", "error", error=DeviceLost("gone", reason="unknown")))
    error = loads(dumps(failed)).entries[0].error
    assert isinstance(error, DeviceLost)
    assert (error.message, error.details) == ("gone", {"reason": "unknown"})


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", '{"format": 2, "entries": []}', '{"format": 1, "entries": [{}]}']
)
def test_what_cannot_be_read_is_an_empty_conversation(text: str) -> None:
    assert loads(text) == Conversation()
