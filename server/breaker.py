"""When a provider is left alone: it failed too often, it said when to come back, or its key does not work.

After too many failures it rests, each time twice as long; then one request tries it, the others wait for its word.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from server.store import Store

WINDOW_S = 60.0
MIN_CALLS, MAX_FAILED_SHARE = 10, 0.5  # within WINDOW_S
MAX_OPEN_S = 300.0
JITTER = 0.2  # so that several servers do not come back at once
MAX_BLOCK_S = 3600.0
FOR_EVER_S = 10 * 365 * 86_400.0
PROBE_S = 60.0  # a probe that never came back lets the next one go after this


class Breaker:
    def __init__(
        self,
        store: Store,
        failures: int = 5,
        open_s: float = 30.0,
        clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._store = store
        self._failures = failures
        self._open_s = open_s
        self._clock = clock
        self._uniform = uniform

    async def seconds_blocked(self, provider: str) -> float:
        """0 when it may be asked now, which takes the one try of a provider that has rested."""
        until = await self._store.get(f"blocked:{provider}") or 0.0
        if until > self._clock():
            return until - self._clock()
        rested = await self._store.get(f"rests:{provider}")
        if rested and not await self._store.claim(f"probe:{provider}", PROBE_S):
            return PROBE_S
        return 0.0

    async def block(self, provider: str, seconds: float) -> None:
        """It is healthy but full, or its key does not work."""
        await self._store.put(f"blocked:{provider}", self._clock() + seconds, seconds)

    async def succeeded(self, provider: str) -> None:
        await self._store.add(f"calls:{provider}", 1, WINDOW_S)
        await self._store.drop(f"failed-in-a-row:{provider}", f"rests:{provider}", f"probe:{provider}")

    async def failed(self, provider: str) -> None:
        in_a_row = await self._store.add(f"failed-in-a-row:{provider}", 1, 10 * MAX_OPEN_S)
        calls = await self._store.add(f"calls:{provider}", 1, WINDOW_S)
        failed = await self._store.add(f"failed:{provider}", 1, WINDOW_S)
        probed = await self._store.get(f"rests:{provider}")
        often = calls >= MIN_CALLS and failed >= MAX_FAILED_SHARE * calls
        if probed or often or in_a_row >= self._failures:
            await self._rest(provider)

    async def released(self, provider: str) -> None:
        """A try that says nothing of its health: the client left, or the request was at fault."""
        await self._store.drop(f"probe:{provider}")

    async def _rest(self, provider: str) -> None:
        rests = await self._store.add(f"rests:{provider}", 1, 10 * MAX_OPEN_S)
        seconds = min(MAX_OPEN_S, self._open_s * 2 ** (rests - 1)) * self._uniform(1 - JITTER, 1 + JITTER)
        await self.block(provider, seconds)
        await self._store.drop(*(f"{name}:{provider}" for name in ("probe", "calls", "failed", "failed-in-a-row")))
