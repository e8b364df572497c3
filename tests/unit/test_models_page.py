"""What can be done on the models page, with the real store over a scripted worker."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from pyapp.errors import AccessDenied, EngineFailed, LoadCrashed, NetworkFailed, StorageFailed
from pyapp.models import record
from pyapp.models.manifest import BrowserSource, ModelSpec, Variant
from pyapp.models.policy import Policy
from pyapp.models.store import Store
from pyapp.models_page import ModelsPage, Shown
from pyapp.setup.setup import Setup
from pyapp.setup.standing import Absent, Damaged, Fetching, Partly, Row, Verifying, Whole
from pyapp.setup.state import Choosing, Declined, DownloadFailed, Downloading, Elsewhere, Ready, Unavailable
from tests.unit.chat.scripted import ScriptedEngine
from tests.unit.models.made import file, model, variant
from tests.unit.models.made_hub import MadeHub, unpinned
from tests.unit.models.scripted_worker import Disk, Fault, ScriptedWorker, Server
from tests.unit.run import run
from tests.unit.setup.scripted import DEVICE, GPU, PROBE, MemoryIntent, transport
from tests.unit.transport import ScriptedTransport

TOKENS = b'{"tokens": 1}'
CONTENT = {name: random.Random(name).randbytes(300) for name in ("cpu", "gpu", "other")} | {"tokens": TOKENS}


def built(name: str, device: Any, path: str) -> Any:
    return variant(file(path, CONTENT[path]), file("tokens", TOKENS), name=name, device=device)


SMALL = model(built("gpu", "webgpu", "gpu"), built("cpu", "wasm", "cpu"), name="small")
LARGE = model(built("cpu", "wasm", "other"), name="large")


def manifest(*models: ModelSpec) -> str:
    entries = [record.to_wire(each, each.variants[0])["models"][0] for each in models]
    return json.dumps({"format": 1, "models": entries})


class Mixed:
    """The store's ops by the worker, all others from the table."""

    def __init__(self, table: ScriptedTransport, worker: ScriptedWorker) -> None:
        self.table = table
        self.worker = worker

    def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        return (self.worker if op.startswith("store.") else self.table).stream(op, payload)


@dataclass
class Stage:
    models: tuple[ModelSpec, ...] = (SMALL, LARGE)
    here: tuple[str, ...] = ()  # keys of what is installed, "model.variant"
    gpu: dict[str, Any] | None = None
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    disk: Disk = field(default_factory=Disk)
    intent: str | None = None
    stops: int = 0

    def __post_init__(self) -> None:
        self.table = transport(page_read=lambda _: [{"body": manifest(*self.models)}])
        self.table.answers["transformers_js.probe"] = lambda _: [PROBE | {"webgpu": self.gpu}]
        self.worker = ScriptedWorker(Server(), self.disk)
        for path, content in CONTENT.items():
            self.worker.server.put(path, content)
        mixed = Mixed(self.table, self.worker)
        self.store = Store(mixed, policy=Policy(chunk_bytes=100, connections=1, attempts=1), chance=lambda: 0.0)
        self.wanted = MemoryIntent(self.intent)
        self.setup = Setup(mixed, self.engine, self.store, self.wanted)
        self.page = ModelsPage(self.setup, self.store, self.stop)
        self.shows: list[Shown] = []
        self.page.on_change = self.shows.append

    def stop(self) -> None:
        self.stops += 1

    def row(self, key: str) -> Row:
        return next(row for row in self.shows[-1].rows or () if row.key == key)

    def standing(self, key: str) -> object:
        return self.row(key).standing

    def says(self) -> tuple[str, str] | None:
        return self.shows[-1].done


def play(stage: Stage, story: Callable[[Stage], Awaitable[None]]) -> None:
    async def whole() -> None:
        for each in (SMALL, LARGE):
            for one in each.variants:
                if f"{each.id}.{one.name}" in stage.here:
                    async for _ in stage.store.download(each, one):
                        pass
        await stage.setup.begin()
        stage.setup.decline()
        stage.page.open()
        await asyncio.sleep(1)
        await story(stage)

    run(whole())


