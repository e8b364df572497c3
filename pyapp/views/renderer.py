"""Markdown's tokens as HTML that cannot act.

Links show their host and give the other side no handle on this page, images are named instead of loaded,
code has its language and a button to copy it. No inline style: the page's CSP forbids them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markdown_it.common.utils import unescapeAll
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from pyapp.views.grammars import grammar_for
from pyapp.views.html import Html, fill
from pyapp.views.language import Language
from pyapp.views.links import host_of

_NAME_CHARS = 24  # a language's name is shorter; what is longer is something else after the fence


def language_of(info: str) -> str:
    """The language a fence names: the first word after it."""
    return (unescapeAll(info).split() or [""])[0][:_NAME_CHARS]


def code_frame(name: str, code: Html, language: Language, *, closed: bool) -> Html:
    """A code block whose `code` is HTML. One that is not `closed` is where growing text is appended."""
    grammar = grammar_for(name, len(code)) if closed else ""
    return fill(
        '<div class="code"><div class="code-head"><span class="code-language">{name}</span>'
        '<button type="button" class="code-copy" data-action="copy-code">{copy}</button></div>'
        '<pre tabindex="0" data-language="{name}"{grammar}><code{mark}>{code}</code></pre></div>\n',
        name=name,
        grammar=fill(' data-highlight="{grammar}"', grammar=grammar) if grammar else "",
        copy=language.text("chat.copy_code"),
        mark=Html("" if closed else ' data-grows=""'),
        code=code,
    )


class SafeRenderer(RendererHTML):
    """markdown-it's renderer with other rules where its own would act or style."""

    language: Language
    accepts: Callable[[str], bool]  # which addresses become links; the parser does not ask about an empty one

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        if not self.accepts(str(tokens[idx].attrGet("href"))):
            return ""
        title = tokens[idx].attrGet("title")
        return fill(
            '<a href="{url}"{title} target="_blank" rel="noopener noreferrer">',
            url=str(tokens[idx].attrGet("href")),
            title=fill(' title="{title}"', title=title) if title else "",
        )

    def link_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        url = next(str(t.attrGet("href")) for t in reversed(tokens[:idx]) if t.type == "link_open")
        if not self.accepts(url):
            return ""
        return fill('</a> <span class="link-host">({host})</span>', host=host_of(url))

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        note = self.language.text("chat.image", host=host_of(str(tokens[idx].attrGet("src"))))
        alt = self.renderInlineAsText(tokens[idx].children or [], options, env)
        return fill('<span class="image">{alt} <span class="link-host">({note})</span></span>', alt=alt, note=note)

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        return code_frame(language_of(token.info), fill("{code}", code=token.content), self.language, closed=True)

    code_block = fence

    def formula(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        return fill(
            '<{tag} class="formula"{scrolls} data-formula="{kind}" data-tex="{tex}">{written}</{tag}>{end}',
            tag=token.tag,
            scrolls=Html(' tabindex="0"' if token.block else ""),
            kind=token.info,
            tex=token.content,
            written=token.markup,
            end="\n" if token.block else "",
        )

    def open_formula(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return fill('<div class="formula">{written}</div>\n', written=tokens[idx].markup)

    def bullet_list_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "<ul>\n"

    def ordered_list_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        start = tokens[idx].attrGet("start")
        return "<ol>\n" if start is None else fill('<ol start="{start}">\n', start=start)

    def list_item_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        if "checked" not in tokens[idx].meta:
            return self.renderToken(tokens, idx, options, env)
        checked = tokens[idx].meta["checked"]
        return fill(
            '<li class="task"><input type="checkbox" disabled{checked} aria-label="{label}"> ',
            checked=Html(" checked") if checked else "",
            label=self.language.text("chat.task.done" if checked else "chat.task.open"),
        )

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return '<div class="table" tabindex="0"><table>\n'

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        style = str(tokens[idx].attrGet("style") or "").removeprefix("text-align:")
        aligned = fill(' data-align="{align}"', align=style) if style else ""
        return fill("<{tag}{aligned}>", tag=tokens[idx].tag, aligned=aligned)

    td_open = th_open

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table></div>\n"
