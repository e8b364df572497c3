from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.errors import FileMissing, NetworkFailed, ServerBusy
from pyapp.models.policy import Policy

POLICY = Policy(attempts=6, first_delay_s=0.5, longest_delay_s=8.0, longest_retry_after_s=60.0)


def test_the_wait_doubles_up_to_a_limit() -> None:
    waits = [POLICY.delay_s(NetworkFailed(), n, 1.0) for n in range(1, 7)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, None]


@given(st.integers(1, 5), st.floats(0, 1, exclude_max=True))
def test_jitter_is_full(failures: int, chance: float) -> None:
    wait = POLICY.delay_s(NetworkFailed(), failures, chance)
    assert wait == pytest.approx(chance * 0.5 * 2 ** (failures - 1))


def test_retry_after_is_the_least() -> None:
    assert POLICY.delay_s(ServerBusy(retry_after_s=10), 1, 0.5) == 10.25
    assert POLICY.delay_s(ServerBusy(retry_after_s=None), 1, 0.5) == 0.25
    assert POLICY.delay_s(ServerBusy(retry_after_s=61), 1, 0.5) is None


def test_what_another_try_cannot_mend() -> None:
    assert POLICY.delay_s(FileMissing(), 1, 0.5) is None
