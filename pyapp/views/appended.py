"""Blocks to which text is only appended: code whose fence is open, and what is too long to be Markdown.

Nothing in them is parsed, so a frame costs what is new and not what is there.
"""

from __future__ import annotations

import re

from pyapp.views.html import Html, fill
from pyapp.views.language import Language
from pyapp.views.renderer import code_frame, language_of

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([^\n]*)\n")
_SPACE = re.compile(r"\s")
_NEAR = 64  # a blank line is found in the text before and the new text together
_BLANK_END = re.compile(r"(?<![^\n])[ \t]+\Z")
_NEW_BLOCK = re.compile(r"\n[ \t]*\n(?=[^\s\d*+>|-])")  # whatever was open, it is not any more


class OpenCode:
    """A fenced code block at the margin, after its first line."""

    def __init__(self, fence: str, info: str, language: Language) -> None:
        self._language = language
        self._info = language_of(info)
        mark = re.escape(fence[0])
        self._closing = re.compile(rf"^ {{0,3}}{mark}{{{len(fence)},}}[ \t]*\n", re.MULTILINE)
        self._may_close = re.compile(rf" {{0,3}}{mark}*[ \t]*\n?")
        self._shown: list[str] = []
        self._line = ""  # could be the closing fence
        self._inside_line = False  # the line's beginning has been shown

    def feed(self, new: str) -> tuple[str, str | None]:
        """(what to append, what follows the closing fence once it is there)."""
        text = self._line + new
        first_line = text.find("\n") + 1 if self._inside_line else 0
        if self._inside_line and not first_line:
            return self._show(text, ""), None
        closing = self._closing.search(text, first_line)
        if closing:
            return self._show(text[: closing.start()], ""), text[closing.end() :]
        last_line = text.rfind("\n") + 1
        held = text[last_line:] if self._may_close.fullmatch(text, last_line) else ""
        return self._show(text[: len(text) - len(held)], held), None

    def _show(self, text: str, held: str) -> str:
        self._line = held
        if text:
            self._inside_line = not text.endswith("\n")
            self._shown.append(text)
        return text

    def end(self) -> None:
        """Nothing more will come."""
        if not self._closing.match(self._line + "\n"):
            self._shown.append(self._line)
        # A last line of nothing but spaces is no line, says markdown-it.
        self._shown = [_BLANK_END.sub("", "".join(self._shown))]

    def html(self, *, closed: bool) -> Html:
        return code_frame(self._info, fill("{code}", code="".join(self._shown)), self._language, closed=closed)


def open_code(source: str, language: Language) -> tuple[OpenCode, str] | None:
    """(the block, its text so far) when `source` begins with a whole opening fence at the margin."""
    match = _FENCE.match(source)
    return (OpenCode(match[1], match[2], language), source[match.end() :]) if match else None


class OpenText:
    """Text as it was written, up to a line that surely begins another block or a word's end after `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._text = ""

    def feed(self, new: str) -> tuple[str, str | None]:
        before = len(self._text)
        self._text += new
        end = self._end(before)
        if end is None:
            return new, None
        rest, self._text = self._text[end:], self._text[:end]
        return self._text[before:], rest

    def _end(self, before: int) -> int | None:
        block = _NEW_BLOCK.search(self._text, max(0, before - _NEAR))
        word = _SPACE.search(self._text, self._limit) if len(self._text) > self._limit else None
        return min((m.end() for m in (block, word) if m), default=None)

    def end(self) -> None:
        """Nothing more will come."""

    def html(self, *, closed: bool) -> Html:
        mark = Html("" if closed else ' data-grows=""')
        return fill('<div class="plain"{mark}>{text}</div>\n', mark=mark, text=self._text)
