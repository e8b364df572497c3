"""Model output as HTML: CommonMark with tables and strikethrough, and nothing that could act.

Raw HTML stays text, images are never loaded (their address is named instead), links go only to
http, https and mailto, show their host and give the other side no handle on this page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from pyapp.views.html import Html, fill
from pyapp.views.language import Language

LINK_SCHEMES = ("http", "https", "mailto")


def host_of(url: str) -> str:
    """What the reader should know before following `url`: its host, or the address of a mailto."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "mailto" else parts.hostname or ""


def is_safe_link(url: str) -> bool:
    """True for an absolute address with one of LINK_SCHEMES and somewhere to go."""
    try:
        return urlsplit(url).scheme in LINK_SCHEMES and bool(host_of(url))
    except ValueError:  # such as "http://[" : not an address
        return False


class _Renderer(RendererHTML):
    """markdown-it's renderer with the four rules that make its output safe and usable."""

    language: Language

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return fill('<a href="{url}" target="_blank" rel="noopener noreferrer">', url=str(tokens[idx].attrGet("href")))

    def link_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        opening = next(t for t in reversed(tokens[:idx]) if t.type == "link_open")
        return fill('</a> <span class="link-host">({host})</span>', host=host_of(str(opening.attrGet("href"))))

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        note = self.language.text("chat.image", host=host_of(str(token.attrGet("src"))))
        return fill(
            '<span class="image">{alt} <span class="link-host">({note})</span></span>', alt=token.content, note=note
        )

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        name = token.info.split()[0] if token.info.strip() else ""
        return fill(
            '<pre tabindex="0" data-language="{name}"><code>{code}</code></pre>\n', name=name, code=token.content
        )

    code_block = fence

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return '<div class="table" tabindex="0"><table>\n'

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        style = str(tokens[idx].attrGet("style") or "")  # an inline style is what the CSP forbids: a name instead
        return fill('<{tag} data-align="{align}">', tag=tokens[idx].tag, align=style.removeprefix("text-align:"))

    td_open = th_open

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table></div>\n"


def _parser(language: Language) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable(["table", "strikethrough"])
    parser.validateLink = is_safe_link  # type: ignore[method-assign]
    assert isinstance(parser.renderer, _Renderer)
    parser.renderer.language = language
    return parser


_parsers: dict[str, MarkdownIt] = {}


def parser_for(language: Language) -> MarkdownIt:
    """Made once per language: building the rule chains takes longer than a short answer."""
    return _parsers.setdefault(language.code, _parsers.get(language.code) or _parser(language))


def render(text: str, language: Language) -> Html:
    """A whole text as HTML."""
    return Html(parser_for(language).render(text))


@dataclass(frozen=True, slots=True)
class Patch:
    """What changed on the page: `settled` is appended for good, `tail` replaces the tail."""

    settled: Html
    tail: Html


class StreamingMarkdown:
    """Text that grows at its end, rendered so that a finished block is rendered once.

    A top-level block is finished when another one has begun after it; only the last is rendered again.
    """

    def __init__(self, language: Language) -> None:
        self._language = language
        self._tail = ""
        self._text: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._text)

    def feed(self, piece: str) -> Patch:
        """Appends `piece` to the text."""
        self._text.append(piece)
        self._tail += piece
        settled, self._tail = self._split(self._tail)
        return Patch(render(settled, self._language) if settled else Html(), render(self._tail, self._language))

    def _split(self, text: str) -> tuple[str, str]:
        """(finished blocks, the block still growing)."""
        tokens = parser_for(self._language).parse(text)
        starts = [t.map[0] for t in tokens if t.level == 0 and t.nesting >= 0 and t.map]
        if len(starts) < 2:
            return "", text
        lines = text.splitlines(keepends=True)
        return "".join(lines[: starts[-1]]), "".join(lines[starts[-1] :])
