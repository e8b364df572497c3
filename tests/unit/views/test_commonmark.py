"""The examples of the CommonMark 0.31.2 specification, all that are not about raw HTML.

Four deliberate differences are taken out before comparing, and nothing else: a link is followed by its host and
opens apart, an image is its text, code stands in a frame with its language, a heading says its level in the page.
Which addresses become links is tested in test_links.py; here all do, because the specification's are relative.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from pyapp.views.blocks import Markdown, html_of
from pyapp.views.html import join
from pyapp.views.language import Language
from pyapp.views.markdown import render
from tests.unit.views.auditor import audit
from tests.unit.views.test_streaming import streamed, whole

SPEC = Path(__file__).parents[3] / "node_modules" / "commonmark-spec" / "spec.txt"
EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$", re.MULTILINE | re.DOTALL)
MARKDOWN = Markdown(Language("en"), accepts=lambda url: True)
BARE_ADDRESSES = {602, 608, 611}  # "not an autolink", says CommonMark; GitHub's extension, and we, link them


def examples() -> list[tuple[int, str, str]]:
    text = SPEC.read_text("utf-8").replace("→", "\t")
    return [(n, *found) for n, found in enumerate(EXAMPLE.findall(text), 1)]


def has_raw_html(source: str) -> bool:
    tokens = MarkdownIt("commonmark").parse(source)
    inner = [child for token in tokens for child in token.children or []]
    return any(token.type in ("html_block", "html_inline") for token in [*tokens, *inner])


class Normal(HTMLParser):
    """HTML as a list of what is in it; white space between blocks says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(f"<{tag} {sorted(attrs)}>")

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("br", "hr", "img"):
            self.found.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if data.strip(" \n") and self.found and not self.found[-1].startswith("<"):
            self.found[-1] += data
        elif data.strip(" \n"):
            self.found.append(data)


def normal(html: str) -> list[str]:
    parser = Normal()
    parser.feed(re.sub(r"(?<=>)\n|\n(?=<(?!code))", "", html))
    parser.close()
    return parser.found


def expected(html: str, *, links_bare: bool) -> list[str]:
    if links_bare:
        html = re.sub(r"https://[^\s<&]+", r'<a href="\g<0>">\g<0></a>', html)
    html = re.sub(r'<img src="[^"]*" alt="([^"]*)"(?: title="[^"]*")? />', r"{image \1}", html)
    return normal(html)


FRAME = re.compile(
    r'<div class="code"><div class="code-head"><span class="code-language">[^<]*</span><button[^>]*>Copy</button></div>'
    r'<pre tabindex="0" data-language="([^"]*)"(?: data-highlight="\w+")?><code>(.*?)</code></pre></div>',
    re.DOTALL,
)


def ours(html: str) -> list[str]:
    html = re.sub(r'<span class="image">(.*?) <span class="link-host">.*?</span></span>', r"{image \1}", html)
    html = re.sub(r'</a> <span class="link-host">\(.*?\)</span>', "</a>", html)
    html = html.replace(' target="_blank" rel="noopener noreferrer"', "")
    html = re.sub(r'<h(\d) data-written="(\d)">(.*?)</h\1>', r"<h\2>\3</h\2>", html, flags=re.DOTALL)
    html = FRAME.sub(lambda m: f"<pre>{code_tag(m[1])}{m[2]}</code></pre>", html)
    return normal(html)


def code_tag(language: str) -> str:
    return f'<code class="language-{language}">' if language else "<code>"


CASES = [pytest.param(n, source, html, id=str(n)) for n, source, html in examples() if not has_raw_html(source)]


@pytest.mark.parametrize(("number", "source", "html"), CASES)
def test_example(number: int, source: str, html: str) -> None:
    assert ours(join(html_of(source, MARKDOWN, {}))) == expected(html, links_bare=number in BARE_ADDRESSES)


def test_the_specification_was_there() -> None:
    assert len(examples()) == 652
    assert len(CASES) == 580


@pytest.mark.parametrize("size", [1, 4])
def test_every_example_grows_to_the_same(size: int) -> None:
    """Those about raw HTML too: here it is text."""
    for _, source, _ in examples():
        pieces = [source[at : at + size] for at in range(0, len(source), size)]
        assert streamed(pieces) == whole(source), source


def test_raw_html_is_text() -> None:
    for _, source, _ in examples():
        audit(render(source, Language("en")))
