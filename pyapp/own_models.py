"""A model of the user's own: files they drop or pick, an address they give; what it is, and what becomes of it.

Rules of this file: nothing is fetched, copied or loaded before the user has seen what it is and said so; what cannot be
used is refused with a sentence, and leaves nothing; one model at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from pyapp.documents.file import PickedFile
from pyapp.engine import values
from pyapp.errors import CandilError, DownloadError, OfflineUnavailable
from pyapp.models.choice import Fit, fit
from pyapp.models.gguf import Header, read_header
from pyapp.models.importing import Copied
from pyapp.models.manifest import ModelSpec, OwnSource, UrlSource, Variant
from pyapp.models.names import URL
from pyapp.models.own import OwnModel, Part, own_model, split_names
from pyapp.models.store import Store
from pyapp.setup.fetch import fetch
from pyapp.setup.setup import Intent, Setup
from pyapp.setup.state import Downloading, Elsewhere, SetupState

ENDING = ".gguf"


@dataclass(frozen=True, slots=True)
class Asking:
    """Nothing is given yet; or what was given is refused."""

    address: str = ""
    error: CandilError | None = None
    no_address: bool = False  # what was typed is none


@dataclass(frozen=True, slots=True)
class Looking:
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """It waits for the user to decide. `error`: why the last thing they wanted failed."""

    own: OwnModel
    error: CandilError | None = None
    received_bytes: int = 0  # of a download that was begun

    @property
    def remote(self) -> bool:
        return isinstance(self.own.model.source, UrlSource)


@dataclass(frozen=True, slots=True)
class Keeping:
    own: OwnModel
    copied: Copied


@dataclass(frozen=True, slots=True)
class Fetching:
    own: OwnModel
    download: Downloading


OwnState = Asking | Looking | Found | Keeping | Fetching


@dataclass(frozen=True, slots=True)
class ShownOwn:
    state: OwnState
    fit: Fit | None = None  # of what was found; None until the device was looked at
    usable: bool = True  # False: another tab runs the engine


def is_model(name: str) -> bool:
    """By its name: what else is dropped is text for a message."""
    return name.lower().endswith(ENDING)


def address_of(text: str) -> str | None:
    """An address as it is fetched, None when `text` is none. A hub's page of a file means the file."""
    text = text.strip().partition("#")[0]
    text = re.sub(r"^(https://huggingface\.co/[^/]+/[^/]+)/blob/", r"\1/resolve/", text)
    return text if "://" in text and URL.fullmatch(text) else None


