"""What can be set: one row for each setting, from which parsing, the forms and the sentences are made.

Two choices of the app are made elsewhere: the model on the page of models (a chat may have another), and the language,
which the page needs before Python.

A row's sentences are `setting.<key>` and `setting.<key>.help` in the languages; those of its choices are
`setting.<key>.<choice>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn

from pyapp.engine import Sampling

Kind = Literal["number", "integer", "choice", "flag", "text", "persona", "model"]
Group = Literal["answer", "sampling", "context", "app"]
Fault = Literal["type", "range", "choice", "length"]

LONGEST_TEXT = 20_000  # characters; a system prompt that is longer fits no small model
LONGEST_NAME = 200
LARGEST_SEED = 2**32 - 1

_SAMPLING = Sampling()


@dataclass(frozen=True, slots=True)
class Wrong:
    """`value` is not one that the setting `key` can have."""

    key: str
    fault: Fault
    value: object


class NotAllowed(ValueError):
    def __init__(self, wrong: Wrong) -> None:
        super().__init__(f"{wrong.key}: {wrong.fault}")
        self.wrong = wrong


@dataclass(frozen=True, slots=True)
class Field:
    key: str
    group: Group
    kind: Kind
    default: object
    low: float = 0
    high: float = 0
    step: float = 1
    choices: tuple[str, ...] = ()
    optional: bool = False  # may also be None: the engine's or the model's own choice
    per_chat: bool = True
    per_app: bool = True

    def check(self, value: object) -> object:
        """`value` as the setting holds it. Raises NotAllowed."""
        if value is None and self.optional:
            return None
        match self.kind:
            case "number" | "integer":
                return self._number(value)
            case "flag":
                return value if isinstance(value, bool) else self._refuse("type", value)
            case "choice":
                return value if value in self.choices else self._refuse("choice", value)
            case _:
                return self._text(value)

    def read(self, text: str) -> object:
        """The value typed into a form: "" is None where that is allowed, a flag is "on" or "". Raises NotAllowed."""
        if self.kind == "flag":
            return text == "on"
        if self.kind not in ("number", "integer"):
            return self.check(text)
        if not text.strip():
            return None if self.optional else self._refuse("type", text)
        try:
            return self._number(float(text.strip().replace(",", ".")))  # half of the world writes 0,2
        except NotAllowed as error:
            self._refuse(error.wrong.fault, text)
        except ValueError:
            self._refuse("type", text)

    def _number(self, value: object) -> float | int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._refuse("type", value)
        if not self.low <= value <= self.high:  # nor is NaN
            self._refuse("range", value)
        if self.kind == "number":
            return float(value)
        if value != int(value):
            self._refuse("type", value)
        return int(value)

    def _text(self, value: object) -> str:
        if not isinstance(value, str):
            self._refuse("type", value)
        if len(value) > (LONGEST_TEXT if self.kind == "text" else LONGEST_NAME):
            self._refuse("length", value)
        return value

    def _refuse(self, fault: Fault, value: object) -> NoReturn:
        raise NotAllowed(Wrong(self.key, fault, value))


TABLE: tuple[Field, ...] = (
    Field("model_key", "answer", "model", "", per_app=False),  # of a variant; "": the app's
    Field("persona_id", "answer", "persona", ""),  # "": none
    Field("system_prompt", "answer", "text", ""),
    Field("max_new_tokens", "answer", "integer", 1024, 16, 32_768, 16),
    Field("temperature", "sampling", "number", _SAMPLING.temperature, 0, 2, 0.05),
    Field("top_p", "sampling", "number", _SAMPLING.top_p, 0.05, 1, 0.05),
    Field("top_k", "sampling", "integer", _SAMPLING.top_k, 0, 500),
    Field("min_p", "sampling", "number", _SAMPLING.min_p, 0, 1, 0.01),
    Field("repetition_penalty", "sampling", "number", _SAMPLING.repetition_penalty, 1, 2, 0.05),
    Field("seed", "sampling", "integer", _SAMPLING.seed, 0, LARGEST_SEED, optional=True),
    Field("context_tokens", "context", "integer", None, 256, 1_048_576, 256, optional=True),  # None: the model's
    Field("history_messages", "context", "integer", None, 1, 10_000, optional=True),  # None: all that fit
    Field("overflow", "context", "choice", "trim", choices=("trim", "summarise", "stop")),
    Field("theme", "app", "choice", "system", choices=("system", "light", "dark"), per_chat=False),
    Field("send_with_enter", "app", "flag", True, per_chat=False),
    Field("slow_budget_s", "app", "integer", 30, 5, 3600, 5, per_chat=False),
)

BY_KEY: Mapping[str, Field] = {field.key: field for field in TABLE}
