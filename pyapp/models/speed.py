"""How fast a download is, from the last few seconds of it."""

from __future__ import annotations

from collections import deque


class Speed:
    """Bytes per second over a sliding window. Bytes that were there before the first `add` do not count."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, now_s: float, received_bytes: int) -> None:
        if self._seen and received_bytes < self._seen[-1][1]:
            self._seen.clear()  # a file began again
        self._seen.append((now_s, received_bytes))
        while len(self._seen) > 2 and self._seen[1][0] <= now_s - self._window_s:
            self._seen.popleft()

    @property
    def bytes_per_s(self) -> float:
        """0.0 until it is known."""
        if not self._seen:
            return 0.0
        (start_s, start), (end_s, end) = self._seen[0], self._seen[-1]
        return (end - start) / (end_s - start_s) if end_s > start_s else 0.0

    def seconds_for(self, bytes_left: int) -> float | None:
        rate = self.bytes_per_s
        return bytes_left / rate if rate > 0 else None
