"""A browser with a model of its own: it keeps the wire protocol and makes its text up."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Any

from pyapp.errors import CandilError, ContextOverflow, NotLoaded


@dataclass
class ScriptedBrowser:
    """A Transport. Its answers are letters drawn from what the session holds; a word is a token."""

    availability: str = "available"
    sampling: dict[str, float] | None = None
    window: int = 200
    answer: list[dict[str, Any]] | None = None  # instead of letters
    failures: dict[str, list[CandilError]] = field(default_factory=dict)  # by verb, raised once each
    calls: list[tuple[str, Any]] = field(default_factory=list)
    sessions: dict[int, list[Any]] = field(default_factory=dict)

    async def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        engine, verb = op.split(".")
        assert engine == "builtin_ai"
        self.calls.append((verb, payload))
        if self.failures.get(verb):
            raise self.failures[verb].pop(0)
        for value in getattr(self, "_" + verb)(payload):
            yield value

    def verbs(self) -> list[str]:
        """What was asked, counting aside."""
        return [verb for verb, _ in self.calls if verb != "count"]

    def _probe(self, payload: Any) -> Iterable[Any]:
        yield {"availability": self.availability, "sampling": self.sampling}

    def _download(self, payload: Any) -> Iterable[Any]:
        yield from ({"share": 0}, {"share": 0.5}, {"share": 1})
        self.availability = "available"

    def _create(self, payload: Any) -> Iterable[Any]:
        if self.availability != "available":
            yield from self._download(payload)
        self.sessions[payload["id"]] = list(payload["messages"])
        yield {"context_tokens": self.window}

    def _session(self, id_: int) -> list[Any]:
        if id_ not in self.sessions:
            raise NotLoaded()
        return self.sessions[id_]

    def _clone(self, payload: Any) -> Iterable[Any]:
        self.sessions[payload["id"]] = [*self._session(payload["from"])]
        return ()

    def _append(self, payload: Any) -> Iterable[Any]:
        assert all(message["role"] != "system" for message in payload["messages"])
        self._session(payload["id"]).extend(payload["messages"])
        return ()

    def _count(self, payload: Any) -> Iterable[Any]:
        self._session(payload["id"])
        yield {"tokens": 4 + sum(len(message["content"].split()) for message in payload["messages"])}

    def _generate(self, payload: Any) -> Iterable[Any]:
        held = self._session(payload["id"])
        held.extend(payload["messages"])
        if sum(len(message["content"].split()) for message in held) > self.window:
            raise ContextOverflow(prompt_tokens=self.window + 1, context_tokens=self.window)
        draw = random.Random(json.dumps(held))
        letters = [{"piece": draw.choice("abcdefghij")} for _ in range(20)]
        pieces = letters if self.answer is None else self.answer
        yield from pieces
        text = "".join(piece.get("piece", "") for piece in pieces)
        if payload["messages"][-1].get("prefix"):
            held[-1] = {"role": "assistant", "content": held[-1]["content"] + text}
        else:
            held.append({"role": "assistant", "content": text})

    def _keep(self, payload: Any) -> Iterable[Any]:
        assert set(payload["ids"]) <= set(self.sessions)
        self.sessions = {id_: self.sessions[id_] for id_ in payload["ids"]}
        return ()
