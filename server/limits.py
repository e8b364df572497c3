"""How much anyone may ask: requests, tokens and answers at a time, of one client and of all together.

Windows are whole minutes and UTC's days. Tokens are charged before they are known, as many as the request can cost,
and settled when the provider has counted. A client is an IPv4 address or an IPv6 /64.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from server.config import Settings
from server.errors import ApiError
from server.store import Charge, Store

MINUTE_S, DAY_S = 60, 86_400
FORGOTTEN_S = 60  # a window's counter outlives it by this; clocks of several machines differ a little


@dataclass(slots=True)
class Admission:
    """A request that is being answered."""

    tokens: int  # what is charged for it
    is_settled: bool = False

    def settle(self, tokens: int) -> None:
        """What it really cost."""
        self.tokens, self.is_settled = tokens, True


class Limits:
    def __init__(self, settings: Settings, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock

    @asynccontextmanager
    async def admitted(self, address: str, tokens: int) -> AsyncIterator[Admission]:
        """Counts a request of at most `tokens` while it is answered. Raises ApiError where a budget is used up."""
        client = client_of(address)
        charges = self._budgets(client, tokens)
        refused = await self._store.charge(charges)
        if refused is not None:
            raise self._refusal(charges[refused])
        admission = Admission(tokens)
        try:
            yield admission
        finally:
            await self._settle(charges, admission.tokens - tokens)

    def _budgets(self, client: str, tokens: int) -> list[Charge]:
        s, now = self._settings, self._clock()
        minute, day = int(now // MINUTE_S), int(now // DAY_S)
        to_day_end = DAY_S - now % DAY_S + FORGOTTEN_S
        lease_s = s.total_timeout_s + s.failover_budget_s + FORGOTTEN_S  # a process that died gives its places back
        return [
            Charge(f"at-once:{client}", 1, s.concurrent_per_client, lease_s),
            Charge("at-once", 1, s.concurrent_total, lease_s),
            Charge(f"minute:{minute}:{client}", 1, s.requests_per_minute, MINUTE_S + FORGOTTEN_S),
            Charge(f"minute:{minute}", 1, s.total_requests_per_minute, MINUTE_S + FORGOTTEN_S),
            Charge(f"day:{day}:{client}", 1, s.requests_per_day, to_day_end),
            Charge(f"day:{day}", 1, s.total_requests_per_day, to_day_end),
            Charge(f"tokens:{day}:{client}", tokens, s.tokens_per_day, to_day_end),
            Charge(f"tokens:{day}", tokens, s.total_tokens_per_day, to_day_end),
        ]

    def _refusal(self, charge: Charge) -> ApiError:
        now = self._clock()
        window = charge.key.partition(":")[0]
        if window == "at-once":
            return ApiError("too_many_at_once", retry_after_s=1)
        if window == "minute":
            return ApiError("rate_limited", retry_after_s=MINUTE_S - now % MINUTE_S)
        code = "tokens_exhausted" if window == "tokens" else "rate_limited"
        return ApiError(code, retry_after_s=DAY_S - now % DAY_S)

    async def _settle(self, charges: list[Charge], difference: int) -> None:
        for charge in charges:
            if charge.key.startswith("at-once"):
                await self._store.add(charge.key, -1, charge.ttl_s)
            elif charge.key.startswith("tokens") and difference:
                await self._store.add(charge.key, difference, charge.ttl_s)


def client_of(address: str) -> str:
    """Whom an address belongs to: one household has a whole IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    if mapped or parsed.version == 4:
        return str(mapped or parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
