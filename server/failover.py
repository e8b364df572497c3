"""From one provider to the next, until one has said its first word; after that, never.

| the provider                                     | then                               | breaker |
|--------------------------------------------------|------------------------------------|---------|
| cannot be reached, is silent, 408, 5xx, no model server, broken before a word | next provider | counts |
| 429, 498                                         | is left alone as long as it says; next | -    |
| 402                                              | is left alone for an hour; next    | -       |
| 401, 403                                         | is left alone until a restart; next | -      |
| has no such model                                | its next model, then next provider | -       |
| ends without a word                              | next provider                      | -       |
| context too small                                | a provider with a larger one, else the client is told | - |
| rejects the request otherwise                    | the client is told                 | -       |
| fails after its first word                       | the client is told, and that it is a part | counts |
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, Protocol

from pyapp.engine import ReasoningDelta, TextDelta
from pyapp.errors import (
    CandilError,
    ContextOverflow,
    EmptyAnswer,
    KeyRefused,
    ModelMissing,
    RequestRejected,
    ServerOverloaded,
    ServerSilent,
)
from pyapp.openai.chat_stream import ChatEvent
from server.asked import ANY_MODEL, ChatRequest
from server.breaker import FOR_EVER_S, MAX_BLOCK_S, Breaker
from server.catalog import Catalog
from server.config import Settings
from server.errors import ApiError
from server.logs import log
from server.metrics import Metrics
from server.providers import Provider

FULL_S = 10.0  # how long a provider is full that does not say


@dataclass(frozen=True, slots=True)
class Verdict:
    code: str  # what the client is told if nobody else answers
    then: Literal["provider", "model", "larger context", "stop"] = "provider"
    counts: bool = False  # as a failure
    block_s: float = 0.0


def verdict(error: CandilError) -> Verdict:
    """What a failure before the first word means."""
    match error:
        case ServerOverloaded(details={"status": 429 | 498, **more}):
            after = more.get("retry_after_s")
            wait_s = float(after) if isinstance(after, int | float) else FULL_S
            return Verdict("no_provider", block_s=min(max(wait_s, 1.0), MAX_BLOCK_S))
        case RequestRejected(details={"status": 402}):
            return Verdict("no_provider", block_s=MAX_BLOCK_S)
        case KeyRefused():
            return Verdict("no_provider", block_s=FOR_EVER_S)
        case ModelMissing():
            return Verdict("no_provider", "model")
        case ContextOverflow():
            return Verdict("context_length_exceeded", "larger context")
        case RequestRejected():
            return Verdict("upstream_rejected", "stop")
        case EmptyAnswer():
            return Verdict("upstream_empty")
        case ServerSilent():
            return Verdict("upstream_timeout", counts=True)
        case _:
            return Verdict("upstream_failed", counts=True)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who speaks: before the first word, once."""

    provider: Provider
    model: str


class Asks(Protocol):
    def answer(self, provider: Provider, model: str, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]: ...


