"""The store worker and the server behind it, scripted: the far side of the seam for the downloader's tests.

It keeps the rules of site/protocol.d.ts: bytes of a fetch that has not ended may be lost in a crash, a
hash goes on only within one life of the worker, journals and records are written whole or not at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import b64encode
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from pyapp.errors import CandilError, EngineBusy, FileChanged, FileMissing, QuotaExceeded, StorageFailed


class Crash(Exception):
    """The tab is gone: no op answers any more."""


@dataclass
class Fault:
    """What goes wrong in one fetch, after `after` bytes of it."""

    error: CandilError | None = None
    after: int = 0
    flip: bool = False
    quiet_end: bool = False


@dataclass
class Disk:
    """What survives a crash."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    partials: dict[str, bytearray] = field(default_factory=dict)
    journals: dict[str, Any] = field(default_factory=dict)
    records: dict[str, Any] = field(default_factory=dict)

    @property
    def used(self) -> int:
        return sum(map(len, self.blobs.values())) + sum(map(len, self.partials.values()))


@dataclass
class Server:
    contents: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str | None] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)  # by url, one per fetch
    ranges: bool = True
    bytes_per_s: float = 1000.0
    piece: int = 10
    peek_faults: list[CandilError] = field(default_factory=list)  # one per peek
    texts: dict[str, str] = field(default_factory=dict)  # by address
    text_faults: list[CandilError] = field(default_factory=list)  # one per read

    def put(self, path: str, content: bytes, etag: str | None = '"1"') -> None:
        self.contents[f"model/{path}"] = content
        self.etags[f"model/{path}"] = etag


