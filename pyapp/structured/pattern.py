"""The regular subset of ECMA-262's patterns: read once, matched in linear time, and written into grammars.

As JSON Schema has them: Unicode code points, found anywhere in a text unless anchored. What is not regular (back
references, lookaround) or says something about its surroundings (\\b, anchors inside) is not in the subset.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
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


def lengths(node: Node) -> tuple[int, float]:
    """The least and the most characters (math.inf: any number) of what it matches."""
    match node:
        case Char(found):
            return (1, 1) if found else (0, -math.inf)
        case Seq(parts):
            pairs = list(map(lengths, parts))
            return sum(low for low, _ in pairs), sum(high for _, high in pairs)
        case Alt(options):
            pairs = list(map(lengths, options))
            return min(low for low, _ in pairs), max(high for _, high in pairs)
        case Repeat(inner, least, most):
            low, high = lengths(inner)
            times = math.inf if most is None else most
            return low * least, high * times if high and times else 0
        case _ as unknown:
            assert_never(unknown)


def fitted(node: Node, least: int, most: int) -> Node | None:
    """What matches nothing that `node` does not, and only texts of so many characters; None when that is not simple.

    Repetitions are narrowed, all of them to the same count, as little as will do.
    """
    if lengths(node)[0] < least:
        times = bisect_left(range(least), True, key=lambda k: lengths(_at_least(node, k))[0] >= least)
        node = _at_least(node, times)
    if lengths(node)[1] > most:
        longest = node
        times = bisect_left(range(most), True, key=lambda k: lengths(_at_most(longest, k + 1))[1] > most)
        node = _at_most(node, times)
    low, high = lengths(node)
    return node if least <= low and high <= most else None


def _at_most(node: Node, times: int) -> Node:
    def narrowed(repeat: Repeat) -> Repeat:
        most = times if repeat.most is None else min(repeat.most, times)
        return replace(repeat, most=max(repeat.least, most))

    return _changed(node, narrowed)


def _at_least(node: Node, times: int) -> Node:
    def narrowed(repeat: Repeat) -> Repeat:
        least = times if repeat.most is None else min(repeat.most, times)
        return replace(repeat, least=max(repeat.least, least))

    return _changed(node, narrowed)


def _changed(node: Node, change: Callable[[Repeat], Repeat]) -> Node:
    match node:
        case Char():
            return node
        case Seq(parts):
            return Seq(tuple(_changed(part, change) for part in parts))
        case Alt(options):
            return Alt(tuple(_changed(option, change) for option in options))
        case Repeat(inner, least, most):
            return change(Repeat(_changed(inner, change), least, most))
        case _ as unknown:
            assert_never(unknown)


class Matcher:
    """A pattern's automaton: as many steps as there are characters, whatever the pattern."""

    def __init__(self, node: Node) -> None:
        self._free: list[list[int]] = []  # state -> states that are reached without a character
        self._steps: list[tuple[Ranges, int] | None] = []
        self._end = self._state()
        self._start = self._before(node, self._end)
        self._known: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, text: str) -> bool:
        return self._end in reduce(self._step, text, self._reached([self._start]))

    def _state(self, *free: int, step: tuple[Ranges, int] | None = None) -> int:
        self._free.append(list(free))
        self._steps.append(step)
        return len(self._free) - 1

    def _before(self, node: Node, after: int) -> int:
        """The state from which `node` leads to `after`."""
        match node:
            case Char(found):
                return self._state(step=(found, after))
            case Seq(parts):
                return reduce(lambda end, part: self._before(part, end), reversed(parts), after)
            case Alt(options):
                return self._state(*(self._before(option, after) for option in options))
            case Repeat(inner, least, most):
                if most is None:
                    again = self._state(after)
                    self._free[again].append(self._before(inner, again))
                    after = again
                for _ in range(0 if most is None else most - least):
                    after = self._state(after, self._before(inner, after))
                for _ in range(least):
                    after = self._before(inner, after)
                return after
            case _ as unknown:
                assert_never(unknown)

    def _reached(self, states: Iterable[int]) -> frozenset[int]:
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state not in found:
                found.add(state)
                waiting.extend(self._free[state])
        return frozenset(found)

    def _step(self, states: frozenset[int], character: str) -> frozenset[int]:
        known = self._known.get((states, character))
        if known is None:
            known = self._known[states, character] = self._reached(self._after(states, ord(character)))
        return known

    def _after(self, states: frozenset[int], point: int) -> Iterator[int]:
        for state in states:
            step = self._steps[state]
            if step is not None and any(low <= point <= high for low, high in step[0]):
                yield step[1]


@lru_cache(64)
def matcher(pattern: str) -> Matcher:
    """Raises NotRegular."""
    return Matcher(parsed(pattern))


def is_writable(node: Node) -> bool:
    """Every character of it, or another in its place, can stand in a JSON text as a model writes it."""
    match node:
        case Char(found):
            return any(high >= 0x20 and not 0xD800 <= low <= high <= 0xDFFF for low, high in found) or any(
                low <= point <= high for low, high in found for point in (9, 10, 13)
            )
        case Seq(parts) | Alt(parts):
            return all(map(is_writable, parts))
        case Repeat(inner):
            return is_writable(inner)
        case _ as unknown:
            assert_never(unknown)
