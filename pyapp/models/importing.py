"""Copies files the user picked into the store: hashed on the way, all of them or none."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from pyapp.errors import QuotaExceeded
from pyapp.models import record
from pyapp.models.manifest import ManifestFile, ModelSpec, Variant
from pyapp.models.own import kept_as
from pyapp.models.store_wire import StoreWire

# One for all, so that what a tab left behind when it died is overwritten by the next import.
_PARTIAL = hashlib.sha256(b"import").hexdigest()


@dataclass(frozen=True, slots=True)
class Copied:
    """`kept` comes last: the model as it is installed now."""

    done_bytes: int
    total_bytes: int
    kept: tuple[ModelSpec, Variant] | None = None


async def keep(model: ModelSpec, variant: Variant, wire: StoreWire) -> AsyncGenerator[Copied, None]:
    """Installs a variant whose files are in place. Given up or failed, it leaves nothing.

    Raises EngineBusy while something else changes the store; StorageError (QuotaExceeded: bytes_needed of what is
    left), FileUnreadable.
    """
    async with wire.locked():
        run = _Import(variant, wire)
        try:
            for file in variant.files:
                async with aclosing(run.copy(file)) as steps:
                    async for done in steps:
                        yield Copied(done, variant.bytes)
            kept = kept_as(model, variant, run.sha256)
            await wire.record(record.key(*kept), record.to_wire(*kept))
        except BaseException:
            await run.undo()
            raise
    yield Copied(variant.bytes, variant.bytes, kept)


class _Import:
    def __init__(self, variant: Variant, wire: StoreWire) -> None:
        self.sha256: dict[str, str] = {}  # by the name of the picked file
        self._variant = variant
        self._wire = wire
        self._done = 0  # bytes of whole files
        self._brought: list[str] = []

    async def copy(self, file: ManifestFile) -> AsyncGenerator[int, None]:
        """Yields the bytes that are done, of all files."""
        await self._wire.discard(_PARTIAL)
        try:
            await self._wire.allocate(_PARTIAL, file.bytes)
            async with aclosing(self._wire.import_(_PARTIAL, file.sha256)) as steps:
                async for step in steps:
                    yield self._done + step["hashed"]
                    sha256 = step.get("sha256")
        except QuotaExceeded as error:
            error.details["bytes_needed"] = self._variant.bytes - self._done
            raise
        await self._commit(sha256, file.bytes)
        self.sha256[file.sha256] = sha256
        self._done += file.bytes

    async def _commit(self, sha256: str, size: int) -> None:
        if (await self._wire.listing()).blobs.get(sha256) == size:
            await self._wire.discard(_PARTIAL)
        else:
            await self._wire.commit(_PARTIAL, sha256)
            self._brought.append(sha256)

    async def undo(self) -> None:
        await self._wire.discard(_PARTIAL)
        await self._wire.delete(None, self._brought)
