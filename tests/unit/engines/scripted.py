"""A worker that needs no browser: it keeps the wire protocol and makes its text up."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from pyapp.errors import CandilError, NotLoaded
from pyapp.models.manifest import EmbeddedSource, ManifestFile, ModelSpec, SelfTest, Variant

FILES = (
    ManifestFile("config.json", "models/config.json", 2, "a" * 64),
    ManifestFile("onnx/model_int8.onnx", "models/model.onnx", 9, "b" * 64),
)
VARIANT = Variant("wasm-int8", "transformers_js", "wasm", "int8", (), FILES, SelfTest((1, 2), (3, 4, 5)))
MODEL = ModelSpec(
    id="tiny",
    title="Tiny",
    parameters=1000,
    context_tokens=200,
    license="MIT",
    license_url="https://example.org/license",
    languages=("en",),
    source=EmbeddedSource("tiny", "1", "tiny.gguf", "c" * 64),
    verified=True,
    variants=(VARIANT,),
)


@dataclass
class ScriptedWorker:
    """A Transport. Its answers are letters drawn from the seed; a token is a letter, a word a prompt token."""

    name: str = "transformers_js"
    next_ids: list[int] = field(default_factory=lambda: [3, 4, 5])
    probe: dict[str, Any] = field(default_factory=lambda: {"cross_origin_isolated": True, "hardware_concurrency": 8})
    failures: dict[str, list[CandilError]] = field(default_factory=dict)  # by op, raised once each
    silent: set[str] = field(default_factory=set)  # ops that end without a value
    calls: list[tuple[str, Any]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)  # ops that were aborted
    loaded: bool = False

    async def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        self.calls.append((op, payload))
        if self.failures.get(op):
            raise self.failures[op].pop(0)
        if op in self.silent:
            return
        worker, verb = op.split(".")
        assert worker in ("page", self.name)
        values = getattr(self, f"_{verb}")(payload)
        try:
            for value in values:
                yield value
        except GeneratorExit:
            self.closed.append(op)
            raise

    def ops(self) -> list[str]:
        return [op for op, _ in self.calls]

    def _replace_worker(self, payload: Any) -> list[Any]:
        assert payload == {"worker": self.name}
        self.loaded = False
        return []

    def _probe(self, payload: Any) -> list[Any]:
        return [self.probe]

    def _load(self, payload: Any) -> list[Any]:
        self.loaded = True
        return [{"stage": "reading"}, {"stage": "session"}]

    def _self_test(self, payload: Any) -> list[Any]:
        return [{"next_ids": self.next_ids[: payload["steps"]]}]

    def _embed(self, payload: Any) -> list[Any]:
        return [{"vector": [float(len(text))]} for text in payload["texts"]]

    def _count(self, payload: Any) -> list[Any]:
        if not self.loaded:
            raise NotLoaded()
        return [{"tokens": 4 + sum(len(message["content"].split()) for message in payload["messages"])}]

    def _score(self, payload: Any) -> list[Any]:
        assert self.loaded
        return [{"scores": [-1.0 - len(candidate) for candidate in payload["candidates"]]}]

    def _generate(self, payload: Any) -> list[Any]:
        tokens = self._count(payload)[0]["tokens"]
        sampling = payload["sampling"]
        draw = random.Random(sampling["seed"] if sampling["temperature"] else "greedy")
        letters = "".join(draw.choice("abcdefghijklmnopqrst") for _ in range(payload["max_new_tokens"]))
        cuts = [letters.index(stop) for stop in payload["stop"] if stop in letters]
        text = letters[: min(cuts, default=len(letters))]
        return [
            *({"text": letter} for letter in text),
            {
                "finished": {
                    "reason": "stop" if cuts else "length",
                    "prompt_tokens": tokens,
                    "cached_tokens": 0,
                    "new_tokens": len(text) or 1,
                    "prefill_ms": 5.0,
                    "decode_ms": 10.0,
                }
            },
        ]
