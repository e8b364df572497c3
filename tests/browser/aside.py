"""Async tests beside the synchronous ones: an event loop in a thread of its own.

Playwright's synchronous API keeps a loop running in the main thread for as long as its browser lives,
and one thread has one loop.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


@functools.cache
def loop() -> asyncio.AbstractEventLoop:
    started = asyncio.new_event_loop()
    threading.Thread(target=started.run_forever, name="aside", daemon=True).start()
    return started


def wait(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, run in the loop aside."""
    return asyncio.run_coroutine_threadsafe(work, loop()).result()


def aside(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Makes an async test one that pytest runs as any other."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return wait(test(*args, **kwargs))

    return run


@contextmanager
def entered(manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """For a fixture: what `manager` gives, entered and left in the loop aside."""
    value = wait(_call(manager.__aenter__))
    try:
        yield value
    finally:
        wait(_call(functools.partial(manager.__aexit__, None, None, None)))


async def _call(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return await function()
