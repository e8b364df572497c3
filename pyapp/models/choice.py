"""Which variant of a model this browser runs, and why.

WebGPU first, then WASM. A reason is a stable code; the languages have its sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pyapp.errors import EngineUnavailable
from pyapp.models.capabilities import BuiltinAi, Capabilities
from pyapp.models.manifest import Device, ModelSpec, Variant

Preference = Literal["auto", "wasm", "webgpu"]
Reason = Literal[
    # why a variant cannot run
    "not_built",  # the catalog entry has no files
    "no_webgpu",
    "feature_missing",
    "no_wasm_simd",
    "no_wasm_64",
    "too_big_for_wasm",
    "no_model_library",
    "no_builtin_ai",
    "builtin_ai_unavailable",
    # why it can, but is not taken unless the user asks for its device
    "software_adapter",
    "buffer_too_small",
    "memory_too_small",
    # what the user may want to know about the one taken
    "single_thread",
    "kept_until_tab_closes",
    "space_may_be_short",
    "browser_downloads",
]

_BROWSER_BLOCKS: Mapping[BuiltinAi, tuple[Reason, ...]] = {
    "missing": ("no_builtin_ai",),
    "unavailable": ("builtin_ai_unavailable",),
}
ORDER: tuple[Device, ...] = ("webgpu", "wasm", "browser")
WASM_HEAP_BYTES = 2**32  # 32-bit addresses
SMALLEST_CEILING = 2**28  # below it there would be nothing to offer


@dataclass(frozen=True, slots=True)
class Choice:
    """`variant`, then what to try when it fails to load. `reasons`: why not an earlier one, and what to know."""

    variant: Variant
    reasons: tuple[Reason, ...]
    fallbacks: tuple[Variant, ...] = ()


def memory_ceiling(capabilities: Capabilities) -> float | None:
    """Bytes of weights that are no risk to the page; None: nobody can tell.

    A phone's system ends a page at a third or half of the memory, without asking, and while a model is loaded its
    weights are there twice beside the page itself. A browser that says 8 GB means at least 8.
    """
    known = capabilities.memory_gb
    if capabilities.phone:
        return max(SMALLEST_CEILING, (known or 4) * 2**30 / 8)
    return max(SMALLEST_CEILING, known * 2**30 / 4) if known is not None and known < 8 else None


def choose(model: ModelSpec, capabilities: Capabilities, device: Preference = "auto") -> Choice:
    """The best variant of `model` for `device`.

    Raises EngineUnavailable (details: model, reasons) when none can run.
    """
    wanted = [v for d in ORDER for v in model.variants if v.device == d and device in ("auto", d)]
    fits: list[Variant] = []
    reasons: list[Reason] = []
    for variant in wanted:
        against = _blockers(variant, capabilities) or (_doubts(variant, capabilities) if device == "auto" else ())
        if not against:
            fits.append(variant)
        elif not fits:
            reasons.extend(against)
    if not fits:
        unique = list(dict.fromkeys(reasons))
        raise EngineUnavailable(f"{model.id} cannot run here", model=model.id, reasons=unique)
    reasons.extend(_remarks(fits[0], capabilities))
    return Choice(fits[0], tuple(dict.fromkeys(reasons)), tuple(fits[1:]))


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether one variant runs here: "doubtful" is only taken when the user asks for it.

    `reasons`: why not, or what to know of one that fits.
    """

    verdict: Literal["fits", "doubtful", "no"]
    reasons: tuple[Reason, ...]


def fit(variant: Variant, capabilities: Capabilities) -> Fit:
    if blockers := _blockers(variant, capabilities):
        return Fit("no", blockers)
    if doubts := _doubts(variant, capabilities):
        return Fit("doubtful", doubts)
    return Fit("fits", tuple(_remarks(variant, capabilities)))


def _blockers(variant: Variant, capabilities: Capabilities) -> tuple[Reason, ...]:
    if variant.device == "server":
        return ()
    if variant.device == "browser":
        return _BROWSER_BLOCKS.get(capabilities.builtin_ai, ())
    if variant.pinned and not variant.files:
        return ("not_built",)
    if variant.engine == "wllama" and not capabilities.wasm_64:
        return ("no_wasm_64",)
    if variant.engine == "webllm" and not _has_library(variant):
        return ("no_model_library",)
    if variant.device == "wasm":
        if not capabilities.wasm_simd:
            return ("no_wasm_simd",)
        return ("too_big_for_wasm",) if variant.bytes >= WASM_HEAP_BYTES else ()
    if capabilities.webgpu is None:
        return ("no_webgpu",)
    offered = {"shader-f16"} if capabilities.webgpu.shader_f16 else set()
    return () if offered.issuperset(variant.features) else ("feature_missing",)


def _has_library(variant: Variant) -> bool:
    """MLC's models need a program for the GPU that is not always published with their weights."""
    names = [file.path for file in variant.files] or (variant.repository.wants if variant.repository else ())
    return any(name.endswith(".wasm") for name in names)


def _doubts(variant: Variant, capabilities: Capabilities) -> tuple[Reason, ...]:
    ceiling, adapter = memory_ceiling(capabilities), capabilities.webgpu
    if ceiling is not None and variant.bytes > ceiling:
        return ("memory_too_small",)
    if variant.device != "webgpu" or adapter is None:
        return ()
    if adapter.software:
        return ("software_adapter",)
    # A file is at least as big as each tensor in it, so this may refuse one that would run; asking for webgpu tries it.
    largest = max((f.bytes for f in variant.files), default=0)  # not known before it is pinned
    return ("buffer_too_small",) if largest > adapter.max_buffer_bytes else ()


def _remarks(variant: Variant, capabilities: Capabilities) -> list[Reason]:
    if variant.device == "browser":  # which keeps it where it likes
        return [] if capabilities.builtin_ai == "available" else ["browser_downloads"]
    remarks: list[Reason] = []
    if variant.device == "wasm" and not (capabilities.cross_origin_isolated and capabilities.hardware_concurrency > 1):
        remarks.append("single_thread")
    if not capabilities.opfs:
        remarks.append("kept_until_tab_closes")
    if capabilities.free_bytes is not None and capabilities.free_bytes < variant.bytes:
        remarks.append("space_may_be_short")
    return remarks
