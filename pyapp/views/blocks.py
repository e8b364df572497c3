"""Text as top-level blocks, and blocks as HTML: CommonMark with tables, strikethrough, tasks and formulas.

Nothing here knows that text grows, except that it can be told so (`growing`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore, inline, text_join
from markdown_it.token import Token

from pyapp.views.formula import GROWING, add_formulas
from pyapp.views.html import Html
from pyapp.views.language import Language
from pyapp.views.links import is_safe_link, link_bare_addresses
from pyapp.views.outline import Outline, levelled
from pyapp.views.renderer import SafeRenderer

References = dict[str, Any]  # link reference definitions by label, as markdown-it keeps them

_NEXT_LINE = re.compile("\n")


@dataclass(frozen=True, slots=True)
class Block:
    """One top-level block: its tokens (nothing inline parsed yet) and where it is in the text."""

    tokens: list[Token]
    start: int
    end: int  # where the next one starts

    @property
    def kind(self) -> str:
        """The type of its first token: "paragraph_open", "fence", "bullet_list_open" …"""
        return self.tokens[0].type

    @property
    def line(self) -> int:
        """The number of its first line in the text that was parsed."""
        return _line(self.tokens[0])


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one parse of a text gives."""

    blocks: list[Block]
    defined: References  # those of `references` that the text defines; "map" is in its lines
    references: References  # those known before and those defined in the text
    lines: list[int]  # where each line starts, and the end of the text


class Markdown:
    """One language's parser and renderer; holds nothing of any text."""

    def __init__(self, language: Language, accepts: Callable[[str], bool] = is_safe_link) -> None:
        self.language = language
        options = {"html": False, "tasklists": True}
        self._md = MarkdownIt("commonmark", options, renderer_cls=SafeRenderer).enable(["table", "strikethrough"])
        self._md.validateLink = accepts  # type: ignore[method-assign, assignment]
        add_formulas(self._md)
        assert isinstance(self._md.renderer, SafeRenderer)
        self._md.renderer.language, self._md.renderer.accepts = language, accepts

    def parse(self, text: str, references: References, *, growing: bool = False) -> Parsed:
        """The blocks of `text`. It has no carriage returns; `growing` says that more may follow."""
        env: dict[str, Any] = {"references": dict(references), GROWING: growing}
        tokens: list[Token] = []
        self._md.block.parse(text, self._md, env, tokens)
        lines = [0, *(m.end() for m in _NEXT_LINE.finditer(text)), len(text)]
        firsts = [i for i, t in enumerate(tokens) if t.level == 0 and t.nesting >= 0]
        starts = [lines[_line(tokens[i])] for i in firsts]
        edges = zip(pairwise([*firsts, len(tokens)]), pairwise([*starts, len(text)]), strict=True)
        blocks = [Block(tokens[i:j], start, end) for (i, j), (start, end) in edges]
        defined = {k: v for k, v in env["references"].items() if k not in references}
        return Parsed(blocks, defined, env["references"], lines)

    def html(self, tokens: Sequence[Token], references: References) -> Html:
        """Block tokens as HTML. What is inline in them is parsed once, however often they are rendered."""
        env = {"references": references}
        state = StateCore("", self._md, env, [t for t in tokens if t.type == "inline" and not t.children])
        inline(state)
        text_join(state)
        for token in state.tokens:
            token.children = link_bare_addresses(token.children or [], self._md)
        return Html(self._md.renderer.render(tokens, self._md.options, env))


def _line(token: Token) -> int:
    assert token.map  # every block that markdown-it opens has one
    return token.map[0]


_known: dict[str, Markdown] = {}


def markdown_for(language: Language) -> Markdown:
    """Made once per language: building the rule chains takes longer than a short answer."""
    if language.code not in _known:
        _known[language.code] = Markdown(language)
    return _known[language.code]


def html_of(text: str, markdown: Markdown, references: References, outline: Outline = ()) -> list[Html]:
    """Each top-level block of `text`, parsed at once."""
    parsed = markdown.parse(text, references)
    blocks: list[Html] = []
    for block in parsed.blocks:
        html, outline = levelled(markdown.html(block.tokens, parsed.references), outline)
        blocks.append(html)
    return blocks
