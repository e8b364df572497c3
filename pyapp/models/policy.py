"""How hard a download tries: numbers, and the one formula that uses them."""

from __future__ import annotations

from dataclasses import dataclass

from pyapp.errors import DownloadError


@dataclass(frozen=True, slots=True)
class Policy:
    chunk_bytes: int = 8 << 20  # hubs limit requests, not bytes; a crash costs one per connection
    connections: int = 4
    attempts: int = 6  # in a row without a single new byte
    first_delay_s: float = 0.5
    longest_delay_s: float = 30.0
    longest_retry_after_s: float = 120.0  # a server that wants more is asked again by the user
    idle_timeout_ms: int = 30_000
    report_every_s: float = 0.1
    speed_over_s: float = 4.0

    def delay_s(self, error: DownloadError, failures: int, chance: float) -> float | None:
        """Seconds before the next attempt after `failures` (>= 1) in a row; None: give up.

        Exponential back-off with full jitter (`chance` in [0, 1)), so that clients a server lost together do not come
        back together; after Retry-After the jitter is added to it.
        """
        if not error.retryable or failures >= self.attempts:
            return None
        jitter = chance * min(self.longest_delay_s, self.first_delay_s * 2.0 ** (failures - 1))
        asked = error.details.get("retry_after_s")
        if not isinstance(asked, int | float):
            return jitter
        return float(asked) + jitter if asked <= self.longest_retry_after_s else None