def test_every_variant_of_every_model_as_it_stands() -> None:
    async def story(s: Stage) -> None:
        shown = s.shows[-1]
        assert [row.key for row in shown.rows or ()] == ["small.cpu", "small.gpu", "large.cpu"]
        assert s.row("small.cpu").use == "yes"
        assert s.row("small.cpu").recommended
        assert s.standing("small.cpu") == Whole()
        assert s.row("small.gpu").fit.reasons == ("no_webgpu",)
        assert s.standing("small.gpu") == Absent()  # the tokenizer, which it shares, is no beginning
        assert s.standing("large.cpu") == Absent()
        assert shown.usage
        assert shown.usage.installed_bytes == 300 + len(TOKENS)

    play(Stage(here=("small.cpu",)), story)


def test_before_the_device_was_looked_at_there_is_nothing() -> None:
    stage = Stage()

    async def story() -> None:
        stage.page.open()
        await asyncio.sleep(1)
        stage.page.download("small.cpu")
        stage.page.use("small.cpu")
        stage.page.verify("small.cpu")
        await asyncio.sleep(1)

    run(story())
    assert stage.shows[-1] == Shown()
    assert stage.worker.fetched == 0


def test_where_nothing_is_loaded_a_download_ends_in_a_model_that_answers() -> None:
    async def story(s: Stage) -> None:
        assert isinstance(s.setup.state, Declined)
        s.page.download("large.cpu")
        await asyncio.sleep(0.1)
        assert isinstance(s.setup.state, Downloading)
        assert isinstance(s.standing("large.cpu"), Fetching)
        assert s.shows[-1].fetching == "Test"
        await asyncio.sleep(10)
        assert s.setup.state == Ready(LARGE, LARGE.variants[0])
        assert s.row("large.cpu").use == "yes"
        assert s.says() == ("ready", "Test")

    play(Stage(), story)


def test_a_download_beside_the_model_in_use_leaves_it_in_use() -> None:
    async def story(s: Stage) -> None:
        s.page.download("large.cpu")
        s.page.download("small.gpu")  # one at a time
        await asyncio.sleep(0.2)
        assert isinstance(s.setup.state, Ready)
        assert isinstance(s.standing("large.cpu"), Fetching)
        assert not s.row("large.cpu").blocked
        assert s.row("small.gpu").blocked
        assert s.wanted.key == "large/cpu"
        await asyncio.sleep(10)
        assert s.standing("large.cpu") == Whole()
        assert s.standing("small.gpu") == Absent()
        assert s.row("large.cpu").use == "no"
        assert s.says() == ("downloaded", "Test")
        assert s.wanted.key is None
        s.page.use("large.cpu")
        await asyncio.sleep(0.5)
        assert s.row("large.cpu").use == "loading"
        await asyncio.sleep(5)
        assert s.setup.state == Ready(LARGE, LARGE.variants[0])
        assert s.stops == 1

    play(Stage(here=("small.cpu",)), story)


def test_pause_and_go_on() -> None:
    async def story(s: Stage) -> None:
        s.worker.server.bytes_per_s = 100
        s.page.download("large.cpu")
        await asyncio.sleep(1.5)
        s.page.pause("large.cpu")
        await asyncio.sleep(1)
        assert s.standing("large.cpu") == Partly(100 + len(TOKENS))
        assert s.shows[-1].fetching is None
        assert s.wanted.key is None
        fetched = s.worker.fetched
        s.page.download("large.cpu")
        await asyncio.sleep(10)
        assert s.standing("large.cpu") == Whole()
        assert s.worker.fetched - fetched == 200

    play(Stage(here=("small.cpu",)), story)


def test_pausing_at_once() -> None:
    async def story(s: Stage) -> None:
        s.page.download("large.cpu")
        s.page.pause("large.cpu")
        await asyncio.sleep(1)
        assert s.shows[-1].fetching is None
        assert s.standing("large.cpu") == Absent()

    play(Stage(here=("small.cpu",)), story)


def test_the_setups_own_download_is_paused_as_well() -> None:
    async def story(s: Stage) -> None:
        s.page.pause("small.cpu")  # nothing runs
        s.worker.server.bytes_per_s = 100
        s.page.download("small.cpu")
        await asyncio.sleep(1.5)
        s.page.pause("large.cpu")  # it is not this one
        assert isinstance(s.setup.state, Downloading)
        s.page.pause("small.cpu")
        await asyncio.sleep(1)
        assert isinstance(s.setup.state, Declined)
        assert s.standing("small.cpu") == Partly(100)

    play(Stage(), story)


