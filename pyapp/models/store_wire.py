"""The store worker's ops, typed. No decision is made here; site/protocol.d.ts says what each op does.

Every call runs to its end before it returns, so what it wrote is written.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol


class Stream(Protocol):
    """What is needed of pyapp.engine.Transport, which is above this layer."""

    def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]: ...


@dataclass(frozen=True, slots=True)
class Partial:
    bytes: int
    journal: object


@dataclass(frozen=True, slots=True)
class Listing:
    blobs: dict[str, int]  # sha256 -> bytes
    partials: dict[str, Partial]
    records: list[object]


class StoreWire:
    def __init__(self, transport: Stream) -> None:
        self._stream = transport.stream

    async def _last(self, op: str, payload: dict[str, Any]) -> Any:
        value = None
        async with aclosing(self._stream(op, payload)) as values:
            async for value in values:  # noqa: B007 the last one is the answer
                pass
        return value

    async def status(self) -> Any:
        return await self._last("store.status", {})

    async def listing(self) -> Listing:
        value = await self._last("store.list", {})
        return Listing(
            {blob["sha256"]: blob["bytes"] for blob in value["blobs"]},
            {part["sha256"]: Partial(part["bytes"], part["journal"]) for part in value["partials"]},
            value["records"],
        )

    def lock(self, *, wait: bool) -> AsyncGenerator[Any, None]:
        """{"held": bool}; the lock is held until the generator is closed."""
        return self._stream("store.lock", {"wait": wait})

    @asynccontextmanager
    async def locked(self) -> AsyncGenerator[None, None]:
        """The store for oneself. Raises EngineBusy when somebody has it, in this tab or another."""
        async with aclosing(self.lock(wait=False)) as lock:
            await anext(lock)
            yield

    async def allocate(self, sha256: str, size: int) -> None:
        await self._last("store.allocate", {"sha256": sha256, "bytes": size})

    def fetch(self, payload: dict[str, Any]) -> AsyncGenerator[Any, None]:
        return self._stream("store.fetch", payload)

    async def read(self, url: str, idle_timeout_ms: int) -> str:
        return str((await self._last("store.read", {"url": url, "idle_timeout_ms": idle_timeout_ms}))["text"])

    async def journal(self, sha256: str, journal: dict[str, Any]) -> None:
        await self._last("store.journal", {"sha256": sha256, "journal": journal})

    def hash(self, sha256: str, upto: int, total: int) -> AsyncGenerator[Any, None]:
        return self._stream("store.hash", {"sha256": sha256, "upto": upto, "total": total})

    def import_(self, sha256: str, picked: str) -> AsyncGenerator[Any, None]:
        return self._stream("store.import", {"sha256": sha256, "files": {"file": picked}})

    async def peek(self, url: str, offset: int, length: int, idle_timeout_ms: int) -> tuple[bytes, int]:
        """A part of the file, and how long all of it is."""
        asked = {"url": url, "offset": offset, "length": length, "idle_timeout_ms": idle_timeout_ms}
        value = await self._last("store.peek", asked)
        return b64decode(value["bytes"]), value["total"]

    async def commit(self, sha256: str, as_: str) -> None:
        """The partial `sha256` becomes the blob `as_`."""
        await self._last("store.commit", {"sha256": sha256, "as": as_})

    def verify(self, sha256: str) -> AsyncGenerator[Any, None]:
        return self._stream("store.verify", {"sha256": sha256})

    async def discard(self, sha256: str) -> None:
        await self._last("store.discard", {"sha256": sha256})

    async def record(self, key: str, record: dict[str, Any]) -> None:
        await self._last("store.record", {"key": key, "record": record})

    async def delete(self, key: str | None, blobs: Iterable[str]) -> None:
        await self._last("store.delete", {"key": key, "blobs": list(blobs)})
