"""Who does a task's work: asked before it begins and after each failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pyapp.chat.tree import Origin
from pyapp.engine import Engine, Json
from pyapp.errors import EngineError
from pyapp.routing.needs import Needs


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence: the string "route.why.<code>" with `values` in it."""

    code: str
    values: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Routed:
    """The engine that is asked. It is loaded, and asked as it is: nothing is trimmed for it."""

    engine: Engine
    origin: Origin
    window_tokens: int  # that a prompt and its answer have together
    reasons: Sequence[Reason] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Another that could do it; `key` is given back to `route`."""

    key: str
    origin: Origin


class Router(Protocol):
    async def route(self, needs: Needs, choice: str = "") -> Routed:
        """Waits until there is an engine that is loaded. `choice`: the key of the one the user wants this once.

        Raises CandilError where there is none and none is on its way.
        """
        ...

    async def choices(self, needs: Needs) -> Sequence[Choice]:
        """What the user may choose from, the one in use not among them."""
        ...

    async def failed(self, routed: Routed, error: EngineError) -> None:
        """It could not answer; the next `route` may give another."""
        ...

    def answered(self, routed: Routed) -> None:
        """It has done what was asked."""
        ...
