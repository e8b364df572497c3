"""A chat whose answers are whose the rules say: asked first, explained, overridden, and answered by who comes next."""

from __future__ import annotations

import asyncio
from typing import Any

from pyapp.chat.tree import Entry
from pyapp.errors import CloudInterrupted, DeviceLost, EngineHung, NobodyMay, ServerUnreachable
from pyapp.routing.needs import Kind, Needs
from pyapp.routing.router import Question
from pyapp.routing.rules import Rules
from pyapp.setup.state import LoadFailed
from tests.unit.chat.scripted import DONE, ScriptedEngine
from tests.unit.routing.stage import (
    ACME,
    ACME_SPEC,
    ACME_VARIANT,
    LLAMA,
    LLAMA_SPEC,
    LLAMA_VARIANT,
    NANO,
    TINY,
    Stage,
    play,
)

ASK, ALLOWED = Rules(privacy="ask"), Rules(privacy="allowed")
POEM = "Write a poem"
LONG = "word " * 100


def stage(rules: Rules, *scripts: Any, **given: Any) -> Stage:
    return Stage(rules, engine=ScriptedEngine(list(scripts)), **given)


async def say(s: Stage, text: str) -> None:
    s.say(text)
    await asyncio.sleep(10)


def shown(s: Stage) -> list[tuple[str, str]]:
    return [(entry.state, entry.text) for entry in s.entries() if entry.role == "assistant"]


def last(s: Stage) -> Entry:
    return s.entries()[-1]


def authors(s: Stage) -> list[str]:
    return [entry.origin.provider or entry.origin.model for entry in s.entries() if entry.origin]


def codes(s: Stage, entry: Entry) -> list[str]:
    return [reason.code for reason in s.page.routed[entry.id].reasons]


# ---- who answers ----


def test_where_nothing_may_leave_chats_are_as_they_were() -> None:
    async def story(s: Stage) -> None:
        await say(s, POEM)
        assert authors(s) == ["Tiny"]
        assert s.page.routed == {}

    play(stage(Rules(), ["a", DONE]), story)


def test_without_a_router_too() -> None:
    async def story(s: Stage) -> None:
        s.app.router = None
        await say(s, POEM)
        assert authors(s) == ["Tiny"]

    play(stage(ALLOWED, ["a", DONE]), story)


def test_each_prompt_has_its_own() -> None:
    async def story(s: Stage) -> None:
        for prompt in ("Hi", LONG, "A function in Python"):
            await say(s, prompt)
        assert authors(s) == ["Nano", "Acme AI", "Tiny"]
        answers = [entry for entry in s.entries() if entry.role == "assistant"]
        assert [codes(s, entry)[0] for entry in answers] == ["short", "long", "kind"]

    play(stage(ALLOWED, ["a", DONE], ["b", DONE], ["c", DONE]), story)


def test_a_chat_with_a_model_of_its_own_is_not_routed() -> None:
    async def story(s: Stage) -> None:
        s.preferences.save_chat_typed({"model_key": TINY}, ())
        await say(s, LONG)
        assert authors(s) == ["Tiny"]

    play(stage(ALLOWED, ["a", DONE]), story)


# ---- consent ----


def test_nothing_leaves_before_the_user_says_so() -> None:
    async def story(s: Stage) -> None:
        await say(s, LONG)
        assert s.asked == [Question("Acme AI", here=True)]
        assert s.page.busy
        assert s.engine.requests == []
        assert ACME_VARIANT not in s.engine.loaded
        s.router.answer("send")
        await asyncio.sleep(10)
        assert authors(s) == ["Acme AI"]
        assert not s.page.busy

    play(stage(ASK, ["a", DONE]), story)


def test_whoever_stops_instead_of_answering_has_the_draft_again() -> None:
    async def story(s: Stage) -> None:
        await say(s, LONG)
        s.app.stop()
        await asyncio.sleep(1)
        assert s.page.composer.text == LONG
        assert s.asked[-1] is None
        assert (s.entries(), s.engine.requests, s.page.busy) == ([], [], False)

    play(stage(ASK), story)


