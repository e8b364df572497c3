"""The browser's own model: the contract, which session a request goes on from, and what Python does in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from pyapp.engine import Finished, GenerateRequest, Message, Progress, Sampling, TextDelta
from pyapp.engines.builtin_ai import BuiltinAi, declared
from pyapp.errors import ClickNeeded, ContextOverflow, EngineFailed, EngineUnavailable, NotLoaded
from tests.contract.engine import QUESTION, Check, answer, applying, load, refused
from tests.unit.engines.scripted import MODEL, VARIANT
from tests.unit.engines.scripted_browser import ScriptedBrowser
from tests.unit.run import run


def engine_of(browser: ScriptedBrowser, languages: Sequence[str] = ("es-MX", "pt")) -> BuiltinAi:
    clock: Iterator[int] = iter(range(10**6))
    return BuiltinAi(browser, languages=lambda: languages, now_ms=lambda: next(clock))


def loaded(browser: ScriptedBrowser) -> BuiltinAi:
    engine = engine_of(browser)
    run(load(engine, MODEL, VARIANT))
    browser.calls.clear()
    return engine


def said(*texts: str, system: str = "") -> tuple[Message, ...]:
    """A conversation: user, assistant, user…"""
    turns = [Message("assistant" if at % 2 else "user", text) for at, text in enumerate(texts)]
    return (*([Message("system", system)] if system else []), *turns)


def payload(browser: ScriptedBrowser, verb: str) -> Any:
    return [payload for asked, payload in browser.calls if asked == verb][-1]


@pytest.mark.parametrize("check", applying(BuiltinAi.cannot), ids=lambda check: check.__name__)
def test_it_keeps_the_contract_of_engines_but_for_what_it_declares(check: Check) -> None:
    run(check(loaded(ScriptedBrowser()), MODEL, VARIANT))  # type: ignore[arg-type]


def test_a_seed_is_what_it_cannot_be_given() -> None:
    assert [check.__name__ for check in applying(frozenset()) if check not in applying(BuiltinAi.cannot)] == [
        "the_same_seed_gives_the_same_text"
    ]


# ---- loading ----


def stages(engine: BuiltinAi) -> list[Progress]:
    async def told() -> list[Progress]:
        return [progress async for progress in engine.load(MODEL, VARIANT)]

    return run(told())


def test_loading_declares_the_users_languages_and_tells_the_browsers_download() -> None:
    browser = ScriptedBrowser(availability="downloadable")
    assert stages(engine_of(browser)) == [Progress("reading", share) for share in (None, 0, 0.5, 1)]
    assert browser.verbs() == ["probe", "create", "keep"]
    assert payload(browser, "probe") == {"languages": ["es", "en"]}
    assert payload(browser, "create") == {"id": 1, "languages": ["es", "en"], "messages": [], "sampling": None}


@pytest.mark.parametrize(
    ("languages", "told"), [(("de-AT", "de", "EN-gb"), ["de", "en"]), (("pt",), ["en"]), ((), ["en"])]
)
def test_only_languages_the_browser_accepts_are_declared(languages: tuple[str, ...], told: list[str]) -> None:
    assert declared(languages) == told


@pytest.mark.parametrize("availability", ["missing", "unavailable"])
def test_what_is_not_there_is_told_before_anything_is_made(availability: str) -> None:
    browser = ScriptedBrowser(availability=availability)
    with pytest.raises(EngineUnavailable) as caught:
        stages(engine_of(browser))
    assert caught.value.details == {"model": "tiny", "reasons": [f"browser_model_{availability}"]}
    assert browser.verbs() == ["probe"]


def test_a_download_without_a_click_can_be_tried_again() -> None:
    browser = ScriptedBrowser(failures={"create": [ClickNeeded("")]})
    engine = engine_of(browser)
    with pytest.raises(ClickNeeded):
        stages(engine)
    with pytest.raises(NotLoaded):
        run(engine.count(QUESTION))
    assert stages(engine) == [Progress("reading")]


# ---- which session ----


def test_a_conversation_is_told_whole_once_and_then_only_its_end() -> None:
    browser = ScriptedBrowser()
    engine = loaded(browser)

    async def chat() -> list[Finished]:
        first = said("hello", system="Be brief.")
        text, one = await answer(engine, GenerateRequest(first))
        second = (*first, Message("assistant", text), Message("user", "and then"))
        return [one, (await answer(engine, GenerateRequest(second)))[1]]

    one, two = run(chat())
    assert browser.verbs() == ["create", "clone", "generate", "keep", "clone", "generate", "keep"]
    assert [payload["messages"] for verb, payload in browser.calls if verb == "generate"] == [
        [{"role": "user", "content": "hello"}],
        [{"role": "user", "content": "and then"}],
    ]
    assert payload(browser, "create")["messages"] == [{"role": "system", "content": "Be brief."}]
    assert (one.usage.cached_tokens, one.usage.prompt_tokens) == (0, 7)
    assert (two.usage.cached_tokens, two.usage.prompt_tokens) == (8, 10)


def test_another_answer_or_wording_goes_on_from_before_the_question() -> None:
    browser = ScriptedBrowser()
    engine = loaded(browser)
    before = ("one", "two")

    async def ask(*question: str) -> str:
        return (await answer(engine, GenerateRequest(said(*before, *question))))[0]

    async def branches() -> None:
        first = await ask("three")
        assert await ask("three") == first
        assert await ask("four") != first

    run(branches())
    verbs = browser.verbs()
    assert verbs[:5] == ["clone", "append", "clone", "generate", "keep"]
    assert verbs[5:] == ["clone", "generate", "keep"] * 2
    assert sorted(len(held) for held in browser.sessions.values()) == [0, 2, 4]  # nothing, the past, the answer


def test_what_was_said_since_is_appended() -> None:
    browser = ScriptedBrowser()
    engine = loaded(browser)

    async def stopped_then_asked() -> None:
        stream = engine.generate(GenerateRequest(said("tell")))
        part = await anext(stream)
        assert isinstance(part, TextDelta)
        await stream.aclose()
        assert list(browser.sessions) == [1]  # what was stopped is given up
        await answer(engine, GenerateRequest(said("tell", part.text, "go on")))

    run(stopped_then_asked())
    assert [message["role"] for message in payload(browser, "append")["messages"]] == ["user", "assistant"]
    assert payload(browser, "generate")["messages"] == [{"role": "user", "content": "go on"}]


def test_instructions_need_a_session_of_their_own() -> None:
    browser = ScriptedBrowser()
    engine = loaded(browser)
    run(answer(engine, GenerateRequest(said("a"))))
    run(answer(engine, GenerateRequest(said("a", system="One."))))
    run(answer(engine, GenerateRequest(said("a", system="Two."))))
    assert browser.verbs().count("create") == 2


def test_an_answer_goes_on_where_it_ended() -> None:
    browser = ScriptedBrowser()
    engine = loaded(browser)

    async def go_on() -> None:
        text, _ = await answer(engine, GenerateRequest(said("count", "one two"), continue_last=True))
        await answer(engine, GenerateRequest(said("count", "one two" + text, "more")))

    run(go_on())
    asked = [payload["messages"] for verb, payload in browser.calls if verb == "generate"]
    assert asked[0] == [
        {"role": "user", "content": "count"},
        {"role": "assistant", "content": "one two", "prefix": True},
    ]
    assert asked[1] == [{"role": "user", "content": "more"}]
    assert "append" not in browser.verbs()


def test_an_answer_alone_can_go_on() -> None:
    browser = ScriptedBrowser()
    request = GenerateRequest((Message("assistant", "Once"),), continue_last=True)
    run(answer(loaded(browser), request))
    assert payload(browser, "generate")["messages"] == [{"role": "assistant", "content": "Once", "prefix": True}]


def test_requests_wait_for_each_other() -> None:
    browser = ScriptedBrowser()
    engine = loaded(browser)

    async def together() -> None:
        await asyncio.gather(*(answer(engine, GenerateRequest(said(text))) for text in "ab"))

    run(together())
    assert browser.verbs() == ["clone", "generate", "keep"] * 2


# ---- what the request says ----


def test_a_schema_crosses() -> None:
    browser = ScriptedBrowser()
    run(answer(loaded(browser), GenerateRequest(QUESTION, schema={"type": "object"})))
    assert payload(browser, "generate")["schema"] == {"type": "object"}


def test_sampling_crosses_where_the_page_may_choose_it_and_has_sessions_of_its_own() -> None:
    browser = ScriptedBrowser(sampling={"max_temperature": 2, "max_top_k": 8})
    engine = loaded(browser)
    run(answer(engine, GenerateRequest(QUESTION, Sampling(temperature=5, top_k=0))))
    assert payload(browser, "create")["sampling"] == {"temperature": 2, "top_k": 8}
    run(answer(engine, GenerateRequest(QUESTION, Sampling(temperature=0, top_k=3))))
    assert payload(browser, "create")["sampling"] == {"temperature": 0, "top_k": 3}


def test_what_only_began_like_a_stop_string_is_shown() -> None:
    browser = ScriptedBrowser(answer=[{"piece": "to the E"}])
    text, _ = run(answer(loaded(browser), GenerateRequest(QUESTION, stop=("END",))))
    assert text == "to the E"


# ---- when it does not go well ----


def test_a_window_that_fills_up_ends_the_answer() -> None:
    browser = ScriptedBrowser(answer=[{"piece": "so "}, {"piece": "far"}, {"overflowed": True}, {"piece": "?"}])
    text, finished = run(answer(loaded(browser), GenerateRequest(QUESTION)))
    assert (text, finished.reason, finished.usage.new_tokens) == ("so far", "length", 2)
    assert list(browser.sessions.values()) == [[]]  # the one that forgot is given up


def test_a_window_that_is_full_before_the_first_word_is_an_overflow() -> None:
    browser = ScriptedBrowser(answer=[{"overflowed": True}])
    with pytest.raises(ContextOverflow) as caught:
        run(answer(loaded(browser), GenerateRequest(QUESTION)))
    assert caught.value.details == {"prompt_tokens": 11, "context_tokens": 200}


def test_the_browsers_window_counts_where_it_is_smaller_than_the_catalogs() -> None:
    engine = loaded(ScriptedBrowser(window=10))
    with pytest.raises(ContextOverflow) as caught:
        run(answer(engine, GenerateRequest(QUESTION)))
    assert caught.value.details == {"prompt_tokens": 11, "context_tokens": 10}


def test_a_model_that_says_nothing_has_said_nothing() -> None:
    _, finished = run(answer(loaded(ScriptedBrowser(answer=[])), GenerateRequest(QUESTION)))
    assert (finished.reason, finished.usage.new_tokens, finished.usage.decode_ms) == ("stop", 0, 0)


@pytest.mark.parametrize("verb", ["count", "clone", "generate"])
def test_after_a_failure_nothing_is_left(verb: str) -> None:
    browser = ScriptedBrowser(failures={verb: [EngineFailed("x")]})
    engine = loaded(browser)

    async def story() -> None:
        with refused(EngineFailed):
            await answer(engine, GenerateRequest(QUESTION))
        with refused(NotLoaded):
            await engine.count(QUESTION)

    run(story())
    assert browser.sessions == {}


def test_a_count_that_fails_is_a_failure_too() -> None:
    browser = ScriptedBrowser(failures={"count": [EngineFailed("x")]})
    engine = loaded(browser)
    with pytest.raises(EngineFailed):
        run(engine.count(QUESTION))
    assert browser.sessions == {}
