"""The user names what is to be loaded, or takes away what was."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from pyapp.errors import (
    ClickNeeded,
    EngineFailed,
    EngineUnavailable,
    LoadCrashed,
    ManifestError,
    NetworkFailed,
    StorageFailed,
)
from pyapp.models.capabilities import Capabilities, from_wire
from pyapp.models.choice import Preference
from pyapp.models.manifest import Manifest, ModelSpec, Variant, parse
from pyapp.setup.catalog import Catalog
from pyapp.setup.setup import PageIntent, Setup
from pyapp.setup.state import (
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
from tests.unit.setup.scripted import (
    DEVICE,
    GPU,
    MODEL,
    PROBE,
    STATUS,
    WASM,
    WEBGPU,
    MemoryIntent,
    ScriptedStore,
    catalog,
    transport,
)
from tests.unit.transport import Forever

SOFTWARE = GPU | {"vendor": "swiftshader"}


@dataclass
class Scene:
    store: ScriptedStore = field(default_factory=ScriptedStore)
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    gpu: dict[str, Any] | None = None
    device: Preference = "auto"
    intent: str | None = None
    chosen: str | None = None
    body: dict[str, Any] = field(default_factory=catalog)

    def __post_init__(self) -> None:
        self.states: list[SetupState] = []
        self.transport = transport(page_read=lambda _: [{"body": json.dumps(self.body)}])
        self.transport.answers["transformers_js.probe"] = lambda _: [PROBE | {"webgpu": self.gpu}]
        self.wanted, self.named = MemoryIntent(self.intent), MemoryIntent(self.chosen)
        self.setup = Setup(
            self.transport,
            self.engine,
            self.store,
            self.wanted,
            self.device,
            chosen=self.named,
            engines={"transformers_js", "builtin_ai"},
        )
        self.setup.watchers.append(self.states.append)


def two_models() -> dict[str, Any]:
    """The second one's files are its own."""
    body = catalog()
    other = json.loads(json.dumps(body["models"][0]).replace('"tiny"', '"other"').replace('"Tiny"', '"Other"'))
    for variant, digit in zip(other["variants"], "ab", strict=True):
        variant["files"][0]["sha256"] = digit * 64
    return body | {"models": [*body["models"], other]}


def test_an_installed_variant_is_loaded_and_remembered() -> None:
    scene = Scene(ScriptedStore(here=[WEBGPU, WASM]), gpu=GPU)

    async def story() -> None:
        await scene.setup.begin()
        assert scene.setup.state == Ready(MODEL, WEBGPU)
        await scene.setup.use(MODEL, WASM)
        assert scene.setup.state == Ready(MODEL, WASM)
        assert scene.engine.loaded == [WEBGPU, WASM]
        await scene.setup.use(MODEL, WASM)  # it is already
        assert len(scene.engine.loaded) == 2

    run(story())
    assert scene.named.key == "tiny/wasm"


def test_the_remembered_variant_is_loaded_on_the_next_visit() -> None:
    scene = Scene(ScriptedStore(here=[WEBGPU, WASM]), gpu=GPU, chosen="tiny/wasm")
    run(scene.setup.begin())
    assert scene.setup.state == Ready(MODEL, WASM)


@pytest.mark.parametrize("chosen", ["gone/wasm", "tiny/webgpu", None])
def test_a_remembered_variant_that_cannot_run_is_passed_over(chosen: str | None) -> None:
    scene = Scene(ScriptedStore(here=[WEBGPU, WASM]), chosen=chosen)
    run(scene.setup.begin())
    assert scene.setup.state == Ready(MODEL, WASM)


def test_what_is_not_here_is_fetched_first() -> None:
    scene = Scene()

    async def story() -> None:
        await scene.setup.begin()
        assert isinstance(scene.setup.state, Choosing)
        await scene.setup.use(MODEL, WASM)

    run(story())
    assert scene.states[-1] == Ready(MODEL, WASM)
    assert any(isinstance(state, Downloading) for state in scene.states)