@pytest.mark.parametrize("here", [(), ("small.cpu",)])
def test_a_download_that_fails_says_why_and_goes_on_when_asked(here: tuple[str, ...]) -> None:
    async def story(s: Stage) -> None:
        s.worker.server.faults["model/other"] = [Fault(), Fault(NetworkFailed("gone"))]
        s.page.download("large.cpu")
        await asyncio.sleep(10)
        assert isinstance(s.row("large.cpu").remark, NetworkFailed)
        assert isinstance(s.setup.state, Ready if here else DownloadFailed)
        assert isinstance(s.standing("large.cpu"), Partly)
        s.page.download("large.cpu")
        await asyncio.sleep(10)
        assert s.row("large.cpu").remark is None
        assert s.standing("large.cpu") == Whole()

    play(Stage(here=here), story)


def test_a_download_beside_the_model_in_use_goes_on_after_a_reload() -> None:
    async def story(s: Stage) -> None:
        await asyncio.sleep(10)
        assert s.standing("large.cpu") == Whole()
        assert s.row("small.cpu").use == "yes"
        assert s.wanted.key is None

    play(Stage(here=("small.cpu",), intent="large/cpu"), story)


# ---- verify and repair ----


def test_a_check_reads_every_byte() -> None:
    async def story(s: Stage) -> None:
        s.page.verify("small.cpu")
        s.page.verify("small.cpu")  # it is being read
        await asyncio.sleep(1)
        assert s.row("small.cpu").remark == "intact"
        assert s.says() == ("intact", "Test")
        assert s.worker.names().count("verify") == 2  # two files
        seen = [row.standing for shown in s.shows for row in shown.rows or () if row.key == "small.cpu"]
        assert Verifying(150, 313) in seen
        assert s.standing("small.cpu") == Whole()

    play(Stage(here=("small.cpu",)), story)


def test_a_damaged_file_is_named_and_is_all_that_is_fetched_again() -> None:
    async def story(s: Stage) -> None:
        weights = SMALL.variants[1].files[0]
        s.disk.blobs[weights.sha256] = bytes(300)
        s.page.verify("small.cpu")
        await asyncio.sleep(1)
        assert s.standing("small.cpu") == Damaged((weights,))
        assert s.says() == ("damaged", "Test")
        fetched = s.worker.fetched
        s.page.download("small.cpu")
        await asyncio.sleep(10)
        assert s.standing("small.cpu") == Whole()
        assert s.worker.fetched - fetched == 300

    play(Stage(here=("small.cpu",)), story)


def test_a_check_that_cannot_be_made_and_one_that_is_stopped() -> None:
    async def story(s: Stage) -> None:
        gone = s.disk.blobs.pop(SMALL.variants[1].files[0].sha256)
        s.page.verify("small.cpu")
        await asyncio.sleep(1)
        assert isinstance(s.row("small.cpu").remark, StorageFailed)
        s.disk.blobs[SMALL.variants[1].files[0].sha256] = gone
        s.page.verify("small.cpu")
        s.page.pause("small.cpu")
        await asyncio.sleep(1)
        assert s.standing("small.cpu") == Whole()
        assert s.wanted.key is None

    play(Stage(here=("small.cpu",)), story)


def test_stopping_a_check_does_not_forget_a_download() -> None:
    async def story(s: Stage) -> None:
        s.page.download("large.cpu")
        s.page.verify("small.cpu")
        s.page.pause("small.cpu")
        assert s.wanted.key == "large/cpu"
        await asyncio.sleep(10)
        assert s.standing("large.cpu") == Whole()

    play(Stage(here=("small.cpu",)), story)


# ---- delete ----


def test_deleting_is_asked_for_twice() -> None:
    async def story(s: Stage) -> None:
        s.page.delete("small.cpu")  # nobody asked
        s.page.ask_to_delete("small.cpu")
        assert s.row("small.cpu").asks_to_delete
        s.page.ask_to_delete(None)
        assert not s.row("small.cpu").asks_to_delete
        s.page.delete("small.cpu")
        await asyncio.sleep(1)
        assert s.standing("small.cpu") == Whole()
        s.page.ask_to_delete("small.cpu")
        s.page.delete("small.cpu")
        await asyncio.sleep(1)
        assert s.standing("small.cpu") == Absent()
        assert s.says() == ("deleted", "Test")
        assert s.disk.blobs == {}
        assert isinstance(s.setup.state, Declined)
        assert s.stops == 1  # an answer that was being written

    play(Stage(here=("small.cpu",)), story)


