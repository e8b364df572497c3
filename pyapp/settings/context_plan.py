"""What of a long conversation is asked: it never exceeds the window, and the last question is always whole.

A turn is a question with what was answered to it. Turns are dropped whole, oldest first, and never with an attachment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pyapp.engine import Message, Role
from pyapp.errors import ContextOverflow
from pyapp.settings.settings import Overflow

STRIDE = 4  # turns dropped at once, so that the prompt's beginning, and with it the KV cache, lasts a few questions
WARN_AT = 0.65
FULL_AT = 0.85
SUMMARY_TOKENS = 256  # what a summary may take
ROOM_AFTER_SUMMARY = 0.6  # of the prompt's room: summarising is slow, so it makes space for more than one question


@dataclass(frozen=True, slots=True)
class Sized:
    """A message of the conversation and the tokens it takes, its share of the template included."""

    id: str
    role: Role
    tokens: int
    attached: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    window_tokens: int
    system_tokens: int  # the system prompt, a summary already made, and the template's own
    max_new_tokens: int
    overflow: Overflow = "trim"
    history_messages: int | None = None  # at most these many, the question included; attachments are kept besides


@dataclass(frozen=True, slots=True)
class ContextPlan:
    kept: tuple[str, ...]  # ids, oldest first
    dropped: tuple[str, ...]  # neither asked nor summarised
    summarise: tuple[str, ...]  # to be summarised first; the summary goes in front (`preface`)
    used_tokens: int  # of the prompt, room for the summary included
    max_new_tokens: int  # what is left for the answer, at least 1


@dataclass(frozen=True, slots=True)
class Meter:
    used_tokens: int
    window_tokens: int
    level: Literal["ok", "warn", "full"]


_Turn = tuple[Sized, ...]


def plan(messages: Sequence[Sized], limits: Limits) -> ContextPlan:
    """What of `messages` (oldest first, the question last) is asked under `limits`.

    Raises ContextOverflow when what must stay does not fit, or when the user wants to stop rather than forget.
    """
    turns = _recent(_turns(messages), limits.history_messages)
    room = _room(limits)
    if limits.overflow == "stop" or limits.system_tokens + _tokens(turns) <= room:
        return _planned(messages, turns, (), limits)
    if limits.overflow == "summarise":
        goal = int(ROOM_AFTER_SUMMARY * room) - limits.system_tokens - SUMMARY_TOKENS
        cut = _cut(turns, goal, stride=1)
        rest = _without(turns, cut)
        if cut and limits.system_tokens + SUMMARY_TOKENS + _tokens(rest) < limits.window_tokens:
            return _planned(messages, rest, cut, limits)
    return _planned(messages, _without(turns, _cut(turns, room - limits.system_tokens, stride=STRIDE)), (), limits)


def meter(used_tokens: int, window_tokens: int) -> Meter:
    share = used_tokens / window_tokens if window_tokens > 0 else 1.0
    return Meter(used_tokens, window_tokens, "full" if share >= FULL_AT else "warn" if share >= WARN_AT else "ok")


def summary_request(messages: Sequence[Message], instruction: str, names: tuple[str, str]) -> tuple[Message, ...]:
    """What a model is asked for a summary of `messages`; `names` are those of the user and of the assistant."""
    named = {"user": names[0], "assistant": names[1]}
    transcript = "\n\n".join(f"{named[m.role]}: {m.text}" for m in messages if m.role in named)
    return (Message("system", instruction), Message("user", transcript))


def preface(system_prompt: str, summary: str, heading: str) -> str:
    """The system prompt with the summary of what is no longer asked."""
    parts = (system_prompt.strip(), f"{heading}\n{summary.strip()}" if summary.strip() else "")
    return "\n\n".join(part for part in parts if part)


def _room(limits: Limits) -> int:
    """Tokens the prompt may take: the answer's are set aside, but never more than half of the window."""
    return limits.window_tokens - min(limits.max_new_tokens, limits.window_tokens // 2)


def _turns(messages: Sequence[Sized]) -> list[_Turn]:
    turns: list[_Turn] = []
    for message in messages:
        if message.role == "user" or not turns:
            turns.append((message,))
        else:
            turns[-1] = (*turns[-1], message)
    return turns


def _recent(turns: list[_Turn], most: int | None) -> list[_Turn]:
    """The last turns of together at most `most` messages, the very last always; those with an attachment besides."""
    kept: list[_Turn] = []
    count = 0
    for turn in reversed(turns):
        count += len(turn)
        if not kept or most is None or count <= most or _attached(turn):
            kept.append(turn)
    return kept[::-1]


def _cut(turns: list[_Turn], goal_tokens: int, *, stride: int) -> list[_Turn]:
    """The turns to go, so that the others take at most `goal_tokens`, if dropping turns can do that."""
    free = [turn for turn in turns[:-1] if not _attached(turn)]
    excess = _tokens(turns) - goal_tokens
    count = 0
    while count < len(free) and excess > 0:
        for turn in free[count : count + stride]:
            excess -= _tokens([turn])
        count += stride
    return free[:count]


def _without(turns: list[_Turn], cut: list[_Turn]) -> list[_Turn]:
    gone = {turn[0].id for turn in cut}
    return [turn for turn in turns if turn[0].id not in gone]


def _attached(turn: _Turn) -> bool:
    return any(message.attached for message in turn)


def _tokens(turns: Sequence[_Turn]) -> int:
    return sum(message.tokens for turn in turns for message in turn)


def _ids(turns: Sequence[_Turn]) -> tuple[str, ...]:
    return tuple(message.id for turn in turns for message in turn)


def _planned(messages: Sequence[Sized], kept: list[_Turn], cut: Sequence[_Turn], limits: Limits) -> ContextPlan:
    used = limits.system_tokens + _tokens(kept) + (SUMMARY_TOKENS if cut else 0)
    if used >= limits.window_tokens:
        raise ContextOverflow(prompt_tokens=used, context_tokens=limits.window_tokens)
    asked, summarise = _ids(kept), _ids(cut)
    elsewhere = {*asked, *summarise}
    return ContextPlan(
        kept=asked,
        dropped=tuple(message.id for message in messages if message.id not in elsewhere),
        summarise=summarise,
        used_tokens=used,
        max_new_tokens=min(limits.max_new_tokens, limits.window_tokens - used),
    )
