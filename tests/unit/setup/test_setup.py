"""The ways to a loaded model, and the ways that fail on it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from pyapp.errors import (
    DeviceLost,
    EngineFailed,
    EngineUnavailable,
    ManifestError,
    NetworkFailed,
    NotLoaded,
    OfflineUnavailable,
    OutOfMemory,
    QuotaExceeded,
    StorageFailed,
    WrongAnswer,
)
from pyapp.models.choice import Preference
from pyapp.setup.setup import Setup
from pyapp.setup.state import (
    Checking,
    Choosing,
    Declined,
    DownloadFailed,
    Downloading,
    Elsewhere,
    LoadFailed,
    Loading,
    Ready,
    SetupState,
    Unavailable,
)
from tests.unit.chat.scripted import ScriptedEngine
from tests.unit.run import run
from tests.unit.setup.scripted import GPU, MODEL, PROBE, WASM, WEBGPU, MemoryIntent, ScriptedStore, catalog, transport
from tests.unit.transport import Forever


@dataclass
class Scene:
    """A setup with everything around it, and the states it went through."""

    answers: dict[str, Any] = field(default_factory=dict)
    store: ScriptedStore = field(default_factory=ScriptedStore)
    intent: MemoryIntent = field(default_factory=MemoryIntent)
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    device: Preference = "auto"

    def __post_init__(self) -> None:
        self.states: list[SetupState] = []
        self.transport = transport(**self.answers)
        self.setup = Setup(self.transport, self.engine, self.store, self.intent, self.device, self.states.append)

    def kinds(self) -> list[str]:
        """State names, repetitions once."""
        names = [type(s).__name__ for s in self.states]
        return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


def with_gpu(**more: Any) -> Scene:
    scene = Scene(**more)
    scene.transport.answers["transformers_js.probe"] = lambda _: [PROBE | {"webgpu": GPU}]
    return scene


def test_a_first_visit_offers_and_downloads_nothing() -> None:
    scene = Scene()
    run(scene.setup.begin())
    assert scene.kinds() == ["Checking", "Choosing"]
    assert isinstance(scene.setup.state, Choosing)
    offer = scene.setup.state.offer
    assert (offer.model, offer.variant, offer.engine_bytes, offer.total_bytes) == (MODEL, WASM, 200, 1200)
    assert "no_webgpu" in offer.reasons
    assert not {"page.persist", "page.keep"} & set(scene.transport.ops())


def test_yes_downloads_the_engine_and_the_model_and_loads_it() -> None:
    scene = Scene()

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.download()

    run(story())
    assert scene.kinds() == ["Checking", "Choosing", "Downloading", "Loading", "Ready"]
    received = [s.received_bytes for s in scene.states if isinstance(s, Downloading)]
    assert received == [0, 100, 200, 700, 1200]
    assert [s.fraction for s in scene.states if isinstance(s, Downloading)][-1] == 1.0
    assert ("page.keep", {"group": "transformers_js:wasm"}) in scene.transport.calls
    assert "page.persist" in scene.transport.ops()
    assert scene.engine.loaded == [WASM]
    assert scene.intent.key is None


def test_an_installed_model_loads_by_itself() -> None:
    scene = Scene(store=ScriptedStore(here=[WASM]))
    run(scene.setup.begin())
    assert scene.kinds() == ["Checking", "Loading", "Ready"]
    assert scene.setup.state == Ready(MODEL, WASM)


def test_an_agreed_download_goes_on_after_a_reload() -> None:
    scene = Scene(intent=MemoryIntent("tiny/wasm"), store=ScriptedStore(received=400))
    run(scene.setup.begin())
    assert scene.kinds() == ["Checking", "Downloading", "Loading", "Ready"]
    first = next(s for s in scene.states if isinstance(s, Downloading))
    assert first.received_bytes == 400


def test_not_now_and_later_yes() -> None:
    scene = Scene()

    async def story() -> None:
        await scene.setup.begin()
        scene.setup.decline()
        scene.setup.decline()
        assert isinstance(scene.setup.state, Declined)
        await scene.setup.download()  # not agreed to: nothing
        assert isinstance(scene.setup.state, Declined)
        scene.setup.choose()
        assert isinstance(scene.setup.state, Choosing)
        scene.setup.choose()
        assert isinstance(scene.setup.state, Choosing)

    run(story())


def test_cancel_keeps_what_has_arrived() -> None:
    scene = Scene(store=ScriptedStore([[300, 60.0, 1000], [1000]]))

    async def story() -> None:
        await scene.setup.begin()
        scene.setup.cancel()  # nothing runs
        task = asyncio.ensure_future(scene.setup.download())
        await asyncio.sleep(1)
        assert scene.intent.key == "tiny/wasm"
        scene.setup.cancel()
        await task
        assert scene.intent.key is None
        state = scene.setup.state
        assert isinstance(state, Declined)
        assert state.offer.received_bytes == 300
        scene.setup.choose()
        await scene.setup.download()
        assert isinstance(scene.setup.state, Ready)

    run(story())


@pytest.mark.parametrize("error", [NetworkFailed(), QuotaExceeded(bytes_needed=700)])
def test_a_failed_download_says_so_and_goes_on_when_asked(error: Exception) -> None:
    scene = Scene(store=ScriptedStore([[300, error], [1000]]))

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.download()
        state = scene.setup.state
        assert isinstance(state, DownloadFailed)
        assert (state.error, state.offer.received_bytes) == (error, 300)
        assert scene.intent.key == "tiny/wasm"  # a reload goes on, too
        await scene.setup.retry()
        assert isinstance(scene.setup.state, Ready)

    run(story())


def test_engine_code_that_cannot_be_fetched_fails_the_download() -> None:
    def keep(_: Any) -> list[Any]:
        return [{"received": 0, "total": 0}, NetworkFailed()]

    scene = Scene({"page_keep": keep})

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.download()
        assert isinstance(scene.setup.state, DownloadFailed)

    run(story())


def test_a_browser_without_service_worker_still_gets_its_model() -> None:
    scene = Scene({"page_keep": lambda _: [OfflineUnavailable()]})

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.download()
        assert isinstance(scene.setup.state, Ready)

    run(story())


def test_offline_an_installed_model_needs_no_catalog() -> None:
    scene = Scene({"page_read": lambda _: [NetworkFailed()]}, store=ScriptedStore(here=[WASM]))
    run(scene.setup.begin())
    assert scene.setup.state == Ready(MODEL, WASM)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(None, NetworkFailed), ("<html>", ManifestError), (json.dumps(catalog() | {"format": 9}), ManifestError)],
)
def test_without_catalog_and_model_there_is_nothing_to_offer(body: str | None, kind: type) -> None:
    scene = Scene({"page_read": lambda _: [{"body": body} if body else NetworkFailed()]})

    async def story() -> None:
        await scene.setup.begin()
        state = scene.setup.state
        assert isinstance(state, Unavailable)
        assert isinstance(state.error, kind)
        scene.transport.answers["page.read"] = lambda _: [{"body": json.dumps(catalog())}]
        await scene.setup.retry()
        assert isinstance(scene.setup.state, Choosing)
        await scene.setup.retry()  # nothing has failed
        assert isinstance(scene.setup.state, Choosing)

    run(story())


def test_an_empty_catalog_offers_nothing() -> None:
    scene = Scene({"page_read": lambda _: [{"body": '{"format": 1, "models": []}'}]})
    run(scene.setup.begin())
    assert isinstance(scene.setup.state, Unavailable)


def test_a_browser_that_runs_nothing_is_told_so() -> None:
    scene = Scene()
    scene.transport.answers["transformers_js.probe"] = lambda _: [PROBE | {"wasm_simd": False}]
    run(scene.setup.begin())
    assert isinstance(scene.setup.state, Unavailable)
    assert isinstance(scene.setup.state.error, EngineUnavailable)


# ---- fall back ----


def test_webgpu_is_chosen_where_there_is_one() -> None:
    scene = with_gpu()
    run(scene.setup.begin())
    assert isinstance(scene.setup.state, Choosing)
    assert scene.setup.state.offer.variant == WEBGPU


def test_a_wrong_answer_falls_back_to_an_installed_variant() -> None:
    scene = with_gpu(store=ScriptedStore(here=[WEBGPU, WASM]), engine=ScriptedEngine(loads=[[WrongAnswer()], []]))
    run(scene.setup.begin())
    assert scene.engine.loaded == [WEBGPU, WASM]
    assert scene.setup.state == Ready(MODEL, WASM)


def test_a_wrong_answer_offers_the_variant_that_is_not_installed() -> None:
    scene = with_gpu(store=ScriptedStore(here=[WEBGPU]), engine=ScriptedEngine(loads=[[WrongAnswer()]]))
    run(scene.setup.begin())
    assert isinstance(scene.setup.state, Choosing)
    assert scene.setup.state.offer.variant == WASM
    assert scene.setup.state.offer.reasons == ("fallback",)


def test_a_forced_device_does_not_fall_back() -> None:
    scene = with_gpu(
        store=ScriptedStore(here=[WEBGPU, WASM]), engine=ScriptedEngine(loads=[[WrongAnswer()], []]), device="webgpu"
    )

    async def story() -> None:
        await scene.setup.begin()
        assert scene.kinds()[-1] == "LoadFailed"
        await scene.setup.retry()
        assert scene.states[-1] == Ready(MODEL, WEBGPU)

    run(story())


def test_the_last_variant_that_fails_is_a_failure() -> None:
    scene = Scene(store=ScriptedStore(here=[WASM]), engine=ScriptedEngine(loads=[[EngineFailed()]]))
    run(scene.setup.begin())
    assert isinstance(scene.setup.state, LoadFailed)


def test_a_file_that_is_gone_fails_the_load_and_not_the_page() -> None:
    scene = with_gpu(store=ScriptedStore(here=[WEBGPU]), engine=ScriptedEngine(loads=[[StorageFailed()]]))
    run(scene.setup.begin())
    assert isinstance(scene.setup.state, LoadFailed)


def test_an_installed_fallback_is_loaded_rather_than_another_downloaded() -> None:
    scene = with_gpu(store=ScriptedStore(here=[WASM]))
    run(scene.setup.begin())
    assert scene.setup.state == Ready(MODEL, WASM)


def test_an_engine_that_fails_is_restarted_once_then_the_next_takes_over() -> None:
    scene = with_gpu(store=ScriptedStore(here=[WEBGPU, WASM]))

    async def story() -> None:
        await scene.setup.recover(EngineFailed())  # nothing is loaded
        assert scene.engine.loaded == []
        await scene.setup.begin()
        await scene.setup.recover(EngineFailed())
        scene.setup.answered()
        await scene.setup.recover(EngineFailed())
        assert scene.setup.state == Ready(MODEL, WEBGPU)
        await scene.setup.recover(OutOfMemory())
        assert scene.setup.state == Ready(MODEL, WASM)
        await scene.setup.recover(EngineFailed())
        assert scene.setup.state == Ready(MODEL, WASM)
        error = EngineFailed()
        await scene.setup.recover(error)  # there is no other left
        assert scene.states[-1] == LoadFailed(MODEL, WASM, error)

    run(story())


def test_what_is_here_for_another_device_takes_over_at_once_where_one_is_lost() -> None:
    scene = with_gpu(store=ScriptedStore(here=[WEBGPU, WASM]))

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.recover(DeviceLost())
        assert scene.setup.state == Ready(MODEL, WASM)

    run(story())


def test_a_lost_device_without_another_is_tried_once_more_and_then_the_other_is_offered() -> None:
    scene = with_gpu(store=ScriptedStore(here=[WEBGPU]))

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.recover(DeviceLost())
        assert scene.setup.state == Ready(MODEL, WEBGPU)
        await scene.setup.recover(DeviceLost())
        assert isinstance(scene.setup.state, Choosing)
        assert scene.setup.state.offer.variant == WASM

    run(story())


def test_ready_waits_for_a_load_under_way() -> None:
    scene = Scene(store=ScriptedStore(here=[WASM]))

    async def story() -> None:
        with pytest.raises(NotLoaded):
            await scene.setup.ready()
        beginning = asyncio.ensure_future(scene.setup.begin())
        await asyncio.sleep(0.5)
        assert isinstance(scene.setup.state, Loading)
        assert await scene.setup.ready() == Ready(MODEL, WASM)
        await beginning

    run(story())


def test_a_bug_in_the_way_is_not_swallowed() -> None:
    scene = Scene(store=ScriptedStore([[ValueError("a bug")]]))

    async def story() -> None:
        await scene.setup.begin()
        with pytest.raises(ValueError, match="a bug"):
            await scene.setup.download()

    run(story())


# ---- two tabs ----


def test_the_second_tab_waits_and_can_take_over() -> None:
    scene = Scene({"page_lock": lambda p: [{"held": p["steal"]}, Forever()] if p["steal"] else [{"held": False}]})

    async def story() -> None:
        await scene.setup.begin()
        assert isinstance(scene.setup.state, Elsewhere)
        await asyncio.sleep(1)
        await scene.setup.begin(steal=True)
        assert isinstance(scene.setup.state, Choosing)
        await scene.setup.begin()  # the lock is held already
        assert scene.transport.ops().count("page.lock") == 2

    run(story())


def test_the_second_tab_goes_on_when_the_first_one_is_gone() -> None:
    comes_and_goes = [{"held": False}, 10, {"held": True}, 10, {"held": False}, 10, {"held": True}, Forever()]
    scene = Scene({"page_lock": lambda _: comes_and_goes}, store=ScriptedStore(here=[WASM]))

    async def story() -> None:
        await scene.setup.begin()
        for kind in (Elsewhere, Ready, Elsewhere, Ready):
            await asyncio.sleep(2)
            assert isinstance(scene.setup.state, kind)
            await asyncio.sleep(8)

    run(story())


def test_the_second_tab_downloads_nothing_unasked() -> None:
    scene = Scene({"page_lock": lambda _: [{"held": False}, 10, {"held": True}, Forever()]})

    async def story() -> None:
        await scene.setup.begin()
        await asyncio.sleep(20)
        assert isinstance(scene.setup.state, Declined)

    run(story())


def test_the_tab_that_loses_the_engine_gives_the_memory_back() -> None:
    scene = Scene(
        {"page_lock": lambda _: [{"held": True}, 10, {"held": True}, {"held": False}]}, store=ScriptedStore(here=[WASM])
    )

    async def story() -> None:
        await scene.setup.begin()
        assert isinstance(scene.setup.state, Ready)
        await asyncio.sleep(20)
        assert isinstance(scene.setup.state, Elsewhere)
        assert scene.engine.unloaded == 1

    run(story())


def test_a_tab_that_loses_the_engine_before_anything_ran() -> None:
    scene = Scene(
        {"page_lock": lambda _: [{"held": True}, 0.5, {"held": False}], "page_read": lambda _: [60, NetworkFailed()]}
    )

    async def story() -> None:
        beginning = asyncio.ensure_future(scene.setup.begin())
        await asyncio.sleep(1)
        assert isinstance(scene.setup.state, Elsewhere)
        await asyncio.sleep(100)
        assert isinstance(scene.setup.state, Elsewhere)
        await beginning

    run(story())


def test_states_before_begin() -> None:
    setup = Setup(transport(), ScriptedEngine(), ScriptedStore(), MemoryIntent())
    assert setup.state == Checking()
    run(setup.begin())  # nobody listens


def test_the_engine_is_taken_from_a_tab_in_which_nothing_ever_ran() -> None:
    scene = Scene({"page_lock": lambda _: [{"held": True}, {"held": False}]})

    async def story() -> None:
        await scene.setup._hold_lock(steal=False)
        await asyncio.sleep(1)
        assert isinstance(scene.setup.state, Elsewhere)

    run(story())
