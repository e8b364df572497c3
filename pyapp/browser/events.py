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
        self._waiting: list[tuple[str, Any]] = []  # for an action that is to be added
        self._proxies: list[Any] = []
        self.on(document, "click", self._clicked)

    def add(self, actions: Mapping[str, Action]) -> None:
        self._actions |= actions
        waiting, self._waiting = self._waiting, []
        for name, button in waiting:
            self.do(name, button)

    def do(self, name: str, button: Any = None) -> None:
        """Now, or as soon as there is such an action."""
        if name in self._actions:
            self._actions[name](button)
        else:
            self._waiting.append((name, button))

    def on(self, target: Any, kind: str, handler: Callable[[Any], object]) -> None:
        proxy = create_proxy(handler)
        self._proxies.append(proxy)
        target.addEventListener(kind, proxy)

    def _clicked(self, event: Any) -> None:
        button = event.target.closest("button[data-action]")
        if button:
            self.do(button.dataset.action, button)
