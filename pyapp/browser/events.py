"""What happens on the page, brought to Python: one listener for all clicks, and those that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from js import document
from pyodide.ffi import create_proxy

Action = Callable[[Any], None]  # is given the button


class Events:
    """A button names what it does in data-action; the proxies live as long as the page."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}
        self._proxies: list[Any] = []
        self.on(document, "click", self._clicked)

    def add(self, actions: Mapping[str, Action]) -> None:
        self._actions |= actions

    def on(self, target: Any, kind: str, handler: Callable[[Any], object]) -> None:
        proxy = create_proxy(handler)
        self._proxies.append(proxy)
        target.addEventListener(kind, proxy)

    def _clicked(self, event: Any) -> None:
        button = event.target.closest("button[data-action]")
        if button:
            self._actions[button.dataset.action](button)
