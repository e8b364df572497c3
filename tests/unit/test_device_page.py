"""What the section about this device shows, and a measurement from its click to its ranking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pyapp.chat.tree import Origin
from pyapp.device_page import NEW_TOKENS, DevicePage, Ranked, ShownDevice, ranking
from pyapp.engine import Finished, Usage
from pyapp.errors import DeviceLost, EngineFailed
from pyapp.setup.setup import Setup
from pyapp.setup.state import Choosing, Ready
from pyapp.speeds import Figure
from tests.unit.chat.scripted import ScriptedEngine
from tests.unit.run import run
from tests.unit.setup.scripted import GPU, MODEL, PROBE, WASM, WEBGPU, MemoryIntent, ScriptedStore, transport
from tests.unit.test_speeds import Settings

USAGE = Usage(prompt_tokens=9, cached_tokens=0, new_tokens=11, prefill_ms=500, decode_ms=1000)
FAST = replace(USAGE, decode_ms=100)
ON_GPU, ON_CPU = (Origin("Tiny", device) for device in ("webgpu", "wasm"))


def finished(usage: Usage) -> list[Any]:
    return ["The sea.", Finished("stop", usage)]


@dataclass
class Stage:
    here: tuple[Any, ...] = (WEBGPU, WASM)
    scripts: list[Any] = field(default_factory=lambda: [finished(FAST), finished(USAGE)])
    loads: list[Any] = field(default_factory=list)
    stops: int = 0

    def __post_init__(self) -> None:
        self.engine = ScriptedEngine(scripts=self.scripts, loads=self.loads)
        self.transport = transport()
        self.transport.answers["transformers_js.probe"] = lambda _: [PROBE | {"webgpu": GPU}]
        self.setup = Setup(self.transport, self.engine, ScriptedStore(here=list(self.here)), MemoryIntent())
        self.speeds = Settings().speeds()
        times = iter(range(1, 100))
        self.page = DevicePage(self.setup, self.engine, self.speeds, lambda: next(times), self.stop)
        self.shows: list[ShownDevice] = []
        self.page.on_change = self.shows.append

    def stop(self) -> None:
        self.stops += 1


def play(stage: Stage, story: Callable[[Stage], Awaitable[None]]) -> Stage:
    async def whole() -> None:
        await stage.setup.begin()
        stage.page.open()
        await asyncio.sleep(1)
        await story(stage)

    run(whole())
    return stage


async def nothing(_stage: Stage) -> None:
    pass


def test_before_the_device_was_looked_at() -> None:
    assert Stage().page.shown() == ShownDevice()


def test_what_is_shown_at_once() -> None:
    shown = play(Stage(), nothing).shows[-1]
    assert shown.capabilities is not None
    assert (shown.verdict, shown.ranking, shown.can_measure, shown.measuring) == ("graphics_card", (), True, None)
    assert shown.suggestion is not None
    assert shown.suggestion.model == MODEL


def test_a_measurement_ranks_what_is_here_and_the_model_in_use_comes_back() -> None:
    async def story(stage: Stage) -> None:
        stage.page.measure()
        stage.page.measure()  # one at a time
        await asyncio.sleep(10)
        assert stage.setup.state == Ready(MODEL, WEBGPU)
        assert stage.setup.chosen.get() is None  # nothing was chosen by it

    stage = play(Stage(), story)
    assert stage.shows[-1].ranking == (Ranked(ON_GPU, 100.0), Ranked(ON_CPU, 10.0))
    assert stage.shows[-1].suggestion is not None
    assert stage.shows[-1].suggestion.why == "measured"
    assert next(shown.measuring for shown in stage.shows if shown.measuring) == ON_GPU
    assert stage.shows[-1].measuring is None
    assert stage.stops == 1
    assert {(r.max_new_tokens, r.sampling.temperature) for r in stage.engine.requests} == {(NEW_TOKENS, 0)}


def test_one_token_is_no_speed() -> None:
    async def story(stage: Stage) -> None:
        stage.page.measure()
        await asyncio.sleep(10)

    stage = play(Stage(here=(WASM,), scripts=[finished(replace(USAGE, new_tokens=1))]), story)
    assert stage.shows[-1].ranking == ()


def test_an_engine_that_fails_ends_it_and_the_model_in_use_comes_back() -> None:
    async def story(stage: Stage) -> None:
        stage.page.measure()
        await asyncio.sleep(10)
        assert stage.setup.state == Ready(MODEL, WEBGPU)

    stage = play(Stage(scripts=[[DeviceLost("gone")]]), story)
    assert isinstance(stage.shows[-1].error, DeviceLost)
    assert stage.shows[-1].can_measure


def test_what_does_not_load_is_passed_over() -> None:
    async def story(stage: Stage) -> None:
        stage.page.measure()
        await asyncio.sleep(10)
        assert stage.setup.state == Ready(MODEL, WEBGPU)
        assert stage.setup.chosen.get() is None

    stage = play(Stage(loads=[[], [EngineFailed("no")]]), story)
    assert [each.origin for each in stage.shows[-1].ranking] == [ON_GPU]


def test_leaving_ends_it() -> None:
    async def story(stage: Stage) -> None:
        stage.page.measure()
        await asyncio.sleep(1)
        stage.page.close()
        shown = len(stage.shows)
        await asyncio.sleep(10)
        assert len(stage.shows) == shown
        assert stage.setup.state == Ready(MODEL, WEBGPU)
        stage.page.close()  # nothing runs

    play(Stage(scripts=[[5.0]]), story)


def test_nothing_is_measured_without_a_model() -> None:
    async def story(stage: Stage) -> None:
        assert isinstance(stage.setup.state, Choosing)
        stage.page.measure()
        assert not stage.shows[-1].can_measure
        assert stage.stops == 0

    play(Stage(here=()), story)


def test_the_median_of_what_is_known_fastest_first() -> None:
    slow = replace(USAGE, decode_ms=2000)
    figures = [Figure(i, origin, usage) for i, (origin, usage) in enumerate([(ON_CPU, USAGE), (ON_CPU, slow)])]
    wllama = Origin("Tiny", "wasm", "wllama")
    assert ranking([*figures, Figure(9, wllama, FAST)]) == (Ranked(wllama, 100.0), Ranked(ON_CPU, 7.5))


def test_it_is_read_once_at_a_time() -> None:
    async def story(stage: Stage) -> None:
        before = len(stage.shows)
        stage.page.measure()
        stage.page.open()  # while it is measured
        await asyncio.sleep(10)
        assert stage.shows[-1].ranking
        assert len(stage.shows) > before

    play(Stage(), story)
