"""What a model thinks in `<think>…</think>` at the beginning of its text, apart from what it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pyapp.engine import ReasoningDelta, TextDelta

Delta = TextDelta | ReasoningDelta

_OPENING = re.compile(r"\s*<(think|thinking|reasoning)>", re.IGNORECASE)
_MAY_OPEN = re.compile(r"\s*(?:<[a-z]{0,9})?", re.IGNORECASE)


class Thoughts:
    """Sorts the pieces of a text; holds back only what could be part of a tag."""

    def __init__(self) -> None:
        self._state: Literal["opening", "thinking", "answering"] = "opening"
        self._closing = ""
        self._held = ""

    def feed(self, piece: str) -> Iterator[Delta]:
        text, self._held = self._held + piece, ""
        if self._state == "opening":
            text = self._open(text)
        if self._state == "thinking":
            thought, closing, text = text.partition(self._closing)
            if closing:
                self._state = "answering"
            else:
                kept = len(thought) - _overlap(thought, self._closing)
                thought, self._held = thought[:kept], thought[kept:]
            if thought:
                yield ReasoningDelta(thought)
        if text:
            yield TextDelta(text)

    def end(self) -> Iterator[Delta]:
        """The text is complete: what is held is what it looks like."""
        held, self._held = self._held, ""
        if held:
            yield ReasoningDelta(held) if self._state == "thinking" else TextDelta(held)

    def _open(self, text: str) -> str:
        """What is left to sort. Nothing while it is not known whether the text begins with a tag."""
        opening = _OPENING.match(text)
        if opening:
            self._state, self._closing = "thinking", f"</{opening[1]}>"
            return text[opening.end() :]
        if _MAY_OPEN.fullmatch(text):
            self._held = text
            return ""
        self._state = "answering"
        return text


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` could be the beginning of `tag`."""
    return next((n for n in range(len(tag) - 1, 0, -1) if text.endswith(tag[:n])), 0)
