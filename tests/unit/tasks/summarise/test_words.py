"""Where a point comes from, by its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.tasks.summarise.words import MOST_SOURCES, Texts, alike, content, is_said, nearest

BEES = [
    "A single colony can hold sixty thousand workers, and the queen lays two thousand eggs a day in summer.",
    "Foragers tell each other where food is by dancing; Karl von Frisch received the Nobel Prize in 1973.",
    "The European Union banned the outdoor use of three neonicotinoids in 2018 after heavy winter losses.",
]
ALL = range(len(BEES))


def test_words_that_make_a_difference() -> None:
    words = content("The 3 bees danced with their queen in 1973, y los zánganos también.")
    assert words == ("3", "bees", "danced", "queen", "1973", "zánganos")
    assert content("太陽は星") == ("太陽", "陽は", "は星")
    assert content("星") == ("星",)


@pytest.mark.parametrize(
    ("word", "other", "same"),
    [
        ("dance", "dancing", True),
        ("pollination", "pollinators", True),
        ("regadas", "regaron", True),
        ("contain", "contributing", False),
        ("1973", "1974", False),
        ("1973", "1973", True),
        ("covid19", "covid", False),
    ],
)
def test_endings_make_no_difference_and_numbers_do(word: str, other: str, same: bool) -> None:
    assert alike(word, other) is alike(other, word) is same


def test_a_point_comes_from_where_its_words_are() -> None:
    texts = Texts(BEES)
    found = texts.source("Foragers dance to tell each other about food.", ALL)
    assert found.places == [1]
    assert found.share > 0.7
    both = texts.source("The queen lays two thousand eggs, and foragers tell others where food is by dancing.", ALL)
    assert sorted(both.places) == [0, 1]
    assert both.share > 0.8


def test_a_point_with_another_number_or_of_something_else_is_not_borne_out() -> None:
    texts = Texts(BEES)
    assert texts.source("Karl von Frisch received the Nobel Prize in 1974.", ALL).share == 0
    assert texts.source("The moon orbits Jupiter silently.", ALL).share == pytest.approx(0)
    assert texts.source("", ALL).share == 0


def test_a_point_has_few_sources_however_many_it_is_gathered_from() -> None:
    texts = Texts(["Queens", "Foragers", "Neonicotinoids", "Almonds"])
    assert texts.source("Queens, foragers, neonicotinoids and almonds.", range(4)).places == [0, 1, 2]


def test_only_the_places_that_were_read_are_sources() -> None:
    assert Texts(BEES).source("Foragers tell each other where food is by dancing.", range(2, 3)).places == [2]


def test_what_all_the_text_is_about_is_central() -> None:
    texts = Texts(["Water is scarce here.", "The town saves water.", "Cats sleep."])
    assert texts.centrality("The town saves water.") > texts.centrality("Cats sleep.")


def test_the_nearest_sentence() -> None:
    assert nearest("The EU has banned neonicotinoids in agriculture.", BEES) == BEES[2]
    assert nearest("The moon orbits Jupiter.", BEES) is None
    assert nearest("", BEES) is None
    assert nearest("Anything.", []) is None


def test_what_is_said_already() -> None:
    before = ["The value of pollination was estimated at 153 billion euros in 2005."]
    assert is_said("Pollination's value is estimated at 153 billion euros.", before)
    assert not is_said("The European Union banned three neonicotinoids.", before)
    assert not is_said("The value of pollination was estimated at 140 billion euros in 2004.", before)
    assert not is_said("The sun is a star.", ["", "of the"])
    assert is_said("of the and", before)


WORDS = st.lists(
    st.sampled_from(["bees", "dance", "dancing", "1973", "queen", "with", "eggs", "太陽", "7"]), max_size=8
).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=6), WORDS, st.data())
def test_every_point_has_a_source_among_those_read(texts: list[str], point: str, data: st.DataObject) -> None:
    within = data.draw(st.sets(st.integers(0, len(texts) - 1), min_size=1))
    found = Texts(texts).source(point, within)
    assert 1 <= len(found.places) <= MOST_SOURCES
    assert len(set(found.places)) == len(found.places)
    assert set(found.places) <= within
    assert 0 <= found.share <= 1


@given(st.lists(WORDS, min_size=1, max_size=6), st.data())
def test_a_text_bears_itself_out(texts: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(texts) - 1))
    found = Texts(texts).source(texts[at], range(len(texts)))
    assert found.share == pytest.approx(1 if content(texts[at]) else 0)
