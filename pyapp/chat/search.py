"""Finds words in titles and messages while they are typed, whatever their accents and capitals."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SNIPPET_CHARACTERS = 120
Ranges = tuple[tuple[int, int], ...]


class _Folding(dict[int, str | None]):
    """For str.translate: a character without its accent and capital; combining marks go away."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        parts = unicodedata.normalize("NFD", character)
        if all(unicodedata.combining(mark) for mark in parts[1:]):  # not so those of a Korean syllable
            character = parts[0]
        folded = None if unicodedata.combining(character) else character.lower()[:1]
        self[code] = folded
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Without accents and capitals: as long as `text`, or shorter where it is written with combining marks."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Part of a text, with the places in it that were looked for: (start, end) each."""

    text: str
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Found:
    """A chat; `entry_id` is the newest message with all the words, None when only the title has them."""

    chat_id: str
    title: Excerpt
    entry_id: str | None = None
    message: Excerpt | None = None


@dataclass
class Index:
    """Every message as it is and as it is compared. Grows as chats are read; a message is put again when it changes."""

    _texts: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)  # chat -> message -> (text, folded)
    _titles: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __contains__(self, chat_id: str) -> bool:
        return chat_id in self._texts

    def count(self, chat_id: str) -> int:
        """How many messages of a chat are known so far."""
        return len(self._texts.get(chat_id, ()))

    def put(self, chat_id: str, texts: Mapping[str, str]) -> None:
        """Messages by id, oldest first."""
        known = self._texts.setdefault(chat_id, {})
        for entry_id, text in texts.items():
            known[entry_id] = (text, fold(text))

    def drop(self, chat_id: str, entry_ids: Iterable[str] | None = None) -> None:
        """Forgets messages, or the whole chat."""
        if entry_ids is None:
            self._texts.pop(chat_id, None)
            self._titles.pop(chat_id, None)
            return
        for entry_id in entry_ids:
            self._texts.get(chat_id, {}).pop(entry_id, None)

    def search(self, query: str, titles: Mapping[str, str], most: int = 50) -> Sequence[Found]:
        """The first `most` chats with every word of `query` in their title or in one of their messages.

        `titles` are those of the chats there are, by id, in the order they are to be found.
        """
        words = fold(unicodedata.normalize("NFC", query)).split()  # Hangul may be typed in its parts
        found: list[Found] = []
        for chat_id, title in titles.items() if words else ():
            hit = self._find(chat_id, title, words)
            if hit:
                found.append(hit)
                if len(found) == most:
                    break
        return found

    def _find(self, chat_id: str, title: str, words: Sequence[str]) -> Found | None:
        in_title = _has(self._title(chat_id, title), words)
        first, *others = words
        for entry_id, (text, folded) in reversed(self._texts.get(chat_id, {}).items()):
            if first in folded and _has(folded, others):
                message = excerpt(text, words, SNIPPET_CHARACTERS)
                return Found(chat_id, excerpt(title, words, len(title)), entry_id, message)
        return Found(chat_id, excerpt(title, words, len(title))) if in_title else None

    def _title(self, chat_id: str, title: str) -> str:
        known = self._titles.get(chat_id)
        if known is None or known[0] != title:
            self._titles[chat_id] = known = (title, fold(title))
        return known[1]


def _has(folded: str, words: Iterable[str]) -> bool:
    return all(word in folded for word in words)


def excerpt(text: str, words: Sequence[str], most: int) -> Excerpt:
    """About `most` characters of `text` around the first of `words` (folded), with the places of all of them."""
    start = _start(text, words, most)
    part = " ".join(text[start : start + most].split())
    if start:
        part = "…" + part
    return Excerpt(part + ("…" if start + most < len(text) else ""), _ranges(part, words))


def _start(text: str, words: Sequence[str], most: int) -> int:
    """Where the excerpt begins: a little before the first word that is looked for, at the beginning of a word."""
    if len(text) <= most:
        return 0
    folded = fold(text)
    first = min((at for at in map(folded.find, words) if at >= 0), default=0)
    if len(folded) != len(text):
        first = _places(text)[first]
    begin = first - most // 4
    if begin <= 0:
        return 0
    space = text.find(" ", begin, first)
    return begin if space < 0 else space + 1


def _ranges(text: str, words: Iterable[str]) -> Ranges:
    folded = fold(text)
    places = range(len(text) + 1) if len(folded) == len(text) else _places(text)
    found: list[tuple[int, int]] = []
    for word in words:
        at = folded.find(word)
        while at >= 0:
            found.append((places[at], places[at + len(word)]))
            at = folded.find(word, at + len(word))
    return _merged(found)


def _places(text: str) -> Sequence[int]:
    """Where in `text` each character of its folded form begins; last, the end."""
    places = [place for place, character in enumerate(text) if fold(character)]
    return [*places, len(text)]


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
