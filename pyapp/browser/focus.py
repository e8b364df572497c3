"""Where the focus goes when what had it goes away: nobody who has only a keyboard is sent back to the page's start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from js import document, window

TOUCH = "(pointer: coarse)"


def to_writing() -> None:
    """To the message box; by touch to the conversation, for the box would bring up the keyboard. Among the tasks to
    their heading: nothing else is there in every place."""
    if document.documentElement.hasAttribute("data-view"):
        document.getElementById("tasks-title").focus(preventScroll=True)
        return
    log, message = document.getElementById("conversation"), document.getElementById("message")
    by_touch = window.matchMedia(TOUCH).matches and not log.hidden
    (log if by_touch else message).focus(preventScroll=True)


@contextmanager
def kept(part: Any) -> Iterator[None]:
    """While `part` is changed: if that takes away what has the focus, the focus goes to where one writes."""
    had = part.contains(document.activeElement)
    yield
    if had and _nowhere(document.activeElement):
        to_writing()


def _nowhere(focused: Any) -> bool:
    """The browser itself may notice only in the next frame."""
    return bool(focused.matches("body, :disabled") or not focused.checkVisibility())
