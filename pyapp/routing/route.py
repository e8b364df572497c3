"""The way from what is needed to an engine that is loaded for it: what whoever asks (a task, the chat) knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pyapp.chat.tree import Origin
from pyapp.engine import Engine
from pyapp.errors import CandilError
from pyapp.routing.needs import Needs
from pyapp.routing.table import Decision, Reason


@dataclass(frozen=True, slots=True)
class Routed:
    """`engine` is loaded with the model of `origin`, until somebody else is routed."""

    engine: Engine
    origin: Origin
    needs: Needs
    decision: Decision
    failed: frozenset[str] = frozenset()  # keys of those that did not manage it

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return self.decision.reasons


class Route(Protocol):
    """pyapp.routing.router.Router, or a scripted one."""

    async def route(self, needs: Needs, *, once: str = "") -> Routed:
        """Who is to answer, loaded. `once` is the key of a candidate that the user names for this time.

        Where the rules want it the user is asked first, and nothing has left the device until they say yes. Raises
        NobodyMay where nothing here may or can do it, EngineError where what may cannot be loaded.
        """
        ...

    async def instead(self, routed: Routed, error: CandilError) -> Routed:
        """After `error` from the engine of `routed`: the same again, restarted, or who comes next; its reasons say
        which. What was made so far stays the caller's. Raises `error` where there is nobody else."""
        ...
