"""A language: its sentences, numbers, sizes and times as text."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from pyapp.errors import CandilError
from pyapp.views.formats import Formats, Plain
from pyapp.views.strings import LANGUAGES


class Blank(dict[str, object]):
    """Details an error did not carry show as nothing rather than as a crash of the error message itself."""

    def __missing__(self, key: str) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Language:
    """`code` is a key of LANGUAGES."""

    code: str
    formats: Formats = field(default_factory=Plain, compare=False)
    own: Mapping[str, str] = field(default_factory=dict, compare=False)  # a task's sentences, beside ours

    @property
    def strings(self) -> Mapping[str, str]:
        return ChainMap(LANGUAGES[self.code], dict(self.own)) if self.own else LANGUAGES[self.code]

    def having(self, strings: Mapping[str, Mapping[str, str]]) -> Language:
        """With the sentences of a task too, in English where it does not speak this language."""
        return replace(self, own=strings.get(self.code) or strings.get("en") or {})

    def text(self, key: str, **values: object) -> str:
        """The sentence of `key` with its {names} filled in. Raises KeyError for an unknown key (a bug)."""
        return self.strings[key].format_map(values) if values else self.strings[key]

    def count(self, key: str, n: int, **values: object) -> str:
        """The sentence for as many: "<key>.one", "<key>.other" and what else the language has, each with {n}."""
        exact = f"{key}.{self.formats.plural(n)}"
        return self.text(exact if exact in self.strings else f"{key}.other", n=self.number(n), **values)

    def number(self, value: float, digits: int = 0) -> str:
        """1234.5 -> "1,234.5" (en), "1.234,5" (es)."""
        return self.formats.number(value, digits)

    def month(self, day: date) -> str:
        return self.formats.month(day)

    def moment(self, ms: int) -> str:
        return self.formats.moment(ms)

    def percent(self, fraction: float) -> str:
        """Rounded down, so that 100 % means done."""
        return f"{int(100 * fraction)}\N{NO-BREAK SPACE}%"

    def size(self, n_bytes: int) -> str:
        """Bytes in decimal units, as operating systems and hubs show them."""
        for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
            if n_bytes >= scale:
                value = n_bytes / scale
                return f"{self.number(value, 0 if value >= 100 else 1)}\N{NO-BREAK SPACE}{unit}"
        return f"{n_bytes}\N{NO-BREAK SPACE}B"

    def duration(self, seconds: float) -> str:
        """Coarse on purpose: an estimate to the second would be a lie."""
        if seconds < 60:
            return self.text("time.seconds", n=max(1, round(seconds)))
        if seconds < 3600:
            return self.text("time.minutes", n=round(seconds / 60))
        return self.text("time.hours", n=int(seconds // 3600), m=int(seconds % 3600 // 60))

    def error(self, error: CandilError) -> str:
        """What happened and what to do next, in this language."""
        details = Blank(error.details, message=error.message)
        details.update(self._derived(error.details))
        return self.strings[f"error.{error.code}"].format_map(details)

    def _derived(self, details: Mapping[str, object]) -> dict[str, object]:
        shown: dict[str, object] = {}
        prompt, context = details.get("prompt_tokens"), details.get("context_tokens")
        if isinstance(prompt, int) and isinstance(context, int):
            room = context - 1  # at least one token must be left for the answer
            shown = {
                "prompt_tokens": self.number(prompt),
                "room": self.number(room),
                "excess": self.number(prompt - room),
            }
        for name in ("bytes_needed", "limit_bytes"):
            n_bytes = details.get(name)
            if isinstance(n_bytes, int):
                shown[name] = self.size(n_bytes)
        return shown


def pick(wanted: list[str]) -> str:
    """The code of the first of `wanted` (BCP 47 tags, best first) that we speak, else English."""
    codes = (tag.lower().split("-")[0] for tag in wanted)
    return next((code for code in codes if code in LANGUAGES), "en")
