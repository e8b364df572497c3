"""A text cut where its author cut it: into sentences, and into excerpts that a point of the summary can lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST = 700  # characters of an excerpt: what one finds a sentence in at a glance
SHORTEST = 120  # a shorter paragraph, such as a heading, goes with the next
LONGEST_SENTENCE = 400

_PARAGRAPHS = re.compile(r"\n\s*\n")
_CONTROL = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f]")
_END = re.compile(r"""[.!?…。！？]["'”’»)\]]*(\s+|(?<=[。！？]))""")
_OPENING = "“\"'‘«¿¡([—–- "
_SHORTENED = re.compile(
    r"(?:\b(?:[^\W\d_]|Dr|Dra|Mr|Mrs|Ms|Sr|Sra|St|vs|etc|cf|ej|pág|núm|art|fig|Prof|approx|aprox))\.$"
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`id` is the page and the place on it, "3.2"; the same text gives the same ones."""

    id: str
    page: int
    text: str


def excerpts(pages: Sequence[str]) -> list[Excerpt]:
    return [
        Excerpt(f"{number}.{place}", number, text)
        for number, page in enumerate(pages, start=1)
        for place, text in enumerate(_pieces(page), start=1)
    ]


def sentences(text: str) -> list[str]:
    """Of one paragraph, without the spaces between them."""
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        following = text[end.end() :].lstrip(_OPENING)
        if (following and following[0].islower()) or _SHORTENED.search(text[start : end.start() + 1]):
            continue
        found.append(text[start : end.end()].strip())
        start = end.end()
    return [*found, *filter(None, [text[start:].strip()])]


def _pieces(page: str) -> Iterator[str]:
    waiting = ""
    for paragraph in _PARAGRAPHS.split(_CONTROL.sub(" ", page)):
        text = " ".join(paragraph.split())
        waiting = f"{waiting} {text}".strip()
        if len(waiting) >= SHORTEST:
            yield from _cut(waiting)
            waiting = ""
    if waiting:
        yield from _cut(waiting)


def _cut(text: str) -> Iterator[str]:
    """At the ends of sentences, into pieces that are not too long."""
    piece = ""
    for sentence in sentences(text):
        for part in _parts(sentence):
            if piece and len(piece) + 1 + len(part) > LONGEST:
                yield piece
                piece = ""
            piece = f"{piece} {part}".strip()
    yield piece


def _parts(sentence: str) -> Iterator[str]:
    """A sentence without end is cut between words, or anywhere."""
    while len(sentence) > LONGEST_SENTENCE:
        space = sentence.rfind(" ", 1, LONGEST_SENTENCE)
        at = space if space > 0 else LONGEST_SENTENCE
        yield sentence[:at]
        sentence = sentence[at:].lstrip()
    yield sentence
