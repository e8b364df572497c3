"""The models page: what can be done to every variant, and what it comes to.

Rules of this file: one download at a time on a page, the setup's own included; which variant is loaded is the setup's
to decide; the store is looked at again after everything that changed it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Literal

from pyapp.engine import values
from pyapp.errors import CandilError, HashMismatch, LoadCrashed
from pyapp.models import record
from pyapp.models.store import Store, StoreUsage, Survey
from pyapp.setup.catalog import Catalog, pick_key
from pyapp.setup.fetch import fetch
from pyapp.setup.setup import Setup
from pyapp.setup.standing import Fetching, Remark, Row, Standing, Verifying, failure, rows, use
from pyapp.setup.state import (
    Choosing,
    Declined,
    DownloadFailed,
    Downloading,
    Elsewhere,
    LoadFailed,
    Offer,
    Ready,
    SetupState,
    Unavailable,
)

Done = Literal["downloaded", "intact", "damaged", "deleted", "persisted", "ready"]


@dataclass(frozen=True, slots=True)
class Shown:
    """All the page shows. `rows` of one model stand together; None while nobody has looked yet."""

    rows: tuple[Row, ...] | None = None
    usage: StoreUsage | None = None
    fetching: str | None = None  # the title of the model that is being downloaded
    elsewhere: bool = False  # another tab runs the engine: nothing can be put to use here
    refused: bool = False  # the browser was asked to keep everything, and did not agree
    error: CandilError | None = None
    done: tuple[Done, str] | None = None  # what was done last, and to which model


class ModelsPage:
    """Follows `setup`. Methods take the key of a row and return at once.

    `before_use` is called before another model takes the place of the one that may be answering.
    """

    def __init__(self, setup: Setup, store: Store, before_use: Callable[[], None]) -> None:
        self.on_change: Callable[[Shown], None] = lambda _: None
        self._setup = setup
        self._store = store
        self._before_use = before_use
        self._open = False
        self._survey: Survey | None = None
        self._download: Downloading | None = None  # beside a model that is in use; else it is the setup's
        self._checked: dict[str, Verifying] = {}
        self._remarks: dict[str, Remark] = {}
        self._jobs: dict[str, asyncio.Task[None]] = {}  # by row: a download or a verification
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: str | None = None
        self._refused = False
        self._error: CandilError | None = None
        self._done: tuple[Done, str] | None = None
        self._before: SetupState | None = None
        setup.watchers.append(self._setup_changed)

    # ---- what the user does ----

    def open(self) -> None:
        self._open = True
        self._remarks.clear()
        self._done = None
        self._do(self._refresh())

    def close(self) -> None:
        """What runs goes on."""
        self._open = False
        self._asking = None

    def download(self, key: str) -> None:
        """Begins, goes on with, or repairs; where no model is loaded, this one is when it is here."""
        row = self._row(key)
        if row is None or self._fetching():
            return
        self._remarks.pop(key, None)
        if isinstance(self._setup.state, Choosing | Declined | DownloadFailed | LoadFailed | Unavailable):
            self._do(self._setup.use(row.model, row.variant))
        else:
            self._begin_fetch(self._catalog().offer(row.model, row.variant, row.received_bytes))

    def pause(self, key: str) -> None:
        """Ends a download or a verification; what has arrived is kept."""
        if key in self._jobs:
            self._jobs[key].cancel()
            if self._download and _key(self._download) == key:
                self._setup.intent.set(None)
        elif (state := self._fetching()) and _key(state) == key:
            self._setup.cancel()
        self._done = None

    def verify(self, key: str) -> None:
        """Reads every byte again."""
        if (row := self._row(key)) and key not in self._jobs:
            self._begin(key, self._verify(row))

    def use(self, key: str) -> None:
        if row := self._row(key):
            self._before_use()
            self._do(self._setup.use(row.model, row.variant))

    def ask_to_delete(self, key: str | None) -> None:
        """None: it is kept."""
        self._asking = key
        self._tell()

    def delete(self, key: str) -> None:
        """It was asked for and confirmed."""
        if (row := self._row(key)) and self._asking == key:
            self._asking = None
            self._do(self._delete(row))

    def persist(self) -> None:
        """Asks the browser never to clear the storage by itself."""
        self._do(self._persist())

    # ---- what comes of it ----

    def _setup_changed(self, state: SetupState) -> None:
        before, self._before = self._before, state
        if isinstance(state, Ready) and not isinstance(before, Ready):
            self._done = ("ready", state.model.title)
            self._do(self._resume())
        if isinstance(before, Downloading) and isinstance(state, Downloading):
            self._tell()
        else:
            self._do(self._refresh())

    async def _resume(self) -> None:
        """A download beside the model in use that a reload has interrupted goes on."""
        catalog = self._catalog()
        for model, variant in catalog.named(self._setup.intent.get()):
            received = await self._store.received_bytes(variant)
            if not self._fetching():
                self._begin_fetch(catalog.offer(model, variant, received))

    def _begin_fetch(self, offer: Offer) -> None:
        self._download = Downloading(offer)
        self._setup.intent.set(pick_key(offer.model, offer.variant))
        self._begin(record.key(offer.model, offer.variant), self._fetch(offer))

    async def _fetch(self, offer: Offer) -> None:
        try:
            if not offer.variant.pinned:
                offer = await self._setup.pinned(offer)
            async with aclosing(fetch(offer, self._setup.transport, self._store)) as steps:
                async for self._download in steps:
                    self._tell()
        except CandilError as error:
            self._remarks[record.key(offer.model, offer.variant)] = error
        else:
            self._setup.intent.set(None)
            self._done = ("downloaded", offer.model.title)

    async def _verify(self, row: Row) -> None:
        key = row.key
        self._remarks.pop(key, None)
        self._checked[key] = Verifying(0, row.variant.bytes)
        self._tell()
        try:
            async with aclosing(self._store.verify(row.variant)) as steps:
                async for step in steps:
                    self._checked[key] = Verifying(step.checked_bytes, step.total_bytes)
                    self._tell()
        except HashMismatch:
            self._done = ("damaged", row.model.title)  # the files themselves are in the row that is read again
        except CandilError as error:
            self._remarks[key] = error
        else:
            self._remarks[key] = "intact"
            self._done = ("intact", row.model.title)

    async def _delete(self, row: Row) -> None:
        self._remarks.pop(row.key, None)
        if row.use != "no":
            self._before_use()
        try:
            await self._setup.delete(row.model, row.variant)
            self._done = ("deleted", row.model.title)
        except CandilError as error:
            self._remarks[row.key] = error
        await self._refresh()

    async def _persist(self) -> None:
        answer = (await values(self._setup.transport, "page.persist"))[-1]
        self._refused = not answer["persisted"]
        self._done = self._done if self._refused else ("persisted", "")
        await self._refresh()

    async def _refresh(self) -> None:
        catalog = self._setup.catalog
        if not self._open or catalog is None:
            return self._tell()
        await self._setup.ask_browser()
        try:
            self._survey = await self._store.survey(catalog.manifest.models)
            self._error = None
        except CandilError as error:
            self._error = error
        self._tell()

    # ---- what is shown ----

    def _tell(self) -> None:
        if self._open:
            self.on_change(self.shown())

    def shown(self) -> Shown:
        state, fetching = self._setup.state, self._fetching()
        return Shown(
            rows=tuple(self._as_it_is(row) for row in self._rows()) if self._survey else None,
            usage=self._survey.usage if self._survey else None,
            fetching=fetching.offer.model.title if fetching else None,
            elsewhere=isinstance(state, Elsewhere),
            refused=self._refused,
            error=self._error or (state.error if isinstance(state, Unavailable) else None),
            done=self._done,
        )

    def _rows(self) -> list[Row]:
        if self._survey is None or self._setup.catalog is None:
            return []
        return list(rows(self._setup.catalog, self._survey))

    def _row(self, key: str) -> Row | None:
        return next((self._as_it_is(row) for row in self._rows() if row.key == key), None)

    def _as_it_is(self, row: Row) -> Row:
        state, fetching = self._setup.state, self._fetching()
        return replace(
            row,
            standing=self._standing(row),
            use=use(row, state),
            usable=not isinstance(state, Elsewhere),
            blocked=fetching is not None and _key(fetching) != row.key,
            remark=failure(row, state) or self._remarks.get(row.key) or self._crash(row),
            asks_to_delete=self._asking == row.key,
        )

    def _crash(self, row: Row) -> CandilError | None:
        return LoadCrashed() if pick_key(row.model, row.variant) in self._setup.crashed else None

    def _standing(self, row: Row) -> Standing:
        fetching = self._fetching()
        if fetching and _key(fetching) == row.key:
            return Fetching(fetching)
        return self._checked.get(row.key, row.standing)

    def _fetching(self) -> Downloading | None:
        """The one download, the setup's or ours."""
        state = self._setup.state
        return state if isinstance(state, Downloading) else self._download

    # ---- small parts ----

    def _catalog(self) -> Catalog:
        assert self._setup.catalog is not None  # there are rows, or a model is ready
        return self._setup.catalog

    def _begin(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        self._jobs[key] = task = self._do(work)
        task.add_done_callback(lambda _: self._ended(key))

    def _ended(self, key: str) -> None:
        """Also when it was ended before it had begun."""
        del self._jobs[key]
        self._checked.pop(key, None)
        if self._download and _key(self._download) == key:
            self._download = None
        self._do(self._refresh())

    def _do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs `work` beside everything else; kept in a set because the loop holds tasks only weakly."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _key(download: Downloading) -> str:
    return record.key(download.offer.model, download.offer.variant)
