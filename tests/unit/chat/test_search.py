"""Words are found while they are typed, whatever their accents and capitals."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.chat.search import Excerpt, Index, excerpt, fold

WORDS = st.text(alphabet="aáÁbcñÑ ه\u0301Éß한글ﬁ", min_size=0, max_size=40)


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Ñandú", "nandu"), ("É", "e"), ("e\u0301", "e"), ("ABC", "abc"), ("한", "한"), ("İ", "i"), ("", "")],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


def index(**texts: str) -> Index:
    found = Index()
    found.put("c", texts)
    return found


def test_the_newest_message_with_all_the_words_is_found() -> None:
    made = index(a="El candil y la mesa", b="Candíl MESA", c="candil")
    (hit,) = made.search("mesa candil", {"c": "Title"})
    assert (hit.chat_id, hit.entry_id) == ("c", "b")
    assert hit.message == Excerpt("Candíl MESA", ((0, 6), (7, 11)))
    assert hit.title == Excerpt("Title", ())


def test_a_title_is_enough_and_follows_its_changes() -> None:
    made = index(a="nothing")
    assert made.search("über", {"c": "Uber den Fluss"})[0].message is None
    assert made.search("über", {"c": "Another"}) == []
    assert made.search("another", {"c": "Another"})[0].title.ranges == ((0, 7),)


@pytest.mark.parametrize("query", ["", "   ", "\u0301"])
def test_nothing_is_looked_for_and_nothing_found(query: str) -> None:
    assert index(a="x").search(query, {"c": "x"}) == []


def test_in_the_order_of_the_list_and_no_more_than_wanted() -> None:
    titles = {str(n): "same" for n in range(9)}
    assert [hit.chat_id for hit in Index().search("same", titles, most=3)] == ["0", "1", "2"]


def test_what_was_dropped_is_not_found() -> None:
    made = index(a="one", b="two")
    assert "c" in made
    made.drop("c", ["a", "unknown"])
    made.drop("unknown", ["a"])
    assert made.search("one", {"c": ""}) == []
    assert made.search("two", {"c": ""})
    made.drop("c")
    assert made.search("two", {"c": ""}) == []
    assert "c" not in made


def test_a_long_message_is_shown_around_the_word() -> None:
    part = excerpt("begin " * 50 + "needle " + "end " * 50, ["needle"], 60)
    assert part.text.startswith("…begin")
    assert part.text.endswith("…")
    assert [part.text[a:b] for a, b in part.ranges] == ["needle"]
    assert excerpt("x" * 500 + "needle", ["needle"], 60).text.endswith("needle")
    assert excerpt("needle" + " x" * 500, ["needle"], 60).text.startswith("needle")
    assert excerpt("e\u0301" * 300 + " needle " + "e" * 300, ["needle"], 60).ranges


def test_places_that_overlap_are_one() -> None:
    assert excerpt("candil", ["cand", "andi", "l"], 60).ranges == ((0, 6),)


def test_a_right_to_left_title() -> None:
    (hit,) = Index().search("فرنسا", {"c": "عاصمة فرنسا"})
    assert [hit.title.text[a:b] for a, b in hit.title.ranges] == ["فرنسا"]


@given(WORDS, WORDS, WORDS)
def test_what_is_written_is_found_and_marked(before: str, word: str, after: str) -> None:
    word = "".join(word.split())
    if fold(word):
        text = f"{before} {word} {after}"
        (hit,) = index(a=unicodedata.normalize("NFC", text)).search(unicodedata.normalize("NFD", word), {"c": ""})
        assert hit.message
        marked = [hit.message.text[a:b] for a, b in hit.message.ranges]
        assert any(fold(word) in fold(each) for each in marked)