class OwnModels:
    """Follows `setup`. Methods return at once.

    `release` is called with the ids of files nobody needs any more; `unfinished` keeps the address of a download.
    """

    def __init__(
        self,
        setup: Setup,
        store: Store,
        before_use: Callable[[], None],
        release: Callable[[Sequence[str]], None],
        unfinished: Intent,
    ) -> None:
        self.on_change: Callable[[ShownOwn], None] = lambda _: None
        self.on_used: Callable[[], None] = lambda: None
        self.state: OwnState = Asking(unfinished.get() or "")
        self._setup = setup
        self._store = store
        self._before_use = before_use
        self._release = release
        self._unfinished = unfinished
        self._task: asyncio.Task[None] | None = None
        setup.watchers.append(self._setup_changed)

    # ---- what the user does ----

    def give(self, files: Sequence[PickedFile]) -> None:
        """Files that were dropped or picked together. While another model is brought here they have to wait."""
        if isinstance(self.state, Keeping | Fetching):
            return self._release([file.id for file in files])
        self._leave()
        self._enter(Looking(files[0].name))
        self._begin(lambda: self._look_at(files))

    def give_address(self, text: str) -> None:
        if isinstance(self.state, Keeping | Fetching):
            return
        url = address_of(text)
        if url is None:
            return self._enter(Asking(text, no_address=True))
        self._leave()
        self._enter(Looking(url))
        self._begin(lambda: self._look_at_address(url))

    def use(self) -> None:
        """From where it is, until the page is closed."""
        match self.state:
            case Found(own) as found if not found.remote:
                self._begin(lambda: self._use(own))

    def keep(self) -> None:
        """Copies the files into the store, and uses them from there."""
        match self.state:
            case Found(own) as found if not found.remote:
                self._begin(lambda: self._keep(own))

    def download(self) -> None:
        """Begins, or goes on; then it is used."""
        match self.state:
            case Found(own) as found if found.remote:
                self._begin(lambda: self._download(own))

    def cancel(self) -> None:
        """Back by one step; what has arrived of a download is thrown away with the model."""
        match self.state:
            case Keeping(own) | Fetching(own):
                self._begin(lambda: self._stop(own))
            case Found(own):
                self._leave()
                self._begin(lambda: self._drop(own))
            case _:
                self._begin(self._nothing)

    def shown(self) -> ShownOwn:
        catalog, state = self._setup.catalog, self.state
        verdict = fit(state.own.variant, catalog.capabilities) if isinstance(state, Found) and catalog else None
        return ShownOwn(state, verdict, usable=not isinstance(self._setup.state, Elsewhere))

    # ---- looking ----

    async def _look_at(self, files: Sequence[PickedFile]) -> None:
        try:
            parts = [Part(file.name, await read_header(file.read, file.size), file.id) for file in files]
            self._enter(Found(own_model(parts, OwnSource(files[0].name))))
        except BaseException as error:
            self._release([file.id for file in files])
            if not isinstance(error, CandilError):  # given up
                raise
            self._enter(Asking(error=error))

    async def _look_at_address(self, url: str) -> None:
        try:
            parts = [await self._part(url)]
            count = parts[0].header.values.get("split.count")
            if isinstance(count, int) and 1 < count <= 1000:
                parts = [await self._part(address) for address in split_names(url, count)]
            own = own_model(parts, UrlSource(url))
            self._enter(Found(own, received_bytes=await self._store.received_bytes(own.variant)))
        except CandilError as error:
            self._enter(Asking(url, error))

    async def _part(self, url: str) -> Part:
        file = self._store.remote(url)
        await file.open()
        header = await read_header(file.read, file.size)
        return Part(_name(url), header, _partial(url, header), url)

    # ---- what becomes of it ----

    async def _use(self, own: OwnModel) -> None:
        await self._keep_engine(own.variant)
        await self._put_to_use(own.model, own.variant)

    async def _keep(self, own: OwnModel) -> None:
        self._enter(Keeping(own, Copied(0, own.variant.bytes)))
        await self._keep_engine(own.variant)
        kept = None
        try:
            async with aclosing(self._store.keep(own.model, own.variant)) as steps:
                async for step in steps:
                    kept = step.kept
                    self._enter(Keeping(own, step))
        except CandilError as error:
            return self._enter(Found(own, error))
        assert kept is not None  # the last step has it
        self._release([file.sha256 for file in own.variant.files])
        await self._put_to_use(*kept)

    async def _download(self, own: OwnModel) -> None:
        assert isinstance(own.model.source, UrlSource)
        assert self._setup.catalog is not None  # the button needs its verdict
        try:
            self._unfinished.set(own.model.source.url)
            before = {each.key for each in await self._store.records()}
            received = await self._store.received_bytes(own.variant)
            offer = self._setup.catalog.offer(own.model, own.variant, received)
            async with aclosing(fetch(offer, self._setup.transport, self._store)) as steps:
                async for step in steps:
                    self._enter(Fetching(own, step))
            of_it = [each for each in await self._store.records() if each.model.source == own.model.source]
        except CandilError as error:
            return await self._stop(own, error)
        self._unfinished.set(None)
        kept = max(of_it, key=lambda each: each.key not in before)
        await self._put_to_use(kept.model, kept.variant)

    async def _put_to_use(self, model: ModelSpec, variant: Variant) -> None:
        self._enter(Asking())
        self._before_use()
        self.on_used()
        await self._setup.use(model, variant)

    async def _keep_engine(self, variant: Variant) -> None:
        """So that it works offline from now on; without it the engine is fetched when it is loaded."""
        with suppress(OfflineUnavailable, DownloadError):
            await values(self._setup.transport, "page.keep", {"group": f"{variant.engine}:{variant.device}"})

    async def _stop(self, own: OwnModel, error: CandilError | None = None) -> None:
        received = await self._store.received_bytes(own.variant)
        self._enter(Found(own, error, received))

    async def _drop(self, own: OwnModel) -> None:
        self._enter(Asking())
        if isinstance(own.model.source, UrlSource):
            self._unfinished.set(None)
            with suppress(CandilError):  # it stays as an unfinished download
                await self._store.discard(own.variant)

    async def _nothing(self) -> None:
        self._enter(Asking())

    def _leave(self) -> None:
        """What was found is not wanted."""
        if isinstance(self.state, Found) and not self.state.remote:
            self._release([file.sha256 for file in self.state.own.variant.files])

    # ---- small parts ----

    def _setup_changed(self, _state: SetupState) -> None:
        self.on_change(self.shown())

    def _enter(self, state: OwnState) -> None:
        self.state = state
        self.on_change(self.shown())

    def _begin(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """`work` after what ran before has ended, its cleaning up included."""
        before = self._task

        async def after() -> None:
            if before is not None:
                before.cancel()
                await asyncio.gather(before, return_exceptions=True)
            await work()

        self._task = asyncio.ensure_future(after())


def _name(url: str) -> str:
    return unquote(urlsplit(url).path.rsplit("/", 1)[-1])


def _partial(url: str, header: Header) -> str:
    """What has arrived is called by what was to be fetched: goes on after a reload, begins again when it is another."""
    return hashlib.sha256(f"{url} {header.size} {header.fingerprint}".encode()).hexdigest()
