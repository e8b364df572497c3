"""The self-test of the runtime: what is drawn on the page goes to the network, and its answer onto the page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from js import window

from pyapp.browser.bridge import Bridge
from pyapp.browser.events import Events
from pyapp.browser.page import by_id
from pyapp.digit import SIZE, Digits, Pixels, Point, digits, name, pixels
from pyapp.errors import CandilError
from pyapp.models.capabilities import Capabilities
from pyapp.views.digit import PLACE, answer, self_test
from pyapp.views.language import Language

LINE = 20  # CSS pixels


class DigitTest:
    """`capabilities` is None until the device was looked at; nothing is shown before."""

    def __init__(
        self, bridge: Bridge, capabilities: Callable[[], Capabilities | None], language: Callable[[], Language]
    ) -> None:
        self._bridge = bridge
        self._capabilities = capabilities
        self._language = language
        self._digits: Digits | None = None
        self._strokes: list[list[Point]] = []
        self._drawing = False
        self._tasks: set[asyncio.Future[None]] = set()

    def connect(self, events: Events) -> None:
        events.add(
            {
                "digit-sample": lambda button: self._sample(int(button.dataset.digit)),
                "digit-clear": lambda _button: self._clear(),
            }
        )
        dialog = by_id("models")
        events.on(dialog, "pointerdown", self._begun)
        events.on(dialog, "pointermove", self._moved)
        events.on(window, "pointerup", self._ended)

    def open(self) -> None:
        """Into the dialog of models, which has just been drawn."""
        self._do(self._show())

    async def _show(self) -> None:
        self._digits = self._digits or await digits(self._bridge)
        place = by_id("models").querySelector('[data-part="digit"]')
        if self._digits and self._capabilities() and place:
            place.innerHTML = self_test(self._digits, self._language())
            self._strokes = []

    # ---- drawing ----

    def _begun(self, event: Any) -> None:
        if event.target.id == "digit-drawing":
            event.preventDefault()
            self._drawing = True
            self._strokes.append([self._point(event)])
            self._line(self._strokes[-1])

    def _moved(self, event: Any) -> None:
        if self._drawing and event.target.id == "digit-drawing":
            self._strokes[-1].append(self._point(event))
            self._line(self._strokes[-1][-2:])

    def _ended(self, _event: Any) -> None:
        if self._drawing:
            self._drawing = False
            self._ask(pixels(self._strokes))

    def _point(self, event: Any) -> Point:
        box = event.target.getBoundingClientRect()
        return (event.clientX - box.left) * PLACE / box.width, (event.clientY - box.top) * PLACE / box.height

    def _line(self, points: list[Point]) -> None:
        ink = self._ink()
        ink.lineWidth, ink.lineCap, ink.lineJoin = LINE, "round", "round"
        ink.beginPath()
        ink.moveTo(*points[0])
        ink.lineTo(*points[-1])
        ink.stroke()

    def _ink(self) -> Any:
        drawing = by_id("digit-drawing")
        ink = drawing.getContext("2d")
        ink.strokeStyle = ink.fillStyle = window.getComputedStyle(drawing).color
        return ink

    def _clear(self) -> None:
        self._strokes = []
        self._ink().clearRect(0, 0, PLACE, PLACE)
        self._say(None)

    def _sample(self, digit: int) -> None:
        assert self._digits is not None  # its button is there
        self._clear()
        image = self._digits.samples[digit]
        ink, side = self._ink(), PLACE / SIZE
        for place, share in enumerate(image):
            ink.globalAlpha = share
            ink.fillRect(place % SIZE * side, place // SIZE * side, side, side)
        ink.globalAlpha = 1
        self._ask(image)

    # ---- the answer ----

    def _ask(self, image: Pixels) -> None:
        self._do(self._name(image))

    async def _name(self, image: Pixels) -> None:
        capabilities = self._capabilities()
        assert capabilities is not None  # nothing was shown before
        try:
            self._say(await name(image, self._bridge, capabilities))
        except CandilError as error:
            self._say(error)

    def _say(self, what: Any) -> None:
        place = by_id("models").querySelector('[data-part="digit-answer"]')
        if place:
            place.innerHTML = answer(what, self._language())

    def _do(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
