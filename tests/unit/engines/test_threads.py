from __future__ import annotations

import pytest

from pyapp.engines.threads import threads


@pytest.mark.parametrize(("cores", "count"), [(1, 1), (2, 2), (3, 2), (4, 3), (8, 4), (64, 4)])
def test_threads_leave_the_page_a_core_where_there_are_more_than_two(cores: int, count: int) -> None:
    assert threads(isolated=True, cores=cores) == count
    assert threads(isolated=False, cores=cores) == 1
