"""A catalog of one small model in two variants, and a store that is where the test puts it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyapp.errors import NetworkFailed
from pyapp.models.download import DownloadProgress
from pyapp.models.manifest import ModelSpec, Variant, parse
from pyapp.models.record import Installed
from tests.unit.models.made import repository
from tests.unit.transport import Answer, Forever, ScriptedTransport


def catalog() -> dict[str, Any]:
    def variant(device: str, dtype: str) -> dict[str, Any]:
        file = {"path": f"onnx/model_{dtype}.onnx", "url": f"m/{dtype}.onnx", "bytes": 1000, "sha256": dtype[-1] * 64}
        kind = {"name": device, "engine": "transformers_js", "device": device, "dtype": dtype}
        return kind | {"files": [file], "repository": repository(revision="0" * 40)}

    source = {"kind": "hub", "host": "https://hub.test", "repo": "a/b"}
    model = {
        "id": "tiny",
        "title": "Tiny",
        "parameters": 7,
        "context_tokens": 64,
        "license": "Apache-2.0",
        "license_url": "https://license.test/",
        "languages": ["en", "xx"],
        "source": source,
        "verified": True,
        "variants": [variant("webgpu", "q4"), variant("wasm", "int8")],
    }
    engine = {"files": {"wasm": [{"path": "ort.wasm", "bytes": 900, "wire_bytes": 200}]}}
    return {"format": 1, "models": [model], "engines": {"transformers_js": engine}}


MODEL: ModelSpec = parse(json.dumps(catalog())).models[0]
WEBGPU, WASM = MODEL.variants

GPU = {"vendor": "acme", "architecture": "x", "shader_f16": True, "max_buffer_bytes": 10**9}
PROBE = {"webgpu": None, "cross_origin_isolated": True, "hardware_concurrency": 4, "wasm_simd": True, "wasm_64": True}
DEVICE = {
    "memory_gb": 8,
    "mobile": False,
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "touch_points": 0,
    "builtin_ai": "unavailable",
}
STATUS = {"opfs": True, "persisted": False, "usage_bytes": 0, "quota_bytes": 10**9, "indexed_db_bytes": 5}


def transport(**answers: Any) -> ScriptedTransport:
    """What a healthy page answers; `answers` replaces some ("page_read" for "page.read")."""
    table: dict[str, Answer] = {
        "transformers_js.probe": lambda _: [PROBE],
        "store.status": lambda _: [STATUS],
        "page.device": lambda _: [DEVICE],
        "page.read": lambda _: [{"body": json.dumps(catalog())}],
        "page.persist": lambda _: [{"persisted": True}],
        "page.keep": lambda _: [{"received": 450, "total": 900}, {"received": 900, "total": 900}],
        "page.lock": lambda _: [{"held": True}, Forever()],
        "page.get": lambda _: [{"value": None}],
        "page.put": lambda _: [],
    }
    return ScriptedTransport(table | {name.replace("_", ".", 1): answer for name, answer in answers.items()})


def progress(received: int, **changes: Any) -> DownloadProgress:
    values: dict[str, Any] = {
        "phase": "downloading",
        "checked_bytes": 0,
        "bytes_per_s": 0.0,
        "seconds_left": None,
        "retrying": None,
    }
    return DownloadProgress(received_bytes=received, total_bytes=1000, **(values | changes))


@dataclass
class ScriptedStore:
    """Every download plays the next script: received bytes, an exception, seconds (float); then it is installed."""

    downloads: list[Sequence[int | float | Exception]] = field(default_factory=list)
    here: list[Variant] = field(default_factory=list)
    received: int = 0
    pins: Variant | None = None  # what a hub makes of a variant; None: it cannot be reached

    async def installed(self) -> Sequence[tuple[ModelSpec, Variant]]:
        return [(MODEL, variant) for variant in self.here]

    async def records(self) -> Sequence[Installed]:
        return [Installed(MODEL, variant) for variant in self.here]

    async def pin(self, variant: Variant) -> Variant:
        if self.pins is None:
            raise NetworkFailed("no hub")
        return self.pins

    async def received_bytes(self, variant: Variant) -> int:
        return self.received

    async def download(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[DownloadProgress, None]:
        for step in self.downloads.pop(0) if self.downloads else (500, 1000):
            match step:
                case Exception():
                    raise step
                case float():
                    await asyncio.sleep(step)
                case _:
                    self.received = step
                    yield progress(step)
        self.here.append(variant)

    async def delete(self, model: ModelSpec, variant: Variant) -> None:
        self.here.remove(variant)


@dataclass
class MemoryIntent:
    key: str | None = None

    def get(self) -> str | None:
        return self.key

    def set(self, key: str | None) -> None:
        self.key = key
