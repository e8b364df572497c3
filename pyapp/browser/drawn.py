"""Parts of a dialog that are drawn again when they are different, and only then: what is typed or focused stays."""

from __future__ import annotations

from typing import Any

from js import document

from pyapp.browser.page import by_id


class Drawn:
    """`dialog` is its id. Parts are named by selectors within it."""

    def __init__(self, dialog: str) -> None:
        self._dialog = dialog
        self._html: dict[str, str] = {}

    def forget(self, selector: str | None = None) -> None:
        """The part, or all of them, is to be drawn whatever it was."""
        if selector is None:
            self._html.clear()
        else:
            self._html.pop(selector, None)

    def put(self, selector: str, html: str) -> bool:
        """Whether it was drawn. A focus in the part goes to what does the same, else to the next thing to press."""
        dialog = by_id(self._dialog)
        part = dialog.querySelector(selector)
        if not part or self._html.get(selector) == html:
            return False
        self._html[selector] = html
        focused = document.activeElement
        same = _same(focused) if part.contains(focused) else None
        part.innerHTML = html
        if same:
            found = part.querySelector(same) or part.querySelector("button:enabled, input:enabled, select:enabled")
            (found or dialog.querySelector("button:enabled")).focus()
        return True


def _same(focused: Any) -> str:
    """A selector of what takes its place. What has neither an id nor an action is found by nobody."""
    action = focused.getAttribute("data-action")
    if action:
        return f'[data-action="{action}"]:enabled'
    return f"#{focused.id}:enabled" if focused.id else ":not(*)"
