"""A picked file becomes an installed model, or leaves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import pytest

from pyapp.errors import EngineBusy, FileChanged, FileUnreadable, NetworkFailed, QuotaExceeded
from pyapp.models.importing import Copied
from pyapp.models.manifest import ManifestFile, ModelSpec, OwnSource, UnpinnedFile, UrlSource, Variant
from pyapp.models.policy import Policy
from pyapp.models.remote import RemoteFile
from pyapp.models.store import Store
from tests.unit.models.made import model, sha256
from tests.unit.models.scripted_worker import Crash, Disk, ScriptedWorker, Server
from tests.unit.run import run

T = TypeVar("T")
FIRST, SECOND = b"first part", b"the second part"


def own(*files: ManifestFile, source: OwnSource | UrlSource) -> tuple[ModelSpec, Variant]:
    variant = Variant("gguf", "wllama", "wasm", "Q4_1", (), files)
    made = model(variant, name="own-11111111")
    fields = {name: getattr(made, name) for name in ModelSpec.__slots__}
    return ModelSpec(**fields | {"source": source}), variant


def picked(*contents: bytes) -> tuple[ModelSpec, Variant]:
    files = [ManifestFile(f"p{n}", f"p{n}", len(c), f"picked-{n}") for n, c in enumerate(contents, 1)]
    return own(*files, source=OwnSource("p"))


def worker(*contents: bytes, **changes: int) -> ScriptedWorker:
    return ScriptedWorker(Server(), picked={f"picked-{n}": c for n, c in enumerate(contents, 1)}, **changes)  # type: ignore[arg-type]


def ask(worker: ScriptedWorker, work: Callable[[Store], Awaitable[T]]) -> T:
    async def asked() -> T:
        return await work(Store(worker, policy=Policy(chunk_bytes=100, attempts=2), chance=lambda: 0.0))

    return run(asked())


def keep(worker: ScriptedWorker, pick: tuple[ModelSpec, Variant]) -> list[Copied]:
    async def kept(store: Store) -> list[Copied]:
        return [step async for step in store.keep(*pick)]

    return ask(worker, kept)


def test_it_is_installed_under_the_hash_of_its_bytes() -> None:
    made = worker(FIRST, SECOND)
    steps = keep(made, picked(FIRST, SECOND))
    assert [step.done_bytes for step in steps] == [5, 10, 17, 25, 25]
    kept = steps[-1].kept
    assert kept is not None
    assert kept[0].id == f"own-{sha256(FIRST)[:8]}"
    assert made.disk.blobs == {sha256(FIRST): FIRST, sha256(SECOND): SECOND}
    assert made.disk.partials == {}
    assert ask(made, Store.installed) == [kept]


def test_a_second_import_of_the_same_bytes_takes_no_room() -> None:
    made = worker(FIRST)
    first, second = (keep(made, picked(FIRST))[-1].kept for _ in range(2))
    assert first == second
    assert list(made.disk.blobs) == [sha256(FIRST)]
    assert made.disk.partials == {}


def test_a_full_disk_is_told_and_nothing_stays() -> None:
    made = worker(FIRST, SECOND, quota=20)
    with pytest.raises(QuotaExceeded) as raised:
        keep(made, picked(FIRST, SECOND))
    assert raised.value.details["bytes_needed"] == len(SECOND)
    assert made.disk == Disk()


def test_a_file_that_is_gone_leaves_nothing() -> None:
    made = worker(FIRST)
    made.picked["picked-2"] = FileUnreadable()
    with pytest.raises(FileUnreadable):
        keep(made, picked(FIRST, SECOND))
    assert made.disk == Disk()


def test_cancelling_leaves_nothing() -> None:
    made = worker(FIRST, SECOND)

    async def some(store: Store) -> None:
        async with aclosing(store.keep(*picked(FIRST, SECOND))) as steps:
            async for step in steps:
                if step.done_bytes > len(FIRST):
                    return

    ask(made, some)
    assert made.disk == Disk()


def test_what_a_dead_tab_left_is_overwritten() -> None:
    made = worker(FIRST)

    async def first(store: Store) -> None:
        async for _ in store.keep(*picked(FIRST)):
            made.steps_to_live = 0

    with pytest.raises(Crash):
        ask(made, first)
    again = ScriptedWorker(made.server, made.disk, picked={"picked-1": b"other"})
    keep(again, picked(b"other"))
    assert made.disk.blobs == {sha256(b"other"): b"other"}
    assert made.disk.partials == {}


def test_one_at_a_time_changes_the_store() -> None:
    made = worker(FIRST)
    made.lock_answers = [False]
    with pytest.raises(EngineBusy):
        keep(made, picked(FIRST))


# ---- from an address ----

URL = "https://hub.test/x.gguf"
NAME = "c" * 64  # of what has arrived of it


def addressed(content: bytes) -> tuple[ModelSpec, Variant]:
    return own(UnpinnedFile("x.gguf", URL, len(content), NAME), source=UrlSource(URL))


def served(content: bytes) -> ScriptedWorker:
    made = ScriptedWorker(Server())
    made.server.contents[URL], made.server.etags[URL] = content, None
    return made


async def download(store: Store, pick: tuple[ModelSpec, Variant]) -> None:
    async for _ in store.download(*pick):
        pass


def test_the_first_download_tells_the_hash() -> None:
    made = served(FIRST)
    ask(made, lambda store: download(store, addressed(FIRST)))
    ((kept, variant),) = ask(made, Store.installed)
    assert variant.files == (ManifestFile("x.gguf", URL, len(FIRST), sha256(FIRST)),)
    assert kept.id == f"own-{sha256(FIRST)[:8]}"
    assert made.disk.partials == {}


def test_bytes_that_are_here_already_are_kept_once() -> None:
    made = served(FIRST)
    made.picked["picked-1"] = FIRST
    keep(made, picked(FIRST))
    ask(made, lambda store: download(store, addressed(FIRST)))
    assert list(made.disk.blobs) == [sha256(FIRST)]
    assert made.disk.partials == {}


def test_what_has_arrived_can_be_thrown_away() -> None:
    content = FIRST * 30
    made = served(content)

    async def some(store: Store) -> int:
        async with aclosing(store.download(*addressed(content))) as steps:
            async for step in steps:
                if step.received_bytes > 150:
                    break
        received = await store.received_bytes(addressed(content)[1])
        await store.discard(addressed(content)[1])
        return received

    assert ask(made, some) >= 100
    assert made.disk == Disk()


def test_an_address_is_looked_at_in_parts() -> None:
    content = bytes(range(256)) * 2048
    made = served(content)

    async def looked(store: Store) -> tuple[int, bytes, bytes]:
        file = store.remote(URL)
        await file.open()
        return file.size, await file.read(0, 10), await file.read(300_000, 4)

    assert ask(made, looked) == (len(content), content[:10], content[300_000:300_004])
    assert made.peeks == [(0, 1 << 18), (300_000, 4)]


async def opened(store: Store) -> RemoteFile:
    file = store.remote(URL)
    await file.open()
    return file


def test_what_may_pass_is_asked_for_again() -> None:
    made = served(FIRST)
    made.server.peek_faults = [NetworkFailed()]
    assert ask(made, opened).size == len(FIRST)
    made.server.peek_faults = [NetworkFailed(), NetworkFailed()]
    with pytest.raises(NetworkFailed):
        ask(made, opened)


def test_a_file_that_changes_between_two_looks_is_refused() -> None:
    made = served(FIRST)

    async def changed(store: Store) -> None:
        file = await opened(store)
        made.server.contents[URL] = SECOND
        await asyncio.sleep(1)
        await file.read(8, 100)

    with pytest.raises(FileChanged):
        ask(made, changed)
