"""What a task is: the one door for those that come with Candil and for the user's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pyapp.engine import GenerateEvent, GenerateRequest, Json, Message
from pyapp.routing.needs import Needs
from pyapp.structured.document import DocumentEvent
from pyapp.tasks.blocks import Block

Given = Mapping[str, Any]  # by the field's name: str, int, bool, and for a file {"name": str, "pages": [str, …]}
Strings = Mapping[str, Mapping[str, str]]  # language code -> key -> sentence with {names}


class Say(Protocol):
    """The user's language, with the task's own `strings` in it: pyapp.views.language.Language is one."""

    @property
    def code(self) -> str: ...

    def text(self, key: str, **values: object) -> str: ...

    def count(self, key: str, n: int, **values: object) -> str: ...

    def number(self, value: float, digits: int = 0) -> str: ...

    def percent(self, fraction: float) -> str: ...


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is asked for. Its label is the string "<task>.<name>", "<task>.<name>.help" is below it when there
    is one, and an option's is "<task>.<name>.<option>"."""

    name: str
    kind: Literal["line", "text", "number", "choice", "check", "file"]
    required: bool = False
    default: Json = ""
    options: Sequence[str] = ()  # of a choice
    least: int | None = None  # of a number
    most: int | None = None  # of a number; of a text, in characters
    accept: str = ""  # of a file, as HTML's <input accept>
    instead: str = ""  # the field that may be given in its place; that one of them is, the task's `check` sees to


@dataclass(frozen=True, slots=True)
class Step:
    """What there is now.

    `state` is JSON: with the same `Given`, `run` goes on from it after a pause, a reload or a failure. `fraction` is in
    [0, 1] or None when unknown. `doing` is the key of a sentence, with `values`. What is not `settled` is words that
    are still coming: it is shown, and need not survive.
    """

    state: Json
    fraction: float | None = None
    doing: str = ""
    values: Mapping[str, Json] = field(default_factory=dict)
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Action:
    """The user pressed or changed something in the view: a block's `action` and `value`, and the new text or number."""

    name: str
    value: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """A file to be saved. `kind` is one of the task's `exports`; the string "<task>.export.<kind>" is its button."""

    name: str
    type: str  # a MIME type
    data: bytes


class Summarizer(Protocol):
    """The browser's own, made for nothing else. All of it raises CandilError; closing a generator stops it."""

    async def window(self) -> int:
        """Tokens that a text may have."""
        ...

    async def count(self, text: str) -> int: ...

    def points(self, text: str, n: int, language: str) -> AsyncGenerator[str, None]:
        """About `n` of them, as pieces of a Markdown list. `language` is ISO 639-1, "" for the text's own."""
        ...


class Work(Protocol):
    """What a task is given to work with. All of it raises CandilError; closing a generator stops the engine.

    The engine may change between two calls (the user chose another, or the one in use failed and another took over).
    """

    language: str  # of the page: "en", "es"

    def now_ms(self) -> int: ...

    async def window(self) -> int:
        """Tokens that a prompt and its answer have together."""
        ...

    async def count(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt."""
        ...

    async def parameters(self) -> int:
        """Of the model; 0 where nobody says how many. A small one does well only what is asked in small pieces."""
        ...

    async def summarizer(self) -> Summarizer | None:
        """The browser's own where its model is to answer and it has one."""
        ...

    def ask(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]: ...

    def document(self, request: GenerateRequest) -> AsyncGenerator[DocumentEvent, None]:
        """As `request.schema` describes: `Growing` values, then exactly one `Document` that validates.

        Raises SchemaUnsupported before anything ran, NoDocument when no attempt gave a valid one.
        """
        ...

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float] | None:
        """The natural logarithm of the probability that the answer is exactly that candidate, for each.

        None where the engine gives no probabilities.
        """
        ...


class Task(Protocol):
    """Stateless: everything a run has made is in its `Step.state`."""

    name: str  # an identifier; "<name>.title" and "<name>.about" are strings
    strings: Strings
    fields: Sequence[Field]
    exports: Sequence[str]
    schema: Json  # of what a finished run has made, published with it

    def needs(self, given: Given) -> Needs:
        """What an engine must be good for, for the choice of one."""
        ...

    async def check(self, given: Given) -> None:
        """Raises BadInput for what the fields themselves do not say."""
        ...

    async def title(self, given: Given, state: Json | None) -> str:
        """What a run is called in the list, one line."""
        ...

    def run(self, given: Given, state: Json | None, work: Work) -> AsyncGenerator[Step, None]:
        """From `state` (None: from nothing) to the end. The last Step is settled and its fraction is 1.

        Where something fails, what is settled stays and `run` is called again with it when the user says so.
        """
        ...

    def act(self, given: Given, state: Json, action: Action, work: Work) -> AsyncGenerator[Step, None]:
        """What the user's action makes of `state`: an edit is one Step, another version of a lesson many.

        The last one's fraction says nothing, or that `run` is to go on: then it is below 1.
        """
        ...

    async def view(self, given: Given, state: Json, say: Say) -> Sequence[Block]: ...

    async def export(self, given: Given, state: Json, kind: str, say: Say) -> Export: ...
