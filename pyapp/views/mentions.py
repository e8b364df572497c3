"""Finished elements that a later link reference definition still changes ("see [1]" … "[1]: https://…")."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pyapp.views.blocks import Markdown, References, html_of
from pyapp.views.growing import Settled
from pyapp.views.html import Html, join
from pyapp.views.outline import Outline


@dataclass(slots=True)
class _Mention:
    index: int
    settled: Settled
    outline: Outline  # before it


class Mentions:
    """Remembers the elements with brackets in them, and makes them anew when there are new definitions."""

    def __init__(self, markdown: Markdown) -> None:
        self._markdown = markdown
        self._known: list[_Mention] = []
        self._stale: deque[_Mention] = deque()
        self.references: References = {}  # definitions that no later text can change

    @property
    def stale(self) -> bool:
        return bool(self._stale)

    def add(self, index: int, settled: Settled, outline: Outline) -> None:
        if "[" in settled.source:
            self._known.append(_Mention(index, settled, outline))
            if self.references:  # parts of it may be older than a definition
                self._stale.append(self._known[-1])

    def define(self, references: References) -> None:
        """Adds definitions of labels that had none."""
        if references:
            self.references |= references
            self._stale = deque(self._known)

    def corrected(self, chars: int) -> dict[int, Html]:
        """Elements that have become something else, looking through about `chars` of text."""
        changed: dict[int, Html] = {}
        while self._stale and chars > 0:
            mention = self._stale.popleft()
            chars -= len(mention.settled.source)
            html = join(html_of(mention.settled.source, self._markdown, self.references, mention.outline))
            if html != mention.settled.html:
                changed[mention.index] = html
                mention.settled = Settled(html, mention.settled.source)
        return changed
