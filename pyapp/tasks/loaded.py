"""A route without a choice: the model that is loaded does it, and its loading is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pyapp.engine import Engine
from pyapp.errors import CandilError, EngineBusy, EngineError, NotLoaded
from pyapp.figures import origin_of
from pyapp.routing.needs import Needs
from pyapp.routing.route import Choice, Routed
from pyapp.routing.table import Decision, Reason
from pyapp.setup.catalog import pick_key
from pyapp.setup.setup import Setup
from pyapp.setup.state import (
    Choosing,
    Declined,
    DownloadFailed,
    Elsewhere,
    LoadFailed,
    Ready,
    SetupState,
    Unavailable,
)


class LoadedRouter:
    """Implements pyapp.routing.route.Route. `engine` is what `setup` loads, without what is only a chat's.

    `leaving` is called when that engine is about to run something else; it must not raise.
    """

    def __init__(self, setup: Setup, engine: Engine) -> None:
        self.leaving: Callable[[], None] = lambda: None
        self._setup = setup
        self._engine = engine
        self._waiting: list[asyncio.Future[None]] = []
        setup.watchers.append(self._changed)

    async def route(self, needs: Needs, choice: str = "") -> Routed:
        if choice:
            await self._setup.switch(choice)
        asked = False
        while True:
            match self._setup.state:
                case Ready(model, variant):
                    decision = Decision(None, (), (Reason("once" if choice else "kind", model.title),))
                    origin = origin_of(model, variant)
                    return Routed(self._engine, origin, model.context_tokens, needs, decision)
                case Elsewhere():
                    raise EngineBusy()
                case LoadFailed(error=error) | Unavailable(error):
                    raise error
                case Declined() | DownloadFailed() if asked:
                    raise NotLoaded()
                case Declined() | DownloadFailed():
                    self._setup.choose()
                case state:
                    asked = asked or isinstance(state, Choosing)
                    await self._change()

    async def choices(self, needs: Needs) -> Sequence[Choice]:
        state = self._setup.state
        in_use = pick_key(state.model, state.variant) if isinstance(state, Ready) else ""
        here = await self._setup.here()
        return [Choice(pick_key(*pick), origin_of(*pick)) for pick in here if pick_key(*pick) != in_use]

    async def failed(self, routed: Routed, error: CandilError) -> None:
        if isinstance(error, EngineError):
            await self._setup.recover(error)

    def answered(self, routed: Routed) -> None:
        self._setup.answered()

    async def _change(self) -> None:
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(changed)
        await changed

    def _changed(self, state: SetupState) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)
        if not isinstance(state, Ready):
            self.leaving()
