"""Model output is text: whatever it says, nothing acts, and streaming ends where one rendering would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.views.language import Language
from pyapp.views.markdown import Limits, StreamingMarkdown, render
from tests.unit.views.auditor import audit

EN = Language("en")
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
    assert '<pre tabindex="0" data-language="python" data-highlight="python"><code>x &lt; 1\n</code></pre>' in html
    assert "<code>indented\n</code>" in html


def test_finished_blocks_are_rendered_once() -> None:
    stream = StreamingMarkdown(EN)
    assert stream.feed("First.").settled == ""
    patch = stream.feed("\n\nSecond")
    assert patch.settled == "<p>First.</p>\n"
    assert patch.tail == "<p>Second</p>\n"
    assert stream.feed(" more").settled == ""


def test_tasks_have_names() -> None:
    html = render("- [x] done\n- [ ] open", EN)
    audit(html)
    assert '<input type="checkbox" disabled checked aria-label="Done"> done' in html
    assert '<input type="checkbox" disabled aria-label="Not done"> open' in html


def test_code_can_be_copied_and_coloured() -> None:
    html = render("```js title=x\n1\n```\n```brainfudge\n1\n```\n", EN)
    assert html.count('data-action="copy-code">Copy</button>') == 2
    assert 'data-language="js" data-highlight="javascript"' in html
    assert 'data-language="brainfudge"><code>' in html


def test_very_long_code_keeps_one_colour() -> None:
    assert "data-highlight" not in render("```python\n" + "x = 1\n" * 4000 + "```", EN)


def test_a_list_that_counts_on() -> None:
    assert '<ol start="3">' in render("3. three\n4. four", EN)


def test_link_titles() -> None:
    assert 'href="https://a.test" title="a &quot;b"' in render("[x](https://a.test 'a \"b')", EN)


def test_a_long_text_is_rendered_in_steps_to_the_same_end() -> None:
    text = "# Title\n\nSome [words][later] and *more*.\n\n" * 400 + "[later]: https://a.test\n"
    assert len(text) > Limits().block
    html = render(text, EN)
    assert html == render("# Title\n\nSome [words](https://a.test) and *more*.", EN) * 400


@pytest.mark.parametrize("text", ["", " \n\n", "\r\n", "[a]: https://a.test"])
def test_nothing(text: str) -> None:
    assert render(text, EN) == ""


def test_no_character_of_control_gets_through() -> None:
    assert render("a\0b\r\nc\rd", EN) == "<p>a\ufffdb\nc\nd</p>\n"
