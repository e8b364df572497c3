"""What is installed, and what it takes: records of variants over blobs that several of them may share."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from pyapp.errors import DownloadError, HashMismatch
from pyapp.models import record
from pyapp.models.chunk_fetch import Surroundings
from pyapp.models.download import DownloadProgress, download
from pyapp.models.importing import Copied, keep
from pyapp.models.journal import resume
from pyapp.models.manifest import ManifestFile, ModelSpec, Variant
from pyapp.models.pinning import pin
from pyapp.models.policy import Policy
from pyapp.models.record import Installed
from pyapp.models.remote import RemoteFile
from pyapp.models.store_wire import Listing, StoreWire, Stream


@dataclass(frozen=True, slots=True)
class StoreUsage:
    installed_bytes: int  # of whole or damaged variants, each file once
    unfinished_bytes: int  # of files no variant is made of yet
    usage_bytes: int  # the browser's estimate for all of this site
    quota_bytes: int  # the browser's estimate, 0 when unknown
    database_bytes: int | None = None  # of the usage, what is in IndexedDB; None: the browser does not tell it apart
    persisted: bool = False  # the browser promised not to evict
    lasting: bool = True  # False: models last until the tab closes


@dataclass(frozen=True, slots=True)
class Survey:
    """The store at one moment."""

    records: tuple[Installed, ...]
    received: dict[str, int]  # bytes of variants that were begun and are not whole, by record key
    usage: StoreUsage


@dataclass(frozen=True, slots=True)
class VerifyProgress:
    checked_bytes: int
    total_bytes: int


class Store:
    """The model files of this browser.

    What changes it raises EngineBusy while a download runs, in this tab or in another.
    """

    def __init__(
        self,
        transport: Stream,
        *,
        policy: Policy | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._wire = StoreWire(transport)
        self._given = Surroundings(self._wire, policy or Policy(), clock, sleep, chance)

    async def records(self) -> list[Installed]:
        """Every variant that was installed, also those of which a file is gone by now."""
        return _records(await self._wire.listing())

    async def installed(self) -> list[tuple[ModelSpec, Variant]]:
        """Whole variants, ready to load."""
        return [(each.model, each.variant) for each in await self.records() if not each.damaged]

    async def received_bytes(self, variant: Variant) -> int:
        """Of `variant.bytes`, what an earlier download or another variant has brought already."""
        found = await self._wire.listing()
        return sum(_received(file, found) for file in _files(variant))

    def download(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[DownloadProgress, None]:
        """See pyapp.models.download.download."""
        return download(model, variant, self._given)

    def keep(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Copied, None]:
        """See pyapp.models.importing.keep."""
        return keep(model, variant, self._given.wire)

    def remote(self, url: str) -> RemoteFile:
        return RemoteFile(url, self._given)

    async def discard(self, variant: Variant) -> None:
        """Drops what has arrived of files that are not whole."""
        async with self._wire.locked():
            for sha256 in {file.sha256 for file in variant.files} & (await self._wire.listing()).partials.keys():
                await self._wire.discard(sha256)

    async def pin(self, variant: Variant) -> Variant:
        """See pyapp.models.pinning.pin; a busy hub is asked again."""
        return await pin(variant, self._read)

    async def _read(self, url: str) -> str:
        given, failures = self._given, 0
        while True:
            try:
                return await self._wire.read(url, given.policy.idle_timeout_ms)
            except DownloadError as error:
                failures += 1
                wait_s = given.policy.delay_s(error, failures, given.chance())
                if wait_s is None:
                    raise
                await given.sleep(wait_s)

    async def delete(self, model: ModelSpec, variant: Variant) -> None:
        """Forgets the variant, finished or not, and frees every byte that no other installed variant needs."""
        async with self._wire.locked():
            found = await self._wire.listing()
            key = record.key(model, variant)
            written = _records(found)
            own = {file.sha256 for each in written if each.key == key for file in each.variant.files}
            own |= {file.sha256 for file in variant.files}
            needed = {file.sha256 for each in written if each.key != key for file in each.variant.files}
            await self._wire.delete(key, sorted(own - needed))
            for sha256 in sorted(own & found.partials.keys()):
                await self._wire.discard(sha256)

    async def sweep(self, wanted: Iterable[Variant]) -> None:
        """Frees unfinished files of no variant in `wanted`: leftovers of entries the catalog no longer has."""
        async with self._wire.locked():
            found = await self._wire.listing()
            keep = {file.sha256 for variant in wanted for file in variant.files}
            needed = {file.sha256 for each in _records(found) for file in each.variant.files}
            await self._wire.delete(None, sorted(found.blobs.keys() - needed - keep))
            for sha256 in sorted(found.partials.keys() - keep):
                await self._wire.discard(sha256)

    async def verify(self, variant: Variant) -> AsyncGenerator[VerifyProgress, None]:
        """Reads every byte of an installed variant again.

        Raises HashMismatch (details: paths) after dropping the files that are wrong, so that the next download
        fetches just those; StorageFailed when one is missing.
        """
        checked = 0
        wrong: list[ManifestFile] = []
        for file in _files(variant):
            async with aclosing(self._wire.verify(file.sha256)) as steps:
                async for step in steps:
                    yield VerifyProgress(checked + step["hashed"], variant.bytes)
                    sha256 = step.get("sha256")
            checked += file.bytes
            if sha256 != file.sha256:
                wrong.append(file)
        if wrong:
            async with self._wire.locked():
                await self._wire.delete(None, [file.sha256 for file in wrong])
            raise HashMismatch("a file is not what it was", paths=[file.path for file in wrong])

    async def usage(self) -> StoreUsage:
        return _usage(await self._wire.listing(), await self._wire.status())

    async def survey(self, models: Iterable[ModelSpec]) -> Survey:
        """What is here of `models`, and of models that are in no catalog any more."""
        found = await self._wire.listing()
        written = _records(found)
        needed = {file.sha256 for each in written for file in each.variant.files}
        received = {
            record.key(model, variant): sum(_received(file, found) for file in _files(variant))
            for model in models
            for variant in model.variants
            if any(_begun(file, found, needed) for file in variant.files)
        }
        return Survey(tuple(written), received, _usage(found, await self._wire.status()))


def _files(variant: Variant) -> Iterable[ManifestFile]:
    """One of each content."""
    return {file.sha256: file for file in variant.files}.values()


def _begun(file: ManifestFile, found: Listing, needed: set[str]) -> bool:
    """Whether something of the file is here that no installed variant has brought."""
    return file.sha256 in found.partials or (file.sha256 in found.blobs and file.sha256 not in needed)


def _usage(found: Listing, status: dict[str, Any]) -> StoreUsage:
    used = {file.sha256 for each in _records(found) for file in each.variant.files}
    all_bytes = sum(found.blobs.values()) + sum(part.bytes for part in found.partials.values())
    installed = sum(size for sha256, size in found.blobs.items() if sha256 in used)
    return StoreUsage(
        installed_bytes=installed,
        unfinished_bytes=all_bytes - installed,
        usage_bytes=status["usage_bytes"],
        quota_bytes=status["quota_bytes"],
        database_bytes=status["indexed_db_bytes"],
        persisted=status["persisted"],
        lasting=status["opfs"],
    )


def _records(found: Listing) -> list[Installed]:
    read = (record.from_wire(wire, found.blobs) for wire in found.records)
    return [each for each in read if each is not None]


def _received(file: ManifestFile, found: Listing) -> int:
    if found.blobs.get(file.sha256) == file.bytes:
        return file.bytes
    part = found.partials.get(file.sha256)
    return resume(part.journal, file, part.bytes, file.bytes).whole_bytes if part else 0
