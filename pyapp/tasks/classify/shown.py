"""What is shown of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pyapp.tasks.blocks import Block, Button, Cell, Choice, Edit, Prose, Table
from pyapp.tasks.classify.items import Items
from pyapp.tasks.classify.labelling import THRESHOLD
from pyapp.tasks.classify.labels import BETWEEN, Label
from pyapp.tasks.classify.state import State, labels_of, names_of, shares_of
from pyapp.tasks.task import Say

ROWS = 50  # on one page: it is drawn again after every item
LONGEST_SHOWN = 300  # characters of an item


def shown_proposal(labels: Sequence[Label], say: Say) -> Sequence[Block]:
    lines = [f"{label.name}: {label.meaning}" if label.meaning else label.name for label in labels]
    return [
        Prose(say.text("classify.proposed")),
        Edit("labels", "", say.text("classify.labels"), "\n".join(lines), max(3, len(lines) + 1)),
        Button("start", say.text("classify.start")),
    ]


def shown(items: Items, state: State, *, many: bool, say: Say) -> Sequence[Block]:
    if not state["done"]:
        return []
    return [_counted(items, state, say), Prose(_how(state, many=many, say=say)), *_page(items, state, many, say)]


def _counted(items: Items, state: State, say: Say) -> Table:
    done = [index for index in range(len(state["done"])) if items.texts[index]]
    counts = Counter(name for index in done for name in labels_of(state, index))
    counts[""] = sum(1 for index in done if not labels_of(state, index))
    rows: list[list[Cell]] = [
        [name or say.text("classify.no_label"), counts[name], say.percent(counts[name] / max(1, len(done)))]
        for name in [*names_of(state), ""]
        if name or counts[""]
    ]
    columns = [say.text(f"classify.{name}") for name in ("label", "items", "share")]
    return Table(columns, rows, say.count("classify.counted", len(done)))


def _how(state: State, *, many: bool, say: Say) -> str:
    if all(done["p"] is None for done in state["done"]):
        return say.text("classify.how.written")
    return say.text("classify.how.each", threshold=say.percent(THRESHOLD)) if many else say.text("classify.how.one")


def _page(items: Items, state: State, many: bool, say: Say) -> Sequence[Block]:
    pages = -(-len(state["done"]) // ROWS)
    page = min(max(0, state["page"]), pages - 1)
    first = page * ROWS
    rows = [_row(items, state, index, many, say) for index in range(first, min(first + ROWS, len(state["done"])))]
    columns = ["", *(say.text(f"classify.{name}") for name in ("item", "label", "probability"))]
    turns = ((page - 1, "earlier"), (page + 1, "later"))
    return [
        Table(columns, rows, say.text("classify.page", page=say.number(page + 1), pages=say.number(pages))),
        *(Button("page", say.text(f"classify.{word}"), str(to)) for to, word in turns if 0 <= to < pages),
    ]


def _row(items: Items, state: State, index: int, many: bool, say: Say) -> Sequence[Cell]:
    text, chosen = items.texts[index], labels_of(state, index)
    label = say.text("classify.label_of", item=say.number(index + 1))
    by_hand = str(index) in state["by_hand"]
    shares = BETWEEN.join(say.percent(share) for share in shares_of(state, index) or ())
    return [
        index + 1,
        text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…",
        Edit("label", str(index), label, BETWEEN.join(chosen))
        if many
        else Choice("label", str(index), label, ["", *names_of(state)], "".join(chosen)),
        say.text("classify.by_hand") if by_hand else shares,
    ]
