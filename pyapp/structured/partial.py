"""The value of a JSON document that is still being written.

What it gives only grows: members and items are added, a text gets longer, and what is there stays as it is. So a number
or a word counts once what follows it shows that it has ended, and a text at once. Around the document there may be
words, and in it commas too many and line breaks in texts. Nothing is ever raised: where it is no JSON it stops.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyapp.engine import Json

DEEPEST = 100  # lists and objects in each other
LONGEST_WORD = 400  # characters of a number, true, false, null

_FIRST = re.compile(r"\s*[\[{\"]")
_LATER = re.compile(r"[\[{]")
_SPACE = re.compile(r"[ \t\r\n]*")
_PLAIN = re.compile(r'[^"\\]*')
_WORD = re.compile(r"[A-Za-z0-9.+-]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}


def partial(text: str) -> Json:
    """The value as far as `text` goes; None when there is none yet."""
    growth = Growth()
    growth.feed(text)
    return growth.value


@dataclass(slots=True)
class _Open:
    """A list or an object that has not ended. Its last member is not in it while that is open itself."""

    value: dict[str, Json] | list[Json]
    wants: str = "item"  # item: or the end; colon; value: of a member; comma: or the end
    key: str = ""

    def add(self, member: Json) -> None:
        if isinstance(self.value, list):
            self.value.append(member)
        else:
            self.value[self.key] = member

    def with_last(self, members: list[Json]) -> Json:
        """A copy with that one, if any, as the last."""
        copy = _Open(self.value.copy(), key=self.key)
        for member in members:
            copy.add(member)
        return copy.value


class Growth:
    """Pieces of a document in, its value out: as many steps as there are characters, whatever the pieces."""

    def __init__(self) -> None:
        self._rest = ""  # what does not say yet what it is: the beginning of a word, of an escape
        self._talked = False  # there are words before the document
        self._begun = False
        self._ended = False  # the document, or what is JSON of it
        self._open: list[_Open] = []
        self._text: str | None = None  # of a string that has not ended
        self._whole: list[Json] = []  # the value, when nothing is open any more
        self._changed = False

    @property
    def complete(self) -> bool:
        return bool(self._whole)

    @property
    def value(self) -> Json:
        """Of its own: it does not change when more is fed. Costs as much as there is along the way to its end."""
        return next(self.values(), None)

    def values(self) -> Iterator[Json]:
        """The value, then without what is open last, then without what that is in, and so on."""
        if self._whole:
            yield self._whole[0]
            return
        if self._text is not None and not self._in_key():
            yield from self._around([self._text], len(self._open))
        for depth in range(len(self._open), 0, -1):
            yield from self._around([], depth)

    def _around(self, last: list[Json], depth: int) -> list[Json]:
        """What is open, so many levels of it, with that as the last member of all; or that, when nothing is open."""
        for frame in reversed(self._open[:depth]):
            last = [frame.with_last(last)]
        return last

    def feed(self, piece: str) -> bool:
        """Whether the value has changed."""
        self._rest += piece
        self._changed = False
        at = 0
        while at < len(self._rest) and not self._ended:
            after = self._step(at)
            if after == at:
                break
            at = after
        self._rest = "" if self._ended else self._rest[at:]
        return self._changed

    def _step(self, at: int) -> int:
        """Where what was understood from `at` on ends; `at` when that needs more."""
        if not self._begun:
            at = self._begin(at)
            if not self._begun:
                return at
        if self._text is not None:
            return self._in_text(at)
        after = _end_of(_SPACE, self._rest, at)
        return after if after > at else self._token(at)

    def _begin(self, at: int) -> int:
        """Where the document begins: at the first bracket, or at a quotation mark before which there is nothing."""
        start = (None if self._talked else _FIRST.match(self._rest, at)) or _LATER.search(self._rest, at)
        self._begun = bool(start)
        self._talked |= not self._rest.isspace()
        return start.end() - 1 if start else len(self._rest)

    def _token(self, at: int) -> int:
        character = self._rest[at]
        wants = self._open[-1].wants if self._open else "value"
        if character in "]}":
            return self._close(character, wants, at)
        if character == "," and wants in ("item", "comma"):
            self._open[-1].wants = "item"
        elif character == ":" and wants == "colon":
            self._open[-1].wants = "value"
        elif wants in ("comma", "colon"):
            return self._stop()
        elif character == '"':
            self._text = ""
            self._changed |= not self._in_key()
        elif self._in_key():
            return self._stop()
        elif character in "[{":
            return self._nest({} if character == "{" else [], at)
        else:
            return self._word(at)
        return at + 1

    def _in_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].wants == "item"

    def _nest(self, value: dict[str, Json] | list[Json], at: int) -> int:
        if len(self._open) == DEEPEST:
            return self._stop()
        self._open.append(_Open(value))
        self._changed = True
        return at + 1

    def _close(self, character: str, wants: str, at: int) -> int:
        if wants not in ("item", "comma") or isinstance(self._open[-1].value, dict) != (character == "}"):
            return self._stop()
        self._add(self._open.pop().value)
        return at + 1

    def _word(self, at: int) -> int:
        after = _end_of(_WORD, self._rest, at)
        word = self._rest[at:after]
        if after == len(self._rest) and 0 < len(word) < LONGEST_WORD:
            return at
        value: Json = math.nan
        if word in _WORDS:
            value = _WORDS[word]
        elif _NUMBER.fullmatch(word) and len(word) < LONGEST_WORD:
            value = json.loads(word)
        if isinstance(value, float) and not math.isfinite(value):
            return self._stop()
        self._add(value)
        self._changed = True
        return after

    def _in_text(self, at: int) -> int:
        assert self._text is not None
        after = _end_of(_PLAIN, self._rest, at)
        if after > at:
            self._grow(self._rest[at:after])
            return after
        if self._rest[at] == "\\":
            return self._escape(at)
        text, self._text = self._text, None
        if self._in_key():
            self._open[-1].key, self._open[-1].wants = text, "colon"
        else:
            self._add(text)
        return at + 1

    def _grow(self, text: str) -> None:
        self._text = (self._text or "") + text
        self._changed |= not self._in_key()

    def _escape(self, at: int) -> int:
        found = unescaped(self._rest[at + 1 : at + 12])
        if found is None:
            return at
        character, length = found
        if not length:
            return self._stop()
        self._grow(character)
        return at + 1 + length

    def _add(self, value: Json) -> None:
        if self._open:
            self._open[-1].add(value)
            self._open[-1].wants = "comma"
        else:
            self._whole.append(value)
            self._ended = True

    def _stop(self) -> int:
        self._ended = True
        return len(self._rest)


def unescaped(rest: str) -> tuple[str, int] | None:
    """What a backslash and then `rest` mean, and how much of `rest` that takes: 0 when it means nothing.

    None when more is needed. Half a pair of surrogates is U+FFFD: it could be neither shown nor stored.
    """
    if rest[:1] != "u":
        return (_ESCAPES.get(rest[0], ""), int(rest[0] in _ESCAPES)) if rest else None
    high = _hexadecimal(rest[1:5])
    if high is None:
        return None if len(rest) < 5 else ("", 0)
    if not 0xD800 <= high < 0xDC00:
        return "\ufffd" if 0xDC00 <= high < 0xE000 else chr(high), 5
    low = _hexadecimal(rest[7:11]) if rest[5:7] == "\\u" else None
    if low is not None and 0xDC00 <= low < 0xE000:
        return chr(0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00), 11
    could_be = len(rest) < 11 and (rest[5:7] == "\\u" or "\\u".startswith(rest[5:7]))
    return None if could_be else ("\ufffd", 5)


def _hexadecimal(digits: str) -> int | None:
    return int(digits, 16) if len(digits) == 4 and all(d in "0123456789abcdefABCDEF" for d in digits) else None


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
