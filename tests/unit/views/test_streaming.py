"""However the text arrives, what is shown at the end is what one rendering of the whole text gives."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyapp.views.blocks import html_of, markdown_for
from pyapp.views.language import Language
from pyapp.views.markdown import Limits, Patch, StreamingMarkdown, normalised, render
from tests.unit.views.auditor import audit

EN = Language("en")
SMALL = Limits(step=7, block=10**9, part=10**9, calm=10)


class Screen:
    """What a page shows that does as it is told."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.stream = StreamingMarkdown(EN, limits)
        self.elements: list[str] = []
        self.tail = ""

    def feed(self, piece: str = "") -> Patch:
        patch = self.stream.feed(piece)
        for index, html in patch.replaced.items():
            self.elements[index] = html
        self.elements += patch.elements
        if patch.tail is not None:
            self.tail = patch.tail
        if patch.more:
            assert self.tail.count(" data-grows=") == 1
            end = self.tail.index("</code>" if "</code>" in self.tail else "</div>")
            self.tail = self.tail[:end] + patch.more + self.tail[end:]
        return patch

    def settle(self) -> list[str]:
        self.stream.end()
        self.feed()
        while self.stream.busy:
            self.feed()
        assert self.tail == ""
        return self.elements


def whole(text: str) -> list[str]:
    return [str(html) for html in html_of(normalised(text), markdown_for(EN), {})]


def streamed(pieces: list[str], limits: Limits | None = None) -> list[str]:
    screen = Screen(limits)
    for piece in pieces:
        screen.feed(piece)
    assert screen.stream.text == "".join(pieces)
    return screen.settle()


LINES = [
    *(
        "A paragraph with *emphasis*.",
        "second line",
        "| a | b |",
        "|---|--:|",
        "| 1 | **2** |",
        "# A title",
        "===",
        "---",
    ),
    *("- one", "- two", "  - nested", "  more of it", "* star", "1. one", "2. two", "10. ten", "   in two", "+", "-"),
    *(
        "```python",
        "```",
        "~~~",
        "  ```",
        "print('[x]')",
        "    indented",
        "> quoted",
        "> - list",
        "***",
        "#",
        "#tag",
        "***b",
    ),
    *("[a]: https://a.test", "[b]: https://b.test 'title", "see [a] and [b]", "title'", "- [ ] open [a]", "- [x] done"),
    *(
        "$$",
        "\\[",
        "a = b",
        "\\]",
        "$$x$$",
        "x $y$ z",
        "$$ x",
        "https://c.test/.",
        "",
        "",
        "",
        "   ",
        "\t",
        "\r",
        "1",
        "2.",
        "*",
    ),
]