def test_a_model_for_one_chat_is_loaded_without_being_chosen() -> None:
    scene = Scene(ScriptedStore(here=[WEBGPU, WASM]), gpu=GPU, chosen="tiny/webgpu")
    setup = scene.setup

    async def story() -> None:
        assert not setup.answers_with("")
        await setup.switch("tiny/wasm")  # nothing is loaded yet
        assert await setup.loadable() == []
        assert await setup.here() == []
        await setup.begin()
        assert await setup.here() == [(MODEL, WEBGPU), (MODEL, WASM)]
        assert setup.answers_with("")
        assert setup.answers_with("tiny/webgpu")
        for key, variant in {"tiny/wasm": WASM, "": WEBGPU, "tiny/webgpu": WEBGPU}.items():
            await setup.switch(key)
            assert setup.state == Ready(MODEL, variant)
            assert setup.answers_with(key)
        assert scene.engine.loaded == [WEBGPU, WASM, WEBGPU]
        await setup.switch("gone/wasm")
        assert setup.state == Ready(MODEL, WEBGPU)
        await setup.switch("tiny/wasm")
        await setup.use(MODEL, WASM)  # now it is the app's
        await setup.switch("")
        assert setup.state == Ready(MODEL, WASM)

    run(story())
    assert scene.named.key == "tiny/wasm"


def test_a_model_that_is_not_here_is_not_switched_to() -> None:
    scene = Scene(ScriptedStore(here=[WASM]), gpu=GPU)

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.switch("tiny/webgpu")
        assert scene.setup.state == Ready(MODEL, WASM)

    run(story())


def test_what_runs_is_given_up_first() -> None:
    scene = Scene(ScriptedStore([[300, 60.0, 1000]], here=[WEBGPU]))

    async def story() -> None:
        await scene.setup.begin()
        downloading = asyncio.ensure_future(scene.setup.download())
        await asyncio.sleep(1)
        assert isinstance(scene.setup.state, Downloading)
        await scene.setup.use(MODEL, WEBGPU)
        assert scene.states[-1] == Ready(MODEL, WEBGPU)
        await downloading

    run(story())


def test_before_a_look_around_and_in_a_second_tab_nothing_is_put_to_use() -> None:
    scene = Scene(ScriptedStore(here=[WASM]))
    scene.transport.answers["page.lock"] = lambda p: [{"held": p["steal"]}, Forever()]

    async def story() -> None:
        await scene.setup.use(MODEL, WASM)
        assert scene.engine.loaded == []
        await scene.setup.begin()
        assert isinstance(scene.setup.state, Elsewhere)
        await scene.setup.begin(steal=True)
        await scene.setup._yield_engine()
        await scene.setup.use(MODEL, WASM)
        assert isinstance(scene.setup.state, Elsewhere)

    run(story())


def test_a_doubtful_variant_that_fails_gives_way_to_the_best_one() -> None:
    scene = Scene(
        ScriptedStore(here=[WEBGPU, WASM]), engine=ScriptedEngine(loads=[[], [EngineFailed()], []]), gpu=SOFTWARE
    )

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.use(MODEL, WEBGPU)
        assert scene.engine.loaded == [WASM, WEBGPU, WASM]
        assert scene.setup.state == Ready(MODEL, WASM)

    run(story())


def test_a_doubtful_variant_that_fails_alone_is_a_failure() -> None:
    body = catalog()
    del body["models"][0]["variants"][1]
    model = parse(json.dumps(body)).models[0]
    scene = Scene(
        ScriptedStore(here=[WEBGPU]), engine=ScriptedEngine(loads=[[EngineFailed()]]), gpu=SOFTWARE, body=body
    )

    async def story() -> None:
        await scene.setup.begin()
        assert isinstance(scene.setup.state, Unavailable)
        await scene.setup.use(model, WEBGPU)
        assert isinstance(scene.setup.state, LoadFailed)

    run(story())


# ---- delete ----


def test_deleting_what_is_in_use_loads_another_or_says_that_there_is_none() -> None:
    scene = Scene(ScriptedStore(here=[WEBGPU, WASM]), gpu=GPU, chosen="tiny/webgpu")

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.delete(MODEL, WEBGPU)
        assert scene.engine.unloaded == 1
        assert scene.setup.state == Ready(MODEL, WASM)
        assert scene.named.key is None
        await scene.setup.delete(MODEL, WASM)
        assert isinstance(scene.setup.state, Declined)  # the offer does not jump at anybody

    run(story())


