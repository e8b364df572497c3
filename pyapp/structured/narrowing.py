"""What a pattern leaves room for: the lengths of its texts, and a narrower pattern for some of them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from pyapp.structured.pattern import Alt, Char, Node, Repeat, Seq


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
