"""How numbers and times are written. The browser knows it of every language: pyapp.browser.intl."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol


class Formats(Protocol):
    """Of one language."""

    def number(self, value: float, digits: int) -> str:
        """With exactly `digits` decimals, and its thousands apart."""
        ...

    def plural(self, n: int) -> str:
        """The CLDR category of a count: "one", "other", and what else the language has."""
        ...

    def month(self, day: date) -> str:
        """The month and year that `day` is in."""
        ...

    def moment(self, ms: int) -> str:
        """Day and time of day, where the reader is, of a time in ms since 1970."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """Where there is no browser: readable, and the same for every language but for the marks of numbers."""

    group: str = ","
    decimal: str = "."

    def number(self, value: float, digits: int) -> str:
        marks = {",": self.group, ".": self.decimal}
        return "".join(marks.get(c, c) for c in f"{value:,.{digits}f}")

    def plural(self, n: int) -> str:
        return "one" if n == 1 else "other"

    def month(self, day: date) -> str:
        return f"{day:%Y-%m}"

    def moment(self, ms: int) -> str:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}"
