"""The table at work: who is here and how fast, the user's consent, and the setup that loads who was chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from pyapp.chat.origin import origin_of, same_author
from pyapp.chat.tree import Origin
from pyapp.engine import Engine
from pyapp.errors import CandilError, EngineBusy, EngineError, NobodyMay, NotLoaded, ServerError
from pyapp.models.manifest import ModelSpec, ServerSource, Variant
from pyapp.routing import rules as routing_rules
from pyapp.routing.needs import Kind, Needs
from pyapp.routing.route import Choice, Routed
from pyapp.routing.rules import Rules, Tier
from pyapp.routing.table import Candidate, Decision, Situation, decide
from pyapp.servers.address import parse
from pyapp.setup.catalog import Pick, pick_key
from pyapp.setup.setup import Setup
from pyapp.setup.state import (
    Checking,
    Choosing,
    Downloading,
    Elsewhere,
    LoadFailed,
    Loading,
    Ready,
    SetupState,
    Unavailable,
)
from pyapp.speeds import Runner, Speeds, summaries

ASIDE_S = 60.0  # who has failed on a server is not asked again sooner
UNCONSTRAINED = frozenset({"openai_http"})  # engines that hold no answer to a schema while it is made

Consent = Literal["send", "here", "always"]


@dataclass(frozen=True, slots=True)
class Question:
    """Whether what is asked may be sent to `company`. `here`: somebody on the user's own machines could answer."""

    company: str
    here: bool


class Router:
    """Implements pyapp.routing.route.Route. `engine` is what `setup` loads, without what is only a chat's.

    `on_question` hears what the user is to be asked, and None when that is over; `answer` is what they say. `leaving`
    is called when the engine is about to run something else. Neither may raise. `idle` waits for the answer of a chat
    that grows: a task takes no model away from under it.
    """

    def __init__(
        self,
        setup: Setup,
        engine: Engine,
        speeds: Speeds,
        rules: Callable[[], Rules],
        save: Callable[[Rules], Awaitable[None]],
    ) -> None:
        self.on_question: Callable[[Question | None], None] = lambda _: None
        self.leaving: Callable[[], None] = lambda: None
        self.idle: Callable[[], Awaitable[None]] = _at_once
        self._setup = setup
        self._engine = engine
        self._speeds = speeds
        self._rules = rules
        self._save = save
        self._aside: dict[str, float] = {}  # by key, until when
        self._asking = asyncio.Lock()  # one question at a time
        self._switching = asyncio.Lock()  # one model is loaded at a time
        self._consent: asyncio.Future[Consent] | None = None
        self._waiting: list[asyncio.Future[None]] = []  # for another state of the setup
        setup.watchers.append(self._changed)

    @property
    def on(self) -> bool:
        """Whether chats are routed too: who lets nothing leave is answered by the model that they put to use."""
        return self._rules().privacy != "device_only"

    # ---- pyapp.routing.route.Route ----

    async def route(self, needs: Needs, choice: str = "") -> Routed:
        return await self._route(needs, choice, self.idle)

    async def route_chat(self, needs: Needs, choice: str = "") -> Routed:
        """As `route`, for the chat itself: it waits for nobody."""
        return await self._route(needs, choice, _at_once)

    async def _route(self, needs: Needs, choice: str, idle: Callable[[], Awaitable[None]]) -> Routed:
        stay, agreed, tried = False, "", set[str]()
        error: CandilError | None = None
        offered = False
        while True:
            await self._settled()
            picks = await self._picks()
            if not picks and not offered:
                offered = True
                await self._offered()
                continue
            decision = await self._decide(needs, picks, choice, stay=stay, tried=frozenset(tried))
            chosen = decision.choice
            if chosen is None:
                raise error or self._nobody(picks, decision)
            if decision.ask and agreed != chosen.key:
                consent = await self._ask(chosen, decision)
                stay, agreed = consent == "here", chosen.key
                if consent == "always":
                    await self._always_send()
                continue  # meanwhile the rules, or who is here, may have changed
            if await self._load(chosen.key, idle):
                return self._routed(picks[chosen.key], needs, decision)
            error = self._setup.state.error if isinstance(self._setup.state, LoadFailed) else error
            tried.add(chosen.key)

    async def choices(self, needs: Needs) -> Sequence[Choice]:
        picks = await self._picks()
        decision = await self._decide(needs, picks)
        return [Choice(each.key, origin_of(*picks[each.key])) for each in decision.others]

    async def failed(self, routed: Routed, error: CandilError) -> None:
        key = _chosen(routed).key
        if isinstance(error, ServerError):  # nothing of it runs here
            self._set_aside(key)
        elif isinstance(error, EngineError):
            await self._setup.recover(error)
            if not self._setup.answers_with(key):
                self._set_aside(key)

    async def has_another(self, needs: Needs) -> bool:
        """Whether somebody would answer who has not failed lately."""
        decision = await self._decide(needs, await self._picks())
        return decision.choice is not None and decision.choice.key not in self._failed_lately()

    async def key_of(self, origin: Origin) -> str:
        """Of who has answered as `origin`; "" where they are not here."""
        picks = await self._picks()
        return next((key for key, pick in picks.items() if same_author(origin, origin_of(*pick))), "")

    def answered(self, routed: Routed) -> None:
        self._aside.pop(_chosen(routed).key, None)
        self._setup.answered()

    # ---- what the user says ----

    def answer(self, consent: Consent) -> None:
        """To the question there is, if there is one."""
        if self._consent and not self._consent.done():
            self._consent.set_result(consent)

    async def always(self, kind: Kind, key: str) -> None:
        """One candidate for good. What cannot be kept lasts until the tab closes."""
        with suppress(CandilError):
            await self._save(routing_rules.always(self._rules(), kind, key))

    async def _always_send(self) -> None:
        with suppress(CandilError):
            await self._save(replace(self._rules(), privacy="allowed"))

    # ---- who is here ----

    async def _picks(self) -> Mapping[str, Pick]:
        """Of each model the version in use, else the one that suits best."""
        found: dict[str, Pick] = {}
        for model, variant in await self._setup.loadable():
            if model.id not in found or pick_key(model, variant) == self._setup.usual:
                found[model.id] = model, variant
        return {pick_key(*pick): pick for pick in found.values()}

    async def _candidates(self, picks: Mapping[str, Pick]) -> list[Candidate]:
        measured: dict[Runner, float] = {}
        with suppress(CandilError):  # nothing is kept here: nothing was measured
            measured = {each.runner: each.tokens_per_s for each in summaries(await self._speeds.read())}
        return [_candidate(key, pick, measured, key == self._setup.usual) for key, pick in picks.items()]

    async def _decide(
        self,
        needs: Needs,
        picks: Mapping[str, Pick],
        choice: str = "",
        *,
        stay: bool = False,
        tried: frozenset[str] = frozenset(),
    ) -> Decision:
        """Who has failed lately is asked only where there is nobody else, or where the user names it."""
        situation = Situation(needs, await self._candidates(picks), choice, stay, tried)
        decision = decide(replace(situation, failed=tried | (self._failed_lately() - {choice})), self._rules())
        return decision if decision.choice else decide(situation, self._rules())

    def _failed_lately(self) -> frozenset[str]:
        now = asyncio.get_running_loop().time()
        return frozenset(key for key, until in self._aside.items() if now < until)

    def _routed(self, pick: Pick, needs: Needs, decision: Decision) -> Routed:
        return Routed(self._engine, origin_of(*pick), pick[0].context_tokens, needs, decision)

    def _set_aside(self, key: str) -> None:
        self._aside[key] = asyncio.get_running_loop().time() + ASIDE_S

    def _nobody(self, picks: Mapping[str, Pick], decision: Decision) -> CandilError:
        if picks:
            return NobodyMay(reasons=[reason.code for reason in decision.reasons])
        return self._setup.state.error if isinstance(self._setup.state, LoadFailed) else NotLoaded()

    # ---- consent ----

    async def _ask(self, candidate: Candidate, decision: Decision) -> Consent:
        async with self._asking:
            self._consent = asyncio.get_running_loop().create_future()
            self.on_question(Question(candidate.company, any(not each.leaves for each in decision.others)))
            try:
                return await self._consent
            finally:
                self._consent = None
                self.on_question(None)

    # ---- the setup ----

    async def _load(self, key: str, idle: Callable[[], Awaitable[None]]) -> bool:
        """Whether it is loaded then."""
        while True:
            async with self._switching:
                pass  # something else was being loaded; by now a chat may answer with it
            if self._setup.answers_with(key):
                return True
            await idle()
            if not self._switching.locked():  # and nothing comes between this and taking it
                break
        async with self._switching:
            await self._setup.switch(key)
        return self._setup.answers_with(key)

    async def _settled(self) -> None:
        """Until nothing is under way. Raises EngineBusy in a tab that may run nothing."""
        while True:
            match self._setup.state:
                case Checking() | Loading() | Downloading():
                    await self._change()
                case Elsewhere():
                    raise EngineBusy()
                case Unavailable(error):
                    raise error
                case _:
                    return

    async def _offered(self) -> None:
        """Nobody is here: the download is offered (again), and what comes of that is waited for."""
        self._setup.choose()
        if isinstance(self._setup.state, Choosing):
            await self._change()

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


