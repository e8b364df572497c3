"""What is a formula, what is money, and what happens while one is still being written."""

from __future__ import annotations

import pytest

from pyapp.views.language import Language
from pyapp.views.markdown import StreamingMarkdown, render
from tests.unit.views.auditor import audit

EN = Language("en")


@pytest.mark.parametrize(
    ("text", "kind", "tex"),
    [
        ("so $x^2$ is", "inline", "x^2"),
        ("so $5$ is", "inline", "5"),
        ("so $2 \\times 3$.", "inline", "2 \\times 3"),
        ("so \\(a_1 * b_1\\) is", "inline", "a_1 * b_1"),
        ("so $$x$$ is", "display", "x"),
        ("so \\[ x \\] is", "display", "x"),
        ("$$\na\n= b\n- c\n$$", "display", "a\n= b\n- c"),
        ("\\[\n# a\n\\]", "display", "# a"),
        ("text\n$$\nx\n$$\nmore", "display", "x"),
        ("- item\n  $$\n  x\n  $$", "display", "x"),
        ("$$x$$", "display", "x"),
        ("[see $x$](https://a.test)", "inline", "x"),
        ("cost \\$ and $\\$5$", "inline", "\\$5"),
    ],
)
def test_formulas(text: str, kind: str, tex: str) -> None:
    html = render(text, EN)
    audit(html)
    assert f'data-formula="{kind}" data-tex="{tex}"' in html


@pytest.mark.parametrize(
    "text",
    [
        *(
            "It costs $5 and $6.",
            "$5-$6",
            "between $5, or 6$ in",
            "US$5 and A$6",
            "**$5** and **$6**",
            "$",
            "$$",
            "$$$$",
        ),
        *(
            "`$x` and `$y`",
            "$HOME/$USER",
            "[a$b](https://x.test/$y)",
            "\\$x\\$",
            "\\( \\)",
            "\\[foo\\]".replace("foo", "-"),
        ),
        *("$x $", "$ x$", "\\(never closed", "$$\nnever closed", "$$\nx\n\n$$", "    $$\n    x\n    $$", "> $$\nx\n$$"),
        *("$$x$$ y $$z$$ $$", "$$ a $$ b"),
    ],
)
def test_what_is_none(text: str) -> None:
    html = render(text, EN)
    audit(html)
    assert "data-tex" not in html or text.startswith(("$$x$$", "$$ a", "> $$"))


def test_raw_text_of_a_formula_is_what_is_shown_until_it_is_set() -> None:
    assert audit(render("so $x^2$ is", EN)).strip() == "so $x^2$ is"


def test_an_open_formula_is_one_block_while_it_grows() -> None:
    stream = StreamingMarkdown(EN)
    patch = stream.feed("$$\na\n- b\n=\n")
    assert patch.tail == '<div class="formula">$$\na\n- b\n=</div>\n'
    assert 'data-tex="a\n- b\n=\nc"' in str(stream.feed("c\n$$\n").tail)
