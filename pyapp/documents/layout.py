"""From the pieces of text on a PDF's pages to its paragraphs.

A PDF knows neither lines nor paragraphs, only where each piece stands. Pieces are taken in the file's order, which is
the reading order in what programs write; lines, their distances, indents and sizes tell the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

EDGE_LINES = 2  # at the top and the bottom of a page, that may be a header or a footer
REPEATED = 0.3  # of the pages: what stands at the edge of so many is no text of theirs; odd and even pages differ

_NUMBER = re.compile(r"\d+")
_ONLY_NUMBER = re.compile(r"\W*#\W*")
_ITEM = re.compile(r"[•▪‣◦·*–—-]\s|\(?\w{1,3}[.)]\s")
_SENTENCE_END = re.compile(r"[.!?…:;][\"'”’»)\]]*$")
_HYPHEN = re.compile(r"(\w+)(?:-|\u2010|\u00ad)$")
_WORD = re.compile(r"\w+(?:-\w+)*")


@dataclass(frozen=True, slots=True)
class Piece:
    """In points; `y` goes up, `height` is the font's size and 0 for a space."""

    text: str
    x: float
    y: float
    width: float
    height: float
    ends_line: bool


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    left: float
    right: float
    y: float
    size: float

    @property
    def ends_sentence(self) -> bool:
        return bool(_SENTENCE_END.search(self.text))


def lines_of(pieces: Iterable[Piece]) -> list[Line]:
    """In the file's order; empty ones are left out."""
    found: list[Line] = []
    current: list[Piece] = []
    for piece in pieces:
        if current and abs(piece.y - current[0].y) > max(piece.height, current[0].height) / 2:
            found += _line(current)
            current = []
        if piece.text:
            current.append(piece)
        if piece.ends_line:
            found += _line(current)
            current = []
    return [*found, *_line(current)]


def _line(pieces: Sequence[Piece]) -> list[Line]:
    text = " ".join("".join(piece.text for piece in pieces).split())
    if not text:
        return []
    written = [piece for piece in pieces if piece.text.strip()]
    left, right = min(piece.x for piece in written), max(piece.x + piece.width for piece in written)
    return [Line(text, left, right, pieces[0].y, max(piece.height for piece in written))]


def pages_of(pages: Sequence[Sequence[Line]]) -> list[str]:
    """Each page's paragraphs, with an empty line between two; without headers, footers and page numbers."""
    bodies = without_edges(pages)
    if not any(bodies):  # slides with a line each, and not what surrounds a text
        bodies = [list(page) for page in pages]
    words = {word.lower() for page in bodies for line in page for word in _WORD.findall(line.text)}
    return ["\n\n".join(_joined(lines, words) for lines in paragraphs(page)) for page in bodies]


# ---- headers and footers ----


def without_edges(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages' lines without those that come again at the same place, but for their numbers."""
    seen = Counter(key for page in pages for key in {_key(line) for line in _edges(page)})
    most = max(2.0, REPEATED * len(pages))

    def is_edge(line: Line) -> bool:
        return seen[_key(line)] >= most or bool(_ONLY_NUMBER.fullmatch(_key(line)[0]))

    return [_without(page, [line for line in _edges(page) if is_edge(line)]) for page in pages]


def _edges(page: Sequence[Line]) -> list[Line]:
    by_height = sorted(page, key=lambda line: line.y)
    if len(by_height) <= 2 * EDGE_LINES:
        return by_height
    return by_height[:EDGE_LINES] + by_height[-EDGE_LINES:]


def _key(line: Line) -> tuple[str, int]:
    return _NUMBER.sub("#", line.text), round(line.y / 4)


def _without(page: Sequence[Line], edges: Sequence[Line]) -> list[Line]:
    return [line for line in page if line not in edges]


# ---- paragraphs ----


def paragraphs(page: Sequence[Line]) -> Iterator[list[Line]]:
    gaps = [a.y - b.y for a, b in pairwise(page) if 0 < a.y - b.y < 3 * max(a.size, b.size)]
    leading = median(gaps) if gaps else 0.0
    current: list[Line] = []
    for line in page:
        if current and _begins(current[-1], line, leading):
            yield current
            current = []
        current.append(line)
    if current:
        yield current


def _begins(before: Line, line: Line, leading: float) -> bool:
    """Whether `line` begins a paragraph after `before`."""
    if abs(before.size - line.size) > 0.15 * max(before.size, line.size) or _ITEM.match(line.text):
        return True
    gap = before.y - line.y
    if gap <= 0:  # the next column
        return before.ends_sentence or not line.text[0].islower()
    if gap > 1.3 * leading:
        return True
    is_indented = line.left > before.left + 0.8 * line.size
    is_short = before.right < line.right - 0.15 * (line.right - line.left)
    return before.ends_sentence and (is_indented or is_short)


def _joined(lines: Sequence[Line], words: set[str]) -> str:
    text = lines[0].text
    for line in lines[1:]:
        text = joined(text, line.text, words)
    return text


def joined(text: str, more: str, words: set[str]) -> str:
    """Two lines of a paragraph as one. A word divided between them is whole again, with its hyphen if only so it stands
    elsewhere among `words`."""
    divided = _HYPHEN.search(text)
    rest = re.match(r"\w+", more)
    if not divided or not rest or not more[0].islower():
        return f"{text} {more}"
    whole = f"{divided[1]}{rest[0]}".lower()
    hyphenated = f"{divided[1]}-{rest[0]}".lower()
    keeps = hyphenated in words and whole not in words
    return f"{text[: divided.end(1)]}{'-' if keeps else ''}{more}"
