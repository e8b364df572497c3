"""Decides and drives the way to a loaded model; the page only shows the states it goes through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pyapp.engine import Engine, Transport, values
from pyapp.errors import CandilError, DeviceLost, EngineError, LoadCrashed, NotLoaded
from pyapp.models.capabilities import from_wire
from pyapp.models.choice import Preference
from pyapp.models.manifest import ENGINES, Manifest, ModelSpec, Variant, of_engines, parse
from pyapp.models.pinning import with_pins, with_variant
from pyapp.models.record import content
from pyapp.setup.catalog import Catalog, Pick, pick_key
from pyapp.setup.fetch import ModelStore, fetch
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


class Intent(Protocol):
    """A variant that the user has named; survives a reload."""

    def get(self) -> str | None: ...

    def set(self, key: str | None) -> None: ...


@dataclass
class PageIntent:
    """An Intent that lasts as long as the page."""

    _key: str | None = None

    def get(self) -> str | None:
        return self._key

    def set(self, key: str | None) -> None:
        self._key = key


async def _none_served() -> tuple[ModelSpec, ...]:
    return ()


def _ignore(_state: SetupState) -> None:
    pass


@dataclass
class Setup:
    """One per page. Every method may be called in any state; what makes no sense there does nothing."""

    transport: Transport
    engine: Engine
    store: ModelStore
    intent: Intent  # agreed to download, and not there yet
    device: Preference = "auto"
    on_state: Callable[[SetupState], None] = _ignore
    state: SetupState = field(default_factory=Checking)
    watchers: list[Callable[[SetupState], None]] = field(default_factory=list)  # hear every state after `on_state`
    chosen: Intent = field(default_factory=PageIntent)  # to be loaded rather than another
    loading: Intent = field(default_factory=PageIntent)  # keys: `crashed`, and what is being loaded
    crashed: tuple[str, ...] = ()  # a load of these ended the page
    engines: Collection[str] = ENGINES  # what this build runs
    served: Callable[[], Awaitable[tuple[ModelSpec, ...]]] = _none_served  # on servers the user has put to use
    catalog: Catalog | None = None  # None until the device was looked at
    _running: asyncio.Task[None] | None = None
    _lock: asyncio.Task[None] | None = None
    _held: bool = False
    _turn: asyncio.Task[None] | None = None
    _failures: int = 0  # of the engine, since it last ended an answer
    _usual: str | None = None  # while a chat's own model is loaded: the app's

    # ---- what the user does ----

    async def begin(self, *, steal: bool = False) -> None:
        """Looks around and goes as far as it may without asking: load what is installed, go on with an agreed
        download, else offer one."""
        self._enter(Checking())
        if await self._hold_lock(steal):
            self.crashed = tuple((self.loading.get() or "").split()) or self.crashed
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

    async def use(self, model: ModelSpec, variant: Variant) -> None:
        """Loads this variant now and on later visits; fetches it first where it is not whole. Not in a second tab."""
        if self.catalog is None or isinstance(self.state, Elsewhere):
            return
        if model.own:
            self.catalog = self.catalog.having(model)
        self._usual = None
        self.chosen.set(pick_key(model, variant))
        if self.state == Ready(model, variant):
            return
        await self._give_up()
        if variant.device == "server":
            self.catalog = self.catalog.serving(model)
        if await self._is_installed(variant):
            await self._run(self._load(model, variant))
        else:
            await self._run(self._fetch(await self._offer(model, variant)))

    async def switch(self, key: str) -> None:
        """Loads the variant that `key` names for now, without choosing it; "" for the app's. One that is not here
        leaves the one that is loaded."""
        if not isinstance(self.state, Ready):
            return
        usual = self._usual or pick_key(self.state.model, self.state.variant)
        for model, variant in self._catalog().named(key or usual):
            if not self.answers_with(key) and await self._is_installed(variant):
                await self._run(self._load(model, variant))
                self._usual = usual if key not in ("", usual) else None

    def answers_with(self, key: str) -> bool:
        """Whether the variant that `switch` would load is the one that is loaded."""
        now = pick_key(self.state.model, self.state.variant) if isinstance(self.state, Ready) else None
        return now is not None and (key or self._usual or now) == now

    async def here(self) -> Sequence[Pick]:
        """What is whole and may run, for `switch`. Raises StorageError."""
        if self.catalog is None:
            return []
        return [pick for pick in await self.store.installed() if next(self._catalog().named(pick_key(*pick)), None)]

    async def delete(self, model: ModelSpec, variant: Variant) -> None:
        """Frees what is kept of a variant. If it was the one in use, another that is installed takes over.

        Raises StorageError; EngineBusy while a download runs.
        """
        key = pick_key(model, variant)
        await self.store.delete(model, variant)
        if model.own:
            self.catalog = self._catalog().without(model)
        await self._gone(key)

    async def withdraw(self, model: ModelSpec, variant: Variant) -> None:
        """A model on a server is asked no more. If it was the one in use, what is installed takes over."""
        if self.catalog:
            self.catalog = self.catalog.withdrawn(model)
        await self._gone(pick_key(model, variant))

    async def _gone(self, key: str) -> None:
        for named in (self.intent, self.chosen):
            if named.get() == key:
                named.set(None)
        if key == self._concerned():
            await self._start_over(ask=False)

    async def use_device(self) -> None:
        """In the place of a server: what is installed here is loaded, else it is offered."""
        if not isinstance(self.state, Elsewhere):
            self.chosen.set(None)
            await self._start_over(ask=True)

    async def _start_over(self, *, ask: bool) -> None:
        await self._give_up()
        await self.engine.unload()
        self._enter(Checking())
        await self._run(self._find_model(ask=ask))

    async def recover(self, error: EngineError) -> None:
        """The engine failed while it answered: it is restarted once, then what runs next best here takes over or is
        offered. Where a device was lost, what is here for another one takes over at once: a second loss would cost
        the page its graphics card (Chromium blocks it after two)."""
        if not isinstance(self.state, Ready):
            return
        model, variant = self.state.model, self.state.variant
        self._failures += 1
        other = self._catalog().fallback(model, variant) if isinstance(error, DeviceLost) else None
        if self._failures > 1 or (other and await self._is_installed(other)):
            self._failures = 0
            await self._run(self._load_failed(model, variant, error))
        else:
            await self._run(self._load(model, variant))

    def answered(self) -> None:
        """An answer has ended well."""
        self._failures = 0

    async def ready(self) -> Ready:
        """Waits for a load that is under way. Raises NotLoaded when there is none or it failed."""
        if self._running:
            await asyncio.wait({self._running})
        if isinstance(self.state, Ready):
            return self.state
        raise NotLoaded()

    # ---- how it goes on ----

    async def _find_model(self, *, ask: bool = True) -> None:
        self._usual = None
        try:
            whole = await self._look_around()
            await self._go_on(whole, ask)
        except CandilError as error:
            self._enter(Unavailable(error))

    async def _look_around(self) -> set[frozenset[str]]:
        """The contents of what is whole here."""
        asked = ("transformers_js.probe", "store.status", "page.device")
        told = await asyncio.gather(*(values(self.transport, op) for op in asked))
        capabilities = from_wire(*(each[-1] for each in told))
        self.catalog = self.catalog or Catalog(capabilities, self.device)  # the user's own models need no more
        records = await self.store.records()
        installed = [each for each in records if not each.damaged]
        try:
            answer = await values(self.transport, "page.read", {"url": MANIFEST_URL})
            manifest = parse(answer[-1]["body"])
        except CandilError:
            # Offline, or the catalog is broken: what is installed needs no catalog.
            if not installed:
                raise
            manifest = Manifest(tuple({each.model.id: each.model for each in installed}.values()))
        manifest = with_pins(of_engines(manifest, self.engines), records)
        own = [model for model in self.catalog.manifest.models if model.own]
        own += [each.model for each in installed if each.model.own]
        self.catalog = Catalog(capabilities, self.device, manifest, await self.served()).having(*own)
        return {content(each.variant) for each in installed}

    async def ask_browser(self) -> None:
        """Where its own model stands may have changed since the device was looked at."""
        if self.catalog:
            builtin_ai = (await values(self.transport, "page.device"))[-1]["builtin_ai"]
            capabilities = replace(self.catalog.capabilities, builtin_ai=builtin_ai)
            self.catalog = replace(self.catalog, capabilities=capabilities)

    async def _go_on(self, whole: Collection[frozenset[str]], ask: bool) -> None:
        catalog = self._catalog()
        here = [
            (model, variant)
            for model, variant in [*catalog.named(self.chosen.get()), *catalog.fitting()]
            if self._is_here(variant, whole)
        ]
        for model, variant in here:
            if pick_key(model, variant) not in self.crashed:
                return await self._load(model, variant)
        for model, variant in here:
            return self._enter(LoadFailed(model, variant, LoadCrashed("the page ended while it was loaded")))
        for model, variant in catalog.named(self.intent.get()):
            return await self._fetch(await self._offer(model, variant))
        model, choice = catalog.first()
        offer = await self._offer(model, choice.variant)
        self._enter(Choosing(offer) if ask else Declined(offer))

    async def _offer(self, model: ModelSpec, variant: Variant, reason: str | None = None) -> Offer:
        return self._catalog().offer(model, variant, await self.store.received_bytes(variant), reason)

    async def pinned(self, offer: Offer) -> Offer:
        """The offer, with files that are known now: the hub is asked which they are. Raises DownloadError."""
        variant = await self.store.pin(offer.variant)
        model = with_variant(offer.model, variant)
        self.catalog = self._catalog().having(model)
        return await self._offer(model, variant)

    async def _fetch(self, offer: Offer) -> None:
        self.intent.set(pick_key(offer.model, offer.variant))
        try:
            if not offer.variant.pinned:
                self._enter(Downloading(offer))
                offer = await self.pinned(offer)
            async with aclosing(fetch(offer, self.transport, self.store)) as steps:
                async for step in steps:
                    self._enter(step)
        except CandilError as error:
            received = await self.store.received_bytes(offer.variant)
            return self._enter(DownloadFailed(replace(offer, received_bytes=received), error))
        self.intent.set(None)
        await self._load(offer.model, offer.variant)

    async def _load(self, model: ModelSpec, variant: Variant) -> None:
        self._enter(Loading(model, variant))
        try:
            await self._load_marked(model, variant)
        except EngineError as error:
            await self._load_failed(model, variant, error)
        except CandilError as error:
            self._enter(LoadFailed(model, variant, error))
        else:
            self._enter(Ready(model, variant))

    async def _load_marked(self, model: ModelSpec, variant: Variant) -> None:
        """The mark outlives only what no `finally` outlives: a page that was ended."""
        key = pick_key(model, variant)
        self._mark((*self.crashed, key))
        try:
            async for progress in self.engine.load(model, variant):
                self._enter(Loading(model, variant, progress.stage))
        finally:
            self.crashed = tuple(other for other in self.crashed if other != key)
            self._mark(self.crashed)

    def left(self) -> None:
        """The page is closed or reloaded: what is being loaded has not ended it."""
        self._mark(self.crashed)

    def _mark(self, keys: Iterable[str]) -> None:
        self.loading.set(" ".join(dict.fromkeys(keys)) or None)

    async def _load_failed(self, model: ModelSpec, variant: Variant, error: EngineError) -> None:
        other = self._catalog().fallback(model, variant)
        if other is None:
            self._enter(LoadFailed(model, variant, error))
        elif await self._is_installed(other):
            await self._load(model, other)
        else:
            self._enter(Choosing(await self._offer(model, other, "fallback")))

    async def _is_installed(self, variant: Variant) -> bool:
        """By content: an edit of the catalog's words does not make the files others."""
        return self._is_here(variant, {content(each) for _, each in await self.store.installed()})

    def _is_here(self, variant: Variant, whole: Collection[frozenset[str]]) -> bool:
        match variant.device:
            case "browser":
                return self._catalog().capabilities.builtin_ai == "available"
            case "server":
                return True
            case _:
                return variant.in_place or (variant.pinned and content(variant) in whole)

    def _catalog(self) -> Catalog:
        assert self.catalog is not None  # a search has come before
        return self.catalog

    def _concerned(self) -> str | None:
        """The variant that the state is about."""
        match self.state:
            case Ready(model, variant) | Loading(model, variant) | LoadFailed(model, variant):
                return pick_key(model, variant)
            case Choosing(offer) | Declined(offer) | Downloading(offer) | DownloadFailed(offer):
                return pick_key(offer.model, offer.variant)
            case _:
                return None

    # ---- the lock: one tab at a time ----

    async def _hold_lock(self, steal: bool) -> bool:
        """True when this tab may run the engine; from then on another tab may take it. False: it is waited for."""
        if self._held:
            return True
        if self._lock:
            self._lock.cancel()
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._lock = asyncio.ensure_future(self._watch_lock(steal, answered))
        return await answered

    async def _watch_lock(self, steal: bool, answered: asyncio.Future[bool]) -> None:
        async for value in self.transport.stream("page.lock", {"name": LOCK, "steal": steal}):
            before, self._held = self._held, value["held"]
            if not answered.done():
                answered.set_result(self._held)
            elif before and not self._held:
                await self._yield_engine()
            elif self._held and not before:
                self._turn = asyncio.ensure_future(self._take_turn())

    async def _yield_engine(self) -> None:
        """Another tab took over: stop what runs here and give the memory back."""
        self._abandon()
        await self.engine.unload()
        self._enter(Elsewhere())

    async def _take_turn(self) -> None:
        """The tab that ran the engine is gone."""
        self._enter(Checking())
        await self._run(self._find_model(ask=False))

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

    async def _give_up(self) -> None:
        """What runs has ended, its cleaning up included, before anything else begins."""
        self._abandon()
        await asyncio.gather(*filter(None, [self._running]), return_exceptions=True)

    def _enter(self, state: SetupState) -> None:
        self.state = state
        self.on_state(state)
        for watcher in self.watchers:
            watcher(state)