def test_deleting_another_one_changes_nothing() -> None:
    scene = Scene(ScriptedStore(here=[WEBGPU, WASM]), gpu=GPU, intent="tiny/wasm")

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.delete(MODEL, WASM)
        assert scene.setup.state == Ready(MODEL, WEBGPU)
        assert scene.wanted.key is None

    run(story())
    assert scene.engine.unloaded == 0


def test_what_cannot_be_deleted_stays_in_use() -> None:
    class Wedged(ScriptedStore):
        async def delete(self, *_: Any) -> None:
            raise StorageFailed

    scene = Scene(Wedged(here=[WASM]))

    async def story() -> None:
        await scene.setup.begin()
        with pytest.raises(StorageFailed):
            await scene.setup.delete(MODEL, WASM)
        assert scene.setup.state == Ready(MODEL, WASM)

    run(story())


def test_an_unfinished_download_is_forgotten() -> None:
    scene = Scene(ScriptedStore([[300, NetworkFailed()]]))

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.download()
        assert isinstance(scene.setup.state, DownloadFailed)
        scene.store.here.append(WASM)
        scene.store.received = 0
        await scene.setup.delete(MODEL, WASM)
        state = scene.setup.state
        assert isinstance(state, Declined)
        assert state.offer.received_bytes == 0
        assert scene.wanted.key is None

    run(story())


def test_deleting_before_anything_is_known() -> None:
    scene = Scene(ScriptedStore(here=[WASM]))
    run(scene.setup.delete(MODEL, WASM))
    assert scene.states == []


def test_a_load_under_way_is_given_up() -> None:
    scene = Scene(ScriptedStore(here=[WASM]))

    async def story() -> None:
        beginning = asyncio.ensure_future(scene.setup.begin())
        await asyncio.sleep(0.5)
        assert isinstance(scene.setup.state, Loading)
        await scene.setup.delete(MODEL, WASM)
        assert isinstance(scene.setup.state, Declined)
        await beginning

    run(story())


# ---- several models ----


def test_of_several_models_the_first_is_offered_and_any_installed_is_loaded() -> None:
    body = two_models()
    other = parse(json.dumps(body)).models[1]
    scene = Scene(body=body)
    run(scene.setup.begin())
    assert isinstance(scene.setup.state, Choosing)
    assert scene.setup.state.offer.model.id == "tiny"
    scene = Scene(ScriptedStore(here=[other.variants[1]]), body=body)
    run(scene.setup.begin())
    assert scene.setup.state == Ready(other, other.variants[1])


def test_an_agreed_download_of_any_model_goes_on() -> None:
    scene = Scene(body=two_models(), intent="other/wasm")
    run(scene.setup.begin())
    assert isinstance(scene.setup.state, Ready)
    assert scene.setup.state.model.id == "other"


def test_where_only_the_second_model_runs_it_is_offered() -> None:
    body = two_models()
    del body["models"][0]["variants"][1]
    scene = Scene(body=body)
    run(scene.setup.begin())
    assert isinstance(scene.setup.state, Choosing)
    assert scene.setup.state.offer.model.id == "other"


def test_a_catalog_with_nothing_to_offer() -> None:
    given = Catalog(capabilities_of({}), "auto")
    with pytest.raises(ManifestError):
        given.first()
    assert list(given.fitting()) == []
    blind = Catalog(capabilities_of({"wasm_simd": False}), "auto", Manifest((MODEL,)))
    with pytest.raises(EngineUnavailable):
        blind.first()
    assert blind.fallback(MODEL, WASM) is None


def capabilities_of(changes: dict[str, Any]) -> Capabilities:
    return from_wire(PROBE | changes, STATUS, DEVICE)


def test_an_intent_of_the_page() -> None:
    intent = PageIntent()
    assert intent.get() is None
    intent.set("a/b")
    assert intent.get() == "a/b"


# ---- a variant that is not pinned ----


def unpinned_catalog() -> dict[str, Any]:
    whole = catalog()
    for variant in whole["models"][0]["variants"]:
        del variant["files"], variant["repository"]["revision"]
    return whole