def test_deleting_one_that_is_not_in_use() -> None:
    async def story(s: Stage) -> None:
        s.page.ask_to_delete("large.cpu")
        s.page.delete("large.cpu")
        await asyncio.sleep(1)
        assert s.standing("large.cpu") == Absent()
        assert isinstance(s.setup.state, Ready)
        assert s.stops == 0

    play(Stage(here=("small.cpu", "large.cpu")), story)


def test_what_another_tab_is_downloading_is_not_deleted() -> None:
    async def story(s: Stage) -> None:
        s.worker.lock_answers = [False]
        s.page.ask_to_delete("small.cpu")
        s.page.delete("small.cpu")
        await asyncio.sleep(1)
        assert s.row("small.cpu").remark is not None
        assert s.standing("small.cpu") == Whole()

    play(Stage(here=("small.cpu",)), story)


def test_what_the_catalog_no_longer_has_can_be_deleted() -> None:
    async def story(s: Stage) -> None:
        row = s.row("large.cpu")
        assert not row.listed
        assert row.standing == Whole()
        s.page.ask_to_delete("large.cpu")
        s.page.delete("large.cpu")
        await asyncio.sleep(1)
        assert [row.key for row in s.shows[-1].rows or ()] == ["small.cpu", "small.gpu"]

    play(Stage(models=(SMALL,), here=("small.cpu", "large.cpu")), story)


# ---- the rest ----


def test_a_model_that_does_not_start_says_why() -> None:
    async def story(s: Stage) -> None:
        assert isinstance(s.row("small.cpu").remark, EngineFailed)

    play(Stage(here=("small.cpu",), engine=ScriptedEngine(loads=[[EngineFailed()]])), story)


@pytest.mark.parametrize("agrees", [True, False])
def test_the_browser_is_asked_to_keep_everything(agrees: bool) -> None:
    async def story(s: Stage) -> None:
        s.table.answers["page.persist"] = lambda _: [{"persisted": agrees}]
        s.page.persist()
        await asyncio.sleep(1)
        assert s.shows[-1].refused != agrees
        assert s.says() == (("persisted", "") if agrees else None)

    play(Stage(), story)


def test_storage_that_does_not_answer_is_said() -> None:
    async def story(s: Stage) -> None:
        async def broken(op: str, payload: Any) -> AsyncGenerator[Any, None]:
            raise StorageFailed
            yield

        s.store._wire._stream = broken
        s.page.persist()
        await asyncio.sleep(1)
        assert isinstance(s.shows[-1].error, StorageFailed)

    play(Stage(), story)


def test_a_catalog_from_which_nothing_runs() -> None:
    async def story(s: Stage) -> None:
        assert isinstance(s.setup.state, Unavailable)
        assert s.shows[-1].error is s.setup.state.error
        assert [row.fit.verdict for row in s.shows[-1].rows or ()] == ["doubtful"]

    only_gpu = model(built("gpu", "webgpu", "gpu"), name="small")
    play(Stage(models=(only_gpu,), gpu=GPU | {"vendor": "swiftshader"}), story)


def test_in_a_second_tab_nothing_is_put_to_use_but_downloads_run() -> None:
    async def story(s: Stage) -> None:
        await s.setup._yield_engine()
        await asyncio.sleep(1)
        assert isinstance(s.setup.state, Elsewhere)
        assert s.shows[-1].elsewhere
        assert not s.row("small.cpu").usable
        s.page.download("large.cpu")
        await asyncio.sleep(10)
        assert s.standing("large.cpu") == Whole()

    play(Stage(here=("small.cpu",)), story)


def test_a_closed_page_shows_nothing_and_what_runs_goes_on() -> None:
    async def story(s: Stage) -> None:
        s.page.ask_to_delete("small.cpu")
        s.page.download("large.cpu")
        s.page.close()
        count = len(s.shows)
        await asyncio.sleep(10)
        assert len(s.shows) == count
        s.page.open()
        await asyncio.sleep(1)
        assert s.standing("large.cpu") == Whole()
        assert not s.row("small.cpu").asks_to_delete
        assert s.says() is None

    play(Stage(here=("small.cpu",)), story)


def test_nobody_listens() -> None:
    stage = Stage()
    stage.page = ModelsPage(stage.setup, stage.store, stage.stop)
    stage.page.open()


