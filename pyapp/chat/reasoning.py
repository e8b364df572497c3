"""Reasoning that an engine tells apart, as the text of an answer has it: in front, in the tag that models write."""

from __future__ import annotations

from pyapp.engine import ReasoningDelta, TextDelta

OPENING, CLOSING = "<think>", "</think>\n\n"


class Reasoning:
    """Of one answer. A tag that the model wrote itself is text like any other."""

    def __init__(self) -> None:
        self._open = False

    def as_text(self, event: TextDelta | ReasoningDelta, so_far: str) -> str:
        """What `event` adds to the text of the answer. Reasoning in the middle of an answer has no place there."""
        if isinstance(event, ReasoningDelta):
            if so_far and not self._open:
                return ""
            opening, self._open = ("" if self._open else OPENING), True
            return opening + event.text
        closing, self._open = (CLOSING if self._open else ""), False
        return closing + event.text
