"""Reasoning that comes apart is in front of the text, in one tag."""

from __future__ import annotations

import pytest

from pyapp.chat.reasoning import Reasoning
from pyapp.engine import ReasoningDelta, TextDelta
from pyapp.views.reasoning import split


@pytest.mark.parametrize(
    ("before", "events", "text"),
    [
        ("", "Rhm Rm TNo.", "<think>hmm</think>\n\nNo."),
        ("", "TNo.", "No."),
        ("", "Rhm", "<think>hm"),
        ("", "T<think>hm T</think>No.", "<think>hm</think>No."),
        ("Once", "Rhm T-more", "Once-more"),
        ("", "Ra Tb Rc Td", "<think>a</think>\n\nbd"),
    ],
)
def test_as_text(before: str, events: str, text: str) -> None:
    reasoning, so_far = Reasoning(), before
    for event in events.split(" "):
        kind = ReasoningDelta if event[0] == "R" else TextDelta
        so_far += reasoning.as_text(kind(event[1:]), so_far)
    assert so_far == text


def test_the_page_takes_it_apart_again() -> None:
    reasoning = Reasoning()
    text = reasoning.as_text(ReasoningDelta("hm"), "")
    text += reasoning.as_text(TextDelta("No."), text)
    assert split(text) == ("hm", "\n\nNo.")
