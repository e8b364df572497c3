"""An answer's headings below the page's own: the first is one level under the page's title, none skips a level.

Models begin with "###" as readily as with "#". What a heading looks like follows what was written (data-written);
what a screen reader is told follows its place.
"""

from __future__ import annotations

import re

from pyapp.views.html import Html

Outline = tuple[int, ...]  # the written levels of the headings that what follows is under, outermost first

_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)
_DEEPEST = 6


def levelled(html: Html, outline: Outline = ()) -> tuple[Html, Outline]:
    """The same HTML with its headings' levels in the page, and the outline after it."""
    parts: list[str] = []
    end = 0
    for match in _HEADING.finditer(html):
        written = int(match[1])
        outline = (*(level for level in outline if level < written), written)
        tag = f"h{min(1 + len(outline), _DEEPEST)}"
        parts += [html[end : match.start()], f'<{tag} data-written="{written}">{match[2]}</{tag}>']
        end = match.end()
    return Html("".join([*parts, html[end:]])), outline