def test_what_nobody_may_answer_is_a_draft_again() -> None:
    async def story(s: Stage) -> None:
        await s.setup.use(LLAMA_SPEC, LLAMA_VARIANT)
        s.preferences.rules = ASK
        s.served = ()
        await s.setup.withdraw(ACME_SPEC, ACME_VARIANT)
        s.say("x" * 100_000)
        await asyncio.sleep(10)
        assert isinstance(s.page.notice, NobodyMay)
        assert len(s.page.composer.text) == 100_000

    play(stage(ASK), story)


# ---- beside a task ----


async def load(s: Stage, needs: Needs, key: str) -> str:
    await s.router.route(needs, key)
    return s.loaded()


def test_a_task_waits_for_the_answer_that_grows_and_a_chat_for_nobody() -> None:
    async def story(s: Stage) -> None:
        s.say("Hi")
        await asyncio.sleep(5)
        assert last(s).text == "half"
        task = asyncio.ensure_future(s.router.route(Needs("course")))
        same = asyncio.ensure_future(s.router.route(Needs("summarise")))
        await asyncio.sleep(5)
        assert (await same).origin.model == "Nano", "which is loaded"
        assert not task.done()
        await asyncio.sleep(60)
        assert shown(s) == [("done", "half and half")]
        assert (await task).origin.model == "Tiny"
        s.say("Ho")
        await asyncio.sleep(10)
        assert authors(s) == ["Nano", "Nano"]

    play(stage(ALLOWED, ["half", 30.0, " and half", DONE], ["b", DONE]), story)


def test_one_model_is_loaded_at_a_time() -> None:
    async def story(s: Stage) -> None:
        s.say(LONG)
        wanted: dict[str, Kind] = {ACME: "research", TINY: "course", NANO: "summarise", LLAMA: "code"}
        loaded = await asyncio.gather(*(load(s, Needs(kind), key) for key, kind in wanted.items()))
        assert loaded == list(wanted)
        assert authors(s) == ["Acme AI"]
        assert shown(s) == [("done", "a")]

    play(stage(ALLOWED, ["a", DONE]), story)


# ---- another one ----


def test_another_one_answers_once() -> None:
    async def story(s: Stage) -> None:
        await say(s, LONG)
        s.app.answer_by(last(s).id, TINY)
        await asyncio.sleep(10)
        assert authors(s) == ["Tiny"]
        assert codes(s, last(s)) == ["once"]
        assert len(s.app.session.conversation.siblings(last(s).id)) == 2
        await say(s, LONG)
        assert authors(s) == ["Tiny", "Acme AI"]

    play(stage(ALLOWED, ["a", DONE], ["b", DONE], ["c", DONE]), story)


def test_another_one_also_where_nothing_may_leave_any_more() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Hi")
        s.preferences.rules = Rules()
        s.app.answer_by(last(s).id, ACME)
        await asyncio.sleep(10)
        assert authors(s) == ["Nano"]
        assert "privacy" in codes(s, last(s))

    play(stage(ALLOWED, ["a", DONE], ["b", DONE]), story)


def test_an_answer_goes_on_with_who_began_it() -> None:
    async def story(s: Stage) -> None:
        s.say(LONG)
        await asyncio.sleep(5)
        s.app.stop()
        await asyncio.sleep(1)
        await s.setup.switch(TINY)
        s.app.continue_(last(s).id)
        s.app.continue_(last(s).id)  # one at a time
        await asyncio.sleep(10)
        assert shown(s) == [("done", "half and half")]
        assert authors(s) == ["Acme AI"]
        assert last(s).id not in s.page.routed

    play(stage(ALLOWED, ["half", 60.0, DONE], [" and half", DONE]), story)


