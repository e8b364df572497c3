"""Providers on loopback that do exactly what a test tells them, down to the byte and the reset."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Step = bytes | float | Literal["reset", "hang"]  # send, wait (seconds), break the connection, say nothing more


@dataclass(frozen=True)
class Reply:
    """What is sent for one request; without a Content-Length the end of the connection is the end of the body."""

    steps: Sequence[Step] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream"
    silent: bool = False  # not even a status line


@dataclass
class Peer:
    """One provider. `replies` are used one after the other, the last one for ever."""

    replies: list[Reply] = field(default_factory=list)
    models: Sequence[str] = ("tiny",)
    asked: list[dict[str, Any]] = field(default_factory=list)  # bodies of chat requests
    headers: list[dict[str, str]] = field(default_factory=list)
    listed: int = 0  # times its models were asked for
    open: int = 0  # answers it is writing
    left_at: list[float] = field(default_factory=list)  # loop times at which a client was gone before the end
    listing: Reply | None = None  # in place of its models
    port: int = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if head[0].startswith("GET"):
            self.listed += 1
            rows = [{"id": name, "object": "model"} for name in self.models]
            models = Reply([json.dumps({"object": "list", "data": rows}).encode()])
            await self._play(self.listing or models, reader, writer)
            return
        self.asked.append(json.loads(body))
        self.headers.append(headers)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self.open += 1
        try:
            await self._play(reply, reader, writer)
        finally:
            self.open -= 1

    async def _play(self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = asyncio.create_task(reader.read(1))
        playing = asyncio.create_task(self._steps(reply, writer))
        await asyncio.wait((gone, playing), return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            self.left_at.append(asyncio.get_running_loop().time())
        for task in (gone, playing):
            task.cancel()
        await asyncio.gather(gone, playing, return_exceptions=True)

    async def _steps(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        if not reply.silent:
            named = {"Content-Type": reply.content_type, "Connection": "close"} | reply.headers
            lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
            writer.write(f"HTTP/1.1 {reply.status} X\r\n{lines}\r\n".encode("latin-1"))
        for step in reply.steps:
            match step:
                case bytes():
                    writer.write(step)
                    await writer.drain()
                case float() | int():
                    await asyncio.sleep(step)
                case "hang":
                    await asyncio.sleep(3600)
                case "reset":
                    await writer.drain()
                    await asyncio.sleep(0.02)  # what was written arrives before the reset
                    reset(writer)
        await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    taken = writer.get_extra_info("socket")
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# ---- what providers say ----


def event(value: Any) -> bytes:
    return b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n"


def delta(text: str, **more: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text} | more, "finish_reason": None}]})


def finish(reason: str | None = "stop", **more: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]} | more)


USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
DONE = event(b"[DONE]")


def says(*words: str, usage: dict[str, int] | None = USAGE) -> Reply:
    """A well-behaved answer."""
    counted = [event({"choices": [], "usage": usage})] if usage else []
    return Reply([*map(delta, words), finish(), *counted, DONE])


def refuses(status: int, body: object = None, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply([json.dumps(body).encode()], status, named, "application/json")