def test_the_hub_is_asked_which_files_they_are_before_they_are_fetched() -> None:
    scene = Scene(ScriptedStore(pins=WASM), body=unpinned_catalog())

    async def story() -> None:
        await scene.setup.begin()
        assert isinstance(scene.setup.state, Choosing)
        assert not scene.setup.state.offer.variant.pinned
        await scene.setup.download()

    run(story())
    assert isinstance(scene.setup.state, Ready)
    assert scene.setup.state.variant == WASM
    assert scene.setup.catalog is not None
    assert [variant.pinned for variant in scene.setup.catalog.manifest.models[0].variants] == [False, True]
    offers = [state.offer.variant.pinned for state in scene.states if isinstance(state, Downloading)]
    assert offers[:2] == [False, True]


def test_a_hub_that_cannot_be_reached_is_a_failed_download() -> None:
    scene = Scene(body=unpinned_catalog())

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.download()
        assert isinstance(scene.setup.state, DownloadFailed)
        scene.store.pins = WASM
        await scene.setup.retry()

    run(story())
    assert isinstance(scene.setup.state, Ready)


def test_what_was_pinned_at_its_download_is_found_on_the_next_visit() -> None:
    scene = Scene(ScriptedStore(here=[WASM]), body=unpinned_catalog())
    run(scene.setup.begin())
    assert isinstance(scene.setup.state, Ready)
    assert scene.setup.state.variant == WASM


def test_a_build_offers_only_what_its_engines_run() -> None:
    body = catalog()
    body["models"][0]["variants"][0]["engine"] = "webllm"
    other = body["models"][0] | {"id": "other", "variants": body["models"][0]["variants"][:1]}
    scene = Scene(gpu=GPU, body=body | {"models": [other, body["models"][0]]})
    scene.setup.engines = {"transformers_js"}
    run(scene.setup.begin())
    assert scene.setup.catalog is not None
    assert [(model.id, variant.name) for model, variant in scene.setup.catalog.fitting()] == [("tiny", "wasm")]


# ---- the browser's own model ----

OWN = {
    "id": "own",
    "title": "Own",
    "source": {"kind": "browser"},
    "variants": [{"name": "browser", "engine": "builtin_ai", "device": "browser", "dtype": "own"}],
}


class Chrome(Scene):
    """The browser's own model is first in the catalog."""

    def __init__(self, builtin_ai: str, **given: Any) -> None:
        body = catalog()
        super().__init__(body=body | {"models": [body["models"][0] | OWN, *body["models"]]}, **given)
        self.builtin_ai = builtin_ai
        self.shares: list[Any] = [{"share": 0}, {"share": 0.5}, {"share": 1}]
        self.transport.answers["page.device"] = lambda _: [DEVICE | {"builtin_ai": self.builtin_ai}]
        self.transport.answers["builtin_ai.download"] = lambda _: self.shares

    def begun(self) -> SetupState:
        run(self.setup.begin())
        return self.setup.state

    def own(self) -> tuple[ModelSpec, Variant]:
        assert self.setup.catalog
        model = self.setup.catalog.manifest.models[0]
        return model, model.variants[0]


def test_the_browsers_own_model_is_loaded_unasked_where_nothing_else_is_installed() -> None:
    scene = Chrome("available")
    state = scene.begun()
    assert isinstance(state, Ready)
    assert state.model.id == "own"


def test_a_downloaded_model_is_loaded_rather_than_the_browsers_unless_that_was_named() -> None:
    assert Chrome("available", store=ScriptedStore(here=[WASM])).begun() == Ready(MODEL, WASM)
    named = Chrome("available", store=ScriptedStore(here=[WASM]), chosen="own/browser").begun()
    assert isinstance(named, Ready)
    assert named.model.id == "own"


@pytest.mark.parametrize("builtin_ai", ["missing", "unavailable", "downloadable", "downloading"])
def test_what_is_offered_to_a_newcomer_is_never_the_browsers_download(builtin_ai: str) -> None:
    state = Chrome(builtin_ai, chosen="own/browser").begun()
    assert isinstance(state, Choosing)
    assert state.offer.model == MODEL


