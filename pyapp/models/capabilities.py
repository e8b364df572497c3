"""What this browser on this machine can do, as the engine's probe and the store report it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

# Adapters that compute on the CPU: slower than the WASM engine on the same CPU.
_SOFTWARE = ("swiftshader", "llvmpipe", "lavapipe", "softpipe", "basic render", "software")


@dataclass(frozen=True, slots=True)
class Adapter:
    """A WebGPU adapter. Browsers may leave `vendor` and `architecture` empty."""

    vendor: str
    architecture: str
    shader_f16: bool
    max_buffer_bytes: int

    @property
    def software(self) -> bool:
        name = f"{self.vendor} {self.architecture}".lower()
        return any(word in name for word in _SOFTWARE)


# As LanguageModel.availability() says; "missing" where there is no LanguageModel.
BuiltinAi = Literal["missing", "unavailable", "downloadable", "downloading", "available"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    webgpu: Adapter | None
    wasm_simd: bool
    wasm_64: bool  # 64-bit memory, and code in it that can wait (JSPI): llama.cpp needs both
    cross_origin_isolated: bool  # without it the WASM engine has one thread
    hardware_concurrency: int
    opfs: bool  # without it, models last until the tab closes
    persisted: bool  # the browser promised not to evict
    usage_bytes: int
    quota_bytes: int  # an estimate; Chrome says 10 GiB whatever the disk has. 0 is unknown
    memory_gb: float | None = None  # of the whole device, rounded and capped by the browser; only Chromium says
    phone: bool = False  # or a tablet: the system ends a page that takes much memory
    builtin_ai: BuiltinAi = "missing"

    @property
    def free_bytes(self) -> int | None:
        """Bytes the estimate leaves, None when there is no estimate."""
        return max(0, self.quota_bytes - self.usage_bytes) if self.quota_bytes else None


def from_wire(probe: Mapping[str, Any], status: Mapping[str, Any], device: Mapping[str, Any]) -> Capabilities:
    """The values of `transformers_js.probe`, `store.status` and `page.device`."""
    gpu = probe["webgpu"]
    return Capabilities(
        webgpu=None
        if gpu is None
        else Adapter(gpu["vendor"], gpu["architecture"], gpu["shader_f16"], gpu["max_buffer_bytes"]),
        wasm_simd=probe["wasm_simd"],
        wasm_64=probe["wasm_64"],
        cross_origin_isolated=probe["cross_origin_isolated"],
        hardware_concurrency=probe["hardware_concurrency"],
        opfs=status["opfs"],
        persisted=status["persisted"],
        usage_bytes=status["usage_bytes"],
        quota_bytes=status["quota_bytes"],
        memory_gb=device["memory_gb"],
        phone=_is_phone(device),
        builtin_ai=device["builtin_ai"],
    )


def _is_phone(device: Mapping[str, Any]) -> bool:
    """Or a tablet. An iPad says it is a Mac, but no Mac has a touch screen."""
    if device["mobile"] is not None:
        return bool(device["mobile"]) or "Android" in device["user_agent"]
    agent = device["user_agent"]
    tablet = "Macintosh" in agent and device["touch_points"] > 1
    return tablet or any(word in agent for word in ("iPhone", "iPad", "Android"))
