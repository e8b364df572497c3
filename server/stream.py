"""What the relay says: OpenAI's chunks, of which every field is ours, and comments while there is nothing to say.

The status is decided as late as possible: until the first word, or the first comment, a failure is an HTTP error.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.types import Send

from pyapp.engine import ReasoningDelta, TextDelta
from pyapp.openai.chat_stream import Ended, TokenUsage

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # made once: one word, one call
HEADERS = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no"))


class Answer:
    """The parts of one answer as JSON objects."""

    def __init__(self, ident: str, created: int, provider: str = "", model: str = "") -> None:
        self.provider = provider
        self.model = model
        self._ident = ident
        self._created = created
        self._role: dict[str, str] = {"role": "assistant"}  # goes with the first delta

    def delta(self, event: TextDelta | ReasoningDelta) -> dict[str, Any]:
        key = "content" if isinstance(event, TextDelta) else "reasoning_content"
        delta, self._role = {**self._role, key: event.text}, {}
        return self._chunk([{"index": 0, "delta": delta, "finish_reason": None}])

    def finish(self, ended: Ended) -> dict[str, Any]:
        return self._chunk([{"index": 0, "delta": {}, "finish_reason": ended.reason}])

    def usage(self, usage: TokenUsage) -> dict[str, Any]:
        return self._chunk([]) | {"usage": usage_object(usage)}

    def whole(self, content: str, reasoning: str, ended: Ended) -> dict[str, Any]:
        message = {"role": "assistant", "content": content} | ({"reasoning_content": reasoning} if reasoning else {})
        choices = [{"index": 0, "message": message, "finish_reason": ended.reason}]
        usage = {"usage": usage_object(ended.usage)} if ended.usage else {}
        return self._object("chat.completion") | {"choices": choices} | usage

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return self._object("chat.completion.chunk") | {"choices": choices}

    def _object(self, kind: str) -> dict[str, Any]:
        return {
            "id": self._ident,
            "object": kind,
            "created": self._created,
            "model": self.model,
            "provider": self.provider,
        }


def usage_object(usage: TokenUsage) -> dict[str, int]:
    total = usage.prompt_tokens + usage.completion_tokens
    return {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens, "total_tokens": total}


class EventStream:
    """A response of server-sent events that starts with its first event or, after a silence, with a comment."""

    def __init__(self, send: Send, heartbeat_s: float) -> None:
        self.is_started = False
        self._send = send
        self._heartbeat_s = heartbeat_s
        self._spoke_at = asyncio.get_running_loop().time()

    async def event(self, value: dict[str, Any], name: str = "") -> None:
        await self._write((f"event: {name}\n" if name else "") + f"data: {encode(value)}\n\n")

    async def end(self, *, done: bool) -> None:
        """`done`: OpenAI's mark of a complete answer."""
        await self._write("data: [DONE]\n\n" if done else "", more=False)

    @contextlib.asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Comments in every silence meanwhile."""
        heart = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await heart

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            silent_s = loop.time() - self._spoke_at
            if silent_s >= self._heartbeat_s:
                await self._write(": ping\n\n")
            else:
                await asyncio.sleep(self._heartbeat_s - silent_s)

    async def _write(self, text: str, *, more: bool = True) -> None:
        self._spoke_at = asyncio.get_running_loop().time()
        if not self.is_started:
            self.is_started = True
            await self._send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        await self._send({"type": "http.response.body", "body": text.encode(), "more_body": more})