@given(st.lists(st.sampled_from(LINES), max_size=14), st.data())
@example(["1. a", "", "2. b"], None)
@example(["para", "#tag"], None)
@example(["- a", "- b", "", "- c", "- d"], None)
@example(["see [a]", "", "- see [a]", "- x", "- y", "", "[a]: https://a.test", "", "end"], None)
def test_lines_however_they_are_cut(lines: list[str], data: st.DataObject | None) -> None:
    text = "\n".join(lines)
    pieces = list(text)
    if data:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
        pieces = [text[i:j] for i, j in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert streamed(pieces, SMALL) == whole(text)


@given(st.lists(st.text(alphabet=st.sampled_from(list("<>\"'`&[]()!*_~#|-=:/\\$ \n\tab1.\r"))), max_size=6))
def test_any_text_however_it_is_cut(pieces: list[str]) -> None:
    assert streamed(pieces, SMALL) == whole("".join(pieces))


TEXTS = {
    "table": "| a | b |\n|---|--:|\n| 1 | *2* |\n| 3 | 4 |\n\nafter",
    "a row that becomes a formula": "| a | b |\n|---|---|\n| 1 | 2 |\n$$x$$\nafter",
    "only a head": "| a | b |\n|---|---|\n\nafter",
    "tight": "- a\n- b\n  - c\n- d\n- e\n\nafter",
    "loose at last": "- a\n- b\n- c\n- d\n\n- e\n\nafter",
    "loose and no paragraph at first": "- # a\n\n- # b\n- c\n- d\n- e\n",
    "counting on": "7. a\n8. b\n\n9. c\n10. d\n",
    "a rule after a list": "- a\n- b\n- c\n\n---\n",
    "open fence": "before\n\n```python\nx\n  ```x\n``\n",
    "closed fence": "````\nx\n```\n\n````  \nafter\n",
    "fence with blanks at its end": "```\nx\n   ",
    "definition in a list": "- [a]: https://a.test\n- see [a]\n- [b]\n- c\n\n[b]: https://b.test\n\nsee [a][b]",
    "definition late": "see [b]\n\n- [b]\n\n```\n[b]\n```\n\n[b]: https://b.test 'c\nd'\n\nend",
    "a title with a heading in it": "[b]: https://b.test 'title\nx\n===\ny'\n\n[b]",
    "a title that goes on after a heading in it": "[b]: https://b.test 'title\nx\n===\ny\nz'\n\n[b]",
    "a definition in the list that mentions it": "- see [a]\n- x\n- y\n- z\n- [a]: https://a.test\n- w\n- v\n\nend",
    "carriage returns": "a\r\n\r\n- b\r\n- c\rd\r",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("limits", [None, SMALL], ids=["default", "small"])
def test_texts_however_they_are_cut(text: str, size: int, limits: Limits | None) -> None:
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert streamed(pieces, limits) == whole(text)


def test_growing_code_is_appended_to() -> None:
    screen = Screen()
    screen.feed("```python\nx = 1\n")
    assert [screen.feed(piece).more for piece in ("y", " = 2\n", "``", "`x\n", "z")] == [
        "y",
        " = 2\n",
        "",
        "```x\n",
        "z",
    ]
    assert screen.feed("\n```\n").settled == render("```python\nx = 1\ny = 2\n```x\nz\n```\n", EN)


def test_code_that_comes_whole_is_settled_at_once() -> None:
    assert Screen().feed("```\nx\n```\n").settled == render("```\nx\n```", EN)


def test_a_long_tail_is_not_rendered_for_every_word() -> None:
    screen = Screen()
    screen.feed("> " + "word " * 250)
    rendered = [screen.feed("word ").tail is not None for _ in range(40)]
    assert 5 < sum(rendered) < 20
    screen.feed("x")
    assert screen.stream.busy
    while screen.stream.busy:
        screen.feed()
    assert "x</p>" in screen.tail


PARTS = Limits(step=50, block=10**9, part=100, calm=0)


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_a_very_long_list_goes_on_as_another(size: int) -> None:
    text = "".join(f"{n}. item [{n}]\n" for n in range(1, 41)) + "\n[9]: https://a.test\n"
    lists = streamed([text[i : i + size] for i in range(0, len(text), size)], PARTS)
    assert [html.count("<li>") for html in lists] == [9, 8, 8, 8, 7]
    assert [html.split("\n")[0] for html in lists[:3]] == ["<ol>", '<ol start="10">', '<ol start="18">']
    assert 'href="https://a.test"' in lists[0]


def test_a_very_long_table_goes_on_with_its_head() -> None:
    text = "| name |\n|------|\n" + "".join(f"| row {n} |\n" for n in range(20)) + "\nafter"
    *tables, after = streamed(list(text), PARTS)
    assert len(tables) == 3
    assert all(table.count("<th>name</th>") == 1 for table in tables)
    assert sum(table.count("<td>") for table in tables) == 20
    assert after == "<p>after</p>\n"


PLAIN = Limits(step=40, block=100, part=200, calm=0)


def test_text_without_end_is_shown_in_parts() -> None:
    plain, rest = streamed(["word " * 50], PLAIN)
    assert audit(plain) == "word " * 41 + "\n"
    assert rest == "<p>" + ("word " * 9).strip() + "</p>\n"


@pytest.mark.parametrize("size", [1, 9, 5000])
def test_a_block_that_is_too_long_is_shown_as_it_was_written(size: int) -> None:
    text = "before\n\n> *quoted* " + "<b> " * 30 + "\n> more\n\nafter *all*"
    before, *plain, after = streamed([text[i : i + size] for i in range(0, len(text), size)], PLAIN)
    assert before == "<p>before</p>\n"
    assert all(html.startswith('<div class="plain">') for html in plain)
    assert "&gt; *quoted* &lt;b&gt;" in plain[0]
    assert after == "<p>after <em>all</em></p>\n"
    assert audit("".join(plain)).split() == text.split()[1:-2]


def test_what_is_too_long_is_shown_while_it_grows() -> None:
    screen = Screen(PLAIN)
    for _ in range(14):
        screen.feed("> words\n")
    assert screen.feed("> more\n").more == "> more\n"
    assert '<div class="plain" data-grows="">' in screen.tail
    assert screen.settle()[0].count("&gt; words") == 14


def test_the_items_before_one_that_is_too_long_stay_a_list() -> None:
    first, plain = streamed(list("- a\n- b\n- c\n- d\n- e " + "long " * 30), PLAIN)
    assert first.count("<li>") == 2
    assert plain.startswith('<div class="plain">- c\n- d\n- e long')
