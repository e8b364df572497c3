"""Lists and tables that get long while they grow: what is finished in them is parsed once.

Put together the parts are what one parse of the whole block would give. Only above `part_chars` a list or table
is closed and goes on as another one, so that no answer is ever one endless element.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from markdown_it.token import Token

from pyapp.views.blocks import Block, Markdown, Parsed, References
from pyapp.views.html import Html, fill, join

LISTS = ("bullet_list_open", "ordered_list_open")


@dataclass(frozen=True, slots=True)
class Settled:
    """A top-level element that is finished, and the text it was made from."""

    html: Html
    source: str


@dataclass(frozen=True, slots=True)
class Parts:
    """A list's or table's tokens: what comes before its items or rows, those, and what comes after."""

    opening: list[Token]
    items: list[list[Token]]
    closing: list[Token]


def head_of(parsed: Parsed, block: Block, text: str) -> str | None:
    """The lines before a table's rows, nothing for a list; None: the block does not grow by parts, or not yet."""
    if block.kind in LISTS:
        return "" if "\n" in text[block.start :] else None
    if block.kind != "table_open":
        return None
    head = text[block.start : parsed.lines[block.line + 2]]
    return head if head.endswith("\n") else None


def parts_of(tokens: list[Token]) -> Parts:
    kind, level = ("tr", 2) if tokens[0].type == "table_open" else ("list_item", 1)
    at_level = [(i, t.type) for i, t in enumerate(tokens) if t.level == level]
    starts = [i for i, name in at_level if name == f"{kind}_open"]
    ends = [i + 1 for i, name in at_level if name == f"{kind}_close"]
    if kind == "tr":  # the head's row stays with the head
        starts, ends = starts[1:], ends[1:]
    if not starts:
        return Parts(tokens[:-1], [], tokens[-1:])
    items = [tokens[i:j] for i, j in zip(starts, ends, strict=True)]
    return Parts(tokens[: starts[0]], items, tokens[ends[-1] :])


def own_paragraphs(tokens: list[Token]) -> list[Token]:
    """What a list hides while it is tight: the edges of its items' own paragraphs."""
    return [t for t in tokens if t.level == 2 and t.type in ("paragraph_open", "paragraph_close")]


def is_loose(parts: Parts) -> bool:
    return any(not t.hidden for item in parts.items for t in own_paragraphs(item))


class GrowingParts:
    """A top-level list or table whose text arrives; `advance` or `finish` gets each new parse of its open rest.

    The last two items of a list stay open, so that a blank line between two of them, which makes the whole list
    loose, is always seen by one parse; of a table the last row does.
    """

    def __init__(self, markdown: Markdown, head: str, part_chars: int) -> None:
        self._markdown = markdown
        self._part_chars = part_chars
        self.head = head  # of a table: a row is one only below these lines; of a list nothing
        self._source = head
        self._opening = Html()
        self._done: list[Token] = []
        self._html = Html()
        self._rest: list[list[Token]] = []
        self._closing: list[Token] = []
        self._loose = False  # as far as it is sure
        self._looks_loose = False  # with what may still change
        self._references: References = {}

    def advance(self, parsed: Parsed, block: Block, text: str) -> tuple[list[Settled], int]:
        """Takes what is finished: (parts that became too long, where the open rest starts in `text`)."""
        parts = self._see(parsed, block)
        ready = len(parts.items) - (1 if self.head else 2)
        if ready <= 0 or not (self.head or _is_sure(parts, parsed, text)):
            return [], block.start + len(self.head)
        full = self._take(parts.items, ready, parsed, text)
        return full, parsed.lines[_line(self._rest[0])]

    def finish(self, parsed: Parsed, block: Block, text: str) -> list[Settled]:
        """Takes everything."""
        parts = self._see(parsed, block)
        full = self._take(parts.items, len(parts.items), parsed, text[: block.end])
        return [*full, self.close()]

    def html(self) -> Html:
        """The block as far as it is there."""
        before = self._html
        if self._looks_loose and not self._loose:
            before = self._rendered(self._done, loose=True)
        items = [self._rendered(item, loose=self._looks_loose) for item in self._rest]
        return join([self._opening, before, *items, self._rendered(self._closing)])

    def close(self) -> Settled:
        """What has been taken, as a block of its own."""
        return Settled(join([self._opening, self._html, self._rendered(self._closing)]), self._source)

    @property
    def is_empty(self) -> bool:
        return not self._done

    def _see(self, parsed: Parsed, block: Block) -> Parts:
        parts = parts_of(block.tokens)
        self._references = parsed.references
        self._rest = parts.items
        if parts.items or self.is_empty:  # the last row may have become another block
            self._closing = parts.closing
        self._looks_loose = self._loose or is_loose(parts)
        if self.is_empty:
            self._opening = self._rendered(parts.opening)
        return parts

    def _take(self, items: list[list[Token]], count: int, parsed: Parsed, text: str) -> list[Settled]:
        if self._looks_loose and not self._loose:
            self._loose = True
            self._html = self._rendered(self._done, loose=True)
        edges = [*(parsed.lines[_line(item)] for item in items), len(text)]
        full: list[Settled] = []
        for item, (start, end) in zip(items[:count], pairwise(edges), strict=False):
            if len(self._source) >= self._part_chars:
                full.append(self.close())
                self._reopen(item)
            self._done += item
            self._source += text[start:end]
            self._html = join([self._html, self._rendered(item, loose=self._loose)])
        self._rest = items[count:]
        return full

    def _reopen(self, item: list[Token]) -> None:
        """What follows is another list that counts on, another table with the same head."""
        if item[0].info:
            self._opening = fill('<ol start="{number}">\n', number=item[0].info)
        self._source, self._html = self.head, Html()
        self._done.clear()

    def _rendered(self, tokens: list[Token], *, loose: bool = False) -> Html:
        if loose:
            for token in own_paragraphs(tokens):
                token.hidden = False
        return self._markdown.html(tokens, self._references)


def _is_sure(parts: Parts, parsed: Parsed, text: str) -> bool:
    """Whether this parse shows if the list is loose, and no later character can change what it shows."""
    shown = any(own_paragraphs(item) for item in parts.items)
    return shown and "\n" in text[parsed.lines[_line(parts.items[-1])] :]


def _line(item: list[Token]) -> int:
    assert item[0].map  # markdown-it gives one to every item and row
    return item[0].map[0]
