"""Light or dark, as the user prefers: on the page now, and before Python at the next start (site/appearance.js)."""

from __future__ import annotations

from contextlib import suppress

from js import document, localStorage

THEME_KEY = "candil.theme"


def apply(theme: str) -> None:
    with suppress(Exception):  # storage is switched off: the next start is as the device is set
        if theme == "system":
            localStorage.removeItem(THEME_KEY)
        else:
            localStorage.setItem(THEME_KEY, theme)
    document.documentElement.dataset.theme = theme
