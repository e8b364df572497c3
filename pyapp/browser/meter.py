"""How full the model's window is, beside the composer."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from pyapp.browser.page import BrowserPage, by_id
from pyapp.chat.prompt import prompt
from pyapp.chat.session import Session
from pyapp.chat.shown import Opened, SessionEvent
from pyapp.errors import CandilError
from pyapp.settings.context_plan import Meter
from pyapp.settings.tailored import Tailored
from pyapp.views import meter as meter_view


class ContextMeter:
    """Call `session_changed` with every event of `session`, `show` with what requests take, `measure` when the model,
    the settings or the language have changed."""

    def __init__(self, page: BrowserPage, session: Session, tailored: Tailored) -> None:
        self._page = page
        self._session = session
        self._tailored = tailored
        self._measuring: asyncio.Task[None] | None = None

    def session_changed(self, event: SessionEvent) -> None:
        if isinstance(event, Opened):
            self.measure()

    def show(self, value: Meter) -> None:
        button = by_id("meter")
        button.hidden = not value.used_tokens
        button.dataset.level = value.level
        button.title = meter_view.sentence(value, self._page.language)
        button.innerHTML = meter_view.meter(value, self._page.language)

    def measure(self) -> None:
        if not self._session.busy:  # else its request tells
            if self._measuring:
                self._measuring.cancel()
            self._measuring = asyncio.ensure_future(self._measure())

    async def _measure(self) -> None:
        with suppress(CandilError):  # no model yet
            self.show(await self._tailored.measure(prompt(self._session.conversation.path())))
