"""A Transport that answers from a table of functions: payload -> the values, waits and errors of the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

Answer = Callable[[Any], Iterable[Any]]


class Forever:
    """A step that never ends; only closing the stream does."""


class ScriptedTransport:
    """Steps: a value is yielded, an exception raised, seconds (int or float) waited, Forever never left."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.calls: list[tuple[str, Any]] = []
        self.closed: list[str] = []

    def ops(self) -> list[str]:
        return [op for op, _ in self.calls]

    async def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        self.calls.append((op, payload))
        try:
            for step in self.answers[op](payload):
                match step:
                    case Exception():
                        raise step
                    case int() | float():
                        await asyncio.sleep(step)
                    case Forever():
                        await asyncio.get_running_loop().create_future()
                    case _:
                        yield step
        finally:
            self.closed.append(op)
