"""The page of this device's speeds in its dialog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from pyapp.browser.events import Events
from pyapp.browser.page import by_id
from pyapp.errors import CandilError
from pyapp.speeds import Figure, Speeds
from pyapp.views.language import Language
from pyapp.views.speeds import page


class SpeedsDialog:
    def __init__(self, speeds: Speeds, language: Callable[[], Language]) -> None:
        self._speeds = speeds
        self._language = language
        self._figures: Sequence[Figure] = ()
        self._task: asyncio.Future[None] | None = None

    def connect(self, events: Events) -> None:
        events.add(
            {
                "open-figures": self.open,
                "figures-close": lambda _button: by_id("figures").close(),
                "figures-ask": lambda _button: self._draw(asks_to_clear=True, focus="keep"),
                "figures-keep": lambda _button: self._draw(focus="ask"),
                "figures-clear": lambda _button: self._do(self._clear()),
            }
        )

    def open(self, _button: Any) -> None:
        self._draw()
        by_id("figures").showModal()
        self._do(self._read())

    async def _read(self) -> None:
        self._figures = await self._speeds.read()
        self._draw(focus="close")

    async def _clear(self) -> None:
        await self._speeds.clear()
        await self._read()

    def _draw(self, *, asks_to_clear: bool = False, focus: str | None = None) -> None:
        dialog = by_id("figures")
        dialog.innerHTML = page(self._figures, self._language(), asks_to_clear=asks_to_clear)
        if focus:
            dialog.querySelector(f'[data-action="figures-{focus}"]').focus()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.ensure_future(self._said(work))

    async def _said(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except CandilError as error:
            by_id("figures").lastElementChild.textContent = self._language().error(error)
