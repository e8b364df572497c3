"""How much of an answer fits behind a prompt."""

from __future__ import annotations

from pyapp.errors import ContextOverflow


def fit(prompt_tokens: int, context_tokens: int, max_new_tokens: int) -> int:
    """New tokens that still fit: min(max_new_tokens, context_tokens - prompt_tokens).

    Raises ContextOverflow when that is below 1.
    """
    room = min(max_new_tokens, context_tokens - prompt_tokens)
    if room < 1:
        raise ContextOverflow(prompt_tokens=prompt_tokens, context_tokens=context_tokens)
    return room
