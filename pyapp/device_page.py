"""What this device can do, what suits it, and how fast the models that are here really are on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from pyapp.chat.tree import Origin
from pyapp.engine import Engine, Finished, GenerateRequest, Message, Sampling
from pyapp.errors import CandilError
from pyapp.models.capabilities import Capabilities
from pyapp.models.manifest import Device
from pyapp.setup.advice import Recommendation, Verdict, recommend, verdict
from pyapp.setup.catalog import Pick, pick_key
from pyapp.setup.setup import Setup
from pyapp.setup.state import Ready
from pyapp.speeds import Figure, Speeds

# The same for every model, and nothing of anybody's.
PROMPT = "Write one sentence about the sea."
NEW_TOKENS = 24


@dataclass(frozen=True, slots=True)
class Ranked:
    """How fast one model is with one engine on one part of this device: the median of what is known."""

    origin: Origin
    tokens_per_s: float


@dataclass(frozen=True, slots=True)
class ShownDevice:
    """All the section shows. `capabilities` is None until the device was looked at."""

    capabilities: Capabilities | None = None
    verdict: Verdict = "nothing"
    suggestion: Recommendation | None = None
    ranking: tuple[Ranked, ...] = ()
    can_measure: bool = False  # something is loaded, and nothing is being measured
    measuring: Origin | None = None
    error: CandilError | None = None


def ranking(figures: Iterable[Figure]) -> tuple[Ranked, ...]:
    """Fastest first."""
    found: dict[Origin, list[float]] = {}
    for figure in figures:
        found.setdefault(figure.origin, []).append(figure.usage.tokens_per_s)
    ranked = [Ranked(origin, median(speeds)) for origin, speeds in found.items()]
    return tuple(sorted(ranked, key=lambda each: -each.tokens_per_s))


class DevicePage:
    """`engine` is asked directly: a measurement is no chat, and no setting of one counts. `before` stops an answer."""

    def __init__(
        self, setup: Setup, engine: Engine, speeds: Speeds, now_ms: Callable[[], int], before: Callable[[], None]
    ) -> None:
        self.on_change: Callable[[ShownDevice], None] = lambda _: None
        self._setup = setup
        self._engine = engine
        self._speeds = speeds
        self._now_ms = now_ms
        self._before = before
        self._open = False
        self._ranking: tuple[Ranked, ...] = ()
        self._measuring: Origin | None = None
        self._error: CandilError | None = None
        self._task: asyncio.Task[Any] | None = None
        setup.watchers.append(lambda _state: self._tell())

    def open(self) -> None:
        self._open = True
        self._tell()
        if self._task is None:
            self._do(self._read())

    def close(self) -> None:
        """A measurement ends: whoever leaves wants to chat."""
        self._open = False
        if self._task:
            self._task.cancel()

    def measure(self) -> None:
        """A short answer of every model that is here, one after the other; then the one in use comes back."""
        if self._task is None and isinstance(self._setup.state, Ready):
            self._before()
            self._do(self._measure())

    async def _measure(self) -> None:
        try:
            for pick in await self._setup.here():
                await self._measure_one(pick)
        finally:
            self._measuring = None
            await self._setup.switch("")

    async def _measure_one(self, pick: Pick) -> None:
        model, variant = pick
        self._measuring = Origin(model.title, variant.device, variant.engine)
        self._tell()
        await self._setup.switch(pick_key(model, variant))
        if self._setup.state != Ready(model, variant):
            return  # it does not load; its row says why
        request = GenerateRequest((Message("user", PROMPT),), Sampling(temperature=0), NEW_TOKENS)
        async for event in self._engine.generate(request):
            if isinstance(event, Finished) and event.usage.tokens_per_s:
                await self._speeds.add(Figure(self._now_ms(), self._measuring, event.usage))
        await self._read()

    async def _read(self) -> None:
        self._ranking = ranking(await self._speeds.read())
        self._tell()

    def _do(self, work: Any) -> None:
        self._error = None
        self._task = asyncio.ensure_future(self._said(work))

    async def _said(self, work: Any) -> None:
        try:
            await work
        except CandilError as error:
            self._error = error
        finally:
            self._task = None
            self._tell()

    # ---- what is shown ----

    def _tell(self) -> None:
        if self._open:
            self.on_change(self.shown())

    def shown(self) -> ShownDevice:
        catalog = self._setup.catalog
        if catalog is None:
            return ShownDevice()
        return ShownDevice(
            catalog.capabilities,
            verdict(catalog.capabilities),
            recommend(catalog, _measured(self._ranking)),
            self._ranking,
            self._task is None and isinstance(self._setup.state, Ready),
            self._measuring,
            self._error,
        )


def _measured(ranking: Iterable[Ranked]) -> dict[tuple[str, Device], float]:
    found: dict[tuple[str, Device], float] = {}
    for each in ranking:
        found.setdefault((each.origin.model, each.origin.device), each.tokens_per_s)  # the fastest comes first
    return found
