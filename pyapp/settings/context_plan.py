"""What of a long conversation is asked: it never exceeds the window, and the last question is always whole.

Turns are dropped whole, oldest first, and never with an attachment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pyapp.engines.context import fit
from pyapp.settings.settings import Overflow

STRIDE = 4  # turns dropped at once, so that the prompt's beginning, and with it the KV cache, lasts a few questions
WARN_AT = 0.65
FULL_AT = 0.85
SUMMARY_TOKENS = 256  # what a summary may take
ROOM_AFTER_SUMMARY = 0.6  # of the prompt's room: summarising is slow, so it makes space for more than one question


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with what was answered to it. `tokens` include the template's own."""

    tokens: int
    messages: int = 2
    attached: bool = False  # one of its messages has an attachment


@dataclass(frozen=True, slots=True)
class Limits:
    window_tokens: int
    max_new_tokens: int
    overflow: Overflow = "trim"
    history_messages: int | None = None  # at most these many, the question included; attachments are kept besides

    @property
    def room(self) -> int:
        """Tokens the prompt may take: the answer's are set aside, but never more than half of the window."""
        return self.window_tokens - min(self.max_new_tokens, self.window_tokens // 2)


@dataclass(frozen=True, slots=True)
class ContextPlan:
    """Places in the list of turns, oldest first. Those in neither are not asked."""

    kept: tuple[int, ...]
    summarise: tuple[int, ...]  # to be summarised first; the summary goes in front
    used_tokens: int  # of the prompt, room for the summary included
    max_new_tokens: int  # what is left for the answer, at least 1


@dataclass(frozen=True, slots=True)
class Meter:
    used_tokens: int
    window_tokens: int
    left_out: int = 0  # messages that are no longer asked, or only in a summary

    @property
    def level(self) -> Literal["ok", "warn", "full", "over"]:
        if self.left_out:
            return "over"
        share = self.used_tokens / self.window_tokens
        return "full" if share >= FULL_AT else "warn" if share >= WARN_AT else "ok"


def plan(turns: Sequence[Turn], question_tokens: int, limits: Limits) -> ContextPlan:
    """What of the earlier `turns` (oldest first) is asked; `question_tokens` are all that is asked without them.

    Raises ContextOverflow when what must stay does not fit, or when the user wants to stop rather than forget.
    """
    recent = _recent(turns, limits.history_messages)
    if limits.overflow == "stop" or question_tokens + _tokens(turns, recent) <= limits.room:
        return _planned(turns, question_tokens, limits, recent)
    if limits.overflow == "summarise":
        goal = int(ROOM_AFTER_SUMMARY * limits.room) - SUMMARY_TOKENS - question_tokens
        cut = _cut(turns, recent, goal, stride=1)
        rest = [at for at in recent if at not in cut]
        if cut and question_tokens + SUMMARY_TOKENS + _tokens(turns, rest) < limits.window_tokens:
            return _planned(turns, question_tokens, limits, rest, cut)
    cut = _cut(turns, recent, limits.room - question_tokens, stride=STRIDE)
    return _planned(turns, question_tokens, limits, [at for at in recent if at not in cut])


def _recent(turns: Sequence[Turn], most: int | None) -> list[int]:
    """The last turns of together, with the question, at most `most` messages; those with an attachment besides."""
    kept: list[int] = []
    count = 1
    for at in reversed(range(len(turns))):
        count += turns[at].messages
        if most is None or count <= most or turns[at].attached:
            kept.append(at)
    return kept[::-1]


def _cut(turns: Sequence[Turn], recent: Sequence[int], goal_tokens: int, *, stride: int) -> tuple[int, ...]:
    """The turns to go, so that the others take at most `goal_tokens`, if dropping turns can do that."""
    free = [at for at in recent if not turns[at].attached]
    excess = _tokens(turns, recent) - goal_tokens
    count = 0
    while count < len(free) and excess > 0:
        excess -= _tokens(turns, free[count : count + stride])
        count += stride
    return tuple(free[:count])


def _tokens(turns: Sequence[Turn], places: Iterable[int]) -> int:
    return sum(turns[at].tokens for at in places)


def _planned(
    turns: Sequence[Turn], question_tokens: int, limits: Limits, kept: Sequence[int], cut: tuple[int, ...] = ()
) -> ContextPlan:
    used = question_tokens + _tokens(turns, kept) + (SUMMARY_TOKENS if cut else 0)
    return ContextPlan(tuple(kept), cut, used, fit(used, limits.window_tokens, limits.max_new_tokens))
