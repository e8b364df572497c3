"""WebLLM's worker as the wire knows it; it makes its text up. A token is a letter, a word a prompt token."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Any

from pyapp.errors import CandilError, NotLoaded


@dataclass
class ScriptedWebllm:
    failures: dict[str, list[CandilError]] = field(default_factory=dict)  # by op, raised once each
    cut: bool = False  # an answer has no figures
    calls: list[tuple[str, Any]] = field(default_factory=list)
    loaded: bool = False
    cached: int = 0

    async def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        self.calls.append((op, payload))
        if self.failures.get(op):
            raise self.failures[op].pop(0)
        for value in getattr(self, "_" + op.replace(".", "_"))(payload):
            yield value

    def _page_replace_worker(self, payload: Any) -> Iterable[Any]:
        assert payload == {"worker": "webllm"}
        self.loaded = False
        return ()

    def _webllm_load(self, payload: Any) -> Iterable[Any]:
        yield {"stage": "reading", "fraction": None}
        yield {"stage": "session", "fraction": 0.5}
        self.loaded = True

    def _webllm_count(self, payload: Any) -> Iterable[Any]:
        if not self.loaded:
            raise NotLoaded()
        yield {"tokens": [len(text.split()) for text in payload["texts"]]}

    def _webllm_generate(self, payload: Any) -> Iterable[Any]:
        sampling = payload["sampling"]
        draw = random.Random(sampling["seed"] if sampling["temperature"] else "greedy")
        for _ in range(payload["max_new_tokens"]):
            yield {"piece": draw.choice("abcdefghijklmnopqrst")}
        words = sum(len(message["content"].split()) for message in payload["messages"])
        figures = {"prompt_tokens": words - self.cached, "new_tokens": payload["max_new_tokens"]}
        if not self.cut:
            yield {"finished": {"reason": "length", "prefill_ms": 5.0, "decode_ms": 9.0, **figures}}
