"""Events from bytes, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.errors import NotAModelServer
from pyapp.openai.sse import ServerEvent, SseDecoder


def decode(*chunks: bytes, limit: int = 1000) -> list[ServerEvent]:
    decoder = SseDecoder(limit)
    return [event for chunk in chunks for event in decoder.feed(chunk)] + list(decoder.end())


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [ServerEvent("a"), ServerEvent("b")]),
        (b"data: a\ndata: b\n\n", [ServerEvent("a\nb")]),
        (b"data:  a\n\n", [ServerEvent(" a")]),
        (b"data\n\n", [ServerEvent("")]),
        (b"event: error\ndata: a\n\n", [ServerEvent("a", "error")]),
        (b"event: x\n\ndata: a\n\n", [ServerEvent("a")]),
        (b": comment\n\n:\nid: 4\nretry: 5\nx\n\n", []),
        (b"data: a\r\n\r\ndata: b\r\rdata: c", [ServerEvent("a"), ServerEvent("b"), ServerEvent("c")]),
        (b"\xef\xbb\xbfdata: a\n", [ServerEvent("a")]),
        (b"error: {}\n\n", [ServerEvent("", error="{}")]),
        (b"data: \xff\n\n", [ServerEvent("�")]),
    ],
)
def test_events(body: bytes, events: list[ServerEvent]) -> None:
    assert decode(body) == events


lines = st.lists(
    st.tuples(
        st.sampled_from(["data: ", "data:", "event: ", "error: ", ": ", "id: ", "", "x"]),
        st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=9),
        st.sampled_from(["\n", "\r\n", "\r"]),
    ),
    max_size=20,
)


@given(lines, st.data())
def test_where_the_bytes_are_cut_makes_no_difference(lines: list[tuple[str, str, str]], data: st.DataObject) -> None:
    body = "".join("".join(line) for line in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert decode(*chunks) == decode(body) == decode(*(bytes([byte]) for byte in body))


@given(st.lists(st.tuples(st.text(max_size=5), st.text()), max_size=9))
def test_what_was_written_is_read(events: list[tuple[str, str]]) -> None:
    written = [ServerEvent("\n".join(text.splitlines()) or "x", name.strip("\r\n")) for name, text in events]
    written = [event for event in written if not set("\r\n") & set(event.name)]
    body = "".join(
        f"event: {event.name}\n" + "".join(f"data: {line}\n" for line in event.data.split("\n")) + "\n"
        for event in written
    )
    assert decode(body.encode(), limit=10**6) == written


@pytest.mark.parametrize(
    "body", [b"data: " + b"x" * 1000, b"data: " + b"x" * 400 + b"\ndata: " + b"x" * 700, b":" + b"x" * 1001]
)
def test_an_event_or_a_line_that_never_ends(body: bytes) -> None:
    with pytest.raises(NotAModelServer) as caught:
        decode(*(body[n : n + 100] for n in range(0, len(body), 100)))
    assert caught.value.details == {"reason": "event_too_long", "limit_bytes": 1000}


def test_comments_are_not_an_event_however_many() -> None:
    assert decode(b": " + b"x" * 800 + b"\n", b": " + b"x" * 800 + b"\n", b"data: a\n\n") == [ServerEvent("a")]
