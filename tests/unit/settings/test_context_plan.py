"""What of a long conversation is asked: never more than fits, never without the last question."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.engine import Message
from pyapp.errors import ContextOverflow
from pyapp.settings.context_plan import (
    STRIDE,
    SUMMARY_TOKENS,
    ContextPlan,
    Limits,
    Meter,
    Sized,
    meter,
    plan,
    preface,
    summary_request,
)


def talk(turns: int, tokens: int = 50, attached: tuple[int, ...] = ()) -> list[Sized]:
    """`turns` questions and answers, and one more question."""
    messages = []
    for index in range(turns):
        messages.append(Sized(f"q{index}", "user", tokens, index in attached))
        messages.append(Sized(f"a{index}", "assistant", tokens))
    return [*messages, Sized("last", "user", tokens)]


def test_what_fits_is_asked_whole() -> None:
    messages = talk(3)
    assert plan(messages, Limits(1000, 10, 500)) == ContextPlan(
        tuple(m.id for m in messages), (), (), used_tokens=360, max_new_tokens=500
    )


def test_trim_drops_the_oldest_turns_a_few_at_once() -> None:
    planned = plan(talk(10), Limits(1000, 10, 100))
    assert planned.dropped == tuple(f"{role}{index}" for index in range(STRIDE) for role in "qa")
    assert planned.kept[0] == "q4"
    # The next question begins with the same prompt, so that what the engine has computed of it is still right.
    assert plan(talk(11), Limits(1000, 10, 100)).kept[0] == "q4"


def test_attachments_stay_with_their_answers() -> None:
    planned = plan(talk(10, attached=(0, 2)), Limits(1000, 10, 100))
    assert planned.kept[:4] == ("q0", "a0", "q2", "a2")


def test_trim_without_enough_to_drop_raises() -> None:
    with pytest.raises(ContextOverflow) as caught:
        plan(talk(10, tokens=100, attached=tuple(range(10))), Limits(1000, 10, 100))
    assert caught.value.details == {"prompt_tokens": 2110, "context_tokens": 1000}


def test_a_question_longer_than_the_answers_room_shortens_the_answer() -> None:
    planned = plan([Sized("q", "user", 900)], Limits(1000, 10, 500))
    assert (planned.kept, planned.max_new_tokens) == (("q",), 90)


def test_stop_raises_only_when_it_does_not_fit() -> None:
    assert plan(talk(9), Limits(1000, 10, 500, "stop")).max_new_tokens == 40
    with pytest.raises(ContextOverflow):
        plan(talk(10), Limits(1000, 10, 500, "stop"))


def test_summarise_names_what_and_makes_room_for_more() -> None:
    planned = plan(talk(20), Limits(2000, 10, 200, "summarise"))
    assert planned.summarise[:2] == ("q0", "a0")
    assert planned.summarise + planned.kept == tuple(m.id for m in talk(20))
    assert SUMMARY_TOKENS < planned.used_tokens <= 1080


def test_summarise_trims_where_a_summary_does_not_fit() -> None:
    planned = plan(talk(4), Limits(300, 10, 100, "summarise"))
    assert (planned.summarise, planned.kept) == ((), ("last",))


def test_history_is_limited_by_whole_turns() -> None:
    limits = Limits(10_000, 10, 100, history_messages=4)
    assert plan(talk(9, attached=(1,)), limits).kept == ("q1", "a1", "q8", "a8", "last")
    assert plan(talk(3), Limits(10_000, 10, 100, history_messages=1)).kept == ("last",)


def test_a_conversation_that_begins_with_an_answer() -> None:
    messages = [Sized("a", "assistant", 5), Sized("q", "user", 5)]
    assert plan(messages, Limits(100, 0, 10)).kept == ("a", "q")


SIZED = st.builds(
    lambda role, tokens, attached: (role, tokens, attached),
    st.sampled_from(["user", "assistant"]),
    st.integers(0, 400),
    st.booleans(),
)


@given(
    st.lists(SIZED, max_size=30),
    st.integers(0, 400),
    st.builds(
        Limits,
        st.integers(1, 4000),
        st.integers(0, 300),
        st.integers(1, 2000),
        st.sampled_from(["trim", "summarise", "stop"]),
        st.one_of(st.none(), st.integers(1, 12)),
    ),
)
def test_it_fits_and_the_question_stays_or_it_raises(
    history: list[tuple[str, int, bool]], question: int, limits: Limits
) -> None:
    messages = [Sized(str(index), role, tokens, att) for index, (role, tokens, att) in enumerate(history)]  # type: ignore[arg-type]
    messages.append(Sized("last", "user", question))
    try:
        planned = plan(messages, limits)
    except ContextOverflow:
        return
    tokens = {m.id: m.tokens for m in messages}
    used = limits.system_tokens + sum(tokens[it] for it in planned.kept) + bool(planned.summarise) * SUMMARY_TOKENS
    assert planned.kept[-1] == "last"
    assert planned.used_tokens == used
    assert used + planned.max_new_tokens <= limits.window_tokens
    assert 1 <= planned.max_new_tokens <= limits.max_new_tokens
    assert sorted(planned.kept + planned.dropped + planned.summarise) == sorted(tokens)
    kept = set(planned.kept)
    assert all(m.id in kept for m in messages if m.attached)
    for before, after in pairwise(messages):
        if after.role == "assistant":
            assert (before.id in kept) == (after.id in kept), "a question and its answer go together"


@pytest.mark.parametrize(
    ("used", "window", "level"),
    [(0, 100, "ok"), (64, 100, "ok"), (65, 100, "warn"), (84, 100, "warn"), (85, 100, "full"), (5, 0, "full")],
)
def test_meter(used: int, window: int, level: str) -> None:
    assert meter(used, window) == Meter(used, window, level)  # type: ignore[arg-type]


def test_a_summary_is_asked_for_and_goes_in_front() -> None:
    messages = [Message("system", "x"), Message("user", "Hi"), Message("assistant", "Hello")]
    assert summary_request(messages, "Sum up", ("You", "Candil")) == (
        Message("system", "Sum up"),
        Message("user", "You: Hi\n\nCandil: Hello"),
    )
    assert preface(" Be kind. ", " They greeted. ", "Earlier:") == "Be kind.\n\nEarlier:\nThey greeted."
    assert preface("", "They greeted.", "Earlier:") == "Earlier:\nThey greeted."
    assert preface("Be kind.", "", "Earlier:") == "Be kind."
