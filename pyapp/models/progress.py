"""How far a download is, said not more often than people can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pyapp.models.policy import Policy
from pyapp.models.speed import Speed

Phase = Literal["waiting", "downloading", "checking", "committing"]


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """`received_bytes` counts what is kept from before; it goes back only when a file has to begin again."""

    phase: Phase  # waiting: another tab changes the store
    received_bytes: int
    total_bytes: int
    checked_bytes: int
    bytes_per_s: float  # over the last seconds, 0.0 until known
    seconds_left: float | None
    retrying: str | None = None  # the error code behind a wait for the next attempt


class Reporter:
    def __init__(self, total_bytes: int, clock: Callable[[], float], policy: Policy) -> None:
        self._total = total_bytes
        self._clock = clock
        self._every_s = policy.report_every_s
        self._speed = Speed(policy.speed_over_s)
        self._said: tuple[float, DownloadProgress] | None = None

    def step(
        self, phase: Phase, *, received_bytes: int, checked_bytes: int, retrying: str | None = None
    ) -> DownloadProgress:
        if phase != "waiting":
            self._speed.add(self._clock(), received_bytes)
        return DownloadProgress(
            phase=phase,
            received_bytes=received_bytes,
            total_bytes=self._total,
            checked_bytes=checked_bytes,
            bytes_per_s=self._speed.bytes_per_s,
            seconds_left=self._speed.seconds_for(self._total - received_bytes),
            retrying=retrying,
        )

    def due(self, step: DownloadProgress) -> bool:
        """Whether `step` is worth saying: a new phase and trouble at once, the rest after a while."""
        now = self._clock()
        if self._said:
            said_at, said = self._said
            if now - said_at < self._every_s and (said.phase, said.retrying) == (step.phase, step.retrying):
                return False
        self._said = (now, step)
        return True