def test_two_models_words_are_never_in_one_answer() -> None:
    async def story(s: Stage) -> None:
        s.say(LONG)
        await asyncio.sleep(5)
        s.app.stop()
        await asyncio.sleep(1)
        s.served = ()
        await s.setup.withdraw(ACME_SPEC, ACME_VARIANT)
        s.app.continue_(last(s).id)
        await asyncio.sleep(10)
        assert shown(s) == [("done", "whole")]
        assert authors(s) == ["Nano"]
        assert len(s.app.session.conversation.entries) == 3, "what the other said is a branch"
        s.app.continue_("gone")
        await asyncio.sleep(10)
        assert s.page.notice is not None

    play(stage(ALLOWED, ["half", 60.0, DONE], ["whole", DONE]), story)


def test_nor_are_they_without_rules() -> None:
    async def story(s: Stage) -> None:
        s.say("Hi")
        await asyncio.sleep(5)
        s.app.stop()
        await asyncio.sleep(1)
        await s.setup.use(LLAMA_SPEC, LLAMA_VARIANT)
        s.app.continue_(last(s).id)
        await asyncio.sleep(10)
        assert shown(s) == [("done", "whole")]
        assert authors(s) == ["llama"]

    play(stage(Rules(), ["half", 60.0, DONE], ["whole", DONE]), story)


# ---- failures ----


def test_what_the_cloud_broke_off_is_kept_and_who_comes_next_answers_beside_it() -> None:
    async def story(s: Stage) -> None:
        await say(s, LONG)
        assert shown(s) == [("done", "whole")]
        assert authors(s) == ["Nano"]
        assert codes(s, last(s)) == ["kind", "failed"]
        first, second = s.app.session.conversation.siblings(last(s).id)
        half = s.app.session.conversation.entries[first]
        assert (half.text, half.state, second) == ("half", "error", last(s).id)

    play(stage(ALLOWED, ["half", CloudInterrupted()], ["whole", DONE]), story)


def test_who_comes_next_may_have_to_be_asked_for() -> None:
    async def story(s: Stage) -> None:
        await s.setup.use(LLAMA_SPEC, LLAMA_VARIANT)
        await say(s, "Hi")
        assert shown(s) == [("error", "half")]
        assert s.asked == [Question("Acme AI", here=False)]
        s.router.answer("send")
        await asyncio.sleep(10)
        assert shown(s) == [("done", "whole")]
        assert authors(s) == ["Acme AI"]

    scripts = ["half", ServerUnreachable()], ["whole", DONE]
    play(stage(ASK, *scripts, installed=False, builtin_ai="unavailable"), story)


def test_where_there_is_nobody_else_the_failure_stands() -> None:
    async def story(s: Stage) -> None:
        await say(s, LONG)
        assert shown(s) == [("error", "half")]
        assert s.page.notice is None
        s.app.try_again(last(s).id)
        await asyncio.sleep(10)
        assert shown(s) == [("done", "whole")]

    given = {"installed": False, "builtin_ai": "unavailable", "served": (ACME_SPEC,), "chosen": ACME}
    play(stage(ALLOWED, ["half", CloudInterrupted()], ["whole", DONE], **given), story)


def test_an_engine_here_that_failed_is_made_ready_again() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Hi")
        assert shown(s) == [("error", "half")]
        assert s.setup.answers_with(NANO)
        s.app.try_again(last(s).id)
        await asyncio.sleep(10)
        assert shown(s) == [("done", "whole")]

    play(stage(ALLOWED, ["half", EngineHung()], ["whole", DONE]), story)


def test_where_it_does_not_get_ready_somebody_else_answers_the_next() -> None:
    async def story(s: Stage) -> None:
        s.engine.loads = [[], [DeviceLost()]]
        await say(s, "Hi")
        assert isinstance(s.setup.state, LoadFailed)
        await say(s, "Ho")
        assert authors(s) == ["Nano", "Tiny"]

    play(stage(ALLOWED, ["half", DeviceLost()], ["whole", DONE]), story)


def test_without_rules_a_message_waits_for_a_model_that_failed() -> None:
    async def story(s: Stage) -> None:
        s.engine.loads = [[DeviceLost()]]
        await say(s, "Hi")
        await say(s, "Ho")
        assert s.page.composer.text == "Ho"
        assert s.page.notice == "waiting"

    play(stage(Rules(), ["half", EngineHung()]), story)
