"""What a text is called: its first words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.documents.naming import TITLE_CHARACTERS, beginning


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("Short", "Short"),
        (" two\nlines ", "two lines"),
        ("word " * 20, "word word word word word word word word word word…"),
        ("x" * 80, "x" * 50 + "…"),
        ("a" * 47 + ", and so on", "a" * 47 + "…"),
        ("ما هي عاصمة فرنسا؟", "ما هي عاصمة فرنسا؟"),
        ("", ""),
        ("# **Candil**\n\nA *small* lamp", "Candil A small lamp"),
        ('> Read `main.py` and [this](https://a.test "b")', "Read main.py and this"),
        ("```python\nx = 1\n```", "x = 1"),
        ("snake_case and 2 * 3 * 4", "snake_case and 2 * 3 * 4"),
        ("3. What is <b>bold</b>?", "3. What is <b>bold</b>?"),
        ("    - one\n- two", "- one - two"),
        ("a\n---\nb", "a b"),
        ("---", "---"),
        ("# ", "#"),
        ("![a lamp](lamp.png) lit", "a lamp lit"),
    ],
)
def test_the_first_words_are_cut_at_a_word(said: str, called: str) -> None:
    assert beginning(said) == called


@given(st.text())
def test_it_is_short_and_one_line(said: str) -> None:
    called = beginning(said)
    assert len(called) <= TITLE_CHARACTERS + 1
    assert "\n" not in called


@given(st.text(alphabet="ab 1.,é?", min_size=1))
def test_plain_words_are_not_lost(said: str) -> None:
    words = " ".join(said.split())
    assert beginning(said).rstrip("…").rstrip(" ,.;:") == words[: len(beginning(said).rstrip("…"))].rstrip(" ,.;:")
