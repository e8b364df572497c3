"""Decides and drives the way to a loaded model; the page only shows the states it goes through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pyapp.engine import Engine, Transport, values
from pyapp.errors import CandilError, DeviceLost, EngineError, ManifestError, NotLoaded, OfflineUnavailable
from pyapp.models.capabilities import Capabilities, from_wire
from pyapp.models.choice import Choice, Preference, choose
from pyapp.models.download import DownloadProgress
from pyapp.models.manifest import EngineFiles, Manifest, ModelSpec, Variant, parse
from pyapp.setup.state import (
    Checking,
    Choosing,
    Declined,
    DownloadFailed,
    Downloading,
    Elsewhere,
    LoadFailed,
    Loading,
    Offer,
    Ready,
    SetupState,
    Unavailable,
)

MANIFEST_URL = "model_manifest.json"
LOCK = "candil-engine"  # one tab at a time runs the engine


class ModelStore(Protocol):
    """What the setup needs of pyapp.models.store and pyapp.models.download."""

    async def installed(self) -> Sequence[tuple[ModelSpec, Variant]]:
        """Whole variants, ready to load."""
        ...

    async def received_bytes(self, variant: Variant) -> int:
        """Of an earlier, unfinished download."""
        ...

    def download(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[DownloadProgress, None]: ...


class Intent(Protocol):
    """The variant the user agreed to download and that is not there yet; survives a reload."""

    def get(self) -> str | None: ...

    def set(self, key: str | None) -> None: ...


def _ignore(_state: SetupState) -> None:
    pass


@dataclass
class Setup:
    """One per page. Every method may be called in any state; what makes no sense there does nothing."""

    transport: Transport
    engines: Mapping[str, Engine]
    store: ModelStore
    intent: Intent
    device: Preference = "auto"
    on_state: Callable[[SetupState], None] = _ignore
    state: SetupState = field(default_factory=Checking)
    _manifest: Manifest = field(default_factory=lambda: Manifest(()))
    _capabilities: Capabilities | None = None
    _running: asyncio.Task[None] | None = None
    _lock: asyncio.Task[None] | None = None
    _losses: int = 0

    # ---- what the user does ----

    async def begin(self, *, steal: bool = False) -> None:
        """Looks around and goes as far as it may without asking: load what is installed, go on with an agreed
        download, else offer one."""
        self._enter(Checking())
        if await self._hold_lock(steal):
            await self._run(self._find_model())
        else:
            self._enter(Elsewhere())

    def choose(self) -> None:
        """Shows the offer again."""
        if isinstance(self.state, Declined | DownloadFailed):
            self._enter(Choosing(self.state.offer))

    def decline(self) -> None:
        if isinstance(self.state, Choosing):
            self._enter(Declined(self.state.offer))

    async def download(self) -> None:
        """The user said yes: fetch the engine's code and the model, then load it."""
        if isinstance(self.state, Choosing | DownloadFailed):
            await self._run(self._fetch(self.state.offer))

    def cancel(self) -> None:
        """Ends a download; what has arrived is kept."""
        if isinstance(self.state, Downloading):
            offer = replace(
                self.state.offer, received_bytes=self.state.received_bytes - self.state.engine_received_bytes
            )
            self.intent.set(None)
            self._abandon()
            self._enter(Declined(offer))

    async def retry(self) -> None:
        """After a failure: the step that failed, again."""
        match self.state:
            case DownloadFailed():
                await self.download()
            case LoadFailed(model, variant, _):
                await self._run(self._load(model, variant))
            case Unavailable():
                await self.begin()
            case _:
                pass

    async def recover(self, error: EngineError) -> None:
        """The engine failed while it answered: load the model again; a second lost device means another device."""
        if not isinstance(self.state, Ready):
            return
        model, variant = self.state.model, self.state.variant
        self._losses += isinstance(error, DeviceLost)
        if self._losses > 1 and (other := self._fallback(model, variant)):
            self._losses = 0
            variant = other
        await self._run(self._load(model, variant))

    async def ready(self) -> Ready:
        """Waits for a load that is under way. Raises NotLoaded when there is none or it failed."""
        if self._running:
            await asyncio.wait({self._running})
        if isinstance(self.state, Ready):
            return self.state
        raise NotLoaded()

    # ---- how it goes on ----

    async def _find_model(self) -> None:
        try:
            await self._look_around()
            await self._go_on()
        except CandilError as error:
            self._enter(Unavailable(error))

    async def _look_around(self) -> None:
        probe = (await values(self.transport, "transformers_js.probe"))[-1]
        self._capabilities = from_wire(probe, (await values(self.transport, "store.status"))[-1])
        try:
            answer = await values(self.transport, "page.read", {"url": MANIFEST_URL})
            self._manifest = parse(answer[-1]["body"])
        except CandilError:
            # Offline, or the catalog is broken: what is installed needs no catalog.
            installed = await self.store.installed()
            if not installed:
                raise
            self._manifest = Manifest(tuple(model for model, _ in installed))

    async def _go_on(self) -> None:
        if not self._manifest.models:
            raise ManifestError("It names no model.")
        model = self._manifest.models[0]
        choice = self._choice(model)
        wanted = [choice.variant, *choice.fallbacks]
        for variant in wanted:
            if await self._is_installed(variant):
                return await self._load(model, variant)
        offer = await self._offer(model, choice.variant, choice.reasons)
        if self.intent.get() == _key(model, choice.variant):
            await self._fetch(offer)
        else:
            self._enter(Choosing(offer))

    async def _offer(self, model: ModelSpec, variant: Variant, reasons: Sequence[str]) -> Offer:
        engine = self._manifest.engines.get(variant.engine, EngineFiles({}))
        received = await self.store.received_bytes(variant)
        return Offer(model, variant, tuple(reasons), engine.wire_bytes(variant.device), received)

    async def _fetch(self, offer: Offer) -> None:
        self.intent.set(_key(offer.model, offer.variant))
        self._enter(Downloading(offer))
        try:
            await values(self.transport, "page.persist")
            await self._fetch_engine(offer)
            async for progress in self.store.download(offer.model, offer.variant):
                self._enter(Downloading(offer, progress, offer.engine_bytes))
        except CandilError as error:
            received = await self.store.received_bytes(offer.variant)
            return self._enter(DownloadFailed(replace(offer, received_bytes=received), error))
        self.intent.set(None)
        await self._load(offer.model, offer.variant)

    async def _fetch_engine(self, offer: Offer) -> None:
        group = f"{offer.variant.engine}:{offer.variant.device}"
        with suppress(OfflineUnavailable):  # then the engine is fetched when it is loaded, each time
            async for value in self.transport.stream("page.keep", {"group": group}):
                # The page counts bytes as they are unpacked; people were told what crosses the wire.
                done = value["received"] / value["total"] if value["total"] else 1.0
                self._enter(Downloading(offer, None, int(done * offer.engine_bytes)))

    async def _load(self, model: ModelSpec, variant: Variant) -> None:
        self._enter(Loading(model, variant))
        try:
            async for progress in self.engines[variant.engine].load(model, variant):
                self._enter(Loading(model, variant, progress.stage))
        except EngineError as error:
            await self._load_failed(model, variant, error)
        except CandilError as error:
            self._enter(LoadFailed(model, variant, error))
        else:
            self._enter(Ready(model, variant))

    async def _load_failed(self, model: ModelSpec, variant: Variant, error: EngineError) -> None:
        other = self._fallback(model, variant)
        if other is None:
            self._enter(LoadFailed(model, variant, error))
        elif await self._is_installed(other):
            await self._load(model, other)
        else:
            self._enter(Choosing(await self._offer(model, other, ("fallback",))))

    async def _is_installed(self, variant: Variant) -> bool:
        """By content: an edit of the catalog's words does not make the files others."""
        whole = [{file.sha256 for file in each.files} for _, each in await self.store.installed()]
        return {file.sha256 for file in variant.files} in whole

    def _fallback(self, model: ModelSpec, variant: Variant) -> Variant | None:
        """The next variant that could run here, None when the user forced the device or there is none."""
        choice = self._choice(model)
        order = [choice.variant, *choice.fallbacks]
        later = order[order.index(variant) + 1 :]
        return later[0] if later else None

    def _choice(self, model: ModelSpec) -> Choice:
        assert self._capabilities is not None
        return choose(model, self._capabilities, self.device)

    # ---- the lock: one tab at a time ----

    async def _hold_lock(self, steal: bool) -> bool:
        """True when this tab may run the engine; from then on another tab may take it."""
        if self._lock and not self._lock.done():
            return True
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._lock = asyncio.ensure_future(self._watch_lock(steal, answered))
        return await answered

    async def _watch_lock(self, steal: bool, answered: asyncio.Future[bool]) -> None:
        async for value in self.transport.stream("page.lock", {"name": LOCK, "steal": steal}):
            if not answered.done():
                answered.set_result(value["held"])
            elif not value["held"]:
                await self._yield_engine()

    async def _yield_engine(self) -> None:
        """Another tab took over: stop what runs here and give the memory back."""
        self._abandon()
        for engine in self.engines.values():
            await engine.unload()
        self._enter(Elsewhere())

    # ---- small parts ----

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs a search, a download or a load as the one task that `cancel` and `ready` know."""
        task = self._running = asyncio.ensure_future(work)
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()

    def _abandon(self) -> None:
        if self._running:
            self._running.cancel()

    def _enter(self, state: SetupState) -> None:
        self.state = state
        self.on_state(state)


def _key(model: ModelSpec, variant: Variant) -> str:
    return f"{model.id}/{variant.name}"
