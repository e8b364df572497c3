"""Which chunks of a partly fetched file are whole: what a download writes down to survive a crash.

A chunk is in the journal only after its bytes were flushed, so the journal may say too little and
never too much.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pyapp.models.manifest import ManifestFile


@dataclass(frozen=True, slots=True)
class Chunk:
    index: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Journal:
    url: str
    total: int
    chunk_bytes: int
    etag: str | None = None  # of `url`; None while unknown
    whole: frozenset[int] = frozenset()

    @property
    def chunks(self) -> int:
        return -(-self.total // self.chunk_bytes)

    def chunk(self, index: int) -> Chunk:
        offset = index * self.chunk_bytes
        return Chunk(index, offset, min(self.chunk_bytes, self.total - offset))

    def missing(self) -> Iterator[Chunk]:
        return (self.chunk(index) for index in range(self.chunks) if index not in self.whole)

    @property
    def whole_bytes(self) -> int:
        return sum(self.chunk(index).length for index in self.whole)

    @property
    def prefix_bytes(self) -> int:
        """Bytes from the start without a gap."""
        return next((chunk.offset for chunk in self.missing()), self.total)

    def having(self, index: int, etag: str | None) -> Journal:
        return replace(self, whole=self.whole | {index}, etag=etag or self.etag)

    def to_wire(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "total": self.total,
            "chunk_bytes": self.chunk_bytes,
            "etag": self.etag,
            "whole": sorted(self.whole),
        }


def resume(wire: object, file: ManifestFile, on_disk: int, chunk_bytes: int) -> Journal:
    """The journal of `file` from what was written down, an empty one when that cannot be trusted.

    `on_disk`: the partial's length; what the journal promises beyond it is missing. The bytes are named by
    their sha256, so another address may finish what one began; only the ETag is that of the first.
    """
    fresh = Journal(file.url, file.bytes, chunk_bytes)
    if not isinstance(wire, dict) or wire.get("total") != file.bytes:
        return fresh
    size, whole, etag = wire.get("chunk_bytes"), wire.get("whole"), wire.get("etag")
    if not isinstance(size, int) or size < 1 or not isinstance(whole, list):
        return fresh
    same = wire.get("url") == file.url and isinstance(etag, str)
    old = Journal(file.url, file.bytes, size, etag if same else None)
    kept = {i for i in whole if isinstance(i, int) and 0 <= i < old.chunks}
    return replace(old, whole=frozenset(i for i in kept if old.chunk(i).offset + old.chunk(i).length <= on_disk))
