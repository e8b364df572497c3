"""Composition root: builds everything once, and turns the page's events into calls of pyapp.app.App."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from js import URLSearchParams, document, localStorage, location, navigator
from pyodide.ffi import create_proxy

from pyapp.app import App
from pyapp.browser.bridge import Bridge
from pyapp.browser.page import BrowserPage, by_id
from pyapp.chat.session import Session
from pyapp.engines.transformers_js import TransformersJs
from pyapp.setup.setup import Setup
from pyapp.views.language import Language, pick

INTENT_KEY = "candil.download"
LANGUAGE_KEY = "candil.language"


class LocalIntent:
    """pyapp.setup.setup.Intent in localStorage."""

    def get(self) -> str | None:
        return localStorage.getItem(INTENT_KEY) or None

    def set(self, key: str | None) -> None:
        if key is None:
            localStorage.removeItem(INTENT_KEY)
        else:
            localStorage.setItem(INTENT_KEY, key)
