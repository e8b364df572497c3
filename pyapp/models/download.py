"""Fetches the files of a variant into the store: several chunks at once, resumed, retried, checked.

Rules of this file: the coordinator alone decides, in one task; chunk and hash tasks only report.
A connection is free for its next chunk only after the last one is in the journal, so a crash loses at
most one chunk per connection. A file becomes a blob only after its sha256 was right, and the record
that makes the variant installed is the last thing written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass

from pyapp.errors import CandilError, FileChanged, HashMismatch, QuotaExceeded
from pyapp.models import record
from pyapp.models.chunk_fetch import ChunkFetch, RangeIgnored, Surroundings, same_etag
from pyapp.models.journal import Journal, resume
from pyapp.models.manifest import ManifestFile, ModelSpec, UnpinnedFile, Variant
from pyapp.models.own import kept_as
from pyapp.models.progress import DownloadProgress, Phase, Reporter
from pyapp.models.store_wire import Listing

__all__ = ["DownloadProgress", "Phase", "download"]

PULSE_S = 1.0  # a download that stands still says so, too


@dataclass
class _File:
    file: ManifestFile
    journal: Journal
    hashed: int = 0
    restarted: bool = False
    committed: bool = False


@dataclass(frozen=True)
class _Hash:
    file: ManifestFile


async def download(model: ModelSpec, variant: Variant, given: Surroundings) -> AsyncGenerator[DownloadProgress, None]:
    """Ends when `variant` is installed. Closing it keeps the whole chunks; a later call goes on from there.

    Waits while another tab changes the store. Raises DownloadError and StorageError; `details["path"]` is the file.
    """
    run = _Download(variant, given)
    async with aclosing(given.wire.lock(wait=True)) as lock:
        while not (await anext(lock))["held"]:
            yield run.progress("waiting")
        await run.prepare(await given.wire.listing())
        async with aclosing(run.fetch()) as steps:
            async for step in steps:
                yield step
        yield run.progress("committing")
        model, variant = kept_as(model, variant, run.first_use)
        await given.wire.record(record.key(model, variant), record.to_wire(model, variant))


class _Download:
    def __init__(self, variant: Variant, given: Surroundings) -> None:
        self._given = given
        self._wire = given.wire
        self._wanted = {file.sha256: file for file in variant.files}  # one content is fetched once
        self._total = variant.bytes
        self._kept = 0  # bytes of committed files
        self._files: list[_File] = []
        self._tasks: dict[asyncio.Task[str | None], ChunkFetch | _Hash] = {}
        self._wake = asyncio.Event()
        self._blobs: dict[str, int] = {}
        self.first_use: dict[str, str] = {}  # the sha256 of each file whose hash nobody had told, by its partial's name
        self._reporter = Reporter(variant.bytes, given.clock, given.policy)

    # ---- before the first byte ----

    async def prepare(self, found: Listing) -> None:
        self._blobs = found.blobs
        for sha256, file in self._wanted.items():
            if found.blobs.get(sha256) == file.bytes:
                self._kept += file.bytes
                continue
            if sha256 in found.blobs:  # of another length: no use
                await self._wire.delete(None, [sha256])
            part = found.partials.get(sha256)
            on_disk, written = (part.bytes, part.journal) if part else (0, None)
            self._files.append(_File(file, resume(written, file, on_disk, self._given.policy.chunk_bytes)))
        try:
            for state in self._files:
                await self._wire.allocate(state.file.sha256, state.file.bytes)
        except QuotaExceeded as error:
            await self._give_back()
            self._tell(error)
            raise

    async def _give_back(self) -> None:
        """Space taken for files of which nothing is here yet: the conversations need it more."""
        for state in self._files:
            if not state.journal.whole:
                await self._wire.discard(state.file.sha256)

    def _tell(self, error: CandilError, file: ManifestFile | None = None) -> None:
        """Adds what only the download knows: which file, and how much room all of it still needs."""
        if file:
            error.details.setdefault("path", file.path)
        if isinstance(error, QuotaExceeded):
            error.details["bytes_needed"] = self._total - self._whole_bytes()

    def _whole_bytes(self) -> int:
        return self._kept + sum(state.journal.whole_bytes for state in self._files if not state.committed)

    # ---- the loop ----

    async def fetch(self) -> AsyncGenerator[DownloadProgress, None]:
        try:
            while True:
                await self._settle()
                self._spawn()
                if not self._tasks:
                    return
                if self._reporter.due(step := self.progress(self._phase())):
                    yield step
                await self._wait()
        finally:
            await self._stop(list(self._tasks))

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), PULSE_S)
        self._wake.clear()

    def _spawn(self) -> None:
        """Every free connection gets the next missing chunk; every file whose start has grown is hashed on."""
        open_files = [state for state in self._files if not state.committed]
        busy = {(w.file.sha256, w.chunk.index) for w in self._tasks.values() if isinstance(w, ChunkFetch)}
        hashing = {work.file.sha256 for work in self._tasks.values() if isinstance(work, _Hash)}
        for state in open_files:
            sha256, upto = state.file.sha256, state.journal.prefix_bytes
            if sha256 not in hashing and state.hashed < upto:
                self._start(_Hash(state.file), self._hash(state, upto))
        for state in open_files:
            for chunk in state.journal.missing():
                if len(busy) >= self._given.policy.connections:
                    return
                if (state.file.sha256, chunk.index) in busy:
                    continue
                busy.add((state.file.sha256, chunk.index))
                work = ChunkFetch(state.file, chunk, state.journal.etag, self._given, self._wake.set)
                self._start(work, work.run())

    def _start(self, work: ChunkFetch | _Hash, coroutine: object) -> None:
        task = asyncio.ensure_future(coroutine)  # type: ignore[call-overload]
        task.add_done_callback(lambda _task: self._wake.set())
        self._tasks[task] = work

    async def _stop(self, tasks: Iterable[asyncio.Task[str | None]]) -> None:
        """Cancelled and ended: nothing of them writes any more."""
        stopping = list(tasks)
        for task in stopping:
            del self._tasks[task]
            task.cancel()
        await asyncio.gather(*stopping, return_exceptions=True)

    async def _settle(self) -> None:
        for task in [task for task in self._tasks if task.done()]:
            work = self._tasks.pop(task, None)
            if work is None:
                continue  # its file has just begun again
            state = next(s for s in self._files if s.file is work.file)
            try:
                if isinstance(work, ChunkFetch):
                    await self._chunk_ended(state, work, task)
                else:
                    await self._hash_ended(state, task.result())
            except CandilError as error:
                self._tell(error, work.file)
                raise

    # ---- what has ended ----

    async def _chunk_ended(self, state: _File, work: ChunkFetch, task: asyncio.Task[str | None]) -> None:
        try:
            task.result()
            if not same_etag(work.etag, state.journal.etag):
                raise FileChanged("the file changed while it was fetched")
        except RangeIgnored:
            await self._begin_again(state, chunk_bytes=state.file.bytes)
        except FileChanged:
            if state.restarted:
                raise
            state.restarted = True
            await self._begin_again(state, chunk_bytes=state.journal.chunk_bytes)
        else:
            state.journal = state.journal.having(work.chunk.index, work.etag)
            await self._wire.journal(state.file.sha256, state.journal.to_wire())

    async def _begin_again(self, state: _File, *, chunk_bytes: int) -> None:
        await self._stop([task for task, work in self._tasks.items() if work.file is state.file])
        await self._wire.discard(state.file.sha256)
        state.journal = Journal(state.file.url, state.file.bytes, chunk_bytes)
        state.hashed = 0
        await self._wire.allocate(state.file.sha256, state.file.bytes)

    async def _hash(self, state: _File, upto: int) -> str | None:
        sha256: str | None = None
        async with aclosing(self._wire.hash(state.file.sha256, upto, state.file.bytes)) as steps:
            async for step in steps:
                state.hashed = step["hashed"]
                sha256 = step.get("sha256")
                self._wake.set()
        return sha256

    async def _hash_ended(self, state: _File, sha256: str | None) -> None:
        if sha256 is None:
            return
        if isinstance(state.file, UnpinnedFile):
            self.first_use[state.file.sha256] = sha256
        elif sha256 != state.file.sha256:
            await self._wire.discard(state.file.sha256)
            raise HashMismatch("the bytes are not the ones the catalog promises", path=state.file.path)
        if self._blobs.get(sha256) == state.file.bytes:  # what an address led to is here already
            await self._wire.discard(state.file.sha256)
        else:
            await self._wire.commit(state.file.sha256, sha256)
        state.committed = True
        self._kept += state.file.bytes

    # ---- what is said ----

    def _phase(self) -> Phase:
        open_files = [state for state in self._files if not state.committed]
        return "downloading" if any(True for s in open_files for _ in s.journal.missing()) else "checking"

    def progress(self, phase: Phase) -> DownloadProgress:
        fetching = [work for work in self._tasks.values() if isinstance(work, ChunkFetch)]
        return self._reporter.step(
            phase,
            received_bytes=self._whole_bytes() + sum(work.received for work in fetching),
            checked_bytes=self._kept + sum(state.hashed for state in self._files if not state.committed),
            retrying=next((work.retrying for work in fetching if work.retrying), None),
        )
