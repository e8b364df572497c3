"""This device's history of speeds: one small record per answer, kept beside the settings and never sent anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from pyapp.chat.keeper import Keeper
from pyapp.chat.shown import Changed, SessionEvent
from pyapp.chat.tree import Entry, Origin
from pyapp.engine import Usage
from pyapp.errors import CandilError
from pyapp.models.manifest import Device

PREFIX = "figure:"
MOST = 500  # answers that are remembered

Runner = tuple[str, Device]  # a model's title and what it ran on


@dataclass(frozen=True, slots=True)
class Figure:
    """What one answer took."""

    at_ms: int
    origin: Origin
    usage: Usage

    @property
    def runner(self) -> Runner:
        return self.origin.model, self.origin.device

    @property
    def first_token_s(self) -> float:
        return self.usage.prefill_ms / 1000


@dataclass(frozen=True, slots=True)
class Summary:
    """The usual speed of a model on a device: medians, which one bad answer does not move."""

    runner: Runner
    answers: int
    tokens_per_s: float
    first_token_s: float


def summaries(figures: Iterable[Figure]) -> tuple[Summary, ...]:
    """One for each model and device, in the order in which they came."""
    found: dict[Runner, list[Figure]] = {}
    for figure in figures:
        found.setdefault(figure.runner, []).append(figure)
    return tuple(
        Summary(
            runner,
            len(mine),
            median(figure.usage.tokens_per_s for figure in mine),
            median(figure.first_token_s for figure in mine),
        )
        for runner, mine in found.items()
    )


class Speeds:
    """Hears the session's events, and keeps the figures of every answer that ended while it was watched."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._growing: set[str] = set()
        self._keys: dict[str, None] | None = None  # of the records there are, oldest first; None: not read yet
        self._tasks: set[asyncio.Task[None]] = set()

    def heard(self, event: SessionEvent) -> None:
        if not isinstance(event, Changed):
            return
        entry = event.entry
        if entry.state == "streaming":
            self._growing.add(entry.id)
        elif entry.id in self._growing:
            self._growing.remove(entry.id)
            self._keep(entry)

    async def read(self) -> tuple[Figure, ...]:
        """Oldest first. Raises StorageError."""
        records = await self._records()
        self._keys = dict.fromkeys(records)
        return tuple(records.values())

    async def add(self, figure: Figure) -> None:
        """One that no answer of a chat has brought."""
        await self._add(f"{PREFIX}measured-{figure.at_ms}", figure)

    async def clear(self) -> None:
        """Raises StorageError."""
        for key in await self._records():
            self._keeper.set(key, None)
        self._keys = {}
        await self._keeper.settled()

    def _keep(self, entry: Entry) -> None:
        if entry.usage is None or entry.origin is None or entry.usage.new_tokens < 2:
            return  # without a second token there is no speed
        figure = Figure(entry.created_ms, entry.origin, entry.usage)
        task = asyncio.ensure_future(self._add(PREFIX + entry.id, figure))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _add(self, key: str, figure: Figure) -> None:
        if self._keys is None:
            try:
                await self.read()
            except CandilError:
                return  # nothing is kept here; the chats have said so
        assert self._keys is not None  # it was read
        self._keeper.set(key, asdict(figure))
        self._keys[key] = None
        for oldest in list(self._keys)[:-MOST]:
            self._keeper.set(oldest, None)
            del self._keys[oldest]

    async def _records(self) -> dict[str, Figure]:
        await self._keeper.settled()
        found = {}
        for record in await self._keeper.database.read("settings"):
            key, figure = str(record.get("key")), _read(record)
            if key.startswith(PREFIX) and figure:
                found[key] = figure
        return dict(sorted(found.items(), key=lambda item: item[1].at_ms))


def _read(record: Mapping[str, Any]) -> Figure | None:
    """None for what is damaged, or not a figure."""
    try:
        value = record["value"]
        figure = Figure(int(value["at_ms"]), Origin(**value["origin"]), Usage(**value["usage"]))
        return figure if figure.usage.tokens_per_s > 0 else None
    except (KeyError, TypeError, ValueError):
        return None
