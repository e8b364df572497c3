"""What a summary is while it is made: JSON both ways, so that it can be gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pyapp.engine import Json


@dataclass(frozen=True, slots=True)
class Said:
    """A point, or a sentence of a summary in prose. `sources`: ids of excerpts, never none, best first."""

    text: str
    sources: Sequence[str]
    quoted: bool = False  # the text's own words, because the model's were not borne out by it


@dataclass(slots=True)
class Made:
    language: str  # of the summary, "" for the text's own where nobody knows which that is
    read: int = 0  # excerpts
    points: list[Said] = field(default_factory=list)  # of all that is read
    waiting: list[Said] | None = None  # points of this level that are still to be made fewer
    fewer: list[Said] = field(default_factory=list)  # what has become of the others
    chosen: list[Said] | None = None  # the points of the summary
    told: list[Said] | None = None  # it as prose

    def json(self) -> Json:
        """With `growing`, which are words that are still coming."""
        return {**asdict(self), "growing": ""}


def made_of(state: Json) -> Made:
    def many(name: str) -> list[Said]:
        return [Said(**said) for said in state[name]]

    def maybe(name: str) -> list[Said] | None:
        return None if state[name] is None else many(name)

    known: dict[str, Any] = {"language": state["language"], "read": state["read"]}
    return Made(
        **known,
        points=many("points"),
        waiting=maybe("waiting"),
        fewer=many("fewer"),
        chosen=maybe("chosen"),
        told=maybe("told"),
    )