class Router:
    def __init__(
        self, settings: Settings, upstream: Asks, catalog: Catalog, breaker: Breaker, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._upstream = upstream
        self._catalog = catalog
        self._breaker = breaker
        self._metrics = metrics

    async def answer(self, request: ChatRequest) -> AsyncGenerator[Chosen | ChatEvent, None]:
        """Chosen, deltas, Ended. Raises ApiError; after Chosen it is upstream_interrupted."""
        asking = Asking(self, request, asyncio.get_running_loop().time() + self._settings.failover_budget_s)
        for provider, models in await self.candidates(request.model):
            if asking.context_tokens and (provider.context_tokens or 0) <= asking.context_tokens:
                continue
            async with aclosing(self._ask_provider(asking, provider, models)) as events:
                async for event in events:
                    yield event
            if asking.is_answered:
                return
        raise asking.refusal

    async def candidates(self, wanted: str) -> list[tuple[Provider, Sequence[str]]]:
        """In the operator's order. Raises ApiError when nobody offers `wanted`."""
        found: list[tuple[Provider, Sequence[str]]] = []
        for provider in self._settings.upstreams:
            ids = await self._catalog.ids(provider)
            models = [m for m in ids if wanted in (ANY_MODEL, m, f"{provider.name}/{m}")]
            if models:
                found.append((provider, models))
        if not found:
            raise ApiError("no_provider" if wanted == ANY_MODEL else "model_not_found")
        return found

    async def _ask_provider(
        self, asking: Asking, provider: Provider, models: Sequence[str]
    ) -> AsyncGenerator[Chosen | ChatEvent, None]:
        blocked_s = await self._breaker.seconds_blocked(provider.name)
        if blocked_s:
            asking.wait_for(blocked_s)
            return
        try:
            for model in models:
                if not asking.may_try():
                    return
                async with aclosing(self._try(asking, provider, model)) as events:
                    async for event in events:
                        yield event
                if asking.is_answered or asking.then != "model":
                    return
        finally:
            await self._breaker.released(provider.name)

    async def _try(self, asking: Asking, provider: Provider, model: str) -> AsyncGenerator[Chosen | ChatEvent, None]:
        spoke = False
        try:
            async with aclosing(self._upstream.answer(provider, model, asking.request)) as events:
                async for event in events:
                    if not spoke and isinstance(event, TextDelta | ReasoningDelta):
                        spoke = True
                        yield Chosen(provider, model)
                    yield event
            asking.is_answered = True
            await self._breaker.succeeded(provider.name)
        except CandilError as error:
            self._tell(provider, model, error, spoke=spoke)
            if spoke:
                await self._breaker.failed(provider.name)
                raise ApiError("upstream_interrupted") from None
            await self._judge(asking, provider, model, error)

    async def _judge(self, asking: Asking, provider: Provider, model: str, error: CandilError) -> None:
        found = verdict(error)
        if found.counts:
            await self._breaker.failed(provider.name)
        if found.block_s:
            await self._breaker.block(provider.name, found.block_s)
            asking.wait_for(found.block_s)
        if found.then == "model":
            self._catalog.drop(provider, model)
        if isinstance(error, KeyRefused):
            self._metrics.count("candil_keys_refused_total", provider=provider.name)
        if found.then == "stop":
            self._metrics.count("candil_upstream_rejected_total", provider=provider.name)
        told = error.details.get("context_tokens")
        asking.failed(found, provider.context_tokens or (told if isinstance(told, int) else 1 << 60))
        if found.then == "stop":
            raise asking.refusal

    def _tell(self, provider: Provider, model: str, error: CandilError, *, spoke: bool) -> None:
        self._metrics.count("candil_upstream_failures_total", provider=provider.name, kind=error.code)
        status = error.details.get("status")
        log(
            logging.WARNING,
            "provider failed",
            provider=provider.name,
            model=model,
            kind=error.code,
            status=status if isinstance(status, int) else None,
            partial=spoke,
        )


class Asking:
    """One request on its way through the providers."""

    def __init__(self, router: Router, request: ChatRequest, tries_until: float) -> None:
        self.request = request
        self.is_answered = False
        self.then = ""
        self.context_tokens = 0  # the largest window that was too small
        self._tries_left = router._settings.max_attempts
        self._tries_until = tries_until
        self._code = "no_provider"
        self._wait_s: float | None = None

    def may_try(self) -> bool:
        self._tries_left -= 1
        return self._tries_left >= 0 and asyncio.get_running_loop().time() < self._tries_until

    def wait_for(self, seconds: float) -> None:
        self._wait_s = min(seconds, self._wait_s or seconds)

    def failed(self, found: Verdict, context_tokens: int) -> None:
        self.then = found.then
        if found.then == "larger context":
            self.context_tokens = max(self.context_tokens, context_tokens)
        if self._code in ("no_provider", "upstream_failed") or found.then in ("larger context", "stop"):
            self._code = found.code

    @property
    def refusal(self) -> ApiError:
        wait_s = self._wait_s if self._code == "no_provider" else None
        return ApiError(self._code, retry_after_s=min(wait_s, MAX_BLOCK_S) if wait_s is not None else None)
