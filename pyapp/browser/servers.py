"""The servers in the dialog of models: draws what has changed, and turns clicks into calls of ServersPage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from js import document

from pyapp.browser.drawn import Drawn
from pyapp.browser.events import Events
from pyapp.browser.page import by_id
from pyapp.servers_page import ServersPage, Shown
from pyapp.views import servers as view
from pyapp.views.language import Language


class ServersSection:
    def __init__(self, page: ServersPage, language: Callable[[], Language]) -> None:
        self._page = page
        self._language = language
        self._drawn = Drawn("models")
        page.on_change = self._show

    def connect(self, events: Events) -> None:
        page = self._page
        events.add(
            {
                "servers-look": lambda _button: page.look(),
                "server-use": lambda button: page.use(_address(button), button.closest("[data-model]").dataset.model),
                "server-reconnect": lambda button: page.reconnect(_address(button)),
                "server-forget": lambda button: page.forget(_address(button)),
            }
        )
        events.on(document, "submit", self._submitted)

    def open(self) -> None:
        """Into the dialog, which has just been drawn."""
        self._drawn.forget()
        by_id("models").querySelector('[data-part="servers"]').innerHTML = view.section(self._language())
        self._page.open()

    def _submitted(self, event: Any) -> None:
        if event.target.closest(".server-form"):
            event.preventDefault()
            self._page.connect(by_id("server-address").value, by_id("server-key").value)

    def _show(self, shown: Shown) -> None:
        language = self._language()
        self._drawn.put('[data-part="server-list"]', view.servers(shown, language))
        self._drawn.put('[data-part="server-findings"]', view.findings(shown, language))
        self._drawn.put('[data-part="server-message"]', view.message(shown, language))


def _address(button: Any) -> str:
    return str(button.closest("[data-address]").dataset.address)
