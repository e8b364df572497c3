"""What the browser gives the application besides its page: time, ids, and small things that survive a reload."""

from __future__ import annotations

import time
import uuid

from js import localStorage


class LocalIntent:
    """pyapp.setup.setup.Intent in localStorage."""

    def __init__(self, key: str) -> None:
        self._key = key

    def get(self) -> str | None:
        return localStorage.getItem(self._key) or None

    def set(self, key: str | None) -> None:
        if key is None:
            localStorage.removeItem(self._key)
        else:
            localStorage.setItem(self._key, key)


def new_id() -> str:
    return str(uuid.uuid4())


def now_ms() -> int:
    return time.time_ns() // 1_000_000
