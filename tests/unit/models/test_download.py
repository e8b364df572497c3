"""The downloader against a scripted worker: nothing is fetched twice, nothing wrong is kept, nothing whole is lost."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing, suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.errors import (
    AccessDenied,
    CandilError,
    FileChanged,
    FileMissing,
    HashMismatch,
    NetworkFailed,
    QuotaExceeded,
    ServerBusy,
    StorageFailed,
    TransferTruncated,
)
from pyapp.models.download import DownloadProgress
from pyapp.models.manifest import ManifestFile
from pyapp.models.policy import Policy
from pyapp.models.store import Store
from tests.unit.models.made import file, model, variant
from tests.unit.models.scripted_worker import Crash, Fault, ScriptedWorker, Server
from tests.unit.run import run

POLICY = Policy(chunk_bytes=100, connections=4, attempts=3, report_every_s=0.05)
BIG = random.Random(1).randbytes(1050)
SMALL = random.Random(2).randbytes(130)
URL = "model/big.onnx"


class Bench:
    """A server with two files, a worker, and the variant made of them."""

    def __init__(self, **contents: bytes) -> None:
        self.server = Server()
        self.worker = ScriptedWorker(self.server)
        self.files: list[ManifestFile] = []
        for name, content in (contents or {"big": BIG, "small": SMALL}).items():
            self.server.put(f"{name}.onnx", content)
            self.files.append(file(f"{name}.onnx", content))
        self.variant = variant(*self.files)
        self.model = model(self.variant)

    @property
    def store(self) -> Store:
        clock = asyncio.get_running_loop().time
        return Store(self.worker, policy=POLICY, clock=clock, chance=lambda: 0.5)

    def fail(self, *faults: Fault, url: str = URL) -> None:
        self.server.faults[url] = list(faults)

    def download(self) -> list[DownloadProgress]:
        async def all_steps() -> list[DownloadProgress]:
            return [step async for step in self.store.download(self.model, self.variant)]

        return run(all_steps())

    def raises(self, error: type[CandilError]) -> CandilError:
        with pytest.raises(error) as caught:
            self.download()
        return caught.value

    def installed(self) -> bool:
        async def asked() -> bool:
            return await self.store.installed() == [(self.model, self.variant)]

        blobs = self.worker.disk.blobs
        assert all(blobs[f.sha256] == self.server.contents[f.url] for f in self.files if f.sha256 in blobs)
        return run(asked())


def never_backwards(steps: list[DownloadProgress]) -> bool:
    received = [step.received_bytes for step in steps]
    return received == sorted(received) and received[-1] <= steps[-1].total_bytes


def test_every_file_arrives_and_the_record_is_written_last() -> None:
    bench = Bench()
    steps = bench.download()
    assert bench.installed()
    assert bench.worker.fetched == len(BIG) + len(SMALL)
    names = bench.worker.names()
    assert names.index("record") == max(i for i, name in enumerate(names) if name in ("commit", "record"))
    assert never_backwards(steps)
    last = steps[-1]
    assert (last.phase, last.received_bytes, last.checked_bytes) == ("committing", 1180, 1180)
    assert bench.worker.disk.partials == {} == bench.worker.disk.journals


def test_four_connections_are_busy_and_never_more() -> None:
    bench = Bench()
    bench.download()
    assert bench.worker.most_active == 4


def test_the_journal_is_written_after_the_chunk_and_before_the_next_of_that_connection() -> None:
    bench = Bench(big=BIG)
    bench.download()
    whole, open_ = 0, 0
    for name in bench.worker.names():
        open_ += name == "fetch"
        whole += name == "journal"
        assert open_ - whole <= POLICY.connections


def test_progress_tells_speed_and_time_left() -> None:
    steps = Bench(big=BIG).download()
    middle = next(step for step in steps if step.received_bytes > 500)
    assert middle.phase == "downloading"
    assert middle.bytes_per_s == pytest.approx(4000, rel=0.2)
    assert middle.seconds_left == pytest.approx((1050 - middle.received_bytes) / middle.bytes_per_s)
    assert 0 < middle.checked_bytes < 1050


def test_checking_is_a_phase_of_its_own() -> None:
    steps = Bench(big=BIG).download()
    phases = list(dict.fromkeys(step.phase for step in steps))
    assert phases == ["downloading", "checking", "committing"]


def test_one_content_under_two_names_is_fetched_once() -> None:
    bench = Bench(one=SMALL, two=SMALL)
    steps = bench.download()
    assert bench.installed()
    assert bench.worker.fetched == len(SMALL) == steps[-1].total_bytes


def test_what_another_variant_brought_is_not_fetched() -> None:
    bench = Bench()
    bench.worker.disk.blobs[bench.files[0].sha256] = BIG
    steps = bench.download()
    assert bench.installed()
    assert bench.worker.fetched == len(SMALL)
    assert steps[0].received_bytes == len(BIG)


def test_a_blob_of_another_length_is_fetched_again() -> None:
    bench = Bench()
    bench.worker.disk.blobs[bench.files[0].sha256] = BIG[:50]
    bench.download()
    assert bench.installed()
    assert bench.worker.asked("delete") == [{"key": None, "blobs": [bench.files[0].sha256]}]


def test_everything_there_already_needs_the_record_only() -> None:
    bench = Bench(small=SMALL)
    bench.worker.disk.blobs[bench.files[0].sha256] = SMALL
    assert [step.phase for step in bench.download()] == ["committing"]
    assert bench.installed()


def test_a_broken_connection_goes_on_where_it_broke() -> None:
    bench = Bench(big=BIG[:100])
    bench.fail(Fault(NetworkFailed("gone"), after=40))
    steps = bench.download()
    assert bench.installed()
    assert [(f["offset"], f["length"]) for f in bench.worker.asked("fetch")] == [
        (0, 100),
        (0, 100),
    ]  # one chunk, one file
    bench = Bench()
    bench.fail(Fault(NetworkFailed("gone"), after=40))
    steps = bench.download()
    assert (40, 60) in [(f["offset"], f["length"]) for f in bench.worker.asked("fetch")]
    assert bench.worker.fetched == len(BIG) + len(SMALL)
    assert "network_failed" in [step.retrying for step in steps]
    assert steps[-1].retrying is None
    assert never_backwards(steps)


def test_the_second_attempt_says_which_file_it_means() -> None:
    bench = Bench()
    bench.fail(Fault(NetworkFailed("gone"), after=40))
    bench.download()
    again = next(f for f in bench.worker.asked("fetch") if f["offset"] == 40)
    assert again["etag"] == '"1"'


def test_a_quiet_early_end_is_a_truncated_transfer() -> None:
    bench = Bench()
    bench.fail(Fault(quiet_end=True, after=40), Fault(TransferTruncated("short"), after=20))
    steps = bench.download()
    assert bench.installed()
    assert "transfer_truncated" in [step.retrying for step in steps]


def test_whole_but_not_flushed_is_asked_for_again() -> None:
    class Unflushed(ScriptedWorker):
        async def _fetch(self, **payload: Any) -> Any:
            async for step in super()._fetch(**payload):
                yield step
            if payload["offset"] == 0 and payload["url"] == URL and payload["etag"] is None:
                raise NetworkFailed("after the last byte")

    bench = Bench()
    bench.worker = Unflushed(bench.server)
    bench.download()
    assert bench.installed()
    assert len([f for f in bench.worker.asked("fetch") if f["offset"] == 0 and f["url"] == URL]) == 2


def test_an_answer_without_a_byte_is_no_progress() -> None:
    class Empty(ScriptedWorker):
        async def _fetch(self, **payload: Any) -> Any:
            yield {"received": 0, "etag": None}
            raise TransferTruncated("0 bytes")

    bench = Bench()
    bench.worker = Empty(bench.server)
    bench.raises(TransferTruncated)
    assert len(bench.worker.asked("fetch")) <= POLICY.attempts * POLICY.connections


def test_retry_after_is_waited_for() -> None:
    async def timed(bench: Bench) -> float:
        start = asyncio.get_running_loop().time()
        async for _ in bench.store.download(bench.model, bench.variant):
            pass
        return asyncio.get_running_loop().time() - start

    quick, slow = Bench(small=SMALL), Bench(small=SMALL)
    slow.fail(Fault(ServerBusy("429", retry_after_s=60)), url="model/small.onnx")
    assert run(timed(slow)) - run(timed(quick)) >= 60
    assert slow.installed()


def test_a_server_that_wants_an_hour_is_left_alone() -> None:
    bench = Bench()
    bench.fail(Fault(ServerBusy("429", status=429, retry_after_s=3600)))
    error = bench.raises(ServerBusy)
    assert error.details == {"status": 429, "retry_after_s": 3600, "path": "big.onnx"}


def test_a_dead_network_is_given_up_and_what_came_is_kept() -> None:
    bench = Bench(big=BIG)
    bench.fail(*[Fault()] * 6, *[Fault(NetworkFailed("gone"))] * 40)
    error = bench.raises(NetworkFailed)
    assert error.details["path"] == "big.onnx"
    assert not bench.installed()
    kept = bench.worker.fetched
    assert kept >= 600
    bench.server.faults.clear()
    steps = bench.download()
    assert bench.installed()
    assert steps[0].received_bytes >= 600
    assert bench.worker.fetched <= len(BIG) + POLICY.connections * POLICY.chunk_bytes


def test_a_network_that_limps_gets_there() -> None:
    bench = Bench(big=BIG)
    bench.fail(*[Fault(NetworkFailed("again"), after=10)] * 60)
    bench.download()
    assert bench.installed()


@pytest.mark.parametrize("error", [FileMissing("404"), AccessDenied("403"), StorageFailed("disk")])
def test_what_another_try_cannot_mend_ends_at_once(error: CandilError) -> None:
    bench = Bench()
    bench.fail(Fault(error))
    assert bench.raises(type(error)) is error
    assert error.details["path"] == "big.onnx"
    assert len([f for f in bench.worker.asked("fetch") if f["offset"] == 0 and f["url"] == URL]) == 1


def test_a_changed_file_begins_again_once() -> None:
    bench = Bench(big=BIG)
    new = random.Random(9).randbytes(len(BIG))

    class Changing(ScriptedWorker):
        async def _fetch(self, **payload: Any) -> Any:
            if payload["offset"] == 700 and self.server.etags[URL] == '"1"':
                self.server.put("big.onnx", new, '"2"')
            async for step in super()._fetch(**payload):
                yield step

    bench.worker = Changing(bench.server)
    bench.files[0] = file("big.onnx", new)
    bench.variant = variant(*bench.files)
    bench.model = model(bench.variant)
    steps = bench.download()
    assert bench.installed()
    assert bench.worker.names().count("discard") == 1
    assert not never_backwards(steps)


def test_a_file_that_changes_all_the_time_is_an_error() -> None:
    bench = Bench()
    bench.fail(Fault(FileChanged("1")), Fault(), Fault(), Fault(), Fault(FileChanged("2")))
    assert bench.raises(FileChanged).details["path"] == "big.onnx"


def test_two_servers_with_two_files_under_one_name_are_noticed() -> None:
    class TwoFaced(ScriptedWorker):
        async def _fetch(self, **payload: Any) -> Any:
            async for step in super()._fetch(**payload):
                step["etag"] = '"other"' if payload["offset"] == 300 else 'W/"1"'
                yield step

    bench = Bench(big=BIG)
    bench.worker = TwoFaced(bench.server)
    assert bench.raises(FileChanged)


def test_the_file_changes_between_two_attempts_of_one_chunk() -> None:
    class Swapped(ScriptedWorker):
        async def _fetch(self, **payload: Any) -> Any:
            async for step in super()._fetch(**payload):
                if payload["offset"] == 40:
                    step["etag"] = '"other"'
                yield step

    bench = Bench()
    bench.worker = Swapped(bench.server)
    bench.fail(Fault(NetworkFailed("gone"), after=40))
    bench.download()
    assert bench.worker.names().count("discard") == 1
    assert bench.installed()


def test_a_server_without_ranges_sends_the_whole_file_on_one_connection() -> None:
    bench = Bench(big=BIG)
    bench.server.ranges = False
    steps = bench.download()
    assert bench.installed()
    assert bench.worker.most_active == 1
    assert never_backwards(steps)


def test_a_server_without_ranges_can_only_begin_again() -> None:
    bench = Bench(big=BIG)
    bench.server.ranges = False
    broken = [Fault(NetworkFailed("gone"), after=500)]
    bench.fail(*[Fault()] * POLICY.connections, *broken)
    steps = bench.download()
    assert bench.installed()
    assert not never_backwards(steps)
    bench = Bench(big=BIG)
    bench.server.ranges = False
    bench.fail(*[Fault()] * POLICY.connections, *broken * 20)
    bench.raises(NetworkFailed)


def test_a_server_that_stops_to_know_ranges() -> None:
    bench = Bench(big=BIG)

    class Forgetful(ScriptedWorker):
        async def _fetch(self, **payload: Any) -> Any:
            self.server.ranges = len(self.asked("fetch")) < 6
            async for step in super()._fetch(**payload):
                yield step

    bench.worker = Forgetful(bench.server)
    bench.download()
    assert bench.installed()


def test_wrong_bytes_are_dropped_and_the_other_file_stays() -> None:
    bench = Bench()
    bench.fail(Fault(), Fault(flip=True))
    assert bench.raises(HashMismatch).details["path"] == "big.onnx"
    assert not bench.installed()
    assert list(bench.worker.disk.blobs) == [bench.files[1].sha256]
    assert bench.files[0].sha256 not in bench.worker.disk.partials
    before = bench.worker.fetched
    bench.download()
    assert bench.installed()
    assert bench.worker.fetched - before == len(BIG)


def test_a_full_disk_shows_before_the_first_byte_and_gives_back_what_it_took() -> None:
    bench = Bench(small=SMALL, big=BIG)
    bench.worker.quota = 1000
    assert bench.raises(QuotaExceeded).details["bytes_needed"] == len(BIG) + len(SMALL)
    assert bench.worker.fetched == 0
    assert bench.worker.disk.used == 0


def test_a_full_disk_keeps_what_was_fetched_before() -> None:
    bench = Bench(small=SMALL, big=BIG)
    bench.fail(*[Fault(NetworkFailed("gone"))] * 40)
    bench.raises(NetworkFailed)
    bench.worker.disk.partials.pop(bench.files[1].sha256)
    bench.worker.quota = 1000
    assert bench.raises(QuotaExceeded).details["bytes_needed"] == len(BIG)
    assert bench.worker.disk.blobs.keys() == {bench.files[0].sha256}


def test_a_full_disk_keeps_the_whole_chunks() -> None:
    bench = Bench(big=BIG, small=SMALL)
    bench.fail(*[Fault()] * 6, *[Fault(NetworkFailed("gone"))] * 40)
    bench.raises(NetworkFailed)
    bench.worker.disk.partials.pop(bench.files[1].sha256, None)
    bench.worker.disk.blobs.clear()
    bench.worker.quota = len(BIG)
    error = bench.raises(QuotaExceeded)
    assert error.details["bytes_needed"] == bench.variant.bytes - 600
    assert bench.worker.disk.partials.keys() == {bench.files[0].sha256}
    bench.worker.quota *= 2
    bench.server.faults.clear()
    assert bench.download()[0].received_bytes == 600


def test_a_disk_that_fills_up_meanwhile() -> None:
    bench = Bench(big=BIG)
    bench.fail(Fault(), Fault(), Fault(), Fault(), Fault(QuotaExceeded("full"), after=50))
    error = bench.raises(QuotaExceeded)
    needed = error.details["bytes_needed"]
    assert isinstance(needed, int)
    assert 0 < needed < len(BIG)
    assert error.details["path"] == "big.onnx"
    bench.download()
    assert bench.installed()


def test_leaving_keeps_the_whole_chunks() -> None:
    bench = Bench(big=BIG)

    async def leave() -> None:
        async with aclosing(bench.store.download(bench.model, bench.variant)) as steps:
            async for step in steps:
                if step.received_bytes >= 500:
                    break

    run(leave())
    assert bench.worker.active == 0
    before = bench.worker.fetched
    steps = bench.download()
    assert steps[0].received_bytes >= 400
    assert bench.installed()
    assert bench.worker.fetched - before <= len(BIG) - steps[0].received_bytes


def test_cancelling_the_task_is_leaving() -> None:
    bench = Bench(big=BIG)

    async def cancelled() -> None:
        async def all_steps() -> None:
            async for _ in bench.store.download(bench.model, bench.variant):
                pass

        task = asyncio.ensure_future(all_steps())
        await asyncio.sleep(0.15)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(asyncio.all_tasks()) == 1

    run(cancelled())
    assert bench.worker.disk.journals
    bench.download()
    assert bench.installed()


def test_another_tab_is_waited_for() -> None:
    bench = Bench(small=SMALL)
    bench.worker.lock_answers = [False, True]
    steps = bench.download()
    assert steps[0].phase == "waiting"
    assert bench.installed()


def test_standing_still_is_said() -> None:
    bench = Bench(small=SMALL)
    bench.server.bytes_per_s = 0.1  # a piece every 100 s
    steps = bench.download()
    still = [step for step in steps if step.bytes_per_s == 0.0 and step.seconds_left is None]
    assert len(still) > 50


CRASHES = st.lists(st.integers(1, 400), max_size=6)


@settings(max_examples=60)
@given(crashes=CRASHES, sizes=st.lists(st.integers(1, 900), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_after_any_crashes_each_costs_at_most_a_chunk_per_connection(
    crashes: list[int], sizes: list[int], seed: int
) -> None:
    chance = random.Random(seed)
    bench = Bench(**{f"f{n}": chance.randbytes(size) for n, size in enumerate(sizes)})
    fetched = 0
    for steps in crashes:
        bench.worker.steps_to_live = steps
        with suppress(Crash):
            bench.download()
        fetched += bench.worker.fetched
        bench.worker = bench.worker.restarted()
        assert bench.installed() or not bench.worker.disk.records
    bench.download()
    assert bench.installed()
    fetched += bench.worker.fetched
    assert fetched <= bench.variant.bytes + len(crashes) * POLICY.connections * POLICY.chunk_bytes


FAULTS = st.one_of(
    st.builds(
        Fault, st.sampled_from([NetworkFailed("n"), TransferTruncated("t"), ServerBusy("b")]), st.integers(0, 99)
    ),
    st.builds(Fault, quiet_end=st.just(True), after=st.integers(0, 99)),
    st.just(Fault(flip=True)),
    st.just(Fault(FileChanged("c"))),
    st.just(Fault(FileMissing("m"))),
    st.just(Fault()),
)


@settings(max_examples=60)
@given(faults=st.lists(FAULTS, max_size=25), ranges=st.booleans())
def test_whatever_goes_wrong_only_right_bytes_are_installed_and_asking_again_ends_well(
    faults: list[Fault], ranges: bool
) -> None:
    bench = Bench()
    bench.server.ranges = ranges
    bench.fail(*faults)
    for _ in range(len(faults) + 2):
        try:
            steps = bench.download()
        except CandilError:
            assert not bench.installed()
        else:
            assert steps[-1].received_bytes == bench.variant.bytes
            break
    assert bench.installed()
