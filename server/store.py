"""Counters that expire: where limits and breakers keep what they know, in this process or for all of them in Redis.

Every operation is atomic, so that processes that share a store never admit more than one of them would.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from redis.asyncio import Redis


class StoreUnavailable(Exception):
    """Redis does not answer. Nobody is admitted then: a budget that cannot be counted is none."""


@dataclass(frozen=True, slots=True)
class Charge:
    """`amount` onto the counter `key`, which may reach `limit` and is forgotten `ttl_s` after its first charge."""

    key: str
    amount: int
    limit: int
    ttl_s: float


class Store(Protocol):
    async def charge(self, charges: Sequence[Charge]) -> int | None:
        """Makes all of them, or none and says which one was in the way."""
        ...

    async def add(self, key: str, amount: int, ttl_s: float) -> int:
        """The counter afterwards; its time runs from the first addition. It may go below what it was, not below 0."""
        ...

    async def get(self, key: str) -> float | None: ...

    async def put(self, key: str, value: float, ttl_s: float) -> None: ...

    async def claim(self, key: str, ttl_s: float) -> bool:
        """Whether it was free; it is ours until dropped or for `ttl_s`."""
        ...

    async def drop(self, *keys: str) -> None: ...

    async def close(self) -> None: ...


class MemoryStore:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._values: dict[str, tuple[float, float]] = {}  # key -> value, when it is forgotten
        self._sweep_at = 10_000  # entries; then what is forgotten goes

    async def charge(self, charges: Sequence[Charge]) -> int | None:
        for place, charge in enumerate(charges):
            if self._get(charge.key) + charge.amount > charge.limit:
                return place
        for charge in charges:
            self._add(charge.key, charge.amount, charge.ttl_s)
        return None

    async def add(self, key: str, amount: int, ttl_s: float) -> int:
        return self._add(key, amount, ttl_s)

    async def get(self, key: str) -> float | None:
        return self._get(key) if self._is_there(key) else None

    async def put(self, key: str, value: float, ttl_s: float) -> None:
        self._values[key] = (value, self._clock() + ttl_s)
        self._sweep()

    async def claim(self, key: str, ttl_s: float) -> bool:
        if self._is_there(key):
            return False
        await self.put(key, 1, ttl_s)
        return True

    async def drop(self, *keys: str) -> None:
        for key in keys:
            self._values.pop(key, None)

    async def close(self) -> None:
        self._values.clear()

    def _is_there(self, key: str) -> bool:
        return key in self._values and self._values[key][1] > self._clock()

    def _get(self, key: str) -> float:
        return self._values[key][0] if self._is_there(key) else 0

    def _add(self, key: str, amount: int, ttl_s: float) -> int:
        until = self._values[key][1] if self._is_there(key) else self._clock() + ttl_s
        value = max(0, int(self._get(key)) + amount)
        self._values[key] = (value, until)
        self._sweep()
        return value

    def _sweep(self) -> None:
        if len(self._values) > self._sweep_at:
            now = self._clock()
            self._values = {key: kept for key, kept in self._values.items() if kept[1] > now}
            self._sweep_at = max(10_000, 2 * len(self._values))


CHARGE = """
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or 0) + ARGV[3 * i - 2] > tonumber(ARGV[3 * i - 1]) then return i end
end
for i, key in ipairs(KEYS) do
  if redis.call('INCRBY', key, ARGV[3 * i - 2]) == tonumber(ARGV[3 * i - 2]) then
    redis.call('PEXPIRE', key, ARGV[3 * i])
  end
end
return 0
"""
ADD = """
local value = redis.call('INCRBY', KEYS[1], ARGV[1])
if value < 0 then value = 0; redis.call('SET', KEYS[1], 0, 'KEEPTTL') end
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return value
"""


class RedisStore:
    """Scripts run alone in Redis, so a charge is atomic across machines."""

    def __init__(self, client: Redis, prefix: str = "candil:") -> None:
        self._client = client
        self._prefix = prefix
        self._charge = client.register_script(CHARGE)
        self._add = client.register_script(ADD)

    @classmethod
    def at(cls, url: str) -> RedisStore:
        from redis.asyncio import BlockingConnectionPool, Redis

        patience = {"socket_timeout": 2, "socket_connect_timeout": 2, "timeout": 2}
        return cls(Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=32, **patience)))

    async def charge(self, charges: Sequence[Charge]) -> int | None:
        arguments = [value for c in charges for value in (c.amount, c.limit, milliseconds(c.ttl_s))]
        place = await self._said(self._charge(keys=[self._prefix + c.key for c in charges], args=arguments))
        return int(place) - 1 if place else None

    async def add(self, key: str, amount: int, ttl_s: float) -> int:
        return int(await self._said(self._add(keys=[self._prefix + key], args=[amount, milliseconds(ttl_s)])))

    async def get(self, key: str) -> float | None:
        value = await self._said(self._client.get(self._prefix + key))
        return None if value is None else float(value)

    async def put(self, key: str, value: float, ttl_s: float) -> None:
        await self._said(self._client.set(self._prefix + key, value, px=milliseconds(ttl_s)))

    async def claim(self, key: str, ttl_s: float) -> bool:
        return bool(await self._said(self._client.set(self._prefix + key, 1, nx=True, px=milliseconds(ttl_s))))

    async def drop(self, *keys: str) -> None:
        await self._said(self._client.delete(*(self._prefix + key for key in keys)))

    async def close(self) -> None:
        await self._client.aclose()

    async def _said(self, answer: Awaitable[Any]) -> Any:
        from redis.exceptions import RedisError

        try:
            return await answer
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(type(error).__name__) from None


def milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
