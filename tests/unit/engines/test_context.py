from __future__ import annotations

import pytest

from pyapp.engines.context import fit
from pyapp.errors import ContextOverflow


@pytest.mark.parametrize(
    ("prompt", "context", "most", "room"), [(10, 100, 20, 20), (90, 100, 20, 10), (99, 100, 20, 1)]
)
def test_what_fits_is_limited_by_the_request_and_by_the_window(prompt: int, context: int, most: int, room: int) -> None:
    assert fit(prompt, context, most) == room


@pytest.mark.parametrize("prompt", [100, 101, 5000])
def test_a_prompt_that_leaves_no_room_is_refused_with_its_figures(prompt: int) -> None:
    with pytest.raises(ContextOverflow) as refusal:
        fit(prompt, 100, 20)
    assert refusal.value.details == {"prompt_tokens": prompt, "context_tokens": 100}
