"""The browser's own summarizer, Chrome's, by the Summarizer API (site/engines/summarizer.js)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from pyapp.engine import Transport, values
from pyapp.engines.builtin_ai import SPOKEN

LENGTHS = (("short", 3), ("medium", 5))  # how many points the specification says they have; "long" has seven


class BrowserSummarizer:
    """Implements pyapp.tasks.task.Summarizer."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def is_ready(self, language: str) -> bool:
        """Whether it answers in `language` now, without a download."""
        payload = {"language": _declared(language)}
        return bool((await values(self._transport, "summarizer.probe", payload))[-1]["availability"] == "available")

    async def window(self) -> int:
        return int((await self._measured(""))["window_tokens"])

    async def count(self, text: str) -> int:
        return int((await self._measured(text))["tokens"])

    async def points(self, text: str, n: int, language: str) -> AsyncGenerator[str, None]:
        length = next((name for name, points in LENGTHS if n <= points), "long")
        payload = {"text": text, "length": length, "language": _declared(language)}
        async with aclosing(self._transport.stream("summarizer.summarise", payload)) as pieces:
            async for value in pieces:
                yield value["piece"]

    async def _measured(self, text: str) -> dict[str, int]:
        (measured,) = await values(self._transport, "summarizer.measure", {"text": text, "language": ""})
        return dict(measured)


def _declared(language: str) -> str:
    return language if language in SPOKEN else ""
