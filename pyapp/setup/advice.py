"""Which model suits this device, in the catalog's terms, and why: the sentence on the models page.

The largest model that answers at reading speed is the best one, for within a generation of models size is what answers
get better by. Decoding reads every weight once per token, so its speed goes with the bytes of a variant: one measured
speed foretells the others of the same kind of device (Pope et al., arXiv 2211.05102). Before anything was measured, the
kind of device decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pyapp.models.capabilities import Capabilities
from pyapp.models.choice import memory_ceiling
from pyapp.models.manifest import Device, ModelSpec, Variant
from pyapp.setup.catalog import Catalog, Pick

Verdict = Literal["graphics_card", "processor", "one_core", "nothing"]  # what answers will be computed by
Why = Literal["measured", "graphics_card", "processor", "phone"]

READING_TOKENS_PER_S = 8.0  # somewhat faster than people read
# Without a measurement: what a variant may weigh.
GRAPHICS_CARD_BYTES = 1_200_000_000  # an integrated one of the last years reads that 20 times a second
LARGE_GRAPHICS_CARD_BYTES = 2_500_000_000
LARGE_BUFFER_BYTES = 4 << 30  # cards with memory of their own offer buffers of this size
PROCESSOR_BYTES = 400_000_000

Measured = Mapping[tuple[str, Device], float]  # tokens/s by a model's title and the device


@dataclass(frozen=True, slots=True)
class Recommendation:
    model: ModelSpec
    variant: Variant
    why: Why


def verdict(capabilities: Capabilities) -> Verdict:
    if capabilities.webgpu and not capabilities.webgpu.software:
        return "graphics_card"
    if not capabilities.wasm_simd:
        return "nothing"
    threads = capabilities.cross_origin_isolated and capabilities.hardware_concurrency > 1
    return "processor" if threads else "one_core"


def recommend(catalog: Catalog, measured: Measured) -> Recommendation | None:
    """None where nothing fits."""
    picks = [pick for pick in catalog.fitting() if pick[0].parameters]
    if not picks:
        return None
    bytes_per_s = _bytes_per_s(picks, measured)
    fast = [pick for pick in picks if pick[1].bytes <= _most_bytes(pick[1], catalog.capabilities, bytes_per_s)]
    # Of one size the catalog's order; where nothing is fast enough, the smallest is the least slow.
    model, variant = max(fast, key=lambda p: p[0].parameters) if fast else min(picks, key=lambda p: p[1].bytes)
    return Recommendation(model, variant, _why(variant, catalog.capabilities, bytes_per_s))


def _bytes_per_s(picks: Iterable[Pick], measured: Measured) -> dict[Device, float]:
    """Of weights read while decoding, for each device that was measured."""
    found: dict[Device, float] = {}
    for model, variant in picks:
        if speed := measured.get((model.title, variant.device)):
            found[variant.device] = max(found.get(variant.device, 0.0), speed * variant.bytes)
    return found


def _most_bytes(variant: Variant, capabilities: Capabilities, bytes_per_s: Mapping[Device, float]) -> float:
    ceiling = memory_ceiling(capabilities) or float("inf")
    if known := bytes_per_s.get(variant.device):
        return min(ceiling, known / READING_TOKENS_PER_S)
    return min(ceiling, _expected_bytes(variant, capabilities))


def _expected_bytes(variant: Variant, capabilities: Capabilities) -> float:
    adapter = capabilities.webgpu
    if variant.device != "webgpu" or adapter is None:
        return PROCESSOR_BYTES
    return LARGE_GRAPHICS_CARD_BYTES if adapter.max_buffer_bytes >= LARGE_BUFFER_BYTES else GRAPHICS_CARD_BYTES


def _why(variant: Variant, capabilities: Capabilities, bytes_per_s: Mapping[Device, float]) -> Why:
    if capabilities.phone:
        return "phone"
    if variant.device in bytes_per_s:
        return "measured"
    return "graphics_card" if variant.device == "webgpu" else "processor"
