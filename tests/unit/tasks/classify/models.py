"""A language model small enough to be a function: its probabilities are those of whole answers, to the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256

from pyapp.engine import Message
from tests.unit.tasks.scripted import ScriptedWork


def arbitrary(text: str) -> float:
    """In (0, 1), always the same for the same text."""
    return (int.from_bytes(sha256(text.encode()).digest()[:6]) + 1) / (2**48 + 1)


def hashed(messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
    prompt = "\0".join(message.text for message in messages)
    return [math.log(arbitrary(f"{prompt}\0{candidate}")) for candidate in candidates]


def hashing() -> ScriptedWork:
    return ScriptedWork(scores=hashed, tokens=100_000)


def answering(weights: Mapping[str, float]) -> ScriptedWork:
    """It answers letter by letter, and ends by a letter too: `weights` are of whole answers."""
    ended = {f"{answer}\0": weight for answer, weight in weights.items()}

    def after(begun: str) -> float:
        return math.fsum(weight for answer, weight in ended.items() if answer.startswith(begun))

    def score(_: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        letters = [[f"{c}\0"[: n + 1] for n in range(len(c) + 1)] for c in candidates]
        return [math.fsum(math.log(after(b) / after(b[:-1])) for b in begun) for begun in letters]

    return ScriptedWork(scores=score)


def words_for(liked: Mapping[str, float], meant: Mapping[str, str], sure: float = 3.0) -> ScriptedWork:
    """It likes labels as `liked` says, and the one that is `meant` by a word of the item e^sure times more."""

    def score(messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        said = {label for word, label in meant.items() if word in messages[-1].text.split()}
        weights = [liked[c] * math.exp(sure if c in said else 0) for c in candidates]
        return [math.log(weight / sum(weights)) for weight in weights]

    return ScriptedWork(scores=score)
