"""Probabilities of labels: they sum to 1, and what the model likes unread is taken off."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.engine import Message
from pyapp.tasks.classify.scoring import SAYING_NOTHING, calibrated, liking, softmax
from tests.unit.run import run
from tests.unit.tasks.classify.models import answering, words_for
from tests.unit.tasks.scripted import ScriptedWork

LOG = st.floats(max_value=0, min_value=-1e6) | st.just(-math.inf)


@given(st.lists(LOG, min_size=1, max_size=500))
def test_shares_sum_to_one_whatever_the_scores(scores: list[float]) -> None:
    shares = softmax(scores)
    assert math.fsum(shares) == pytest.approx(1, abs=1e-9)
    assert all(0 <= share <= 1 for share in shares)


@given(st.lists(st.tuples(LOG, LOG), min_size=1, max_size=50))
def test_so_do_calibrated_ones(pairs: list[tuple[float, float]]) -> None:
    scores, liked = [pair[0] for pair in pairs], [math.log(max(p, 1e-200)) for p in softmax([q for _, q in pairs])]
    assert math.fsum(calibrated(scores, liked)) == pytest.approx(1, abs=1e-9)


def test_shares_are_in_the_proportion_of_the_probabilities() -> None:
    assert softmax([math.log(0.02), math.log(0.06)]) == pytest.approx([0.25, 0.75])
    assert softmax([-math.inf, -1.0]) == pytest.approx([0, 1])
    assert softmax([-math.inf, -math.inf]) == pytest.approx([0.5, 0.5])


def asked(text: str) -> list[Message]:
    return [Message("user", text)]


def test_what_is_liked_unread_is_taken_off() -> None:
    work = words_for({"good": 0.9, "bad": 0.1}, {"great": "good", "awful": "bad"}, sure=1.0)
    liked = run(liking(work, asked, ["good", "bad"]))
    assert liked == pytest.approx([math.log(0.9), math.log(0.1)])
    raw = run(work.score(asked("how awful it is"), ["good", "bad"]))
    assert raw is not None
    assert softmax(raw)[0] > 0.7
    assert calibrated(raw, liked or ())[0] == pytest.approx(1 / (1 + math.e))


def test_a_label_that_another_begins_as_is_an_answer_of_its_own() -> None:
    """The probability of an answer has that of its end in it; the beginning alone would always be likelier."""
    work = answering({"pos": 0.1, "positive": 0.6, "negative": 0.3})
    scores = run(work.score(asked("x"), ["pos", "positive", "negative"]))
    assert softmax(scores or ()) == pytest.approx([0.1, 0.6, 0.3])


def test_an_engine_without_probabilities_is_asked_once() -> None:
    asked_for = []

    def nothing(*_: object) -> None:
        asked_for.append(1)

    assert run(liking(ScriptedWork(scores=nothing), asked, ["a", "b"])) is None
    assert len(asked_for) == 1
    assert len(SAYING_NOTHING) == len(set(SAYING_NOTHING))


@pytest.mark.parametrize(("labels", "texts"), [(2, 12), (20, 12), (80, 3), (500, 2)])
def test_of_very_many_labels_fewer_texts_are_asked_for(labels: int, texts: int) -> None:
    asked_for = []

    def score(_: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        asked_for.append(len(candidates))
        return [-1.0] * len(candidates)

    run(liking(ScriptedWork(scores=score), asked, [f"label {n}" for n in range(labels)]))
    assert asked_for == [labels] * texts


def test_an_impossible_label_gives_numbers_too() -> None:
    liked = run(liking(ScriptedWork(scores=lambda *_: [-math.inf, -0.1]), asked, ["a", "b"]))
    assert liked is not None
    assert all(math.isfinite(each) for each in liked)
    assert math.fsum(calibrated([-math.inf, 0.0], liked)) == pytest.approx(1)
