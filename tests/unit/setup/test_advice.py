"""What is suggested, on the devices people have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyapp.models.capabilities import Adapter, Capabilities
from pyapp.models.manifest import Device, Manifest, ManifestFile, ModelSpec, Variant
from pyapp.setup.advice import recommend, verdict
from pyapp.setup.catalog import Catalog
from tests.unit.models.made import model

MB = 1_000_000
GPU = Adapter("intel", "gen-12lp", shader_f16=True, max_buffer_bytes=2 << 30)
LAPTOP = Capabilities(
    webgpu=GPU,
    wasm_simd=True,
    wasm_64=True,
    cross_origin_isolated=True,
    hardware_concurrency=8,
    opfs=True,
    persisted=False,
    usage_bytes=0,
    quota_bytes=0,
    memory_gb=8,
)
SOFTWARE = replace(GPU, architecture="swiftshader")


def variant(device: Device, megabytes: int) -> Variant:
    file = ManifestFile("w", "w", megabytes * MB, f"{megabytes:064d}")
    return Variant(device, "transformers_js", device, "q4", (), (file,))


def sized(millions: int, *variants: Variant) -> ModelSpec:
    return replace(model(*variants, name=f"m{millions}"), title=f"M {millions}", parameters=millions * 10**6)


MODELS = (
    sized(135, variant("webgpu", 117), variant("wasm", 160)),
    sized(500, variant("webgpu", 480), variant("wasm", 525)),
    sized(1200, variant("webgpu", 1070), variant("wasm", 800)),
    sized(3200, variant("webgpu", 2300)),
    replace(sized(1, variant("webgpu", 1)), id="own", parameters=0),
)


def suggested(capabilities: Capabilities, measured: Any = None, models: tuple[ModelSpec, ...] = MODELS) -> Any:
    found = recommend(Catalog(capabilities, "auto", Manifest(models)), measured or {})
    return found and (found.model.title, found.variant.device, found.why)


def device(**changes: Any) -> Capabilities:
    return replace(LAPTOP, **changes)


@pytest.mark.parametrize(
    ("capabilities", "suggestion"),
    [
        (LAPTOP, ("M 1200", "webgpu", "graphics_card")),
        (device(webgpu=replace(GPU, max_buffer_bytes=4 << 30), memory_gb=32), ("M 3200", "webgpu", "graphics_card")),
        (device(webgpu=None), ("M 135", "wasm", "processor")),
        (device(webgpu=SOFTWARE), ("M 135", "wasm", "processor")),
        (device(phone=True, memory_gb=4), ("M 500", "webgpu", "phone")),
        (device(phone=True, memory_gb=None, webgpu=None), ("M 135", "wasm", "phone")),
        (device(memory_gb=2, webgpu=GPU), ("M 500", "webgpu", "graphics_card")),
        (device(webgpu=None, wasm_simd=False), None),
    ],
)
def test_by_the_kind_of_device(capabilities: Capabilities, suggestion: Any) -> None:
    assert suggested(capabilities) == suggestion


def test_a_measured_speed_foretells_the_others() -> None:
    fast = {("M 135", "wasm"): 60.0}  # 9.6 GB/s: 1200 MB eight times a second
    assert suggested(device(webgpu=None), fast) == ("M 1200", "wasm", "measured")
    slow = {("M 135", "wasm"): 3.0}
    assert suggested(device(webgpu=None), slow) == ("M 135", "wasm", "measured")  # slow, but what there is
    assert suggested(LAPTOP, fast) == ("M 1200", "webgpu", "graphics_card")  # says nothing of the graphics card


def test_memory_counts_more_than_speed() -> None:
    fast = {("M 135", "webgpu"): 500.0}
    assert suggested(device(phone=True, memory_gb=4), fast) == ("M 500", "webgpu", "phone")


def test_the_browsers_own_model_is_not_compared_by_size() -> None:
    assert suggested(LAPTOP, models=MODELS[-1:]) is None


@pytest.mark.parametrize(
    ("capabilities", "says"),
    [
        (LAPTOP, "graphics_card"),
        (device(webgpu=SOFTWARE), "processor"),
        (device(webgpu=None, cross_origin_isolated=False), "one_core"),
        (device(webgpu=None, wasm_simd=False), "nothing"),
    ],
)
def test_what_the_answers_are_computed_by(capabilities: Capabilities, says: str) -> None:
    assert verdict(capabilities) == says
