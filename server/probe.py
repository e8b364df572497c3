"""Whether each provider answers now: one token of each, at most once a minute however often it is asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from pyapp.errors import CandilError
from server.asked import ChatRequest
from server.catalog import Catalog
from server.failover import Asks
from server.providers import Provider

KEPT_S = 60.0
QUESTION = ChatRequest(({"role": "user", "content": "Hi"},), max_tokens=1)
Found = dict[str, Any]


class Probe:
    def __init__(
        self,
        providers: tuple[Provider, ...],
        upstream: Asks,
        catalog: Catalog,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._providers = providers
        self._upstream = upstream
        self._catalog = catalog
        self._clock = clock
        self._found: list[Found] = []
        self._found_at = -KEPT_S
        self._one_at_a_time = asyncio.Lock()

    async def all(self) -> list[Found]:
        async with self._one_at_a_time:
            if self._clock() - self._found_at >= KEPT_S:
                self._found = list(await asyncio.gather(*map(self._ask, self._providers)))
                self._found_at = self._clock()
        return self._found

    async def _ask(self, provider: Provider) -> Found:
        begun = self._clock()
        model = next(iter(await self._catalog.ids(provider)), "")
        code = "ok" if model else "model_missing"
        try:
            if model:
                async with aclosing(self._upstream.answer(provider, model, QUESTION)) as events:
                    await anext(events)
        except CandilError as error:
            code = error.code
        ms = round(1000 * (self._clock() - begun))
        return {"name": provider.name, "title": provider.title, "model": model, "code": code, "ms": ms}
