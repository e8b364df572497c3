"""Ends a text before the first of some strings, for engines that cannot do it themselves."""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Text, cut anywhere, in; what may be shown out. What could yet become a stop string is held back."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.stopped = False

    def push(self, text: str) -> str:
        if self.stopped:
            return ""
        text = self._held + text
        found = [at for at in map(text.find, self._stops) if at >= 0]
        self.stopped = bool(found)
        end = min(found) if found else len(text) - self._unsure(text)
        self._held = text[end:]
        return text[:end]

    def flush(self) -> str:
        """What was held back, when the text has ended without a stop string."""
        held, self._held = self._held, ""
        return "" if self.stopped else held

    def _unsure(self, text: str) -> int:
        """Characters at the end of `text` that are the beginning of a stop string."""
        return max(
            (n for stop in self._stops for n in range(1, min(len(stop), len(text) + 1)) if text.endswith(stop[:n])),
            default=0,
        )
