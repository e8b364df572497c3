"""Keys pressed anywhere in the page. The elements they stand for say so: data-shortcut="name of the shortcut"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from js import document
from pyodide.ffi import create_proxy

from pyapp.views import shortcuts

TYPING = "input, textarea, select, [contenteditable]"


class Keyboard:
    """`actions` are those of shortcuts without an element of their own."""

    def __init__(self, actions: Mapping[str, Callable[[], None]]) -> None:
        self._actions = actions
        self._proxy = create_proxy(self._pressed)
        document.addEventListener("keydown", self._proxy)

    def _pressed(self, event: Any) -> None:
        if document.querySelector("dialog[open]") or event.isComposing or event.altKey:
            return
        typing = bool(event.target.closest and event.target.closest(TYPING))
        action = shortcuts.action(event.key, mod=event.ctrlKey or event.metaKey, shift=event.shiftKey, typing=typing)
        if action is None:
            return
        if action in self._actions:
            event.preventDefault()
            return self._actions[action]()
        target = document.querySelector(f'[data-shortcut="{action}"]')
        if target and target.checkVisibility():
            event.preventDefault()
            if target.matches(TYPING):
                target.focus()
            else:
                target.click()
