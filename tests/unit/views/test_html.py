"""What is not Html is escaped, everywhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyapp.views.html import Html, fill, join


@given(st.text())
def test_values_are_escaped(text: str) -> None:
    filled = fill('<p title="{text}">{text}</p>', text=text)
    inside = filled.removeprefix('<p title="').removesuffix("</p>")
    assert inside.count("<") == 0
    assert inside.count('"') == 1


def test_html_is_not_escaped_twice() -> None:
    inner = fill("<b>{x}</b>", x="<")
    assert fill("<p>{inner}</p>", inner=inner) == "<p><b>&lt;</b></p>"
    assert join([inner, Html("<i>")]) == "<b>&lt;</b><i>"
