"""What comes of a request with a schema."""

from __future__ import annotations

from dataclasses import dataclass

from pyapp.engine import AnsweredBy, Json, Usage


@dataclass(frozen=True, slots=True)
class Growing:
    """The document as far as it has come: JSON that may lack members, items and the ends of texts."""

    value: Json


@dataclass(frozen=True, slots=True)
class Document:
    """It validates. `attempts` counts the generations it took, `usage` is all of theirs."""

    value: Json
    usage: Usage
    attempts: int = 1


DocumentEvent = AnsweredBy | Growing | Document
