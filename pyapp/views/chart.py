"""A small line chart as SVG: some series of numbers over the same order, told apart by shape as well as by colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10

from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 12
LOOKS = 4  # series look different from each other up to here
_MARKERS = (
    "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0",
    "M-3.2-3.2h6.4v6.4h-6.4z",
    "M0-4.2L4 3.2H-4z",
    "M0-4.5L4.5 0L0 4.5L-4.5 0z",
)


@dataclass(frozen=True, slots=True)
class Series:
    """`points`: (place in the common order from 0, value from 0)."""

    name: str
    points: tuple[tuple[int, float], ...]


def chart(title: str, series: Sequence[Series], language: Language) -> Html:
    """`title` is what a screen reader says instead of the picture."""
    length = 1 + max((place for each in series for place, _ in each.points), default=0)
    top, step = scale(max((value for each in series for _, value in each.points), default=0.0))
    return fill(
        '<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">{grid}{lines}</svg>',
        width=WIDTH,
        height=HEIGHT,
        title=title,
        grid=join(list(_grid(top, step, language))),
        lines=join([_line(number, each, length, top) for number, each in enumerate(series)]),
    )


def scale(highest: float) -> tuple[float, float]:
    """(top of the axis, step of its lines): at most five lines at 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return 1.0, 1.0
    power = 10.0 ** floor(log10(highest))
    step = next(s for s in (power / 5, power / 2, power, 2 * power) if s * 5 >= highest)
    lines = floor(highest / step)
    return (lines if lines * step >= highest else lines + 1) * step, step


def marker(number: int) -> Html:
    """For the legend."""
    return fill(
        '<svg class="marker series-{look}" viewBox="-6 -6 12 12" aria-hidden="true" focusable="false">'
        '<path d="{path}"/></svg>',
        look=number % LOOKS,
        path=_MARKERS[number % LOOKS],
    )


def _grid(top: float, step: float, language: Language) -> Iterator[Html]:
    for line in range(round(top / step) + 1):
        value = line * step
        yield fill(
            '<path class="grid" d="M{left} {y}H{right}"/><text x="{x}" y="{middle}">{value}</text>',
            left=LEFT,
            right=WIDTH - RIGHT,
            y=_y(value, top),
            middle=_y(value, top) + 4,
            x=LEFT - 8,
            value=language.number(value, 0 if step >= 1 else 1 if step >= 0.1 else 2),
        )


def _line(number: int, series: Series, length: int, top: float) -> Html:
    places = [(_x(place, length), _y(value, top)) for place, value in series.points]
    return fill(
        '<g class="series-{look}"><path class="line" d="{path}"/>{marks}</g>',
        look=number % LOOKS,
        path="M" + "L".join(f"{x} {y}" for x, y in places),
        marks=join(
            [
                fill('<path transform="translate({x} {y})" d="{mark}"/>', x=x, y=y, mark=_MARKERS[number % LOOKS])
                for x, y in places
            ]
        ),
    )


def _x(place: int, length: int) -> float:
    room = WIDTH - LEFT - RIGHT - 16
    return round(LEFT + 8 + (room * place / (length - 1) if length > 1 else room / 2), 1)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top, 1)
