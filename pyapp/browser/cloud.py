"""The cloud on the page: agreed to in the choice dialog or among the models, switched off there, its token entered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from js import document

from pyapp.browser.drawn import Drawn
from pyapp.browser.events import Events
from pyapp.browser.page import by_id
from pyapp.setup.state import SetupState
from pyapp.views import cloud as view

if TYPE_CHECKING:
    from pyapp.browser.app import Candil


class CloudSection:
    def __init__(self, candil: Candil) -> None:
        self._candil = candil
        self._cloud = candil.cloud
        self._drawn = Drawn("models")
        candil.setup.watchers.append(self._setup_changed)

    def connect(self, events: Events) -> None:
        events.add(
            {
                "cloud": lambda _button: self._ask(),
                "cloud-yes": lambda _button: self._agreed(),
                "cloud-no": lambda _button: self._candil.page.choose_again(),
                "cloud-off": lambda _button: self._switch_off(),
            }
        )
        events.on(document, "submit", self._submitted)

    def open(self) -> None:
        """Into the dialog, which has just been drawn."""
        self._drawn.forget()
        self._show()
        asyncio.ensure_future(self._look())  # noqa: RUF006 -- ends by itself

    async def _look(self) -> None:
        await self._cloud.look()
        self._show()

    def _ask(self) -> None:
        """Who has agreed already is not asked again."""
        if self._cloud.on:
            return self._use()
        offer = self._cloud.offer
        assert offer  # the button was there
        self._candil.page.ask_cloud(self._cloud.host, offer.token_required and not self._cloud.has_token)

    def _agreed(self) -> None:
        if token := by_id("cloud-token"):
            self._cloud.set_token(str(token.value))
        self._cloud.switch(True)
        self._use()
        by_id("message").focus()

    def _use(self) -> None:
        self._candil.app.use_model(*self._cloud.described())

    def _switch_off(self) -> None:
        self._cloud.switch(False)
        self._candil.app.withdraw_model(*self._cloud.described())
        self._show()

    def _submitted(self, event: Any) -> None:
        if event.target.closest(".cloud-form"):
            event.preventDefault()
            self._cloud.set_token(str(by_id("cloud-new-token").value))
            if self._cloud.on:
                self._candil.app.retry_setup()
            self._show()

    def _setup_changed(self, _state: SetupState) -> None:
        self._show()

    def _show(self) -> None:
        html = view.section(self._cloud, self._candil.setup.state, self._candil.page.language)
        self._drawn.put('[data-part="cloud"]', html)