@dataclass
class ScriptedWorker:
    server: Server
    disk: Disk = field(default_factory=Disk)
    quota: int = 1 << 40
    steps_to_live: int | None = None
    lock_answers: list[bool] = field(default_factory=lambda: [True])
    ops: list[tuple[str, Any]] = field(default_factory=list)
    picked: dict[str, bytes | CandilError] = field(default_factory=dict)
    peeks: list[tuple[int, int]] = field(default_factory=list)
    fetched: int = 0
    active: int = 0
    most_active: int = 0
    _hashed: dict[str, tuple[int, Any]] = field(default_factory=dict)
    _unflushed: dict[int, tuple[str, int, int]] = field(default_factory=dict)

    def names(self) -> list[str]:
        return [op.removeprefix("store.") for op, _ in self.ops]

    def asked(self, op: str) -> list[Any]:
        return [payload for name, payload in self.ops if name == f"store.{op}"]

    def restarted(self) -> ScriptedWorker:
        """A new worker after a crash: of what was not flushed nothing can be relied on."""
        for sha256, start, end in self._unflushed.values():
            if sha256 in self.disk.partials:
                self.disk.partials[sha256][start:end] = bytes(end - start)
        return ScriptedWorker(self.server, self.disk, self.quota)

    async def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        payload = json.loads(json.dumps(payload))  # what crosses is JSON
        self.ops.append((op, payload))
        self._live()
        run = getattr(self, "_" + op.removeprefix("store."))
        async for value in run(**payload):
            yield value
            self._live()

    def _live(self) -> None:
        if self.steps_to_live is not None:
            if self.steps_to_live == 0:
                raise Crash
            self.steps_to_live -= 1

    # ---- the ops ----

    async def _read(self, url: str, idle_timeout_ms: int) -> AsyncGenerator[Any, None]:
        if self.server.text_faults:
            raise self.server.text_faults.pop(0)
        if url not in self.server.texts:
            raise FileMissing("404", status=404)
        yield {"text": self.server.texts[url]}

    async def _status(self) -> AsyncGenerator[Any, None]:
        yield {
            "opfs": True,
            "persisted": False,
            "usage_bytes": self.disk.used,
            "quota_bytes": self.quota,
            "indexed_db_bytes": None,
        }

    async def _list(self) -> AsyncGenerator[Any, None]:
        disk = self.disk
        yield {
            "blobs": [{"sha256": s, "bytes": len(b)} for s, b in disk.blobs.items()],
            "partials": [
                {"sha256": s, "bytes": len(b), "journal": disk.journals.get(s)} for s, b in disk.partials.items()
            ],
            "records": list(disk.records.values()),
        }

    async def _lock(self, wait: bool) -> AsyncGenerator[Any, None]:
        for held in self.lock_answers:
            if not held and not wait:
                raise EngineBusy
            yield {"held": held}
            await asyncio.sleep(1)

    async def _allocate(self, sha256: str, bytes: int) -> AsyncGenerator[Any, None]:
        had = len(self.disk.partials.setdefault(sha256, bytearray()))
        if self.disk.used + bytes - had > self.quota:
            raise QuotaExceeded(bytes_needed=bytes - had)
        self.disk.partials[sha256].extend(b"\0" * (bytes - had))
        return
        yield

    async def _fetch(
        self, *, url: str, sha256: str, offset: int, length: int, total: int, etag: str | None, idle_timeout_ms: int
    ) -> AsyncGenerator[Any, None]:
        assert 0 < length <= total - offset
        faults = self.server.faults.get(url)
        fault = faults.pop(0) if faults else Fault()
        if fault.error and not fault.after:
            raise fault.error
        now = self.server.etags[url]
        if etag and now and etag != now:
            raise FileChanged
        if not self.server.ranges and (offset, length) != (0, total):
            yield {"received": 0, "range_ignored": True}
            return
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        ticket = len(self.ops)
        try:
            async for received in self._receive(
                url=url, sha256=sha256, offset=offset, length=length, fault=fault, ticket=ticket
            ):
                yield {"received": received, "etag": now}
            self._unflushed.pop(ticket, None)
        finally:
            self.active -= 1

    async def _receive(
        self, *, url: str, sha256: str, offset: int, length: int, fault: Fault, ticket: int
    ) -> AsyncGenerator[int, None]:
        received = 0
        while received < length:
            if (fault.error or fault.quiet_end) and received >= fault.after:
                if fault.error:
                    raise fault.error
                return
            end = min(received + self.server.piece, length)
            await asyncio.sleep((end - received) / self.server.bytes_per_s)
            content = bytearray(self.server.contents[url][offset + received : offset + end])
            if fault.flip:
                content[0] ^= 1
            self._unflushed[ticket] = (sha256, offset, offset + end)
            self.disk.partials[sha256][offset + received : offset + end] = content
            self.fetched += end - received
            received = end
            yield received

    async def _journal(self, sha256: str, journal: Any) -> AsyncGenerator[Any, None]:
        self.disk.journals[sha256] = journal
        return
        yield

    async def _hash(self, sha256: str, upto: int, total: int) -> AsyncGenerator[Any, None]:
        at, running = self._hashed.get(sha256, (0, hashlib.sha256()))
        while at < upto:
            end = min(at + 25, upto)
            running.update(self.disk.partials[sha256][at:end])
            at = end
            self._hashed[sha256] = (at, running)
            await asyncio.sleep(0.001)
            yield {"hashed": at}
        yield {"hashed": at, "sha256": running.hexdigest()} if upto == total else {"hashed": at}

    async def _peek(self, url: str, offset: int, length: int, idle_timeout_ms: int) -> AsyncGenerator[Any, None]:
        self.peeks.append((offset, length))
        if self.server.peek_faults:
            raise self.server.peek_faults.pop(0)
        content = self.server.contents[url]
        yield {"bytes": b64encode(content[offset : offset + length]).decode(), "total": len(content)}

    async def _import(self, sha256: str, files: dict[str, str]) -> AsyncGenerator[Any, None]:
        content = self.picked[files["file"]]
        if isinstance(content, CandilError):
            raise content
        half = len(content) // 2
        for end in (half, len(content)):
            self.disk.partials[sha256][:end] = content[:end]
            yield {"hashed": end} | ({"sha256": hashlib.sha256(content).hexdigest()} if end > half else {})
            await asyncio.sleep(1)

    async def _commit(self, sha256: str, **named: str) -> AsyncGenerator[Any, None]:
        self.disk.blobs[named["as"]] = bytes(self.disk.partials.pop(sha256))
        self.disk.journals.pop(sha256, None)
        self._hashed.pop(sha256, None)
        return
        yield

    async def _verify(self, sha256: str) -> AsyncGenerator[Any, None]:
        if sha256 not in self.disk.blobs:
            raise StorageFailed
        content = self.disk.blobs[sha256]
        yield {"hashed": len(content) // 2}
        yield {"hashed": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    async def _discard(self, sha256: str) -> AsyncGenerator[Any, None]:
        for kept in (self.disk.partials, self.disk.journals, self._hashed):
            kept.pop(sha256, None)
        return
        yield

    async def _record(self, key: str, record: Any) -> AsyncGenerator[Any, None]:
        self.disk.records[key] = record
        return
        yield

    async def _delete(self, key: str | None, blobs: list[str]) -> AsyncGenerator[Any, None]:
        if key is not None:
            self.disk.records.pop(key, None)
        for sha256 in blobs:
            self.disk.blobs.pop(sha256, None)
        return
        yield
