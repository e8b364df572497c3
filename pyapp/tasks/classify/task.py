"""The task itself: the form, the run, what the user changes in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import asdict

from pyapp.documents.naming import beginning
from pyapp.engine import Json, Message
from pyapp.errors import BadInput
from pyapp.routing.needs import Needs
from pyapp.tasks.blocks import Block
from pyapp.tasks.classify.exports import SCHEMA, as_csv, as_json
from pyapp.tasks.classify.items import items_of
from pyapp.tasks.classify.labelling import MOST_PROPOSAL_TOKENS, Labelled, Labelling, document, fitted
from pyapp.tasks.classify.labels import (
    BETWEEN,
    LONGEST_LABEL,
    MOST_LABELS,
    Example,
    Label,
    by_folded,
    folded,
    known_labels,
    parse_examples,
    parse_labels,
)
from pyapp.tasks.classify.prompts import proposal, proposal_schema
from pyapp.tasks.classify.shown import shown, shown_proposal
from pyapp.tasks.classify.state import State, as_state, changed
from pyapp.tasks.classify.strings import STRINGS
from pyapp.tasks.task import Action, Export, Field, Given, Say, Step, Work

SETTLED_STEPS = 1000  # of one run at most: each is written as a whole
MOST_PROBABILITIES = 1_000_000  # of one run; a page has no memory for the state of more
SAMPLE = 12  # items that labels are proposed from
SAMPLE_CHARACTERS = 200  # of each
CHARACTERS_PER_TOKEN = 3  # rather too few than too many, in the languages Candil speaks


class Classify:
    """Implements pyapp.tasks.task.Task."""

    name = "classify"
    strings = STRINGS
    fields = (
        Field("text", "text", instead="file"),
        Field("file", "file", accept=".txt,.csv,.tsv,.md,.log,text/plain,text/csv", instead="text"),
        Field("column", "line"),
        Field("named", "check", default=True),
        Field("labels", "text", instead="propose"),
        Field("propose", "check", default=False),
        Field("number", "choice", default="one", options=("one", "many")),
        Field("examples", "text"),
    )
    exports = ("csv", "json")
    schema = SCHEMA

    def needs(self, given: Given) -> Needs:
        try:
            longest = max(items_of(given).texts, key=len)
        except BadInput:
            longest = ""
        asked = len(given.get("labels", "")) + len(given.get("examples", "")) + len(longest)
        return Needs("classify", len(longest.split()), asked // CHARACTERS_PER_TOKEN, schema=True)

    async def check(self, given: Given) -> None:
        items = items_of(given)
        labels = parse_labels(given.get("labels", ""))
        parse_examples(given.get("examples", ""), labels)
        if not given.get("propose"):
            _enough(labels, given)
        if len(items.texts) * len(labels) > MOST_PROBABILITIES:
            raise BadInput(field="labels", why="classify.bad.too_much", most=MOST_PROBABILITIES)

    async def title(self, given: Given, state: Json | None) -> str:
        if file := given.get("file"):
            return str(file["name"])
        return beginning(next(text for text in items_of(given).texts if text))

    async def run(self, given: Given, state: Json | None, work: Work) -> AsyncGenerator[Step, None]:
        labels = parse_labels(given.get("labels", ""))
        texts = items_of(given).texts
        if state is None and given.get("propose"):
            yield Step(as_state(labels), 0, "classify.proposing", settled=False)
            labels = [*labels, *await _proposed(labels, texts, work)]
            yield Step(changed(as_state(labels), proposed=True), 1)
            return
        state = state or as_state(labels)
        if state["proposed"]:  # it waits for the user
            yield Step(state, 1)
            return
        async for step in _labelled(given, state, texts, work):
            yield step

    async def act(self, given: Given, state: Json, action: Action, work: Work) -> AsyncGenerator[Step, None]:
        match action.name:
            case "labels":
                labels = parse_labels(action.text)
                yield Step(changed(state, labels=[asdict(label) for label in labels]))
            case "start":
                _enough(_labels(state), given)
                yield Step(changed(state, proposed=False), 0)
            case "label":
                known = by_folded([label.name for label in _labels(state)])
                chosen = known_labels(action.text, known)
                if (action.text.strip() and not chosen) or (len(chosen) > 1 and not _many(given)):
                    raise BadInput(field="", why="classify.bad.not_a_label")
                yield Step(changed(state, by_hand={**state["by_hand"], action.value: chosen}))
            case "page":
                yield Step(changed(state, page=int(action.value)))

    async def view(self, given: Given, state: Json, say: Say) -> Sequence[Block]:
        if state["proposed"]:
            return shown_proposal(_labels(state), say)
        return shown(items_of(given), state, many=_many(given), say=say)

    async def export(self, given: Given, state: Json, kind: str, say: Say) -> Export:
        write = as_csv if kind == "csv" else as_json
        return write(items_of(given), state, say)


def _many(given: Given) -> bool:
    return bool(given.get("number") == "many")


def _labels(state: State) -> Sequence[Label]:
    return [Label(**label) for label in state["labels"]]


def _enough(labels: Sequence[Label], given: Given) -> None:
    """Raises BadInput."""
    if not labels:
        raise BadInput(field="labels", why="classify.bad.labels_none")
    if len(labels) == 1 and not _many(given):
        raise BadInput(field="labels", why="classify.bad.labels_one")


def _examples(given: Given, labels: Sequence[Label]) -> Sequence[Example]:
    """Labels may have been changed since the examples were written: what names a label that is gone says nothing."""
    written = parse_labels(given.get("labels", ""))
    names = {label.name for label in labels}
    return [
        example for example in parse_examples(given.get("examples", ""), written) if names.issuperset(example.labels)
    ]


async def _labelled(given: Given, state: State, texts: Sequence[str], work: Work) -> AsyncGenerator[Step, None]:
    """An item a step, from the first that has no labels yet."""
    labels = _labels(state)
    labelling = Labelling(labels, _examples(given, labels), _many(given), work)
    done, total = len(state["done"]), len(texts)
    rarely = max(1, total // SETTLED_STEPS)
    if done == total:
        yield Step(state, 1)
    elif done == 0:
        yield Step(state, 0, "classify.doing", {"done": 0, "all": total})
    for number, text in enumerate(texts[done:], done + 1):
        made = await labelling.label(text) if text else Labelled([])
        state = changed(
            state,
            done=[*state["done"], {"labels": list(made.labels), "p": made.probabilities and list(made.probabilities)}],
        )
        settled = number % rarely == 0 or number == total
        yield Step(state, number / total, "classify.doing", {"done": number, "all": total}, settled)


async def _proposed(labels: Sequence[Label], texts: Sequence[str], work: Work) -> Sequence[Label]:
    """Others than `labels`, from items of everywhere in `texts`."""
    filled = [text[:SAMPLE_CHARACTERS] for text in texts if text]
    sample = filled[:: max(1, len(filled) // SAMPLE)][:SAMPLE]

    def asked(_: str) -> Sequence[Message]:
        return proposal(sample)

    await fitted(work, asked, "", MOST_PROPOSAL_TOKENS)
    answer = await document(work, proposal(sample), proposal_schema(), MOST_PROPOSAL_TOKENS)
    return list(_usable(answer["labels"], {folded(label.name) for label in labels}))


def _usable(names: Iterable[str], taken: set[str]) -> Iterable[Label]:
    for written in names:
        name = " ".join(written.replace(BETWEEN.strip(), " ").split())[:LONGEST_LABEL].strip(": ")
        if name and folded(name) not in taken and len(taken) < MOST_LABELS:
            taken.add(folded(name))
            yield Label(name)