def test_where_nothing_else_runs_the_browsers_is_offered() -> None:
    scene = Chrome("downloadable")
    scene.transport.answers["transformers_js.probe"] = lambda _: [PROBE | {"wasm_simd": False}]
    state = scene.begun()
    assert isinstance(state, Choosing)
    assert (state.offer.model.id, state.offer.reasons) == ("own", ("browser_downloads",))


def test_its_download_is_the_browsers_and_told_in_shares() -> None:
    scene = Chrome("downloadable")

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.use(*scene.own())

    run(story())
    told = [state.fraction for state in scene.states if isinstance(state, Downloading)]
    assert told == [0, 0, 0.5, 1]
    assert scene.setup.state == Ready(*scene.own())
    assert "page.keep" not in scene.transport.ops()
    assert scene.named.key == "own/browser"


def test_a_download_that_lacked_its_click_can_be_tried_again() -> None:
    scene = Chrome("downloadable")
    scene.shares = [ClickNeeded("")]

    async def story() -> None:
        await scene.setup.begin()
        await scene.setup.use(*scene.own())
        assert isinstance(scene.states[-1], DownloadFailed)
        scene.shares = [{"share": 1}]
        await scene.setup.retry()

    run(story())
    assert scene.states[-1] == Ready(*scene.own())


def test_what_the_browser_has_now_can_be_asked_again() -> None:
    scene = Chrome("downloading")
    run(scene.setup.ask_browser())  # nothing was looked at yet
    scene.begun()
    scene.builtin_ai = "available"
    run(scene.setup.ask_browser())
    assert scene.setup.catalog
    assert scene.setup.catalog.capabilities.builtin_ai == "available"


def test_a_pin_takes_the_place_of_its_model_only() -> None:
    other = replace(MODEL, id="other")
    given = Catalog(capabilities_of({}), "auto", Manifest((other, MODEL)))
    changed = replace(MODEL, title="Changed")
    assert given.having(changed).manifest.models == (other, changed)


# ---- a load that ended the page ----


def test_what_ended_the_page_when_it_was_loaded_is_not_loaded_again_unasked() -> None:
    scene = Scene(ScriptedStore(here=[WASM]))
    scene.setup.loading.set("tiny/wasm")

    async def story() -> None:
        await scene.setup.begin()
        assert isinstance(scene.setup.state, LoadFailed)
        assert isinstance(scene.setup.state.error, LoadCrashed)
        assert scene.engine.loaded == []
        await scene.setup.retry()  # asked

    run(story())
    assert scene.setup.state == Ready(MODEL, WASM)
    assert (scene.setup.crashed, scene.setup.loading.get()) == ((), None)


def test_another_that_is_here_takes_over() -> None:
    scene = Scene(ScriptedStore(here=[WEBGPU, WASM]), gpu=GPU)
    scene.setup.loading.set("tiny/webgpu")
    run(scene.setup.begin())
    assert scene.setup.state == Ready(MODEL, WASM)
    assert scene.setup.crashed == ("tiny/webgpu",)
    assert scene.setup.loading.get() == "tiny/webgpu"  # also on the visit after this one


@pytest.mark.parametrize("end", [[], [EngineFailed("no")]])
def test_the_mark_is_there_only_while_a_model_is_loaded(end: list[Any]) -> None:
    marks: list[str | None] = []
    scene = Scene(ScriptedStore(here=[WASM]), engine=ScriptedEngine(loads=[end]))
    scene.setup.watchers.append(lambda _state: marks.append(scene.setup.loading.get()))
    run(scene.setup.begin())
    assert "tiny/wasm" in marks
    assert scene.setup.loading.get() is None
    assert scene.setup.crashed == ()


def test_a_page_that_is_left_while_it_loads_has_not_crashed() -> None:
    scene = Scene(ScriptedStore(here=[WASM]))

    async def story() -> None:
        begun = asyncio.ensure_future(scene.setup.begin())
        await asyncio.sleep(0.5)
        assert scene.setup.loading.get() == "tiny/wasm"
        scene.setup.left()
        assert scene.setup.loading.get() is None
        await begun

    run(story())
