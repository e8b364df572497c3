"""A growing answer as sentences for a screen reader: each once, none before it is whole."""

from __future__ import annotations

import re

_END = re.compile(r"[.!?…:。！？]+[\"'»”)\]]*\s|\n")


class Sentences:
    """Give it the whole text so far each time; it remembers what was said."""

    def __init__(self) -> None:
        self._said = 0

    def feed(self, text: str) -> str:
        """The sentences that have become whole since the last call, or nothing."""
        if len(text) < self._said:
            self._said = 0
        ends = [m.end() for m in _END.finditer(text, self._said)]
        if not ends:
            return ""
        new, self._said = text[self._said : ends[-1]].strip(), ends[-1]
        return new

    def rest(self, text: str) -> str:
        """What is left when the text has ended; the next text starts anew."""
        new, self._said = text[self._said :].strip(), 0
        return new
