"""What is asked of an engine, as far as the choice of one goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["chat", "summarise", "classify", "course", "code", "data", "creative", "research"]


@dataclass(frozen=True, slots=True)
class Needs:
    kind: Kind
    words: int = 0  # of what is given
    context_tokens: int = 0  # the least window it can be done in; 0: any
    schema: bool = False  # the answer must be a JSON document
