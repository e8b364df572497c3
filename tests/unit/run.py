"""Runs a coroutine to its end at once: an event loop with virtual time, in CPython and inside Pyodide alike.

Nothing really waits: a sleep moves the clock. Waiting for something that will never come is an error
instead of a hang, so a deadlock fails a test with a sentence.
"""

from __future__ import annotations

import asyncio
from asyncio import events
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

TURN_S = 1e-9  # so that what only gives way does not keep the clock from moving


class VirtualTimeLoop(asyncio.BaseEventLoop):
    """asyncio's own loop, its selector replaced by a clock."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = self

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("deadlock: every task waits and nothing is scheduled")
        self._now += timeout or TURN_S
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, or what it raised. Tasks it left behind are cancelled."""
    outer = events._get_running_loop()  # Pyodide has one always
    events._set_running_loop(None)
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        _cancel_all(loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        events._set_running_loop(outer)


def _cancel_all(loop: VirtualTimeLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
