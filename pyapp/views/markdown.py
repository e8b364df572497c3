"""Answers as HTML while they grow: CommonMark with GitHub's extensions and formulas, and nothing that could act.

Finished top-level blocks are rendered once; only what still grows is rendered again, in steps that are short
however long the text is. What is shown at the end is what one rendering of the whole text gives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from pyapp.views.appended import OpenCode, OpenText, open_code
from pyapp.views.blocks import Block, Parsed, html_of, markdown_for
from pyapp.views.growing import LISTS, GrowingParts, Settled, head_of
from pyapp.views.html import Html, join
from pyapp.views.language import Language
from pyapp.views.mentions import Mentions
from pyapp.views.outline import Outline, levelled


@dataclass(frozen=True, slots=True)
class Limits:
    """In characters, for a frame that is not felt: Pyodide takes 3 to 9 µs for each."""

    step: int = 1_500  # new text looked at in one step
    block: int = 12_000  # a longer block that does not grow by parts is shown as it was written
    part: int = 20_000  # a longer list, table or unformatted text goes on in another element
    calm: int = 512  # a longer tail is not rendered for every word


def normalised(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def render(text: str, language: Language) -> Html:
    """A whole text as HTML."""
    if len(text) <= Limits().block:
        return join(html_of(normalised(text), markdown_for(language), {}))
    stream = StreamingMarkdown(language)
    stream.end()
    blocks: list[Html] = []
    patch = stream.feed(text)
    patch.apply(blocks)
    while stream.busy:
        stream.feed().apply(blocks)
    return join(blocks)


@dataclass(slots=True)
class Patch:
    """What changed on the page, in this order."""

    replaced: dict[int, Html] = field(default_factory=dict)  # settled elements that have become something else
    elements: list[Html] = field(default_factory=list)  # put before the tail for good
    tail: Html | None = None  # what the tail is now; None leaves it as it is
    more: str = ""  # text appended to the tail's [data-grows]

    @property
    def settled(self) -> Html:
        return join(self.elements)

    def apply(self, elements: list[Html]) -> None:
        """Brings the settled elements up to date."""
        for index, html in self.replaced.items():
            elements[index] = html
        elements += self.elements


class StreamingMarkdown:
    """Text that grows at its end. One `feed` does one step; while `busy`, `feed()` does the next."""

    def __init__(self, language: Language, limits: Limits | None = None) -> None:
        self._language = language
        self._markdown = markdown_for(language)
        self._limits = limits or Limits()
        self._mentions = Mentions(self._markdown)
        self._text: list[str] = []
        self._waiting = ""  # not looked at yet
        self._tail = ""  # looked at, not settled
        self._growing: GrowingParts | None = None  # the list or table whose open rest the tail begins with
        self._open: OpenCode | OpenText | None = None  # what new text is appended to; then there is no tail
        self._count = 0  # settled elements
        self._outline: Outline = ()  # after them
        self._unseen = self._skipped = 0  # characters and steps since the tail was looked at
        self._ended = self._finished = False

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def busy(self) -> bool:
        """Whether there is something to do without new text."""
        return bool(self._waiting or self._unseen or self._mentions.stale or (self._ended and not self._finished))

    def end(self) -> None:
        """The text is complete: what has not settled will."""
        self._ended = True

    def feed(self, piece: str = "") -> Patch:
        """Appends `piece` to the text."""
        patch = Patch(replaced=self._mentions.corrected(self._limits.step))
        new = self._receive(piece)
        if self._open:
            new = self._append(self._open, new, patch)
        if not self._open:
            self._tail += new
            self._unseen += len(new)
            while not self._rests():
                self._look(patch)
        self._finished = self._is_last
        return patch

    @property
    def _is_last(self) -> bool:
        return self._ended and not self._waiting

    def _receive(self, piece: str) -> str:
        """The text of this step."""
        self._text.append(piece)
        text = self._waiting + piece
        end = min(len(text), self._limits.step)
        if text[end - 1 : end] == "\r" and not (self._ended and end == len(text)):
            end -= 1  # its line feed may come
        self._waiting = text[end:]
        return normalised(text[:end])

    def _rests(self) -> bool:
        """A long tail is looked at when it has grown by a 64th, or after a pause: the work per second is bounded."""
        if self._is_last:
            return not self._tail and not self._growing
        size = len(self._tail)
        self._skipped += 1
        return not self._unseen or (size > self._limits.calm and self._unseen * 64 < size > self._skipped * 256)

    def _append(self, block: OpenCode | OpenText, new: str, patch: Patch) -> str:
        """Text for the open block; what follows it comes back."""
        patch.more, rest = block.feed(new)
        if rest is None and not self._is_last:
            return ""
        if rest is None:
            block.end()
        self._settle(Settled(block.html(closed=True), ""), patch)
        self._open, patch.more, patch.tail = None, "", Html()
        return rest or ""

    def _look(self, patch: Patch) -> None:
        """Parses the tail, settles what is finished in it and shows the rest."""
        self._unseen = self._skipped = 0
        text = (self._growing.head if self._growing else "") + self._tail
        parsed = self._markdown.parse(text, self._mentions.references, growing=not self._is_last)
        n_finished = len(parsed.blocks) if self._is_last else finished(parsed, text)
        done, rest = parsed.blocks[:n_finished], parsed.blocks[n_finished:]
        if done or self._is_last:
            self._cut(parsed, text, rest[0].start if rest else len(text))
            for block in done:
                self._settle_block(parsed, block, text, patch)
            patch.tail = Html()
        if rest:
            self._show(parsed, rest, text, patch)

    def _cut(self, parsed: Parsed, text: str, start: int) -> None:
        """The tail is what begins at `start` of `text`; the definitions before it are final."""
        self._mentions.define({k: v for k, v in parsed.defined.items() if parsed.lines[v["map"][0]] < start})
        self._tail = text[start:]

    def _settle_block(self, parsed: Parsed, block: Block, text: str, patch: Patch) -> None:
        growing, self._growing = self._growing, None
        if growing:
            pieces = growing.finish(self._final(parsed), block, text)
        else:
            html = self._markdown.html(block.tokens, self._mentions.references)
            pieces = [Settled(html, "" if block.kind == "fence" else text[block.start : block.end])]
        for piece in pieces:
            self._settle(piece, patch)

    def _settle(self, piece: Settled, patch: Patch) -> None:
        html, after = levelled(piece.html, self._outline)
        patch.elements.append(html)
        self._mentions.add(self._count, Settled(html, piece.source), self._outline)
        self._outline = after
        self._count += 1

    def _final(self, parsed: Parsed) -> Parsed:
        """With the definitions that stay: one that still grows may become another."""
        return replace(parsed, references=self._mentions.references)

    def _show(self, parsed: Parsed, rest: list[Block], text: str, patch: Patch) -> None:
        """What is not finished: by parts, appended to from now on, or rendered as it is."""
        self._take_parts(parsed, rest[0], text, patch)
        if rest[0].kind == "fence" and (code := open_code(text[rest[0].start :], self._language)):
            self._cut(parsed, text, rest[0].start)
            self._append_from_now_on(*code, patch)
        elif len(self._tail) > self._limits.block:
            if self._growing and not self._growing.is_empty:
                self._settle(self._growing.close(), patch)
            self._growing = None
            self._append_from_now_on(OpenText(self._limits.part), self._tail, patch)
        elif not self._waiting:
            shown = [self._growing.html()] if self._growing else []
            shown += [self._markdown.html(b.tokens, parsed.references) for b in rest[len(shown) :]]
            patch.tail, _ = levelled(join(shown), self._outline)

    def _take_parts(self, parsed: Parsed, block: Block, text: str, patch: Patch) -> None:
        if self._growing is None:
            head = head_of(parsed, block, text)
            if head is None:
                return
            self._growing = GrowingParts(self._markdown, head, self._limits.part)
        full, start = self._growing.advance(self._final(parsed), block, text)
        self._cut(parsed, text, start)
        for piece in full:
            self._settle(piece, patch)

    def _append_from_now_on(self, block: OpenCode | OpenText, text: str, patch: Patch) -> None:
        self._open = block
        self._tail = self._append(block, text, patch)
        self._unseen = len(self._tail)
        if self._open:
            patch.tail, patch.more = block.html(closed=False), ""


_MARKER = re.compile(r"[ \t]*(\d{0,9}[.)]?|[-+*])[ \t]*")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


def finished(parsed: Parsed, text: str) -> int:
    """How many of the blocks no later character can change: those before the last, if the last has surely begun."""
    if len(parsed.blocks) < 2:
        return 0
    *others, before, last = parsed.blocks
    line, newline, _ = text[last.start :].partition("\n")
    is_apart = not text[text.rfind("\n", 0, last.start - 1) + 1 : last.start].strip()
    if is_apart and (newline or before.kind not in LISTS or not _MARKER.fullmatch(line)):
        return len(others) + 1
    if not newline or last.kind.endswith("formula"):
        return len(others)
    open_titles = (i for i, b in enumerate((*others, before)) if _may_be_definition(b, text, last.start))
    return next(open_titles, len(others) + 1)


def _may_be_definition(block: Block, text: str, end: int) -> bool:
    """Whether what looks like a heading may yet be the title of a definition: a title has lines, but no blank one."""
    is_heading = block.kind == "heading_open" and text.startswith("[", block.start)
    return is_heading and not _BLANK_LINE.search(text, block.start, end)
