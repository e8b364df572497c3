"""One item's labels, by probabilities and by documents."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import pytest

from pyapp.engine import GenerateRequest, Json, Message
from pyapp.errors import ContextOverflow, EngineFailed, NoDocument
from pyapp.structured.subset import normalised
from pyapp.tasks.classify.labelling import Labelled, Labelling, document, fitted
from pyapp.tasks.classify.labels import Example, Label
from pyapp.tasks.classify.prompts import all_that_fit_schema, proposal_schema, which_schema
from pyapp.tasks.classify.scoring import SAYING_NOTHING
from tests.unit.run import run
from tests.unit.tasks.classify.models import answering, words_for
from tests.unit.tasks.scripted import ScriptedWork, words_of

LABELS = [Label("good", "it is praised"), Label("bad")]
EXAMPLES = [Example("I like it", ["good"]), Example("I do not", ["bad"])]


def labelling(work: ScriptedWork, *, many: bool = False, labels: Sequence[Label] = LABELS) -> Labelling:
    return Labelling(labels, [], many, work)


def test_the_likeliest_label_with_what_is_liked_unread_taken_off() -> None:
    work = words_for({"good": 0.9, "bad": 0.1}, {"great": "good", "awful": "bad"}, sure=1.0)
    by = labelling(work)
    awful, great, neither = (run(by.label(text)) for text in ("so awful", "so great", "so so"))
    assert awful.labels == ["bad"]
    assert great.labels == ["good"]
    assert neither.probabilities == pytest.approx([0.5, 0.5])
    assert awful.probabilities == pytest.approx([1 / (1 + math.e), math.e / (1 + math.e)])


def test_labels_that_begin_as_others() -> None:
    labels = [Label("pos"), Label("positive")]
    assert run(labelling(answering({"pos": 0.7, "positive": 0.3}), labels=labels).label("x")).probabilities


def test_what_is_liked_is_asked_once_a_run() -> None:
    prompts: list[str] = []

    def score(messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        prompts.append(messages[-1].text)
        return [-1.0] * len(candidates)

    by = labelling(ScriptedWork(scores=score))
    run(by.label("one"))
    run(by.label("two"))
    assert prompts == [f"Text: {text}" for text in (*SAYING_NOTHING, "one", "two")]


def test_every_label_that_is_likelier_than_by_chance() -> None:
    """Beside one more that stands for all else."""
    liked = {"good": 0.7, "bad": 0.2, "other": 0.1}
    work = words_for(liked, {"great": "good", "awful": "bad", "blue": "other"}, sure=2.0)
    by = labelling(work, many=True)
    both, neither, one = (run(by.label(text)) for text in ("great but awful", "blue", "great"))
    assert both.labels == ["good", "bad"]
    assert neither.labels == []
    assert one.labels == ["good"]
    even = run(by.label("nothing is said")).probabilities
    assert even == pytest.approx([0.5, 0.5])
    assert one.probabilities is not None
    share = math.e**2 / (math.e**2 + 2)
    assert one.probabilities[0] == pytest.approx(share * 2 / (share * 2 + 1 - share))


def test_one_label_alone_even_if_it_is_called_as_all_else() -> None:
    work = words_for({"other": 0.9, "other 0": 0.1}, {"yes": "other", "no": "other 0"})
    by = labelling(work, many=True, labels=[Label("other")])
    assert run(by.label("yes")).labels == ["other"]
    assert run(by.label("no")).labels == []


def test_all_else_is_called_as_no_label_is() -> None:
    labels = [Label("other"), Label("Other 0"), Label("OTHER 1")]
    made = run(
        labelling(ScriptedWork(scores=lambda _, names: [-1.0] * len(set(names))), many=True, labels=labels).label("x")
    )
    assert made.probabilities == pytest.approx([0.5] * 3)


def written(answer: Json) -> ScriptedWork:
    return ScriptedWork(json=lambda _: answer)


def test_without_probabilities_the_model_writes_the_label() -> None:
    work = written({"label": "bad"})
    assert run(labelling(work).label("x")) == Labelled(["bad"])
    (asked,) = work.asked
    assert asked.schema["properties"]["label"] == {"type": "string", "enum": ["good", "bad"]}  # type: ignore[index]
    assert asked.sampling.temperature == 0


def test_without_probabilities_the_model_writes_all_that_fit_in_their_order() -> None:
    work = written({"labels": ["bad", "good", "bad"]})
    assert run(labelling(work, many=True).label("x")) == Labelled(["good", "bad"])
    assert run(labelling(written({"labels": []}), many=True).label("x")) == Labelled([])
    assert work.asked[0].schema["properties"]["labels"]["items"]["enum"] == ["good", "bad"]  # type: ignore[index]


def test_one_item_without_an_answer_does_not_end_the_run() -> None:
    assert run(labelling(written(NoDocument(attempts=2))).label("x")) == Labelled([])


def test_an_engine_that_fails_does() -> None:
    with pytest.raises(EngineFailed):
        run(labelling(written(EngineFailed())).label("x"))


def test_another_engine_may_take_over_that_gives_no_probabilities() -> None:
    def until(last: str) -> ScriptedWork:
        left = [*SAYING_NOTHING, last]

        def score(messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float] | None:
            return [-1.0] * len(candidates) if left and left.pop(0) else None

        return ScriptedWork(scores=score, json=lambda r: {"labels": ["bad"], "label": "bad"})

    by = labelling(until("one"))
    assert run(by.label("one")).probabilities == pytest.approx([0.5, 0.5])
    assert run(by.label("two")) == Labelled(["bad"])


def test_what_all_items_share_comes_first() -> None:
    prompts: list[Sequence[Message]] = []

    def score(messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        prompts.append(messages)
        return [-1.0] * len(candidates)

    for many in (False, True):
        prompts.clear()
        by = Labelling(LABELS, EXAMPLES, many, ScriptedWork(scores=score))
        run(by.label("first item"))
        run(by.label("second item"))
        assert len({tuple(messages[:-1]) for messages in prompts}) == 1
        assert all(label.name in prompts[0][0].text for label in LABELS)
        assert "it is praised" in prompts[0][0].text
        assert prompts[-1][-1].text.endswith("second item")
        shown = "\n".join(message.text for message in prompts[0])
        assert shown.index("I like it") < shown.index("I do not")


@pytest.mark.parametrize("many", [False, True])
def test_examples_and_meanings_are_in_what_is_written_from_too(many: bool) -> None:
    work = written({"label": "bad", "labels": ["bad"]})
    run(Labelling(LABELS, EXAMPLES, many, work).label("x"))
    shown = "\n".join(message.text for message in work.asked[0].messages)
    assert "it is praised" in shown
    assert "I like it" in shown


def test_a_long_item_is_read_as_far_as_the_window_goes() -> None:
    work = ScriptedWork(tokens=300)
    asked = [Message("system", "a b c")]
    text = run(fitted(work, lambda item: [*asked, Message("user", item)], "word " * 5000, 20))
    assert 0 < words_of([Message("user", text)]) <= 277
    assert ("word " * 5000).startswith(text)


def test_labels_that_fill_the_window_alone_are_told() -> None:
    with pytest.raises(ContextOverflow) as caught:
        run(fitted(ScriptedWork(tokens=10), lambda item: [Message("user", "w " * 10 + item)], "text", 5))
    assert caught.value.details == {"prompt_tokens": 15, "context_tokens": 10}


def test_an_engine_that_ends_without_a_document() -> None:
    class Silent(ScriptedWork):
        async def document(self, request: GenerateRequest):  # type: ignore[no-untyped-def]
            return
            yield

    with pytest.raises(NoDocument):
        run(document(Silent(), [], {}, 1))


def test_a_long_item_leaves_place_for_the_schema_too() -> None:
    work = ScriptedWork(tokens=400, json=lambda _: {"label": "bad"})
    run(labelling(work).label("word " * 1000))
    (asked,) = work.asked
    schema = Message("user", json.dumps(asked.schema))
    assert words_of([*asked.messages, schema]) + asked.max_new_tokens <= 400


def test_what_is_asked_for_can_be_answered() -> None:
    """Every schema is one that documents are held to."""
    labels = [Label(f'"{n}"\\ {{}}') for n in range(500)]
    for schema in (which_schema(labels), all_that_fit_schema(labels), proposal_schema()):
        assert normalised(schema)


@pytest.mark.parametrize("many", [False, True])
def test_five_hundred_labels(many: bool) -> None:
    labels = [Label(f"label {n}") for n in range(500)]
    work = ScriptedWork(tokens=8000, scores=lambda _, candidates: [-float(n) for n in range(len(candidates))])
    made = run(labelling(work, many=many, labels=labels).label("x"))
    assert made.probabilities is not None
    assert len(made.probabilities) == 500
    wrote = run(
        labelling(
            ScriptedWork(tokens=8000, json=lambda _: {"label": "label 499", "labels": ["label 499"]}),
            many=many,
            labels=labels,
        ).label("x")
    )
    assert wrote.labels == ["label 499"]
