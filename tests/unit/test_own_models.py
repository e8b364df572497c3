"""What becomes of a file the user drops and of an address they give, with the real store over a scripted worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest

from pyapp.errors import (
    FileMissing,
    FileUnreadable,
    NetworkFailed,
    NotGguf,
    OfflineUnavailable,
    PartsMissing,
    QuotaExceeded,
)
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.models.policy import Policy
from pyapp.models.store import Store
from pyapp.own_models import Asking, Fetching, Found, Keeping, Looking, OwnModels, ShownOwn, address_of, is_model
from pyapp.setup.setup import Setup
from pyapp.setup.standing import rows
from pyapp.setup.state import Elsewhere, Ready, Unavailable
from tests.unit.chat.scripted import ScriptedEngine
from tests.unit.models.ggufs import CHATTY, gguf, part, reader
from tests.unit.models.made import sha256
from tests.unit.models.scripted_worker import Fault, ScriptedWorker, Server
from tests.unit.run import run
from tests.unit.setup.scripted import MemoryIntent, transport
from tests.unit.test_models_page import Mixed
from tests.unit.transport import ScriptedTransport

CONTENT = gguf()
URL = "https://hub.test/a/b/resolve/main/x.gguf"


@dataclass
class Picked:
    id: str
    name: str
    content: bytes
    slow_s: float = 0.0

    def __post_init__(self) -> None:
        self.size = len(self.content)

    async def read(self, offset: int, length: int) -> bytes:
        await asyncio.sleep(self.slow_s)
        return await reader(self.content)(offset, length)


@dataclass
class Stage:
    table: ScriptedTransport = field(default_factory=transport)
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    unfinished: MemoryIntent = field(default_factory=MemoryIntent)
    chosen: MemoryIntent = field(default_factory=MemoryIntent)
    released: list[str] = field(default_factory=list)
    stops: int = 0
    used: int = 0

    def __post_init__(self) -> None:
        self.worker = ScriptedWorker(Server())
        self.serve(URL, CONTENT)
        mixed = Mixed(self.table, self.worker)
        policy = Policy(chunk_bytes=200, connections=1, attempts=1)
        self.store = Store(mixed, policy=policy, chance=lambda: 0.0)
        self.setup = Setup(mixed, self.engine, self.store, MemoryIntent(), chosen=self.chosen)
        self.own = OwnModels(self.setup, self.store, self.stop, self.release, self.unfinished)
        self.shows: list[ShownOwn] = []
        self.own.on_change = self.shows.append
        self.own.on_used = self.count_use

    def serve(self, url: str, content: bytes) -> None:
        self.worker.server.contents[url], self.worker.server.etags[url] = content, None

    def stop(self) -> None:
        self.stops += 1

    def count_use(self) -> None:
        self.used += 1

    def release(self, ids: Sequence[str]) -> None:
        self.released += ids

    def pick(self, *contents: bytes, slow_s: float = 0.0) -> list[Picked]:
        files = [Picked(f"picked-{n}", f"f{n}.gguf", content, slow_s) for n, content in enumerate(contents, 1)]
        self.worker.picked |= {file.id: file.content for file in files}
        return files

    async def give(self, *contents: bytes) -> None:
        self.own.give(self.pick(*contents))
        await asyncio.sleep(1)

    async def ended(self) -> None:
        """What goes on in virtual time has ended."""
        await asyncio.sleep(100)

    def ready(self) -> tuple[ModelSpec, Variant]:
        state = self.setup.state
        assert isinstance(state, Ready)
        return state.model, state.variant

    def seen(self, kind: type) -> bool:
        return any(isinstance(shown.state, kind) for shown in self.shows)


def play(story: Callable[[Stage], Awaitable[None]], stage: Stage | None = None) -> Stage:
    acted = stage or Stage()

    async def whole() -> None:
        await acted.setup.begin()
        acted.setup.decline()
        await story(acted)
        await asyncio.sleep(1)

    run(whole())
    return acted


def test_names_tell_models_from_texts() -> None:
    assert is_model("Model.GGUF")
    assert not is_model("notes.gguf.txt")


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (f"  {URL}#frag ", URL),
        ("https://huggingface.co/a/b/blob/main/x.gguf", "https://huggingface.co/a/b/resolve/main/x.gguf"),
        ("http://localhost:8000/x.gguf", "http://localhost:8000/x.gguf"),
        ("http://example.org/x.gguf", None),
        ("x.gguf", None),
        ("javascript://x", None),
        ("https://a b/", None),
        ("", None),
    ],
)
def test_addresses(typed: str, address: str | None) -> None:
    assert address_of(typed) == address


# ---- files ----


def test_a_dropped_file_is_shown_before_anything_happens() -> None:
    async def story(stage: Stage) -> None:
        await stage.give(CONTENT)
        shown = stage.shows[-1]
        assert isinstance(shown.state, Found)
        assert shown.state.own.model.title == "Tiny Chatty"
        assert shown.fit is not None
        assert shown.fit.verdict == "fits"
        assert shown.usable
        stage.own.download()  # it is here already
        assert stage.own.state == shown.state
        assert not stage.worker.disk.blobs
        assert stage.used == 0

    assert play(story).seen(Looking)


def test_used_where_it_is_nothing_is_copied() -> None:
    async def story(stage: Stage) -> None:
        await stage.give(CONTENT)
        stage.own.use()
        await stage.ended()
        model, variant = stage.ready()
        assert variant.files[0].sha256 == "picked-1"
        assert not stage.worker.disk.blobs
        assert stage.own.state == Asking()
        assert (stage.stops, stage.used, stage.released) == (1, 1, [])
        stage.own.use()  # there is nothing to use
        stage.own.keep()
        stage.own.download()
        assert stage.setup.catalog is not None
        assert model in stage.setup.catalog.manifest.models
        survey = await stage.store.survey(stage.setup.catalog.manifest.models)
        assert all(row.model != model for row in rows(stage.setup.catalog, survey))  # nothing of it is kept
        assert stage.chosen.key == f"{model.id}/gguf"

    play(story)


def test_after_a_reload_a_file_that_was_not_kept_is_not_missed() -> None:
    async def story(stage: Stage) -> None:
        assert stage.setup.catalog is not None
        assert stage.setup.catalog.first()[0].id == "tiny"

    play(story, Stage(chosen=MemoryIntent("tiny-chatty-12345678/gguf")))


def test_kept_it_is_there_the_next_time() -> None:
    async def story(stage: Stage) -> None:
        await stage.give(CONTENT)
        stage.own.keep()
        await stage.ended()
        _, variant = stage.ready()
        assert variant.files[0].sha256 == sha256(CONTENT)
        assert stage.released == ["picked-1"]
        assert stage.used == 1

    before = play(story)
    assert before.seen(Keeping)

    async def later(stage: Stage) -> None:
        assert stage.ready()[1].files[0].sha256 == sha256(CONTENT)

    after = Stage(chosen=before.chosen)
    after.worker.disk = before.worker.disk
    play(later, after)
    offline = Stage(transport(page_read=lambda _: [NetworkFailed()]), chosen=before.chosen)
    offline.worker.disk = before.worker.disk
    play(later, offline)


def test_deleted_it_is_gone_from_the_list() -> None:
    async def story(stage: Stage) -> None:
        await stage.give(CONTENT)
        stage.own.keep()
        await stage.ended()
        model, variant = stage.ready()
        await stage.setup.delete(model, variant)
        assert stage.setup.catalog is not None
        assert model not in stage.setup.catalog.manifest.models
        assert not stage.worker.disk.blobs

    play(story)


def test_where_only_an_own_model_is_here_it_is_loaded() -> None:
    async def story(stage: Stage) -> None:
        await stage.give(CONTENT)
        stage.own.keep()
        await stage.ended()
        stage.chosen.set(None)
        await stage.setup.begin()
        assert stage.ready()[0].own

    play(story)


def test_copying_can_be_cancelled() -> None:
    async def story(stage: Stage) -> None:
        await stage.give(CONTENT)
        stage.own.keep()
        await asyncio.sleep(0.5)
        assert isinstance(stage.own.state, Keeping)
        stage.own.give(stage.pick(CONTENT))  # has to wait
        assert stage.released == ["picked-1"]
        stage.own.give_address(URL)
        assert isinstance(stage.own.state, Keeping)
        stage.own.cancel()
        await asyncio.sleep(2)
        assert isinstance(stage.own.state, Found)
        assert not stage.worker.disk.blobs
        assert not stage.worker.disk.partials

    play(story)


def test_no_room_is_told_and_the_model_can_still_be_used_where_it_is() -> None:
    async def story(stage: Stage) -> None:
        stage.worker.quota = 100
        await stage.give(CONTENT)
        stage.own.keep()
        await stage.ended()
        state = stage.own.state
        assert isinstance(state, Found)
        assert isinstance(state.error, QuotaExceeded)
        stage.own.use()
        await stage.ended()
        assert stage.ready()

    play(story)


@pytest.mark.parametrize(
    ("contents", "refused"), [((b"PK" + CONTENT,), NotGguf), ((part(0, 2), part(2, 3)[:-1]), Exception)]
)
def test_a_bad_file_is_refused_and_let_go(contents: tuple[bytes, ...], refused: type[Exception]) -> None:
    async def story(stage: Stage) -> None:
        await stage.give(*contents)
        state = stage.own.state
        assert isinstance(state, Asking)
        assert isinstance(state.error, refused)
        assert stage.released == [f"picked-{n}" for n in range(1, len(contents) + 1)]

    play(story)


def test_a_file_that_cannot_be_read() -> None:
    class Gone(Picked):
        async def read(self, offset: int, length: int) -> bytes:
            raise FileUnreadable

    async def story(stage: Stage) -> None:
        stage.own.give([Gone("picked-1", "x.gguf", CONTENT)])
        await asyncio.sleep(1)
        assert isinstance(stage.own.state, Asking)
        assert isinstance(stage.own.state.error, FileUnreadable)

    play(story)


def test_another_file_takes_the_place_of_one_that_was_only_looked_at() -> None:
    async def story(stage: Stage) -> None:
        await stage.give(CONTENT)
        stage.own.give([Picked("picked-9", "y.gguf", CONTENT)])
        assert stage.released == ["picked-1"]
        await asyncio.sleep(1)
        stage.own.cancel()
        await asyncio.sleep(1)
        assert stage.released == ["picked-1", "picked-9"]
        assert stage.own.state == Asking()

    play(story)


def test_looking_can_be_given_up() -> None:
    async def story(stage: Stage) -> None:
        stage.own.give(stage.pick(CONTENT, slow_s=60))
        await asyncio.sleep(1)
        stage.own.cancel()
        await asyncio.sleep(1)
        assert stage.own.state == Asking()
        assert stage.released == ["picked-1"]

    play(story)


def test_parts_dropped_together() -> None:
    async def story(stage: Stage) -> None:
        await stage.give(part(1, 2), part(0, 2))
        stage.own.keep()
        await stage.ended()
        assert [file.path[-21:] for file in stage.ready()[1].files] == [
            "y-00001-of-00002.gguf",
            "y-00002-of-00002.gguf",
        ]
        assert len(stage.worker.disk.blobs) == 2

    play(story)


def test_in_another_tab_it_is_said_that_this_one_cannot_use_it() -> None:
    async def story(stage: Stage) -> None:
        assert isinstance(stage.setup.state, Elsewhere)
        await stage.give(CONTENT)
        assert not stage.shows[-1].usable
        assert stage.shows[-1].fit is None  # nobody has looked at the device

    play(story, Stage(transport(page_lock=lambda _: [{"held": False}])))


def test_without_any_catalog_an_own_model_still_runs() -> None:
    async def story(stage: Stage) -> None:
        assert isinstance(stage.setup.state, Unavailable)
        await stage.give(CONTENT)
        stage.own.use()
        await stage.ended()
        assert stage.ready()

    play(story, Stage(transport(page_read=lambda _: [NetworkFailed()], page_keep=lambda _: [OfflineUnavailable()])))


# ---- addresses ----


async def look(stage: Stage, url: str = URL) -> None:
    stage.own.give_address(url)
    await asyncio.sleep(1)


def test_an_address_is_looked_at_before_it_is_fetched() -> None:
    async def story(stage: Stage) -> None:
        await look(stage)
        state = stage.own.state
        assert isinstance(state, Found)
        assert state.remote
        assert state.own.variant.bytes == len(CONTENT)
        stage.own.use()  # it is not here
        stage.own.keep()
        assert stage.own.state == state
        assert not stage.worker.asked("fetch")

    play(story)


def test_downloaded_it_is_used_and_pinned() -> None:
    async def story(stage: Stage) -> None:
        await look(stage)
        stage.own.download()
        await asyncio.sleep(0)
        await asyncio.sleep(0.3)
        assert stage.unfinished.key == URL
        await stage.ended()
        assert stage.ready()[1].files[0].sha256 == sha256(CONTENT)
        assert stage.unfinished.key is None

    assert play(story).seen(Fetching)


def test_a_new_version_at_the_same_address_is_another_model() -> None:
    async def story(stage: Stage) -> None:
        for content in (CONTENT, gguf(CHATTY | {"general.license": "other"})):
            stage.serve(URL, content)
            await look(stage)
            stage.own.download()
            await stage.ended()
            assert stage.ready()[1].files[0].sha256 == sha256(content)
        assert len(stage.worker.disk.records) == 2

    play(story)


def test_a_download_that_is_cancelled_goes_on_later_or_is_thrown_away() -> None:
    async def story(stage: Stage) -> None:
        await look(stage)
        stage.worker.server.bytes_per_s = 100
        stage.own.download()
        await asyncio.sleep(3.05)  # between two ticks: asyncio.wait_for of 3.11 loses a cancellation at one
        stage.own.cancel()
        await asyncio.sleep(1)
        state = stage.own.state
        assert isinstance(state, Found)
        assert 0 < state.received_bytes < len(CONTENT)
        assert OwnModels(stage.setup, stage.store, stage.stop, stage.release, stage.unfinished).state == Asking(URL)
        stage.own.cancel()
        await asyncio.sleep(1)
        assert stage.own.state == Asking()
        assert stage.unfinished.key is None
        assert not stage.worker.disk.partials

    play(story)


def test_while_something_else_changes_the_store_what_arrived_stays() -> None:
    async def story(stage: Stage) -> None:
        await look(stage)
        stage.worker.lock_answers = [False]
        stage.own.cancel()
        await asyncio.sleep(1)
        assert stage.own.state == Asking()

    play(story)


def test_a_download_that_breaks_says_why() -> None:
    async def story(stage: Stage) -> None:
        await look(stage)
        stage.worker.server.faults[URL] = [Fault(FileMissing())]
        stage.own.download()
        await stage.ended()
        state = stage.own.state
        assert isinstance(state, Found)
        assert isinstance(state.error, FileMissing)

    play(story)


def test_an_address_that_is_none_is_told_beside_its_field() -> None:
    async def story(stage: Stage) -> None:
        stage.own.give_address("nonsense")
        assert stage.own.state == Asking("nonsense", no_address=True)

    play(story)


def test_an_address_that_leads_nowhere() -> None:
    async def story(stage: Stage) -> None:
        stage.worker.server.peek_faults = [FileMissing()]
        await look(stage)
        state = stage.own.state
        assert isinstance(state, Asking)
        assert (state.address, type(state.error)) == (URL, FileMissing)

    play(story)


def test_all_parts_of_a_split_model_are_found_from_one() -> None:
    base = "https://hub.test/x-0000{}-of-00002.gguf"

    async def story(stage: Stage) -> None:
        for n in (1, 2):
            stage.serve(base.format(n), part(n - 1, 2))
        await look(stage, base.format(2))
        assert isinstance(stage.own.state, Found)
        assert [file.url for file in stage.own.state.own.variant.files] == [base.format(1), base.format(2)]
        stage.serve(URL, part(0, 2))
        await look(stage)
        assert isinstance(stage.own.state, Asking)
        assert isinstance(stage.own.state.error, PartsMissing)

    play(story)
