"""What a task shows, as values: the page draws them, and nobody's task writes HTML.

Every text is in the user's language already. Where it says Markdown it is drawn as answers are: no raw HTML, no remote
images. An action comes back as an `Action` of its block's names; a block is JSON both ways, because a task of the
user's own runs in a worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    level: int = 3  # 3 to 6: the page's own are above


@dataclass(frozen=True, slots=True)
class Prose:
    markdown: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the source that a Point can lead to."""

    id: str
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    markdown: str
    sources: Sequence[str] = ()  # ids of Passages in the same view, best first


@dataclass(frozen=True, slots=True)
class Points:
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Button:
    action: str
    text: str
    value: str = ""  # what it is pressed on


@dataclass(frozen=True, slots=True)
class Edit:
    """A text that can be changed where it stands."""

    action: str
    value: str  # which text it is
    label: str
    text: str
    lines: int = 1
    markdown: bool = False  # drawn as Markdown while nobody changes it


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some options, that can be changed where it stands; an empty option is none of them."""

    action: str
    value: str  # what it is chosen for
    label: str
    options: Sequence[str]
    chosen: str


Cell = str | float | None | Edit | Choice


@dataclass(frozen=True, slots=True)
class Table:
    """Every row has as many cells as there are columns; numbers are aligned as numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Of a quiz: it is answered by pressing an option, and then says whether that was right."""

    action: str
    value: str  # which question it is
    text: str
    options: Sequence[str]
    right: int
    chosen: int | None = None
    why: str = ""  # shown with the verdict


@dataclass(frozen=True, slots=True)
class Fold:
    """Closed until it is opened."""

    title: str
    blocks: Sequence[Block]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks that belong together. `growing`: words are still coming."""

    blocks: Sequence[Block]
    id: str = ""
    growing: bool = False


Block = Heading | Prose | Passage | Points | Table | Button | Edit | Choice | Question | Fold | Section
