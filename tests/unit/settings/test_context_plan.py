"""What of a long conversation is asked: never more than fits, never without the last question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.errors import ContextOverflow
from pyapp.settings.context_plan import STRIDE, SUMMARY_TOKENS, ContextPlan, Limits, Meter, Turn, plan

QUESTION = 60  # with the system prompt


def talk(turns: int, tokens: int = 100, attached: tuple[int, ...] = ()) -> list[Turn]:
    return [Turn(tokens, attached=at in attached) for at in range(turns)]


def test_what_fits_is_asked_whole() -> None:
    planned = plan(talk(3), QUESTION, Limits(1000, 500))
    assert planned == ContextPlan((0, 1, 2), (), used_tokens=360, max_new_tokens=500)


def test_trim_drops_the_oldest_turns_a_few_at_once() -> None:
    planned = plan(talk(10), QUESTION, Limits(1000, 100))
    assert planned.kept == tuple(range(STRIDE, 10))
    # The next question begins with the same prompt, so that what the engine has computed of it is still right.
    assert plan(talk(11), QUESTION, Limits(1000, 100)).kept[0] == STRIDE


def test_attachments_stay_with_their_answers() -> None:
    assert plan(talk(10, attached=(0, 2)), QUESTION, Limits(1000, 100)).kept[:4] == (0, 2, 6, 7)


def test_trim_without_enough_to_drop_raises() -> None:
    with pytest.raises(ContextOverflow) as caught:
        plan(talk(10, attached=tuple(range(10))), QUESTION, Limits(1000, 100))
    assert caught.value.details == {"prompt_tokens": 1060, "context_tokens": 1000}


def test_a_question_longer_than_the_answers_room_shortens_the_answer() -> None:
    planned = plan(talk(2), 900, Limits(1000, 500))
    assert (planned.kept, planned.max_new_tokens) == ((), 100)


def test_stop_raises_only_when_it_does_not_fit() -> None:
    assert plan(talk(9), QUESTION, Limits(1000, 500, "stop")).max_new_tokens == 40
    with pytest.raises(ContextOverflow):
        plan(talk(10), QUESTION, Limits(1000, 500, "stop"))


def test_summarise_names_what_and_makes_room_for_more() -> None:
    planned = plan(talk(20), QUESTION, Limits(2000, 200, "summarise"))
    assert planned.summarise + planned.kept == tuple(range(20))
    assert planned.summarise
    assert SUMMARY_TOKENS < planned.used_tokens <= 1080


def test_summarise_trims_where_a_summary_does_not_fit() -> None:
    planned = plan(talk(4), QUESTION, Limits(300, 100, "summarise"))
    assert (planned.summarise, planned.kept) == ((), ())


def test_history_is_limited_by_whole_turns() -> None:
    assert plan(talk(9, attached=(1,)), QUESTION, Limits(10_000, 100, history_messages=4)).kept == (1, 8)
    assert plan(talk(3), QUESTION, Limits(10_000, 100, history_messages=1)).kept == ()


TURNS = st.lists(st.builds(Turn, st.integers(0, 400), st.integers(1, 4), st.booleans()), max_size=30)
LIMITS = st.builds(
    Limits,
    st.integers(1, 4000),
    st.integers(1, 2000),
    st.sampled_from(["trim", "summarise", "stop"]),
    st.one_of(st.none(), st.integers(1, 12)),
)


@given(TURNS, st.integers(0, 700), LIMITS)
def test_it_fits_or_it_raises(turns: list[Turn], question_tokens: int, limits: Limits) -> None:
    try:
        planned = plan(turns, question_tokens, limits)
    except ContextOverflow:
        return
    used = question_tokens + sum(turns[at].tokens for at in planned.kept) + bool(planned.summarise) * SUMMARY_TOKENS
    assert planned.used_tokens == used
    assert used + planned.max_new_tokens <= limits.window_tokens
    assert 1 <= planned.max_new_tokens <= limits.max_new_tokens
    assert not set(planned.kept) & set(planned.summarise)
    assert list(planned.kept) == sorted(planned.kept)
    assert all(at in planned.kept for at, turn in enumerate(turns) if turn.attached)


@pytest.mark.parametrize(
    ("used", "level"), [(0, "ok"), (64, "ok"), (65, "warn"), (84, "warn"), (85, "full"), (100, "full")]
)
def test_meter(used: int, level: str) -> None:
    assert Meter(used, 100).level == level
    assert Meter(used, 100, 1).level == "over"