async def _at_once() -> None:
    pass


def _chosen(routed: Routed) -> Candidate:
    assert routed.decision.choice  # it was routed to
    return routed.decision.choice


def _candidate(key: str, pick: Pick, measured: Mapping[Runner, float], in_use: bool) -> Candidate:
    model, variant = pick
    tier, company = _where(model, variant)
    return Candidate(
        key=key,
        tier=tier,
        title=model.title,
        window_tokens=model.context_tokens,
        tokens_per_s=measured.get((model.title, variant.device)),
        constrains=variant.engine not in UNCONSTRAINED,
        in_use=in_use,
        cost=_cost(model) if tier == "cloud" else 0.0,
        company=company,
    )


def _cost(model: ModelSpec) -> float | None:
    """As much as whoever answers may cost; None where one of them does not say."""
    prices = [each.price for each in model.source.companies] if isinstance(model.source, ServerSource) else []
    known = [price for price in prices if price is not None]
    return max(known) if known and len(known) == len(prices) else None


def _where(model: ModelSpec, variant: Variant) -> tuple[Tier, str]:
    """And who reads it there. A server on this computer or in this network is taken to be the user's own machine."""
    source = model.source
    if isinstance(source, ServerSource):
        address = parse(source.base_url)
        if source.companies:
            return "cloud", source.readers
        return ("cloud", address.shown) if address.place == "internet" else ("own_server", "")
    return ("builtin" if variant.device == "browser" else "device"), ""
