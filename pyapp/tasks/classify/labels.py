"""What the user writes about labels: the labels themselves, one per line, and examples of their use."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyapp.errors import BadInput

MOST_LABELS = 500
LONGEST_LABEL = 100  # characters
LONGEST_MEANING = 300
MOST_EXAMPLES = 50
BETWEEN = "; "  # several labels of one item, where they are written as one text


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    labels: Sequence[str]


def folded(name: str) -> str:
    """Equal for names that a reader would take for the same."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def parse_labels(text: str) -> Sequence[Label]:
    """From lines "label" or "label: what it means". Raises BadInput with the line."""
    labels: dict[str, Label] = {}
    for number, line in _lines(text):
        name, _, meaning = (" ".join(part.split()) for part in line.partition(": "))
        name = name.removesuffix(":")
        why = _fault(name, meaning, labels)
        if why:
            raise BadInput(field="labels", why=f"classify.bad.{why}", line=number, most=MOST_LABELS)
        labels[folded(name)] = Label(name, meaning)
    return list(labels.values())


def _fault(name: str, meaning: str, labels: Mapping[str, Label]) -> str:
    """A part of the key of a sentence, or ""."""
    if not name:
        return "label_empty"
    if len(name) > LONGEST_LABEL or len(meaning) > LONGEST_MEANING:
        return "label_long"
    if BETWEEN.strip() in name:
        return "label_semicolon"
    if folded(name) in labels:
        return "label_twice"
    return "labels_many" if len(labels) == MOST_LABELS else ""


def parse_examples(text: str, labels: Sequence[Label]) -> Sequence[Example]:
    """From lines "text => label" or "text => label; label". Raises BadInput with the line."""
    known = by_folded([label.name for label in labels])
    examples: list[Example] = []
    for number, line in _lines(text):
        words, _, wanted = line.rpartition("=>")
        chosen = known_labels(wanted, known)
        why = "example_form" if not words.strip() else "example_label" if not chosen else ""
        why = why or ("examples_many" if len(examples) == MOST_EXAMPLES else "")
        if why:
            raise BadInput(field="examples", why=f"classify.bad.{why}", line=number, most=MOST_EXAMPLES)
        examples.append(Example(" ".join(words.split()), chosen))
    return examples


def by_folded(names: Sequence[str]) -> Mapping[str, str]:
    return {folded(name): name for name in names}


def known_labels(written: str, known: Mapping[str, str]) -> Sequence[str]:
    """The labels in `written`, in the order of `known` (folded -> name); none of them when there is one it lacks."""
    wanted = {folded(part) for part in written.split(BETWEEN.strip())} - {""}
    return [name for key, name in known.items() if key in wanted] if wanted <= known.keys() else []


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Those with something on them, counted from 1."""
    return ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip())
