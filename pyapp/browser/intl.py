"""The browser's Intl as pyapp.views.formats.Formats."""

from __future__ import annotations

from datetime import date
from typing import Any

from js import Date, Intl, Object
from pyodide.ffi import to_js


def _options(**options: Any) -> Any:
    return to_js(options, dict_converter=Object.fromEntries)


class BrowserFormats:
    """`code` is a BCP 47 tag."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._numbers: dict[int, Any] = {}
        self._plurals = Intl.PluralRules.new(code)
        self._months = Intl.DateTimeFormat.new(code, _options(month="long", year="numeric", timeZone="UTC"))
        self._moments = Intl.DateTimeFormat.new(code, _options(dateStyle="medium", timeStyle="short"))

    def number(self, value: float, digits: int) -> str:
        if digits not in self._numbers:
            # Spanish joins four digits by default; beside longer numbers that reads as a mistake.
            options = _options(minimumFractionDigits=digits, maximumFractionDigits=digits, useGrouping="always")
            self._numbers[digits] = Intl.NumberFormat.new(self._code, options)
        return str(self._numbers[digits].format(value))

    def plural(self, n: int) -> str:
        return str(self._plurals.select(n))

    def month(self, day: date) -> str:
        return str(self._months.format(Date.UTC(day.year, day.month - 1, day.day)))

    def moment(self, ms: int) -> str:
        return str(self._moments.format(ms))
