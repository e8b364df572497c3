"""What every engine keeps, whichever it is: plain async functions over an Engine and a model.

The same functions run in CPython over a scripted transport (tests/unit/engines) and in Chromium over
the real worker. Each gets the engine loaded and leaves it loaded. The model need not be clever, only
answer with more than a few tokens.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager

from pyapp.engine import Engine, Finished, GenerateEvent, GenerateRequest, Limit, Message, Sampling, TextDelta
from pyapp.errors import CandilError, ContextOverflow, EmptyPrompt, InvalidRequest, NotLoaded
from pyapp.models.manifest import ModelSpec, Variant

Check = Callable[[Engine, ModelSpec, Variant], Awaitable[None]]

GREEDY = Sampling(temperature=0)
QUESTION = (Message("user", "Tell me a story about the sea."),)


async def answer(engine: Engine, request: GenerateRequest) -> tuple[str, Finished]:
    """The whole text and the last event, which is checked to be the only Finished."""
    events: list[GenerateEvent] = [event async for event in engine.generate(request)]
    *deltas, last = events
    assert isinstance(last, Finished), last
    assert all(isinstance(delta, TextDelta) and delta.text for delta in deltas), deltas
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), last


async def load(engine: Engine, model: ModelSpec, variant: Variant) -> list[str]:
    """Loads and gives the stages that were told."""
    return [progress.stage async for progress in engine.load(model, variant)]


@contextmanager
def refused(kind: type[CandilError]) -> Iterator[None]:
    """The block must raise `kind`. Not pytest's: this runs in the page too."""
    try:
        yield
    except kind:
        return
    raise AssertionError(f"nothing raised {kind.__name__}")


async def deltas_then_exactly_one_finished(engine: Engine, model: ModelSpec, variant: Variant) -> None:
    text, finished = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=16))
    assert text
    usage = finished.usage
    assert usage.prompt_tokens == await engine.count(QUESTION)
    assert 0 <= usage.cached_tokens < usage.prompt_tokens
    assert 1 <= usage.new_tokens <= 16
    assert usage.prefill_ms >= 0
    assert usage.decode_ms >= 0


async def closing_stops_and_the_next_request_works(engine: Engine, model: ModelSpec, variant: Variant) -> None:
    whole, _ = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=16))
    stream = engine.generate(GenerateRequest(QUESTION, GREEDY, max_new_tokens=16))
    first = await anext(stream)
    await stream.aclose()
    assert isinstance(first, TextDelta)
    assert whole.startswith(first.text)
    again, _ = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=16))
    assert again == whole


async def loading_twice_does_nothing(engine: Engine, model: ModelSpec, variant: Variant) -> None:
    assert await load(engine, model, variant) == []


async def unloaded_it_says_so_and_loads_again(engine: Engine, model: ModelSpec, variant: Variant) -> None:
    await engine.unload()
    await engine.unload()
    with refused(NotLoaded):
        await answer(engine, GenerateRequest(QUESTION))
    with refused(NotLoaded):
        await engine.count(QUESTION)
    assert await load(engine, model, variant) != []
    await answer(engine, GenerateRequest(QUESTION, max_new_tokens=2))


async def the_same_seed_gives_the_same_text(engine: Engine, model: ModelSpec, variant: Variant) -> None:
    def request(seed: int) -> GenerateRequest:
        return GenerateRequest(QUESTION, Sampling(temperature=1.5, top_p=1, min_p=0, seed=seed), max_new_tokens=12)

    first, _ = await answer(engine, request(7))
    again, _ = await answer(engine, request(7))
    others = [(await answer(engine, request(seed)))[0] for seed in (8, 9)]
    assert first == again
    assert any(other != first for other in others)


async def a_stop_string_ends_the_text_and_is_never_shown(engine: Engine, model: ModelSpec, variant: Variant) -> None:
    whole, _ = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=16))
    stop = whole[len(whole) // 2 : len(whole) // 2 + 3]
    text, finished = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=16, stop=(stop, "\0")))
    assert text == whole[: whole.index(stop)]
    assert finished.reason == "stop"


async def max_new_tokens_is_kept(engine: Engine, model: ModelSpec, variant: Variant) -> None:
    for most in (1, 3):
        _, finished = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=most))
        assert finished.usage.new_tokens == most
        assert finished.reason == "length"


async def a_refused_request_changes_nothing(engine: Engine, model: ModelSpec, variant: Variant) -> None:
    before, _ = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=8))
    with refused(EmptyPrompt):
        await answer(engine, GenerateRequest((Message("user", " \n"),)))
    with refused(EmptyPrompt):
        await answer(engine, GenerateRequest(()))
    with refused(ContextOverflow):
        await answer(engine, GenerateRequest((Message("user", "word " * (2 * model.context_tokens)),)))
    after, _ = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=8))
    assert after == before


async def it_tells_how_likely_answers_are_or_that_it_cannot(engine: Engine, model: ModelSpec, variant: Variant) -> None:
    if not engine.scores:
        with refused(InvalidRequest):
            await engine.score(QUESTION, ["Yes"])
        return
    before, _ = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=8))
    candidates = ["Yes", "Yes, of course", "No", "Yes"]
    scores = await engine.score(QUESTION, candidates)
    assert len(scores) == len(candidates)
    assert all(score <= 0 for score in scores)
    assert scores[0] == scores[3]
    assert list(await engine.score(QUESTION, candidates)) == list(scores)
    for messages, some in ((), candidates), (QUESTION, []):
        with refused(InvalidRequest if messages else EmptyPrompt):
            await engine.score(messages, some)
    after, _ = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=8))
    assert after == before


CONTRACT: Sequence[Check] = (
    deltas_then_exactly_one_finished,
    closing_stops_and_the_next_request_works,
    loading_twice_does_nothing,
    unloaded_it_says_so_and_loads_again,
    the_same_seed_gives_the_same_text,
    a_stop_string_ends_the_text_and_is_never_shown,
    max_new_tokens_is_kept,
    a_refused_request_changes_nothing,
    it_tells_how_likely_answers_are_or_that_it_cannot,
)

NEEDS: Mapping[Check, Limit] = {the_same_seed_gives_the_same_text: "seed"}


def applying(cannot: Set[Limit]) -> Sequence[Check]:
    """What an engine keeps that declares it cannot do some of it."""
    return [check for check in CONTRACT if NEEDS.get(check) not in cannot]
