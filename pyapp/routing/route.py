"""The way from what is needed to an engine that is loaded for it: what whoever asks (a task, the chat) knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pyapp.chat.tree import Origin
from pyapp.engine import Engine
from pyapp.errors import CandilError
from pyapp.routing.needs import Needs
from pyapp.routing.table import Decision, Reason


@dataclass(frozen=True, slots=True)
class Choice:
    """Another that could do it; `key` is given back to `route`."""

    key: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Routed:
    """`engine` is loaded with the model of `origin`, and asked as it is: nothing is trimmed for it."""

    engine: Engine
    origin: Origin
    window_tokens: int  # that a prompt and its answer have together
    needs: Needs
    decision: Decision
    parameters: int = 0  # of the model; 0: nobody says

    @property
    def reasons(self) -> Sequence[Reason]:
        return self.decision.reasons


class Route(Protocol):
    """pyapp.routing.router.Router, or a scripted one."""

    async def route(self, needs: Needs, choice: str = "") -> Routed:
        """Who is to answer, loaded. `choice` is the key of the one that the user wants this once.

        Where the rules want it the user is asked first, and nothing has left the device until they say yes. Raises
        NobodyMay where nobody here may or can do it, EngineError where who may cannot be loaded.
        """
        ...

    async def choices(self, needs: Needs) -> Sequence[Choice]:
        """Who else may do it, best first; the one that `route` would give is not among them."""
        ...

    async def failed(self, routed: Routed, error: CandilError) -> None:
        """It could not answer; the next `route` gives the same, restarted, or another. What was made so far stays."""
        ...

    def answered(self, routed: Routed) -> None:
        """It has done what was asked."""
        ...
