"""The runtime's self-test: a drawn digit becomes eight by eight pixels, and a small network on this device names it.

What the network learnt from was scanned at 32 x 32 dots, and each pixel is how many of its 4 x 4 dots are ink; what is
drawn is treated the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, hypot
from typing import Literal

from pyapp.engine import Transport, values
from pyapp.errors import CandilError, EngineError
from pyapp.models.capabilities import Capabilities

Point = tuple[float, float]
Stroke = Sequence[Point]
Pixels = tuple[float, ...]

DATA_URL = "digits/digits.json"
SIZE = 8
DOTS = 4  # to a pixel, in each direction
SIDE = SIZE * DOTS
PEN = 2.8  # dots from a line's middle to its edge: about as thick as in the data


@dataclass(frozen=True, slots=True)
class Digits:
    """What the build has made: one image of each digit, and how good the network is on images it has not seen."""

    accuracy: float
    samples: tuple[Pixels, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What the network says, and what it took."""

    probabilities: tuple[float, ...]  # of 0 to 9
    run_ms: float
    load_ms: float  # 0 when it was loaded before
    device: Literal["wasm", "webgpu"]

    @property
    def digit(self) -> int:
        return max(range(10), key=self.probabilities.__getitem__)


def pixels(strokes: Sequence[Stroke]) -> Pixels:
    """Ink from 0 to 1, row by row; the drawing fills the height, or the width if it is wider, and is centred."""
    points = [point for stroke in strokes for point in stroke]
    if not points:
        return (0.0,) * SIZE**2
    left, top = min(x for x, _ in points), min(y for _, y in points)
    width, height = max(x for x, _ in points) - left, max(y for _, y in points) - top
    room = SIDE - 2 * PEN
    scale = room / (max(width, height) or 1)

    def placed(point: Point) -> Point:
        x, y = point
        return (SIDE - width * scale) / 2 + (x - left) * scale, (SIDE - height * scale) / 2 + (y - top) * scale

    inked = {dot for stroke in strokes for at in _along([placed(p) for p in stroke]) for dot in _under(at)}
    return tuple(
        sum((DOTS * row + y, DOTS * column + x) in inked for y in range(DOTS) for x in range(DOTS)) / DOTS**2
        for row in range(SIZE)
        for column in range(SIZE)
    )


def _along(stroke: Stroke) -> Iterator[Point]:
    """Points less than a dot apart."""
    yield stroke[0]
    for (x, y), (to_x, to_y) in pairwise(stroke):
        steps = ceil(hypot(to_x - x, to_y - y)) or 1
        yield from ((x + (to_x - x) * i / steps, y + (to_y - y) * i / steps) for i in range(1, steps + 1))


def _under(point: Point) -> Iterator[tuple[int, int]]:
    """The dots that a pen at `point` covers, as (row, column)."""
    x, y = point
    for row in range(int(y - PEN), int(y + PEN) + 1):
        for column in range(int(x - PEN), int(x + PEN) + 1):
            if hypot(column + 0.5 - x, row + 0.5 - y) <= PEN:
                yield row, column


async def digits(transport: Transport) -> Digits | None:
    """None where the build has made none."""
    try:
        told = json.loads((await values(transport, "page.read", {"url": DATA_URL}))[-1]["body"])
        return Digits(float(told["accuracy"]), tuple(tuple(map(float, image)) for image in told["samples"]))
    except (CandilError, ValueError, KeyError, TypeError):
        return None


async def name(image: Pixels, transport: Transport, capabilities: Capabilities) -> Named:
    """By the graphics card if there is one, and where that fails by the processor. Raises EngineError."""
    if capabilities.webgpu:
        try:
            return await _name(image, transport, "webgpu")
        except EngineError:
            await values(transport, "page.replace_worker", {"worker": "digits"})
    return await _name(image, transport, "wasm")


async def _name(image: Pixels, transport: Transport, device: Literal["wasm", "webgpu"]) -> Named:
    answer = (await values(transport, "digits.name", {"pixels": list(image), "device": device}))[-1]
    return Named(tuple(answer["probabilities"]), answer["run_ms"], answer["load_ms"], device)
