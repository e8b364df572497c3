"""The table at work: who is here, consent before anything leaves, what is loaded, and what comes of failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from pyapp.chat.tree import Origin
from pyapp.engine import Usage
from pyapp.errors import (
    CandilError,
    CloudFailed,
    EngineBusy,
    EngineFailed,
    EngineHung,
    LoadCrashed,
    NobodyMay,
    NotLoaded,
    StorageFailed,
)
from pyapp.models.manifest import Company
from pyapp.routing.needs import Needs
from pyapp.routing.route import Choice, Route
from pyapp.routing.router import ASIDE_S, Question
from pyapp.routing.rules import Rules, always
from pyapp.routing.table import Candidate
from pyapp.setup.state import Choosing, Declined, LoadFailed, Ready
from pyapp.speeds import Figure
from tests.unit.routing.stage import (
    ACME,
    ACME_SOURCE,
    ACME_SPEC,
    ACME_VARIANT,
    FAR,
    FAR_SPEC,
    LLAMA,
    LLAMA_SPEC,
    NANO,
    TINY,
    Stage,
    play,
)
from tests.unit.run import run
from tests.unit.setup.scripted import GPU, MODEL, PROBE, WASM, WEBGPU
from tests.unit.transport import Forever

RESEARCH, COURSE = Needs("research"), Needs("course", schema=True)
ASK, ALLOWED = Rules(privacy="ask"), Rules(privacy="allowed")


def is_a_route(router: Route) -> Route:
    """As far as mypy can see."""
    return router


# ---- who is here ----


async def candidates(stage: Stage) -> dict[str, Candidate]:
    routed = await stage.router.route(Needs("summarise"))
    return {each.key: each for each in (routed.decision.choice, *routed.decision.others) if each}


def test_everybody_who_could_answer_without_a_download() -> None:
    async def story(s: Stage) -> None:
        found = await candidates(s)
        assert list(found) == [NANO, TINY, LLAMA, ACME]
        assert [each.tier for each in found.values()] == ["builtin", "device", "own_server", "cloud"]
        assert [each.title for each in found.values()] == ["Nano", "Tiny", "llama", "Acme AI"]
        assert [each.window_tokens for each in found.values()] == [2048, 2048, 8000, 50_000]
        assert [each.constrains for each in found.values()] == [True, True, False, False]
        assert [each.in_use for each in found.values()] == [False, True, False, False]
        assert [each.company for each in found.values()] == ["", "", "", "Acme AI"]
        assert [each.cost for each in found.values()] == [0, 0, 0, None]
        assert is_a_route(s.router)

    play(Stage(ALLOWED), story)


def test_who_is_not_here_is_none() -> None:
    async def story(s: Stage) -> None:
        assert list(await candidates(s)) == [LLAMA]

    play(Stage(ALLOWED, builtin_ai="downloadable", installed=False, served=(LLAMA_SPEC,)), story)


def test_a_server_of_ours_at_a_public_address_is_the_cloud() -> None:
    async def story(s: Stage) -> None:
        routed = await s.router.route(RESEARCH)
        assert routed.decision.choice
        assert routed.decision.choice.key == FAR
        assert (routed.decision.choice.tier, routed.decision.choice.company) == ("cloud", "models.test")

    play(Stage(ALLOWED, served=(FAR_SPEC,)), story)


@pytest.mark.parametrize(("prices", "cost"), [((2.0, 3.0), 3.0), ((0.0,), 0.0), ((2.0, None), None)])
def test_what_the_cloud_costs_is_what_the_dearest_may(prices: tuple[float | None, ...], cost: float | None) -> None:
    async def story(s: Stage) -> None:
        assert (await candidates(s))[ACME].cost == cost

    companies = tuple(Company("acme", "Acme AI", price) for price in prices)
    play(Stage(ALLOWED, served=(replace(ACME_SPEC, source=replace(ACME_SOURCE, companies=companies)),)), story)


def test_of_each_model_the_version_in_use() -> None:
    async def story(s: Stage) -> None:
        s.store.here = [WEBGPU, WASM]
        s.setup.crashed = ()
        for variant in (WEBGPU, WASM):
            await s.setup.use(MODEL, variant)
            tiny = f"tiny/{variant.name}"
            assert list(await candidates(s)) == [NANO, tiny, LLAMA, ACME]
            assert (await s.router.route(RESEARCH)).origin.provider == "Acme AI"
            assert (await candidates(s))[tiny].in_use, "it comes back"
            await s.setup.switch(NANO)
            assert (await s.router.route(COURSE)).origin == Origin("Tiny", variant.device)

    play(Stage(ALLOWED, answers={"transformers_js.probe": lambda _: [PROBE | {"webgpu": GPU}]}), story)


def test_how_fast_they_were() -> None:
    async def story(s: Stage) -> None:
        await s.app.speeds.add(Figure(0, Origin("Tiny", "wasm"), Usage(9, 0, 11, 1.0, 5000.0)))
        assert (await candidates(s))[TINY].tokens_per_s == 2.0
        s.preferences.rules = replace(ALLOWED, least_tokens_per_s=3.0)
        routed = await s.router.route(COURSE)
        assert [reason.code for reason in routed.reasons] == ["kind", "slow"]

    play(Stage(ALLOWED), story)


def test_nothing_was_measured_where_nothing_is_kept() -> None:
    async def story(s: Stage) -> None:
        assert (await candidates(s))[TINY].tokens_per_s is None

    stage = Stage(ALLOWED)
    stage.browser.tabs[0].trouble = StorageFailed()
    play(stage, story)


# ---- who is loaded ----


def test_who_was_chosen_is_loaded_for_now() -> None:
    async def story(s: Stage) -> None:
        routed = await s.router.route(RESEARCH)
        assert (routed.engine, routed.window_tokens, routed.needs) == (s.engine, 50_000, RESEARCH)
        assert routed.origin == Origin("auto", "server", "openai_http", "candil.test", "Acme AI")
        assert s.loaded() == ACME
        assert s.setup.chosen.get() is None
        routed = await s.router.route(COURSE)
        assert (routed.origin, s.loaded()) == (Origin("Tiny", "wasm"), TINY)
        assert (await s.router.route(COURSE, NANO)).origin.model == "Nano"
        assert s.asked == []

    play(Stage(ALLOWED), story)


def test_what_is_under_way_is_waited_for() -> None:
    async def whole() -> None:
        stage = Stage(ALLOWED)
        starting = asyncio.ensure_future(stage.setup.begin())
        routed = await stage.router.route(COURSE)
        assert routed.origin.model == "Tiny"
        await starting

    run(whole())


def test_who_is_loading_something_else_is_told_of() -> None:
    left: list[str] = []

    async def story(s: Stage) -> None:
        s.router.leaving = lambda: left.append(s.loaded())
        await s.router.route(COURSE)
        assert left == []
        await s.router.route(RESEARCH)
        assert left

    play(Stage(ALLOWED), story)


def test_not_in_a_second_tab() -> None:
    async def story(s: Stage) -> None:
        with pytest.raises(EngineBusy):
            await s.router.route(COURSE)

    play(Stage(answers={"page.lock": lambda _: [{"held": False}, Forever()]}), story)


def test_not_where_nothing_runs() -> None:
    async def story(s: Stage) -> None:
        with pytest.raises(CandilError) as error:
            await s.router.route(COURSE)
        assert error.value.code == "engine_failed"

    def broken(_: Any) -> list[Any]:
        return [EngineFailed()]

    play(Stage(answers={"store.status": broken}), story)


def test_where_nobody_is_here_a_download_is_offered_and_waited_for() -> None:
    async def story(s: Stage) -> None:
        s.setup.decline()
        assert isinstance(s.setup.state, Declined)
        routing = asyncio.ensure_future(s.router.route(COURSE))
        await asyncio.sleep(1)
        assert isinstance(s.setup.state, Choosing)
        await s.setup.download()
        assert (await routing).origin.model == "Tiny"

    play(Stage(installed=False, builtin_ai="unavailable", served=()), story)


def test_where_nobody_is_here_and_nobody_is_wanted() -> None:
    async def story(s: Stage) -> None:
        routing = asyncio.ensure_future(s.router.route(COURSE))
        await asyncio.sleep(1)
        s.setup.decline()
        with pytest.raises(NotLoaded):
            await routing

    play(Stage(installed=False, builtin_ai="unavailable", served=()), story)


def test_what_ended_the_page_is_not_loaded_for_this() -> None:
    async def story(s: Stage) -> None:
        with pytest.raises(LoadCrashed):
            await s.router.route(COURSE)

    stage = Stage(builtin_ai="unavailable", served=())
    stage.setup.loading.set(TINY)
    play(stage, story)


def test_whoever_waits_may_go() -> None:
    async def whole() -> None:
        stage = Stage()
        starting = asyncio.ensure_future(stage.setup.begin())
        routing = asyncio.ensure_future(stage.router.route(COURSE))
        await asyncio.sleep(0.5)
        routing.cancel()
        await starting
        assert isinstance(stage.setup.state, Ready)

    run(whole())


def test_where_the_rules_let_nobody_do_it() -> None:
    async def story(s: Stage) -> None:
        with pytest.raises(NobodyMay) as error:
            await s.router.route(COURSE)
        assert error.value.details == {"reasons": ["absent", "absent", "absent", "privacy"]}

    play(Stage(installed=False, builtin_ai="unavailable", served=(ACME_SPEC,)), story)


def test_who_else_could_do_it() -> None:
    async def story(s: Stage) -> None:
        nano, llama = await s.router.choices(COURSE)
        assert nano == Choice(NANO, Origin("Nano", "browser", "builtin_ai"))
        assert llama == Choice(LLAMA, Origin("llama", "server", "openai_http", "localhost:8080"))

    play(Stage(), story)


# ---- consent ----


def asking(story: Callable[[Stage, asyncio.Task[Any]], Awaitable[None]], stage: Stage | None = None) -> Stage:
    stage = stage or Stage(ASK)

    async def whole(s: Stage) -> None:
        routing = asyncio.ensure_future(s.router.route(RESEARCH))
        await asyncio.sleep(5)
        assert ACME_VARIANT not in s.engine.loaded, "nobody has agreed"
        await story(s, routing)

    play(stage, whole)
    return stage


def test_it_is_asked_and_sent() -> None:
    async def story(s: Stage, routing: asyncio.Task[Any]) -> None:
        assert s.asked == [Question("Acme AI", here=True)]
        s.router.answer("send")
        s.router.answer("here")  # too late
        assert (await routing).origin.provider == "Acme AI"
        assert s.asked[1:] == [None]
        assert s.preferences.rules == ASK
        again = asyncio.ensure_future(s.router.route(RESEARCH))
        await asyncio.sleep(5)
        assert len(s.asked) == 3, "each time"
        again.cancel()
        await asyncio.sleep(1)
        assert s.asked[-1] is None
        s.router.answer("send")  # to nothing

    asking(story)


def test_it_is_asked_and_answered_here() -> None:
    async def story(s: Stage, routing: asyncio.Task[Any]) -> None:
        s.router.answer("here")
        routed = await routing
        assert routed.origin.model == "Nano"
        assert [reason.code for reason in routed.reasons] == ["kind", "stay"]

    asking(story)


def test_it_is_not_asked_any_more() -> None:
    async def story(s: Stage, routing: asyncio.Task[Any]) -> None:
        s.router.answer("always")
        assert (await routing).origin.provider == "Acme AI"
        assert s.preferences.rules == ALLOWED

    asking(story)


def test_where_nobody_is_here_it_is_sent_or_not() -> None:
    async def story(s: Stage, routing: asyncio.Task[Any]) -> None:
        assert s.asked == [Question("Acme AI", here=False)]
        s.router.answer("here")
        with pytest.raises(NobodyMay) as error:
            await routing
        assert "stay" in error.value.details["reasons"]  # type: ignore[operator]

    asking(story, Stage(ASK, installed=False, builtin_ai="unavailable", served=(ACME_SPEC,)))


def test_a_rule_that_came_meanwhile_holds() -> None:
    async def story(s: Stage, routing: asyncio.Task[Any]) -> None:
        s.preferences.rules = Rules()
        s.router.answer("send")
        assert (await routing).origin.model == "Nano"

    asking(story)


def test_one_question_at_a_time() -> None:
    async def story(s: Stage, routing: asyncio.Task[Any]) -> None:
        other = asyncio.ensure_future(s.router.route(RESEARCH))
        await asyncio.sleep(5)
        assert len(s.asked) == 1
        s.router.answer("here")
        await asyncio.sleep(5)
        assert s.asked[1:] == [None, Question("Acme AI", here=True)]
        s.router.answer("here")
        assert (await routing).origin == (await other).origin

    asking(story)


# ---- rules ----


def test_one_is_named_for_good_also_where_nothing_is_kept() -> None:
    async def story(s: Stage) -> None:
        s.browser.tabs[0].trouble = StorageFailed()
        await s.router.always("course", NANO)
        assert s.preferences.rules == always(Rules(), "course", NANO)
        assert (await s.router.route(COURSE)).origin.model == "Nano"

    play(Stage(), story)


def test_chats_are_routed_once_something_may_leave() -> None:
    assert [Stage(rules).router.on for rules in (Rules(), ASK, ALLOWED)] == [False, True, True]


def test_who_has_answered_is_found_again() -> None:
    async def story(s: Stage) -> None:
        assert await s.router.key_of(Origin("Tiny", "wasm")) == TINY
        assert await s.router.key_of(Origin("large", "server", "openai_http", "candil.test", "Other")) == ACME
        assert await s.router.key_of(Origin("Tiny", "webgpu")) == ""

    play(Stage(), story)


# ---- failures ----


def test_who_does_not_load_is_passed_over() -> None:
    async def story(s: Stage) -> None:
        s.engine.loads = [[EngineHung()]]
        routed = await s.router.route(RESEARCH)
        assert routed.origin.model == "Nano"
        assert [reason.code for reason in routed.reasons] == ["kind", "failed"]

    play(Stage(ALLOWED), story)


def test_where_nobody_loads_it_is_told_why() -> None:
    async def story(s: Stage) -> None:
        s.engine.loads = [[EngineHung()], [EngineFailed()], [EngineHung()]]
        with pytest.raises(EngineHung):
            await s.router.route(Needs("course"))
        assert isinstance(s.setup.state, LoadFailed)

    async def only_servers(s: Stage) -> None:
        await s.setup.use(LLAMA_SPEC, LLAMA_SPEC.variants[0])
        await story(s)

    play(Stage(ALLOWED), only_servers)


def test_a_server_that_failed_is_left_for_a_while() -> None:
    async def story(s: Stage) -> None:
        first = await s.router.route(RESEARCH)
        assert await s.router.has_another(RESEARCH)
        await s.router.failed(first, CloudFailed())
        second = await s.router.route(RESEARCH)
        assert second.origin.model == "Nano"
        assert [(reason.code, reason.title) for reason in second.reasons] == [("kind", "Nano"), ("failed", "Acme AI")]
        assert (await s.router.route(RESEARCH, ACME)).origin.provider == "Acme AI", "unless the user names it"
        await asyncio.sleep(ASIDE_S)
        assert (await s.router.route(RESEARCH)).origin.provider == "Acme AI"
        await s.router.failed(first, CloudFailed())
        s.router.answered(first)
        assert (await s.router.route(RESEARCH)).origin.provider == "Acme AI", "it has answered since"

    play(Stage(ALLOWED), story)


def test_who_failed_is_asked_again_where_there_is_nobody_else() -> None:
    async def story(s: Stage) -> None:
        routed = await s.router.route(RESEARCH)
        await s.router.failed(routed, CloudFailed())
        assert not await s.router.has_another(RESEARCH)
        assert (await s.router.route(RESEARCH)).origin == routed.origin

    play(Stage(ALLOWED, installed=False, builtin_ai="unavailable", served=(ACME_SPEC,)), story)


def test_an_engine_that_failed_is_restarted_and_then_left() -> None:
    async def story(s: Stage) -> None:
        routed = await s.router.route(COURSE)
        await s.router.failed(routed, EngineHung())
        assert isinstance(s.setup.state, Ready)
        assert (await s.router.route(COURSE)).origin == routed.origin
        await s.router.failed(routed, EngineHung())
        assert (await s.router.route(COURSE)).origin.model == "Nano"
        await s.router.failed(routed, NobodyMay())  # nothing ran

    play(Stage(), story)
