"""What a run has made so far, as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, TypedDict, cast

from pyapp.tasks.classify.labels import Label


class Done(TypedDict):
    labels: Sequence[str]  # none: nothing fits, or the model gave no answer that we take
    p: Sequence[float] | None  # one per label of the run; None: the engine tells no probabilities


class State(TypedDict):
    labels: Sequence[dict[str, str]]  # name, meaning
    proposed: bool  # the labels wait for the user
    done: Sequence[Done]  # of the first items
    by_hand: dict[str, Sequence[str]]  # item, counted from 0 -> the labels the user gave it
    page: int  # of the table, from 0


def as_state(labels: Iterable[Label]) -> State:
    return {"labels": [asdict(label) for label in labels], "proposed": False, "done": [], "by_hand": {}, "page": 0}


def changed(state: State, **changes: Any) -> State:
    return cast(State, {**state, **changes})


def names_of(state: State) -> Sequence[str]:
    return [label["name"] for label in state["labels"]]


def labels_of(state: State, index: int) -> Sequence[str]:
    """What the user says, else what the model says; nothing of an item that is not done."""
    if str(index) in state["by_hand"]:
        return state["by_hand"][str(index)]
    return state["done"][index]["labels"] if index < len(state["done"]) else []


def shares_of(state: State, index: int) -> Sequence[float] | None:
    """The probabilities of the labels of an item, where they are the model's."""
    shares = state["done"][index]["p"] if index < len(state["done"]) and str(index) not in state["by_hand"] else None
    if shares is None:
        return None
    known = dict(zip(names_of(state), shares, strict=True))
    return [known[name] for name in labels_of(state, index)]
