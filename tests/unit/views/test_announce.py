"""Sentences reach a screen reader whole, once, in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyapp.views.announce import Sentences


def test_sentences_are_said_when_they_are_whole() -> None:
    sentences = Sentences()
    assert sentences.feed("Hello. How a") == "Hello."
    assert sentences.feed("Hello. How are you?") == ""
    assert sentences.feed("Hello. How are you? Fi") == "How are you?"
    assert sentences.rest("Hello. How are you? Fine") == "Fine"
    assert sentences.feed("New. One") == "New."


def test_a_shorter_text_is_a_new_text() -> None:
    sentences = Sentences()
    sentences.feed("A long one. And more.")
    assert sentences.feed("Hi. X") == "Hi."


@given(st.lists(st.sampled_from(["One. ", "Two! ", "three ", "four\n", "cinco… "]), max_size=20))
def test_nothing_is_lost_or_said_twice(pieces: list[str]) -> None:
    sentences, text, said = Sentences(), "", []
    for piece in pieces:
        text += piece
        said.append(sentences.feed(text))
    said.append(sentences.rest(text))
    assert " ".join(said).split() == text.split()
