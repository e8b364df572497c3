"""The task's own sentences, said."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyapp.tasks.classify.strings import STRINGS
from pyapp.views.formats import Formats, Plain


@dataclass
class Saying:
    """Implements pyapp.tasks.task.Say."""

    code: str
    formats: Formats = field(default_factory=Plain)

    def text(self, key: str, **values: object) -> str:
        return STRINGS[self.code][key].format_map(values)

    def count(self, key: str, n: int, **values: object) -> str:
        return self.text(f"{key}.{self.formats.plural(n)}", n=self.number(n), **values)

    def number(self, value: float, digits: int = 0) -> str:
        return self.formats.number(value, digits)

    def percent(self, fraction: float) -> str:
        return f"{int(100 * fraction)}\N{NO-BREAK SPACE}%"


EN = Saying("en")
ES = Saying("es")
