"""Reasoning is folded away and the answer is not; nothing the model wrote is lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.views.reasoning import StreamingAnswer, answer, split
from tests.unit.views.auditor import audit
from tests.unit.views.languages import EN, ES


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hello", ("", "Hello")),
        ("<think>a</think>b", ("a", "b")),
        ("\n <Thinking>\na\n</Thinking>\n\nb", ("\na\n", "\n\nb")),
        ("<think>still at it", ("still at it", "")),
        ("Say <think>x</think>", ("", "Say <think>x</think>")),
        ("<thinker>", ("", "<thinker>")),
    ],
)
def test_split(text: str, parts: tuple[str, str]) -> None:
    assert split(text) == parts


def test_a_whole_answer() -> None:
    html = answer("<think>*hm*</think>\n\nSo.", EN)
    audit(html)
    assert '<details class="reasoning"><summary>Reasoning</summary>' in html
    assert "<em>hm</em>" in html
    assert html.endswith('<div class="markdown" data-part="answer"><p>So.</p>\n</div>')
    assert "Razonamiento" in answer("<think>x", ES)


def test_no_box_for_no_reasoning() -> None:
    assert "details" not in answer("<think>\n\n</think>\n\nSo.", EN)
    assert "details" not in answer("So.", EN)


def streamed(pieces: list[str]) -> dict[str, str]:
    stream = StreamingAnswer(EN)
    settled: dict[str, list[str]] = {"reasoning": [], "answer": []}
    tails = {"reasoning": "", "answer": ""}

    def feed(piece: str = "") -> None:
        name, patch = stream.feed(piece)
        patch.apply(settled[name])  # type: ignore[arg-type]
        tails[name] = tails[name] if patch.tail is None else patch.tail

    for piece in pieces:
        feed(piece)
    assert stream.text == "".join(pieces)
    stream.end()
    while stream.busy:
        feed()
    assert tails == {"reasoning": "", "answer": ""}
    return {name: "".join(html) for name, html in settled.items()}


PIECES = [
    "<think>",
    "</think>",
    "<",
    "think",
    ">",
    "</",
    "thi",
    " ",
    "\n\n",
    "word",
    "*a*",
    "- x\n",
    "`",
    "<thinking>",
    "x" * 900,  # twelve of them are no block that is too long to be formatted
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_growing_ends_where_the_whole_does(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = streamed(pieces)
    thought, _ = split(text)
    whole = answer(text, EN)
    assert f'data-part="answer">{found["answer"]}</div>' in whole
    if thought.strip():
        assert f'data-part="reasoning">{found["reasoning"]}</div>' in whole


def test_what_is_said_is_known_while_it_grows() -> None:
    stream = StreamingAnswer(EN)
    name, patch = stream.feed("<think>first")
    assert (name, patch.tail, stream.said) == ("reasoning", "<p>first</p>\n", "")
    stream.feed("</think>then")
    while stream.busy:
        name, patch = stream.feed()
    assert (name, patch.tail, stream.said) == ("answer", "<p>then</p>\n", "then")
