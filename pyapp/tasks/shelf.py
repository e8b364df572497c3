"""Runs in the browser's database: written as they change, at most every INTERVAL_S while one works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from pyapp.chat.database import Database
from pyapp.chat.records import Record, read_all
from pyapp.errors import CandilError
from pyapp.tasks.records import Kept, Run, given_key, read_run, run_record, state_key

INTERVAL_S = 0.5
Place = tuple[str, str]  # store and key


@dataclass
class RunShelf:
    """What could not be written stays here and goes with the next attempt.

    `on_trouble` hears the error of a write that failed, and None when a later one has gone through.
    """

    database: Database
    on_trouble: Callable[[CandilError | None], None] = lambda _: None
    _waiting: dict[Place, Record | None] = field(default_factory=dict)  # None: it is to be deleted
    _under_way: dict[Place, Record | None] = field(default_factory=dict)
    _writing: asyncio.Task[None] | None = None
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)

    # ---- reading ----

    async def runs(self, ids: Sequence[str] | None = None) -> Sequence[Run]:
        """All, or those of `ids` that are there. Raises StorageError."""
        where = {} if ids is None else {"keys": list(ids)}
        return read_all(await self.database.read("runs", **where), read_run).values

    async def parts(self, run: Run) -> Kept:
        """Raises StorageError."""
        keys = [given_key(run.id), state_key(run.id)]
        found = {each["id"]: each.get("value") for each in await self.database.read("run_parts", keys=keys)}
        unwritten = self._under_way | self._waiting
        for key in keys:
            if record := unwritten.get(("run_parts", key)):
                found[key] = record["value"]
        return Kept(run, found.get(keys[0]) or {}, found.get(keys[1]))

    async def followed(self) -> AsyncGenerator[Sequence[str], None]:
        """The ids of runs that other tabs have changed; never ends by itself."""
        async with aclosing(self.database.posts()) as posts:
            async for post in posts:
                if ids := post.get("runs"):
                    yield ids

    # ---- writing ----

    def has_unwritten(self, run_id: str) -> bool:
        return ("runs", run_id) in self._under_way | self._waiting

    def add(self, kept: Kept) -> None:
        self._part(given_key(kept.run.id), dict(kept.given))
        self.put(kept)

    def put(self, kept: Kept) -> None:
        """What was given is as it was."""
        self._part(state_key(kept.run.id), kept.state)
        self.change(kept.run)

    def change(self, run: Run) -> None:
        """Only what the list shows is different. All of it is written soon, and at once unless it works."""
        self._waiting[("runs", run.id)] = run_record(run)
        if run.status != "running":
            self._hurry.set()
        self._wake()

    def delete(self, run_id: str) -> None:
        for place in (("runs", run_id), ("run_parts", given_key(run_id)), ("run_parts", state_key(run_id))):
            self._waiting[place] = None
        self._hurry.set()
        self._wake()

    async def settled(self) -> None:
        """Until all that may be written now is written, or a write has failed."""
        while self._writing:
            self._hurry.set()
            await asyncio.wait({self._writing})

    def flush(self) -> None:
        """The page may go away: what waits is written now."""
        self._hurry.set()

    def _part(self, key: str, value: Any) -> None:
        self._waiting[("run_parts", key)] = {"id": key, "value": value}

    def _wake(self) -> None:
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                self._hurry.clear()
                self._under_way, self._waiting = self._waiting, {}
                await self._write_batch(self._under_way)
                self._under_way = {}
                self.on_trouble(None)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), INTERVAL_S)
        except CandilError as error:
            self._under_way, self._waiting = {}, self._under_way | self._waiting
            self.on_trouble(error)
        finally:
            self._writing = None

    async def _write_batch(self, batch: dict[Place, Record | None]) -> None:
        puts: dict[str, list[Record]] = {}
        deletes: dict[str, list[str]] = {}
        for (store, key), record in batch.items():
            if record is None:
                deletes.setdefault(store, []).append(key)
            else:
                puts.setdefault(store, []).append(record)
        await self.database.write(puts, deletes, {})
        with suppress(CandilError):  # then other tabs see it when they are opened again
            ids = [key for store, key in batch if store == "runs"]
            await self.database.post({"chats": [], "messages": {}, "runs": ids})
