"""Ranges of numbers as grammar: the numerals of JSON that lie between two bounds, and no others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal

DIGITS = 15  # that many significant ones a double holds exactly
MOST = 10**DIGITS - 1


def alternatives(options: list[str]) -> str:
    return options[0] if len(options) == 1 else "(" + " | ".join(options) + ")"


def digit(low: str, high: str) -> str:
    return f'"{low}"' if low == high else f"[{low}-{high}]"


def same_length(low: str, high: str) -> str:
    """Digit strings from `low` to `high`, as long as these and no longer; leading zeros count."""
    n = len(low)
    if low == high:
        return f'"{low}"' if n else ""
    if n > 1 and low == "0" * n and high == "9" * n:
        return f"[0-9]{{{n}}}"
    first, last = low[0], high[0]
    rest_low, rest_high = low[1:], high[1:]
    if first == last:
        return f'"{first}" {same_length(rest_low, rest_high)}'
    options = []
    if rest_low.strip("0"):
        options.append(f'"{first}" {same_length(rest_low, "9" * (n - 1))}')
        first = chr(ord(first) + 1)
    top = []
    if rest_high.strip("9"):
        top.append(f'"{last}" {same_length("0" * (n - 1), rest_high)}')
        last = chr(ord(last) - 1)
    if first <= last:
        rest = same_length("0" * (n - 1), "9" * (n - 1))
        options.append(f"{digit(first, last)} {rest}".strip())
    return alternatives(options + top)


def natural(low: int, high: int) -> str:
    """0 ≤ low ≤ high, without leading zeros."""
    return alternatives(list(_naturals(low, high)))


def _naturals(low: int, high: int) -> Iterator[str]:
    full: list[int] = []  # lengths of which every number is in it, one after the other
    for n in range(len(str(low)), len(str(high)) + 1):
        least, most = (10 ** (n - 1) if n > 1 else 0), 10**n - 1
        if n > 1 and low <= least and most <= high:
            full.append(n)
        else:
            yield same_length(str(max(low, least)), str(min(high, most)))
    if full:
        yield "[1-9] [0-9]" + (f"{{{full[0] - 1},{full[-1] - 1}}}" if len(full) > 1 else f"{{{full[0] - 1}}}")


def whole(low: int, high: int) -> str:
    """Integers."""
    options = []
    if low < 0:
        options.append('"-" ' + natural(max(1, -high), -low))
    if high >= 0:
        options.append(natural(max(0, low), high))
    return alternatives(options)


def real(low: int, high: int, places: int) -> str:
    """Numbers of at most so many decimal places, or integers; the bounds are in units of the last place."""
    options = []
    if low < 0:
        options.append('"-" ' + _positive(max(1, -high), -low, places))
    if high >= 0:
        options.append(_positive(max(0, low), high, places))
    return alternatives(options)


def _positive(low: int, high: int, places: int) -> str:
    unit = 10**places
    (first, from_), (last, to) = divmod(low, unit), divmod(high, unit)
    if first == last:
        return _with_places(natural(first, first), from_, to, places)
    options = []
    if from_:
        options.append(_with_places(natural(first, first), from_, unit - 1, places))
        first += 1
    top = []
    if to < unit - 1:
        top.append(_with_places(natural(last, last), 0, to, places))
        last -= 1
    if first <= last:
        options.append(f'{natural(first, last)} ("." [0-9]{{1,{places}}})?')
    return alternatives(options + top)


def _with_places(number: str, low: int, high: int, places: int) -> str:
    fraction = '"." ' + same_length(str(low).zfill(places), str(high).zfill(places))
    return f"{number} {fraction}" if low else f"{number} ({fraction})?"


def whole_range(bounds: Mapping[str, float]) -> tuple[int, int]:
    """The integers within JSON Schema's bounds; none when the first is the greater one."""
    low = max(math.ceil(bounds.get("minimum", -MOST)), math.floor(bounds.get("exclusiveMinimum", -MOST - 1)) + 1)
    high = min(math.floor(bounds.get("maximum", MOST)), math.ceil(bounds.get("exclusiveMaximum", MOST + 1)) - 1)
    return max(low, -MOST), min(high, MOST)


def real_range(bounds: Mapping[str, float]) -> tuple[int, int, int] | None:
    """The arguments of `real` for JSON Schema's bounds; None when nothing is between them, or nothing that short."""
    exact = {keyword: Decimal(repr(bound)) for keyword, bound in bounds.items()}
    places = max([2, *map(_places, exact.values())])
    if places >= DIGITS:
        return None
    units = {keyword: bound.scaleb(places) for keyword, bound in exact.items()}
    low = max(math.ceil(units.get("minimum", -MOST)), math.floor(units.get("exclusiveMinimum", -MOST - 1)) + 1)
    high = min(math.floor(units.get("maximum", MOST)), math.ceil(units.get("exclusiveMaximum", MOST + 1)) - 1)
    low, high = max(low, -MOST), min(high, MOST)
    return (low, high, places) if low <= high else None


def _places(number: Decimal) -> int:
    """Decimal places it is written with."""
    _, _, exponent = number.normalize().as_tuple()
    return max(0, -int(exponent))
