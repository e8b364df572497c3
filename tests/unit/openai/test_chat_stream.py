"""Every dialect ends in a typed result or a typed error, however its bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyapp.engine import ReasoningDelta, TextDelta
from pyapp.errors import CandilError, ContextOverflow, NotAModelServer
from pyapp.openai.chat_stream import ChatEvent, ChatStream, Ended
from tests.unit.openai.dialects import DIALECTS, HEL, Dialect, chunk, data


def read(
    *chunks: bytes, may_be_empty: bool = False, limit: int = 1 << 20
) -> tuple[list[ChatEvent], CandilError | None]:
    """The events until the end or the error."""
    stream, events = ChatStream(may_be_empty=may_be_empty, limit=limit), list[ChatEvent]()
    try:
        for each in chunks:
            events.extend(stream.feed(each))
        events.extend(stream.end())
    except CandilError as error:
        return events, error
    return events, None


def outcome(chunks: list[bytes]) -> tuple[list[ChatEvent], object]:
    """Comparable: an exception by its code and details."""
    events, error = read(*chunks)
    return events, error and (error.code, error.message, error.details)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect[0])
def test_dialect(dialect: Dialect) -> None:
    _, body, deltas, ends = dialect
    events, error = read(body)
    if isinstance(ends, Ended):
        assert (events, error) == ([*deltas, ends], None)
    else:
        assert (events, type(error)) == (deltas, ends)


@pytest.mark.parametrize("dialect", [d for d in DIALECTS if len(d[1]) < 10_000], ids=lambda dialect: dialect[0])
def test_one_byte_at_a_time(dialect: Dialect) -> None:
    body = dialect[1]
    assert outcome([body[n : n + 1] for n in range(len(body))]) == outcome([body])


@given(st.sampled_from([d[1] for d in DIALECTS if len(d[1]) < 10_000]), st.data())
def test_cut_anywhere(body: bytes, cuts: st.DataObject) -> None:
    at = sorted(cuts.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    assert outcome([body[a:b] for a, b in zip([0, *at], [*at, len(body)], strict=True)]) == outcome([body])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "content", "error", "x_groq", "usage", "finish_reason", "message", "code", "type"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.lists(json_values.map(data) | st.binary(max_size=30) | st.just(HEL), max_size=5), st.booleans())
@example([b"\xff\xfe"], True)
def test_whatever_comes_there_is_an_outcome(parts: list[bytes], may_be_empty: bool) -> None:
    events, error = read(*parts, may_be_empty=may_be_empty)
    ended = bool(events) and isinstance(events[-1], Ended)
    assert ended != (error is not None)
    assert not any(isinstance(event, Ended) for event in events[:-1])
    assert all(event.text for event in events if isinstance(event, TextDelta | ReasoningDelta))
    assert may_be_empty or len(events) > 1 or not ended


def test_a_finished_message_may_be_continued_with_nothing() -> None:
    assert read(chunk(finish="stop"), may_be_empty=True) == ([Ended("stop", None)], None)


def test_done_is_known_before_the_end() -> None:
    stream = ChatStream()
    list(stream.feed(HEL))
    assert not stream.done
    list(stream.feed(b"data: [DONE]\n\n"))
    assert stream.done


@pytest.mark.parametrize("body", [b"data: " + b"x" * 2000, b'{"x":"' + b"x" * 2000, b'data: {"a":"' + b"x" * 990])
def test_too_long_for_the_memory(body: bytes) -> None:
    events, error = read(body, limit=1000)
    assert (events, type(error)) == ([], NotAModelServer)
    assert error
    assert error.details["reason"] == "event_too_long"


def test_an_overflow_says_by_how_much() -> None:
    _, error = read(data({"error": {"type": "exceed_context_size_error", "n_prompt_tokens": 5000, "n_ctx": 4096}}))
    assert isinstance(error, ContextOverflow)
    assert error.details == {"prompt_tokens": 5000, "context_tokens": 4096}


def test_no_sentence_of_the_server_is_in_the_error() -> None:
    secret = "the prompt that was quoted"
    for body in (data({"error": {"message": secret, "type": secret, "code": secret}}), data({"error": secret})):
        for chunks in ([body], [HEL, body]):
            _, error = read(*chunks)
            assert error
            assert secret not in f"{error!r} {error.message} {error.details}"
