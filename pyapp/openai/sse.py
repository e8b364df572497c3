"""Server-sent events from bytes cut anywhere (WHATWG HTML, section 9.2.6), more tolerant than the specification twice:

- A last event without the blank line after it is an event: some servers close without one.
- A field named `error` is kept: llama.cpp before the end of 2025, and so bitnet.cpp, sends its errors in one
  (`error: {...}`, and no data), which a parser by the book drops.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyapp.errors import NotAModelServer

MAX_EVENT_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """`name` is the event field ("" when there was none), `error` the value of a field of that name."""

    data: str
    name: str = ""
    error: str = ""


class SseDecoder:
    """Bytes to events. An event or a line of more than `limit` bytes raises NotAModelServer."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._line = bytearray()  # the line that has not ended
        self._after_cr = False  # a \n that comes now belongs to the line that has ended
        self._first = True
        self._clear()

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that `chunk` completes. To be read to its end before the next one."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        for piece in chunk.splitlines(keepends=True):  # of bytes: at \n, \r and \r\n only
            line = piece.rstrip(b"\r\n")
            self._line += line
            if self._held + len(self._line) > self._limit:
                raise NotAModelServer("an event is too long", reason="event_too_long", limit_bytes=self._limit)
            if len(line) < len(piece):
                yield from self._end_line()
        self._after_cr = self._after_cr or chunk.endswith(b"\r")

    def end(self) -> Iterator[ServerEvent]:
        """There are no more bytes."""
        if self._line:
            yield from self._end_line()
        yield from self._dispatch()

    def _end_line(self) -> Iterator[ServerEvent]:
        line, self._line = bytes(self._line), bytearray()
        if self._first:
            line, self._first = line.removeprefix(_BOM), False
        if line:
            self._field(line)
        else:
            yield from self._dispatch()

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")  # a whole line: no character is cut
        match name:
            case b"data":
                self._data.append(text)
            case b"error":
                self._error.append(text)
            case b"event":
                self._name = text
            case _:  # a comment (its name is empty), id, retry, or nothing anybody knows
                return
        self._held += len(line)

    def _dispatch(self) -> Iterator[ServerEvent]:
        if self._data or self._error:
            yield ServerEvent("\n".join(self._data), self._name, "\n".join(self._error))
        self._clear()

    def _clear(self) -> None:
        self._data: list[str] = []
        self._error: list[str] = []
        self._name = ""
        self._held = 0  # bytes of the fields that are kept
