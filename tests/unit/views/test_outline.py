"""Levels of headings, as a screen reader hears them."""

from __future__ import annotations

import re

import pytest

from pyapp.views.language import Language
from pyapp.views.markdown import StreamingMarkdown, render
from pyapp.views.outline import levelled
from tests.unit.views.auditor import audit

EN = Language("en")


def levels(text: str) -> list[int]:
    html = render(text, EN)
    audit(html)
    return [int(level) for level in re.findall(r"<h(\d) data-written", html)]


@pytest.mark.parametrize(
    ("written", "levels_shown"),
    [
        ("#", [2]),
        ("### ###", [2, 2]),
        ("# ## ### ## #", [2, 3, 4, 3, 2]),
        ("# ### ## ###", [2, 3, 3, 4]),
        ("### ## #", [2, 2, 2]),
        ("# ## ### #### ##### ######", [2, 3, 4, 5, 6, 6]),
    ],
)
def test_no_level_is_skipped(written: str, levels_shown: list[int]) -> None:
    assert levels("\n\n".join(f"{marks} title" for marks in written.split())) == levels_shown


def test_headings_inside_of_other_blocks_count() -> None:
    assert levels("# a\n\n> ### b\n\n- ## c\n\n## d") == [2, 3, 3, 3]


def test_text_that_looks_like_a_heading_does_not() -> None:
    assert levelled(render("`<h1>`\n\n    <h2>\n", EN))[1] == ()


def test_a_heading_that_grows_and_one_that_a_definition_changes() -> None:
    stream = StreamingMarkdown(EN)
    stream.feed("## a\n\n")
    assert stream.feed("### see [b]").tail == '<h3 data-written="3">see [b]</h3>\n'
    stream.feed("\n\ntext\n\n")
    stream.feed("[b]: https://b.test\n\nend\n\n")
    stream.end()
    replaced: dict[int, str] = {}
    while stream.busy:
        replaced |= stream.feed().replaced
    assert replaced[1].startswith('<h3 data-written="3">see <a href="https://b.test"')
