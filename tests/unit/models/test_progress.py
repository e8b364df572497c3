"""Speed and time left, and how often they are said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.models.policy import Policy
from pyapp.models.progress import Reporter
from pyapp.models.speed import Speed


def test_speed_is_that_of_the_last_seconds() -> None:
    speed = Speed(4.0)
    assert (speed.bytes_per_s, speed.seconds_for(10)) == (0.0, None)
    speed.add(0, 1000)
    assert speed.bytes_per_s == 0.0
    for second in range(1, 11):
        speed.add(second, 1000 + 100 * second)
    assert speed.bytes_per_s == 100
    for second in range(11, 20):
        speed.add(second, 2000)
    assert speed.bytes_per_s == 0.0
    assert speed.seconds_for(1) is None


def test_going_back_starts_the_window_again() -> None:
    speed = Speed(4.0)
    speed.add(0, 0)
    speed.add(1, 500)
    speed.add(2, 100)
    assert speed.bytes_per_s == 0.0
    speed.add(3, 200)
    assert speed.bytes_per_s == 100


@given(st.lists(st.tuples(st.floats(0.01, 5), st.integers(0, 10**9)), min_size=2))
def test_speed_is_never_negative(moves: list[tuple[float, int]]) -> None:
    speed, now = Speed(4.0), 0.0
    for pause, received in moves:
        now += pause
        speed.add(now, received)
        assert speed.bytes_per_s >= 0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_same_is_said_rarely_and_news_at_once() -> None:
    clock = Clock()
    reporter = Reporter(100, clock, Policy(report_every_s=0.1))
    fetching = reporter.step("downloading", received_bytes=10, checked_bytes=0)
    assert reporter.due(fetching)
    clock.now = 0.05
    assert not reporter.due(fetching)
    assert reporter.due(reporter.step("downloading", received_bytes=10, checked_bytes=0, retrying="server_busy"))
    assert reporter.due(reporter.step("checking", received_bytes=100, checked_bytes=0))
    clock.now = 0.16
    assert reporter.due(reporter.step("checking", received_bytes=100, checked_bytes=50))


def test_waiting_is_not_slowness() -> None:
    clock = Clock()
    reporter = Reporter(100, clock, Policy())
    reporter.step("waiting", received_bytes=0, checked_bytes=0)
    clock.now = 2
    reporter.step("downloading", received_bytes=0, checked_bytes=0)
    clock.now = 3
    step = reporter.step("downloading", received_bytes=50, checked_bytes=0)
    assert step.bytes_per_s == pytest.approx(50)
    assert step.seconds_left == pytest.approx(1)
