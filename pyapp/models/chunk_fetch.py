"""One chunk on its way: asked for again, from where it broke off, until it is whole or hope is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from pyapp.errors import DownloadError, FileChanged, TransferTruncated
from pyapp.models.journal import Chunk
from pyapp.models.manifest import ManifestFile
from pyapp.models.policy import Policy
from pyapp.models.store_wire import StoreWire


class RangeIgnored(Exception):
    """The server sends the whole file whatever part of it is asked for."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a download is given from outside, so that a test decides it."""

    wire: StoreWire
    policy: Policy
    clock: Callable[[], float]  # seconds, monotonic
    sleep: Callable[[float], Awaitable[Any]]
    chance: Callable[[], float]  # in [0, 1)


def same_etag(one: str | None, other: str | None) -> bool:
    """Unknown is no difference; nor is the weakness that a compressing proxy adds."""
    return one is None or other is None or one.removeprefix("W/") == other.removeprefix("W/")


class ChunkFetch:
    """`received` and `retrying` may be read while `run` runs; `changed` is called when they change."""

    def __init__(
        self, file: ManifestFile, chunk: Chunk, etag: str | None, given: Surroundings, changed: Callable[[], None]
    ) -> None:
        self.file = file
        self.chunk = chunk
        self.etag = etag
        self.received = 0  # bytes of the chunk
        self.retrying: str | None = None  # the code of the error behind the wait
        self._given = given
        self._changed = changed
        self._failures = 0  # in a row, without getting further than ever before
        self._furthest = 0

    async def run(self) -> None:
        """Raises RangeIgnored, the DownloadError codes, QuotaExceeded and StorageFailed."""
        while True:
            try:
                return await self._attempt()
            except DownloadError as error:
                await self._back_off(error)

    async def _attempt(self) -> None:
        start = self.received
        request = {
            "url": self.file.url,
            "sha256": self.file.sha256,
            "offset": self.chunk.offset + start,
            "length": self.chunk.length - start,
            "total": self.file.bytes,
            "etag": self.etag,
            "idle_timeout_ms": self._given.policy.idle_timeout_ms,
        }
        async with aclosing(self._given.wire.fetch(request)) as steps:
            async for step in steps:
                self._take(step, start)
        if self.received < self.chunk.length:
            raise TransferTruncated(f"{self.received} of {self.chunk.length} bytes")

    def _take(self, step: dict[str, Any], start: int) -> None:
        if step.get("range_ignored"):
            raise RangeIgnored
        if not same_etag(self.etag, step.get("etag")):
            raise FileChanged("the file is no longer the one the download began with")
        self.etag = self.etag or step.get("etag")
        self.received = start + step["received"]
        if self.received > start:
            self.retrying = None
        if self.received > self._furthest:
            self._furthest = self.received
            self._failures = 0
        self._changed()

    async def _back_off(self, error: DownloadError) -> None:
        if self.chunk.length in (self.received, self.file.bytes):
            # Whole but not flushed; or a server without ranges, which can only begin again.
            self.received = 0
        self._failures += 1
        wait_s = self._given.policy.delay_s(error, self._failures, self._given.chance())
        if wait_s is None:
            raise error
        self.retrying = error.code
        self._changed()
        await self._given.sleep(wait_s)
