"""The regular subset of ECMA-262's patterns: read once, then matched (automaton.py) and written into grammars.

As JSON Schema has them: Unicode code points, found anywhere in a text unless anchored. What is not regular (back
references, lookaround) or says something about its surroundings (\\b, anchors inside) is not in the subset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

LONGEST = 1000  # characters of a pattern
DEEPEST = 20  # groups in groups
MOST_STATES = 1000  # with every repetition written out
LAST = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]  # of code points, both ends in it; sorted, apart


class NotRegular(ValueError):
    """The pattern is none, or not in the subset."""


@dataclass(frozen=True, slots=True)
class Char:
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Seq:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    node: Node
    least: int
    most: int | None = None


Node = Char | Seq | Alt | Repeat


def ranges(*pairs: tuple[int, int]) -> Ranges:
    """The union of them."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(pairs):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def others(of: Ranges) -> Ranges:
    """Every code point that is not in it."""
    starts = [0, *(high + 1 for _, high in of)]
    ends = [*(low - 1 for low, _ in of), LAST]
    return tuple((low, high) for low, high in zip(starts, ends, strict=True) if low <= high)


def points(characters: str) -> Ranges:
    return ranges(*((ord(c), ord(c)) for c in characters))


DIGITS = ranges((0x30, 0x39))
WORD = ranges((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACE = ranges(*points("\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"), (0x2000, 0x200A))
CLASSES = {"d": DIGITS, "w": WORD, "s": SPACE, "D": others(DIGITS), "W": others(WORD), "S": others(SPACE)}
CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
SIGNS: Mapping[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
NO_NEWLINE = others(points("\n\r\u2028\u2029"))
ANYTHING = Repeat(Char(((0, LAST),)), 0)


@lru_cache(64)
def parsed(pattern: str) -> Node:
    """What a whole text must be for `pattern` to be found in it. Raises NotRegular."""
    if len(pattern) > LONGEST:
        raise NotRegular("too long")
    node = _Reader(pattern).whole()
    if _states(node) > MOST_STATES:
        raise NotRegular("too large")
    return node


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0

    def whole(self) -> Node:
        options = []
        while True:
            start = () if self._taken("^") else (ANYTHING,)
            node = self._sequence(0)
            end = () if self._taken("$") else (ANYTHING,)
            options.append(Seq((*start, node, *end)))
            if not self._taken("|"):
                break
        if self._at < len(self._text):
            raise NotRegular("what follows is in no group")
        return _alt(options)

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        if self._at == len(self._text):
            raise NotRegular("it ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def _taken(self, text: str) -> bool:
        found = self._text.startswith(text, self._at)
        self._at += len(text) * found
        return found

    def _sequence(self, depth: int) -> Node:
        parts: list[Node] = []
        while self._next() not in ("", "|", ")", "$"):
            parts.append(self._repeated(self._atom(depth)))
        return parts[0] if len(parts) == 1 else Seq(tuple(parts))

    def _atom(self, depth: int) -> Node:
        match self._take():
            case "(":
                return self._group(depth + 1)
            case "[":
                return Char(self._class())
            case ".":
                return Char(NO_NEWLINE)
            case "\\":
                return Char(self._escape())
            case "^" | "*" | "+" | "?" | "{" as what:
                raise NotRegular(f"{what} is not expected there")
            case character:
                return Char(points(character))

    def _group(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise NotRegular("too deep")
        if not self._taken("?:") and self._next() == "?":
            raise NotRegular("neither lookaround nor names")
        options = [self._sequence(depth)]
        while self._taken("|"):
            options.append(self._sequence(depth))
        if not self._taken(")"):
            raise NotRegular("a group has no end")
        return _alt(options)

    def _repeated(self, node: Node) -> Node:
        sign = self._next()
        if sign != "{" and sign not in SIGNS:
            return node
        self._take()
        least, most = self._counts() if sign == "{" else SIGNS[sign]
        self._taken("?")  # a lazy one matches the same texts
        return Repeat(node, least, most)

    def _counts(self) -> tuple[int, int | None]:
        inside, found, self._text = self._text[self._at :].partition("}")
        self._at = 0
        low, comma, high = inside.partition(",")
        if not found or not _is_count(low) or (high and not _is_count(high)):
            raise NotRegular("a repetition has no count")
        least, most = int(low), int(high) if high else (None if comma else int(low))
        if most is not None and most < least:
            raise NotRegular("a repetition's counts are the wrong way round")
        return least, most

    def _class(self) -> Ranges:
        negated = self._taken("^")
        found: list[tuple[int, int]] = []
        while not self._taken("]"):
            first = self._class_atom()
            if self._next() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._take()
                found.append(_range(first, self._class_atom()))
            else:
                found.extend(first)
        return others(ranges(*found)) if negated else ranges(*found)

    def _class_atom(self) -> Ranges:
        character = self._take()
        if character != "\\":
            return points(character)
        return points("\b") if self._taken("b") else self._escape()

    def _escape(self) -> Ranges:
        match self._take():
            case "d" | "D" | "w" | "W" | "s" | "S" as name:
                return CLASSES[name]
            case "t" | "n" | "v" | "f" | "r" | "0" as name:
                return points(chr(CONTROLS[name]))
            case "x":
                return self._code_point(2)
            case "u":
                return self._braced() if self._taken("{") else self._code_point(4)
            case name if name.isalnum():
                raise NotRegular(f"\\{name} is not regular, or nothing")
            case character:
                return points(character)

    def _code_point(self, digits: int) -> Ranges:
        return _hexadecimal("".join(self._take() for _ in range(digits)))

    def _braced(self) -> Ranges:
        digits = ""
        while not self._taken("}"):
            digits += self._take()
        return _hexadecimal(digits)


def _is_count(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) < 5


def _hexadecimal(digits: str) -> Ranges:
    if not 0 < len(digits) < 7 or not set(digits) <= set("0123456789abcdefABCDEF") or int(digits, 16) > LAST:
        raise NotRegular("that is no code point")
    return points(chr(int(digits, 16)))


def _range(first: Ranges, last: Ranges) -> tuple[int, int]:
    (low, one), *more = first
    (other, high), *most = last
    if more or most or low != one or other != high or low > high:
        raise NotRegular("that is no range")
    return low, high


def _alt(options: Sequence[Node]) -> Node:
    return options[0] if len(options) == 1 else Alt(tuple(options))


def _states(node: Node) -> int:
    match node:
        case Char():
            return 1
        case Seq(parts) | Alt(parts):
            return sum(map(_states, parts)) + len(parts)
        case Repeat(inner, least, most):
            return (_states(inner) + 1) * max(least + (most is None), most or 0)
        case _ as unknown:
            assert_never(unknown)
