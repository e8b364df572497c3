"""What engines have in common whose libraries tell no probabilities."""

from __future__ import annotations

from collections.abc import Sequence

from pyapp.engine import Message
from pyapp.errors import InvalidRequest


class NoScores:
    scores = False

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        raise InvalidRequest("this engine tells no probabilities")
