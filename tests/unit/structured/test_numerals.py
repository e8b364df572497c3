"""Ranges of numbers: every numeral between the bounds, and no other."""

from __future__ import annotations

import re
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pyapp.structured import numerals

ANY = st.integers(-numerals.MOST, numerals.MOST)
NEAR = st.integers(-1300, 1300)


def regex(expression: str) -> re.Pattern[str]:
    """The grammar of a numeral as Python's pattern."""
    parts = re.findall(r'"([^"]*)"|([^" ]+)', expression)
    return re.compile("".join(re.escape(text) if text else rest for text, rest in parts))


@given(NEAR, NEAR, NEAR)
def test_integers_near_the_bounds(one: int, other: int, number: int) -> None:
    low, high = sorted((one, other))
    assert bool(regex(numerals.whole(low, high)).fullmatch(str(number))) == (low <= number <= high)


@given(ANY, ANY, ANY, st.integers(-2, 2))
def test_integers_of_any_length(one: int, other: int, number: int, near: int) -> None:
    low, high = sorted((one, other))
    pattern = regex(numerals.whole(low, high))
    for n in (number, low + near, high + near):
        assert bool(pattern.fullmatch(str(n))) == (low <= n <= high)


@given(NEAR, NEAR, NEAR, st.integers(2, 3))
def test_decimals(one: int, other: int, number: int, places: int) -> None:
    low, high = sorted((one, other))
    pattern = regex(numerals.real(low, high, places))
    written = str(Decimal(number).scaleb(-places))
    assert bool(pattern.fullmatch(written)) == (low <= number <= high)
    if number % 10**places == 0 and low <= number <= high:
        assert pattern.fullmatch(str(number // 10**places))


@given(NEAR, NEAR)
def test_there_is_no_other_way_to_write_them(one: int, other: int) -> None:
    low, high = sorted((one, other))
    pattern = regex(numerals.real(low, high, 2))
    for text in ("", "-", "-0", "-0.00", "00", "01", ".5", "1.", "+1", "1e3", "1.000", "0x1"):
        assert not pattern.fullmatch(text)


def test_bounds() -> None:
    assert numerals.whole_range({}) == (-numerals.MOST, numerals.MOST)
    assert numerals.whole_range({"minimum": 1.5, "exclusiveMaximum": 4}) == (2, 3)
    assert numerals.whole_range({"exclusiveMinimum": 1.5, "maximum": 1e300}) == (2, numerals.MOST)
    assert numerals.real_range({"minimum": -0.5, "exclusiveMaximum": 1}) == (-50, 99, 2)
    assert numerals.real_range({"exclusiveMinimum": 0.125}) == (126, numerals.MOST, 3)
    assert numerals.real_range({"maximum": 1e-16}) is None  # nobody writes that
    assert numerals.real_range({"minimum": 1, "exclusiveMaximum": 1}) is None