def test_the_offer_is_still_there_behind_the_page() -> None:
    stage = Stage()

    async def story() -> None:
        await stage.setup.begin()
        assert isinstance(stage.setup.state, Choosing)
        stage.page.open()
        await asyncio.sleep(1)
        stage.page.download("small.cpu")
        await asyncio.sleep(10)
        assert isinstance(stage.setup.state, Ready)

    run(story())


def test_two_downloads_agreed_to_are_one() -> None:
    """A reload found one to go on with while another was begun by hand."""

    async def story(s: Stage) -> None:
        s.page.download("large.cpu")
        await s.page._resume()
        await asyncio.sleep(10)
        assert s.standing("large.cpu") == Whole()

    play(Stage(here=("small.cpu",)), story)


# ---- a variant that is not pinned ----

HUB = MadeHub({"gguf/part.gguf": bytes(range(200)) * 2, "config.json": b"{}"})
THERE = model(unpinned("gguf/*", "config.json", host=HUB.host), name="there")


def hub_manifest() -> str:
    entry = record.to_wire(THERE, THERE.variants[0])["models"][0]
    entry["source"] = {"kind": "hub", "host": HUB.host, "repo": HUB.repo}
    return json.dumps({"format": 1, "models": [*json.loads(manifest(SMALL))["models"], entry]})


def hub_stage(here: tuple[str, ...] = ("small.cpu",), disk: Disk | None = None) -> Stage:
    stage = Stage(here=here, disk=disk or Disk())
    stage.table.answers["page.read"] = lambda _: [{"body": hub_manifest()}]
    server = stage.worker.server
    server.texts = HUB.texts()
    for path, content in HUB.files.items():
        server.contents[HUB.url(path)], server.etags[HUB.url(path)] = content, '"1"'
    return stage


def test_a_variant_nobody_has_pinned_is_pinned_downloaded_and_known_on_the_next_visit() -> None:
    async def story(stage: Stage) -> None:
        assert not stage.row("there.wasm").variant.pinned
        stage.page.download("there.wasm")
        await asyncio.sleep(5)
        assert stage.standing("there.wasm") == Whole()
        assert stage.row("there.wasm").variant.bytes == 402

    stage = hub_stage()
    play(stage, story)

    async def later(again: Stage) -> None:
        assert again.standing("there.wasm") == Whole()
        assert not [url for op, url in again.worker.ops if op == "store.read"]

    play(hub_stage((), stage.disk), later)


def test_a_hub_that_refuses_is_told_in_the_row() -> None:
    async def story(stage: Stage) -> None:
        stage.worker.server.text_faults = [AccessDenied("403", status=403)]
        stage.page.download("there.wasm")
        await asyncio.sleep(5)
        assert stage.standing("there.wasm") == Absent()
        assert isinstance(stage.row("there.wasm").remark, AccessDenied)

    play(hub_stage(), story)


def test_the_browsers_own_model_stands_as_the_browser_says() -> None:
    one = Variant("browser", "builtin_ai", "browser", "own", (), ())
    own = replace(SMALL, id="own", source=BrowserSource(), variants=(one,))
    stage = Stage(models=(SMALL, own), here=("small.cpu",))
    says = ["downloadable"]
    stage.table.answers["page.device"] = lambda _: [DEVICE | {"builtin_ai": says[0]}]
    stage.table.answers["builtin_ai.download"] = lambda _: [1.0, {"share": 0.5}, 1.0, {"share": 1}]

    async def story(s: Stage) -> None:
        assert s.standing("own.browser") == Absent()
        assert s.row("own.browser").fit.reasons == ("browser_downloads",)
        s.page.download("own.browser")
        await asyncio.sleep(1.5)
        fetching = s.standing("own.browser")
        assert isinstance(fetching, Fetching)
        assert fetching.download.fraction == 0.5
        says[0] = "available"
        await asyncio.sleep(2)
        assert s.standing("own.browser") == Whole()
        assert s.row("small.cpu").use == "yes"

    play(stage, story)


def test_a_row_says_that_its_load_ended_the_page() -> None:
    async def story(stage: Stage) -> None:
        stage.setup.crashed = ("large/cpu",)
        stage.page.open()
        await asyncio.sleep(1)
        assert isinstance(stage.row("large.cpu").remark, LoadCrashed)
        assert stage.row("small.cpu").remark is None

    play(Stage(here=("small.cpu", "large.cpu")), story)
