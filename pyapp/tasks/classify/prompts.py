"""What the model is asked. What all items share comes first, so that the KV cache of it serves them all.

In English whatever the page speaks: that is what small models follow best, and labels and texts stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyapp.engine import Json, Message
from pyapp.tasks.classify.labels import BETWEEN, Example, Label

MOST_PROPOSED = 8
LONGEST_PROPOSED = 30  # characters: a small model repeats whole items else


def which(labels: Sequence[Label], examples: Sequence[Example], text: str) -> Sequence[Message]:
    """Answered with one label."""
    about = f"Classify each text as one of{_listed(labels)}{_shown(examples)} Answer with the label only."
    return [Message("system", about), _item(text)]


def which_as_json(labels: Sequence[Label], examples: Sequence[Example], text: str) -> Sequence[Message]:
    about = f"Classify each text as one of{_listed(labels)}{_shown(examples)} Answer with JSON."
    return [Message("system", about), _item(text)]


def all_that_fit_as_json(labels: Sequence[Label], examples: Sequence[Example], text: str) -> Sequence[Message]:
    about = f"Choose every label that fits the text, of{_listed(labels)}{_shown(examples)} Answer with JSON."
    return [Message("system", about), _item(text)]


def proposal(texts: Sequence[str]) -> Sequence[Message]:
    listed = "\n".join(f"- {' '.join(text.split())}" for text in texts)
    about = "Find labels that sort texts into groups. A label is one or two words, in the language of the texts."
    return [Message("system", about), Message("user", f"{listed}\n\nWhich labels sort these texts? Answer with JSON.")]


def proposal_schema() -> Json:
    label = {"type": "string", "minLength": 1, "maxLength": LONGEST_PROPOSED}
    return _object("labels", {"type": "array", "items": label, "minItems": 2, "maxItems": MOST_PROPOSED})


def which_schema(labels: Sequence[Label]) -> Json:
    return _object("label", _one_of(labels))


def all_that_fit_schema(labels: Sequence[Label]) -> Json:
    return _object("labels", {"type": "array", "items": _one_of(labels), "maxItems": len(labels)})


def _one_of(labels: Sequence[Label]) -> Json:
    return {"type": "string", "enum": [label.name for label in labels]}


def _object(name: str, of: Json) -> Json:
    return {"type": "object", "properties": {name: of}, "required": [name], "additionalProperties": False}


def _listed(labels: Sequence[Label]) -> str:
    """In one line, unless something has to be said about a label."""
    if not any(label.meaning for label in labels):
        return f": {', '.join(label.name for label in labels)}."
    lines = (f"- {label.name}: {label.meaning}" if label.meaning else f"- {label.name}" for label in labels)
    return " these labels:\n" + "\n".join(lines) + "\n"


def _shown(examples: Sequence[Example]) -> str:
    """Not as turns of a chat: small models repeat the last answer then (bench/classify.py)."""
    lines = (f"\n“{example.text}”: {BETWEEN.join(example.labels)}" for example in examples)
    return f" Examples:{''.join(lines)}\n" if examples else ""


def _item(text: str) -> Message:
    return Message("user", f"Text: {text}")
