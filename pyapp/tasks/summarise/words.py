"""What texts have in common, by their words: where a point comes from, what bears it out, what is said twice.

Words count without their endings, by how rare they are in the whole text; words that are in every text do not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

BEGINNING = 4  # letters that words have in common at least
SAME = 0.55  # of the longer of two words that begins like the other: "dance" and "dancing"
FOUND_MORE = 0.2  # of a point that a further source must explain
MOST_SOURCES = 3
SHORT = 4  # words: a sentence of fewer says little
TWICE = 0.6  # of what two points say together: they say the same

_RUN = re.compile(r"\w+")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")  # scripts that put no space between words
_SMALL = """
about after also although among another because been before being between both could does during each even from have
having here however into itself just like many more most much must only other over same should since some such than
that their them then there these they this those through under until upon very were what when where which while whose
will with within without would your
algo algunas algunos ante antes aquel aquella aquellos aunque bajo cada como contra cual cuales cuando cuyo desde donde
durante ella ellas ellos entre esas esos esta estaba estado estamos estas este esto estos fueron haber había habían hace
hacia hasta incluso luego mientras mismo mucha muchas mucho muchos nada otra otras otro otros para pero poco porque pues
puede pueden quien quienes según siempre sido siendo sino sobre solo también tanto tener tiene tienen toda todas todo
todos unas unos
"""
_EVERYWHERE = frozenset(_SMALL.split())


@lru_cache(maxsize=4096)  # every point is compared with those before it
def content(text: str) -> Sequence[str]:
    """The words that make a difference, in their order: numbers of any length, other words from four letters."""
    return tuple(_content(text.lower()))


def _content(text: str) -> Iterator[str]:
    for run in _RUN.findall(text):
        if _UNSPACED.fullmatch(run):
            yield from (run[at : at + 2] for at in range(max(1, len(run) - 1)))
        elif is_number(run) or (len(run) > 3 and run not in _EVERYWHERE):
            yield run


def is_number(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def alike(word: str, other: str) -> bool:
    """The same, or different in the ending only."""
    if word == other or is_number(word) or is_number(other):
        return word == other
    beginning = max(BEGINNING, math.ceil(SAME * max(len(word), len(other))))
    return word[:beginning] == other[:beginning]


@dataclass(frozen=True, slots=True)
class Found:
    """Where what a text says is found, best first, and what share of it: 0 where a number of it is not."""

    places: Sequence[int]
    share: float


class Texts:
    """Several texts, as sources of others."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._count = len(texts)
        self._places: dict[str, frozenset[int]] = {}
        self._by_beginning: dict[str, dict[str, set[int]]] = {}
        for at, text in enumerate(texts):
            for word in content(text):
                self._by_beginning.setdefault(word[:BEGINNING], {}).setdefault(word, set()).add(at)

    def places(self, word: str) -> frozenset[int]:
        """Of the texts that have it."""
        if word not in self._places:
            others = self._by_beginning.get(word[:BEGINNING], {})
            self._places[word] = frozenset().union(*(at for other, at in others.items() if alike(word, other)))
        return self._places[word]

    def source(self, text: str, within: Collection[int]) -> Found:
        """Of the texts `within` (never none). There is always a place, if only the first."""
        left = {word: self.places(word).intersection(within) for word in content(text)}
        total = sum(map(self._weight, left))
        missing = total
        places: list[int] = []
        while len(places) < MOST_SOURCES:
            gains = dict.fromkeys(sorted(within), 0.0)
            for word, at in left.items():
                for place in at:
                    gains[place] += self._weight(word)
            best = max(gains, key=gains.__getitem__)
            if places and gains[best] < max(FOUND_MORE * total, 1e-9):
                break
            places.append(best)
            missing -= gains[best]
            left = {word: at for word, at in left.items() if best not in at}
        is_sure = total > 0 and not any(map(is_number, left))
        return Found(places, min(1.0, max(0.0, 1 - missing / total)) if is_sure else 0.0)

    def centrality(self, text: str) -> float:
        """How much of what all the texts are about is in this one, for its length."""
        words = content(text)
        return sum(len(self.places(word)) / self._count for word in set(words)) / (len(words) + SHORT)

    def _weight(self, word: str) -> float:
        return math.log(1 + self._count / (0.5 + len(self.places(word))))


def nearest(text: str, others: Sequence[str]) -> str | None:
    """The one of `others` that has most in common with `text`, for its length; None where nothing has."""
    words = set(content(text))

    def likeness(other: str) -> float:
        theirs = set(content(other))
        return 2 * _common(words, theirs) / (len(words) + len(theirs)) if words and theirs else 0.0

    best = max(others, key=likeness, default=None)
    return best if best is not None and likeness(best) > 0 else None


def is_said(text: str, before: Iterable[str]) -> bool:
    """Whether one of those `before` says it already, or nothing is said at all."""
    words = set(content(text))
    return not words or any(_overlap(words, set(content(other))) >= TWICE for other in before)


def _overlap(words: set[str], others: set[str]) -> float:
    """Of the shorter one; none where each has a number that the other has not: reports say the same of each year."""
    numbers, theirs = set(filter(is_number, words)), set(filter(is_number, others))
    if not others or (numbers - theirs and theirs - numbers):
        return 0.0
    return _common(words, others) / min(len(words), len(others))


def _common(words: Collection[str], others: Collection[str]) -> int:
    beginnings: dict[str, list[str]] = {}
    for other in others:
        beginnings.setdefault(other[:BEGINNING], []).append(other)
    return sum(any(alike(word, other) for other in beginnings.get(word[:BEGINNING], ())) for word in words)
