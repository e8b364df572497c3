"""What counts as installed, what deleting frees, what verifying finds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from pyapp.errors import EngineBusy, HashMismatch, NetworkFailed, StorageFailed
from pyapp.models import record
from pyapp.models.manifest import BrowserSource, HubSource, ModelSpec, Repository, SelfTest, Variant
from pyapp.models.policy import Policy
from pyapp.models.store import Store, StoreUsage, VerifyProgress
from tests.unit.models.made import file, model, sha256, variant
from tests.unit.models.scripted_worker import Fault, ScriptedWorker, Server
from tests.unit.run import run

T = TypeVar("T")
WEIGHTS = random.Random(1).randbytes(300)
OTHER = random.Random(2).randbytes(250)
TOKENS = b'{"tokens": 1}'
LARGE = variant(file("w", WEIGHTS), file("t", TOKENS), name="large")
LITTLE = variant(file("o", OTHER), file("t", TOKENS), name="little")
MODEL = model(LARGE, LITTLE)


@pytest.fixture
def worker() -> ScriptedWorker:
    server = Server()
    for path, content in {"w": WEIGHTS, "o": OTHER, "t": TOKENS}.items():
        server.put(path, content)
    return ScriptedWorker(server)


def ask(worker: ScriptedWorker, work: Callable[[Store], Awaitable[T]]) -> T:
    async def asked() -> T:
        return await work(Store(worker, policy=Policy(chunk_bytes=100, connections=1, attempts=1), chance=lambda: 0.0))

    return run(asked())


def install(worker: ScriptedWorker, *variants: Variant, of: ModelSpec = MODEL) -> None:
    async def all_of(store: Store) -> None:
        for each in variants:
            async for _ in store.download(of, each):
                pass

    ask(worker, all_of)


async def verified(store: Store, which: Variant) -> list[VerifyProgress]:
    return [step async for step in store.verify(which)]


def test_an_empty_store(worker: ScriptedWorker) -> None:
    assert ask(worker, Store.installed) == []
    assert ask(worker, lambda store: store.received_bytes(LARGE)) == 0
    assert ask(worker, Store.usage) == StoreUsage(0, 0, 0, 1 << 40)


def test_installed_needs_no_catalog(worker: ScriptedWorker) -> None:
    install(worker, LARGE)
    assert ask(worker, Store.installed) == [(MODEL, LARGE)]


def test_an_entry_from_a_hub_survives_being_written_down(worker: ScriptedWorker) -> None:
    hub = HubSource("https://hub.example", "org/name")
    there = Repository("https://hub.example", "org/name-onnx", ("onnx/*",), 7, "b" * 40)
    self_test = SelfTest((1,), (2, 3))
    tested = Variant("v", "transformers_js", "webgpu", "q4", ("shader-f16",), LARGE.files, self_test, there)
    beside = Variant("u", "wllama", "wasm", "Q8_0", (), (), None, replace(there, revision=None))
    spec = ModelSpec("m.1", "M", 5, 6, "MIT", "https://x.example/", ("en", "es"), hub, True, (tested, beside))
    install(worker, tested, of=spec)
    assert ask(worker, Store.installed) == [(spec, tested)]
    assert record.key(spec, tested) in worker.disk.records


def test_the_browsers_own_model_survives_being_written_down(worker: ScriptedWorker) -> None:
    own = Variant("own", "builtin_ai", "browser", "own", (), ())
    spec = replace(MODEL, source=BrowserSource(), variants=(own,))
    install(worker, own, of=spec)
    assert ask(worker, Store.installed) == [(spec, own)]


@pytest.mark.parametrize(
    "unreadable",
    [None, "torn", {}, {"format": 1, "models": [], "variant": "x"}, {"format": 9, "models": []}],
)
def test_a_record_nobody_can_read_is_not_there(worker: ScriptedWorker, unreadable: Any) -> None:
    worker.disk.records["x"] = unreadable
    assert ask(worker, Store.records) == []


def test_a_record_of_a_variant_it_does_not_have(worker: ScriptedWorker) -> None:
    install(worker, LARGE)
    worker.disk.records["test.large"]["variant"] = "gone"
    assert ask(worker, Store.records) == []


def test_an_evicted_file_makes_the_variant_damaged_and_is_all_that_is_fetched_again(worker: ScriptedWorker) -> None:
    install(worker, LARGE, LITTLE)
    del worker.disk.blobs[sha256(WEIGHTS)]
    assert ask(worker, Store.installed) == [(MODEL, LITTLE)]
    (damaged,) = (each for each in ask(worker, Store.records) if each.damaged)
    assert (damaged.key, damaged.damaged) == ("test.large", (LARGE.files[0],))
    fetched = worker.fetched
    install(worker, LARGE)
    assert worker.fetched - fetched == len(WEIGHTS)
    assert len(ask(worker, Store.installed)) == 2


def test_a_short_file_is_damage_too(worker: ScriptedWorker) -> None:
    install(worker, LARGE)
    worker.disk.blobs[sha256(TOKENS)] = TOKENS[:-1]
    assert ask(worker, Store.installed) == []


def test_deleting_keeps_what_another_variant_needs(worker: ScriptedWorker) -> None:
    install(worker, LARGE, LITTLE)
    ask(worker, lambda store: store.delete(MODEL, LARGE))
    assert ask(worker, Store.installed) == [(MODEL, LITTLE)]
    assert worker.disk.blobs.keys() == {sha256(OTHER), sha256(TOKENS)}
    ask(worker, lambda store: store.delete(MODEL, LITTLE))
    assert worker.disk.blobs == {} == worker.disk.records


def test_deleting_an_unfinished_download_frees_it(worker: ScriptedWorker) -> None:
    worker.server.faults["model/w"] = [Fault(), Fault(NetworkFailed("gone"))]
    with pytest.raises(NetworkFailed):
        install(worker, LARGE)
    assert worker.disk.used
    ask(worker, lambda store: store.delete(MODEL, LARGE))
    assert not worker.disk.used


def test_received_bytes_are_those_the_next_download_begins_with(worker: ScriptedWorker) -> None:
    worker.server.faults["model/w"] = [Fault(), Fault(), Fault(NetworkFailed("gone"), after=50)]
    with pytest.raises(NetworkFailed):
        install(worker, LARGE)
    received = ask(worker, lambda store: store.received_bytes(LARGE))
    assert received == 200

    async def first(store: Store) -> int:
        steps = [step async for step in store.download(MODEL, LARGE)]
        return steps[0].received_bytes

    assert ask(worker, first) == received
    assert ask(worker, lambda store: store.received_bytes(LARGE)) == LARGE.bytes
    assert ask(worker, lambda store: store.received_bytes(LITTLE)) == len(TOKENS)


def test_sweeping_frees_leftovers_only(worker: ScriptedWorker) -> None:
    install(worker, LITTLE)
    worker.disk.blobs[sha256(b"old")] = b"old"
    worker.disk.blobs[sha256(WEIGHTS)] = WEIGHTS
    worker.disk.partials |= {sha256(b"older"): bytearray(5), "1" * 64: bytearray(2)}
    wanted = variant(file("w", WEIGHTS), *model(LARGE).variants[0].files[1:])
    assert ask(worker, Store.usage).unfinished_bytes == 3 + len(WEIGHTS) + 7
    ask(worker, lambda store: store.sweep([wanted]))
    assert worker.disk.blobs.keys() == {sha256(OTHER), sha256(TOKENS), sha256(WEIGHTS)}
    assert worker.disk.partials == {}
    assert ask(worker, Store.usage) == StoreUsage(LITTLE.bytes, len(WEIGHTS), worker.disk.used, 1 << 40)


def test_verifying_reads_everything_and_says_how_far_it_is(worker: ScriptedWorker) -> None:
    install(worker, LARGE)
    steps = ask(worker, lambda store: verified(store, LARGE))
    assert [step.checked_bytes for step in steps] == [150, 300, 306, 313]
    assert {step.total_bytes for step in steps} == {313}


def test_a_wrong_file_is_dropped_and_offered_again(worker: ScriptedWorker) -> None:
    install(worker, LARGE)
    worker.disk.blobs[sha256(WEIGHTS)] = bytes(len(WEIGHTS))
    assert ask(worker, Store.installed)
    with pytest.raises(HashMismatch) as caught:
        ask(worker, lambda store: verified(store, LARGE))
    assert caught.value.details == {"paths": ["w"]}
    assert ask(worker, Store.installed) == []
    install(worker, LARGE)
    assert ask(worker, Store.installed) == [(MODEL, LARGE)]


def test_verifying_what_is_not_there(worker: ScriptedWorker) -> None:
    with pytest.raises(StorageFailed):
        ask(worker, lambda store: verified(store, LARGE))


def test_nothing_is_deleted_under_a_download(worker: ScriptedWorker) -> None:
    install(worker, LARGE)
    worker.lock_answers = [False]
    for change in (lambda store: store.delete(MODEL, LARGE), lambda store: store.sweep([])):
        with pytest.raises(EngineBusy):
            ask(worker, change)
    assert ask(worker, Store.installed) == [(MODEL, LARGE)]


def test_by_itself_it_takes_the_real_clock_and_chance(worker: ScriptedWorker) -> None:
    async def asked() -> list[tuple[ModelSpec, Variant]]:
        store = Store(worker)
        async for _ in store.download(MODEL, LITTLE):
            await asyncio.sleep(0)
        return await store.installed()

    assert run(asked()) == [(MODEL, LITTLE)]
