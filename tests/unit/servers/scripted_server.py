"""Servers for the op "page.fetch_stream", in CPython: a table of answers, and one that behaves as llama.cpp does."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyapp.errors import NetworkFailed
from tests.unit.transport import Forever

Steps = Iterable[Any]  # the status, then bytes; seconds are waited, exceptions raised, Forever never left
Answer = Callable[[Any], Steps]  # the JSON that was posted -> its steps

NOBODY = NetworkFailed("TypeError: Failed to fetch")


def as_json(value: Any, status: int = 200) -> Answer:
    return lambda _body: [status, json.dumps(value).encode()]


@dataclass
class ScriptedServers:
    """A Transport. `answers` are by method and URL; nobody is at any other."""

    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[Any] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)  # URLs whose exchange was ended from our side

    def asked(self) -> list[str]:
        return [f"{request['method']} {request['url']}" for request in self.requests]

    def bodies(self, endpoint: str) -> list[Any]:
        return [json.loads(each["body"]) for each in self.requests if each["url"].endswith(endpoint)]

    async def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        assert op == "page.fetch_stream"
        self.requests.append(payload)
        answer = self.answers.get(f"{payload['method']} {payload['url']}")
        if answer is None:
            raise NOBODY
        try:
            for step in answer(json.loads(payload["body"] or "null")):
                match step:
                    case Exception():
                        raise step
                    case bool():
                        raise AssertionError(step)
                    case int():
                        yield {"status": step, "headers": {"content-type": "text/event-stream"}}
                    case float():
                        await asyncio.sleep(step)
                    case Forever():
                        await asyncio.get_running_loop().create_future()
                    case _:
                        yield {"bytes": base64.b64encode(step).decode()}
        except (GeneratorExit, asyncio.CancelledError):
            self.closed.append(payload["url"])
            raise


BASE = "http://127.0.0.1:8080"


class LlamaCpp(ScriptedServers):
    """A token is a letter of the answer, a word of the prompt; the letters are drawn from the seed."""

    def __init__(self, window: int = 200) -> None:
        super().__init__(
            {
                f"GET {BASE}/v1/models": as_json({"data": [{"id": "m.gguf", "owned_by": "llamacpp"}]}),
                f"GET {BASE}/props": as_json({"default_generation_settings": {"n_ctx": window}}),
                f"POST {BASE}/apply-template": lambda body: as_json({"prompt": _template(body["messages"])})(body),
                f"POST {BASE}/tokenize": lambda body: as_json({"tokens": body["content"].split()})(body),
                f"POST {BASE}/v1/chat/completions": self._answer,
            }
        )

    def _answer(self, body: Any) -> Steps:
        text = _letters(body["seed"] if body["temperature"] else 0, body["max_tokens"])
        cut = min((text.index(stop) for stop in body.get("stop", ()) if stop in text), default=None)
        yield 200
        for letter in text[:cut]:
            yield _event({"choices": [{"delta": {"content": letter}, "finish_reason": None}]})
        usage = {
            "prompt_tokens": len(_template(body["messages"]).split()),
            "completion_tokens": len(text[:cut]),
            "prompt_tokens_details": {"cached_tokens": 2},
        }
        reason = "length" if cut is None else "stop"
        yield _event({"choices": [{"delta": {}, "finish_reason": reason}], "usage": usage}) + b"data: [DONE]\n\n"


def _letters(seed: int, length: int) -> str:
    return "".join(random.Random(seed).choices("abcdefghijklmnopqrstuvwxyz ", k=length))


def _template(messages: Sequence[Any]) -> str:
    return " ".join(f"<{m['role']}> {m['content']}" for m in messages) + " <assistant>"


def _event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
