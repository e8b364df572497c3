"""The sessions of the browser's own model, by what they hold.

The API's sessions remember, and our requests are stateless: a request goes on from a copy of the session that holds
most of its conversation, and only where none holds the beginning of it a new one is made.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from pyapp.engine import Json, Transport, values

Said = Sequence[Mapping[str, Any]]  # messages as the wire has them


@dataclass(frozen=True, slots=True)
class Session:
    id: int
    said: Said = ()  # what it holds
    sampling: Json = None  # where pages may choose it at all, it is a session's and not a request's

    def begins(self, conversation: Said, sampling: Json) -> bool:
        """Whether appending to a copy of it can make that hold `conversation`."""
        if not self.said and conversation and conversation[0]["role"] == "system":
            return False  # only a new session can be given instructions
        return self.sampling == sampling and list(conversation[: len(self.said)]) == list(self.said)


class Sessions:
    def __init__(self, transport: Transport, languages: Sequence[str]) -> None:
        self._transport = transport
        self._languages = languages
        self._alive: list[Session] = []
        self._last_id = 0

    async def create(self, said: Said, sampling: Json = None) -> AsyncGenerator[float | tuple[Session, int], None]:
        """The share of the browser's download in between, at last the session and the window's tokens."""
        session = self._new(said, sampling)
        payload = {"id": session.id, "languages": list(self._languages), "messages": list(said), "sampling": sampling}
        async with aclosing(self._transport.stream("builtin_ai.create", payload)) as steps:
            async for step in steps:
                yield step["share"] if "share" in step else (session, step["context_tokens"])

    async def holding(self, conversation: Said, sampling: Json) -> tuple[Session, int]:
        """A session that holds `conversation` and nothing else, and how many messages of it one held already."""
        fitting = [each for each in self._alive if each.begins(conversation, sampling)]
        best = max(fitting, key=lambda session: len(session.said), default=None)
        if best is None:
            async with aclosing(self.create(conversation, sampling)) as steps:
                (made,) = [step[0] async for step in steps if isinstance(step, tuple)]
            return made, 0
        if len(best.said) == len(conversation):
            return best, len(conversation)
        made = await self.copy(best)
        await self.ask("append", {"id": made.id, "messages": list(conversation[len(best.said) :])})
        return replace(made, said=conversation), len(best.said)

    async def copy(self, session: Session) -> Session:
        """What is asked of the copy the other does not hear."""
        made = self._new(session.said, session.sampling)
        await self.ask("clone", {"id": made.id, "from": session.id})
        return made

    async def keep(self, *sessions: Session) -> None:
        """Gives all others back; only these are gone on from."""
        self._alive = list(sessions)
        await self.ask("keep", {"ids": sorted(session.id for session in sessions)})

    async def count(self, session: Session, messages: Said) -> int:
        """Tokens `messages` would take in `session`."""
        return int((await self.ask("count", {"id": session.id, "messages": list(messages)}))[-1]["tokens"])

    async def ask(self, verb: str, payload: Json) -> list[Json]:
        return await values(self._transport, f"builtin_ai.{verb}", payload)

    def _new(self, said: Said, sampling: Json) -> Session:
        self._last_id += 1
        return Session(self._last_id, said, sampling)
