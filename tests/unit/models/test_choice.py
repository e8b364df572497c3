"""Which variant a device gets, and the reasons it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyapp.errors import EngineUnavailable
from pyapp.models.capabilities import Adapter, Capabilities, from_wire
from pyapp.models.choice import Fit, choose, fit, memory_ceiling
from pyapp.models.manifest import ManifestFile, ModelSpec, Repository, Variant
from tests.unit.models.made import file, model, variant

GPU = Adapter("intel", "gen-12lp", shader_f16=True, max_buffer_bytes=1 << 30)
ABLE = Capabilities(
    webgpu=GPU,
    wasm_simd=True,
    wasm_64=True,
    cross_origin_isolated=True,
    hardware_concurrency=8,
    opfs=True,
    persisted=False,
    usage_bytes=0,
    quota_bytes=10 << 30,
    memory_gb=8,
)
ON_GPU = variant(file("gpu.onnx", b"g" * 100), name="gpu", device="webgpu")
HALF = variant(file("half.onnx", b"h" * 50), name="half", device="webgpu", features=("shader-f16",))
ON_CPU = variant(file("cpu.onnx", b"c" * 100), name="cpu")
BOTH = model(ON_CPU, ON_GPU)


def able(**changes: Any) -> Capabilities:
    return replace(ABLE, **changes)


def gpu(**changes: Any) -> Capabilities:
    return able(webgpu=replace(GPU, **changes))


def test_webgpu_first_then_wasm() -> None:
    choice = choose(BOTH, ABLE)
    assert (choice.variant, choice.fallbacks, choice.reasons) == (ON_GPU, (ON_CPU,), ())


def test_what_cannot_run_is_nothing_to_fall_back_to() -> None:
    choice = choose(BOTH, able(wasm_simd=False))
    assert (choice.variant, choice.fallbacks, choice.reasons) == (ON_GPU, (), ())


def test_a_gpu_without_half_precision_gets_the_variant_that_does_not_need_it() -> None:
    three = model(HALF, ON_GPU, ON_CPU)
    assert choose(three, ABLE).variant == HALF
    choice = choose(three, gpu(shader_f16=False))
    assert (choice.variant, choice.reasons, choice.fallbacks) == (ON_GPU, ("feature_missing",), (ON_CPU,))


def test_a_feature_nobody_knows_is_missing() -> None:
    odd = variant(file("o", b"o"), device="webgpu", features=("subgroups",))
    assert choose(model(odd, ON_CPU), ABLE).reasons == ("feature_missing",)


@pytest.mark.parametrize(
    ("capabilities", "reason"),
    [
        (able(webgpu=None), "no_webgpu"),
        (gpu(vendor="google", architecture="swiftshader"), "software_adapter"),
        (gpu(vendor="mesa", architecture="llvmpipe"), "software_adapter"),
        (gpu(vendor="Microsoft", architecture="Basic Render Driver"), "software_adapter"),
        (gpu(max_buffer_bytes=99), "buffer_too_small"),
    ],
)
def test_reasons_against_the_gpu(capabilities: Capabilities, reason: str) -> None:
    choice = choose(BOTH, capabilities)
    assert (choice.variant, choice.reasons, choice.fallbacks) == (ON_CPU, (reason,), ())


def test_asking_for_a_device_overrules_doubts_but_not_facts() -> None:
    slow = gpu(architecture="swiftshader", max_buffer_bytes=1)
    assert choose(BOTH, slow, "webgpu").variant == ON_GPU
    assert choose(BOTH, ABLE, "wasm").variant == ON_CPU
    assert choose(BOTH, ABLE, "webgpu").fallbacks == ()
    with pytest.raises(EngineUnavailable) as caught:
        choose(BOTH, able(webgpu=None), "webgpu")
    assert caught.value.details == {"model": "test", "reasons": ["no_webgpu"]}


def huge() -> ModelSpec:
    part = ManifestFile("huge", "huge", 1 << 32, "5" * 64)
    return model(variant(part, name="huge"))


@pytest.mark.parametrize(
    ("spec", "capabilities", "reasons"),
    [
        (model(ON_CPU), able(wasm_simd=False), ["no_wasm_simd"]),
        (model(replace(ON_CPU, engine="wllama")), able(wasm_64=False), ["no_wasm_64"]),
        (BOTH, able(wasm_simd=False, webgpu=None), ["no_webgpu", "no_wasm_simd"]),
        (huge(), ABLE, ["too_big_for_wasm"]),
        (model(variant(), variant(name="g", device="webgpu")), ABLE, ["not_built"]),
    ],
)
def test_nothing_can_run(spec: ModelSpec, capabilities: Capabilities, reasons: list[str]) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        choose(spec, capabilities)
    assert caught.value.details["reasons"] == reasons


def test_what_the_user_may_want_to_know() -> None:
    tight = able(webgpu=None, cross_origin_isolated=False, opfs=False, quota_bytes=150, usage_bytes=100)
    expected = ("no_webgpu", "single_thread", "kept_until_tab_closes", "space_may_be_short")
    assert choose(BOTH, tight).reasons == expected
    assert choose(model(ON_CPU), able(hardware_concurrency=1)).reasons == ("single_thread",)
    assert choose(model(ON_CPU), able(quota_bytes=0)).reasons == ()


def test_free_space_is_never_negative() -> None:
    assert able(quota_bytes=5, usage_bytes=9).free_bytes == 0
    assert able(quota_bytes=0).free_bytes is None


def test_capabilities_from_the_probe_and_the_store() -> None:
    probe = {
        "webgpu": {"shader_f16": True, "max_buffer_bytes": 1 << 30, "vendor": "intel", "architecture": "gen-12lp"},
        "cross_origin_isolated": True,
        "hardware_concurrency": 8,
        "wasm_simd": True,
        "wasm_64": True,
    }
    status = {"opfs": True, "persisted": False, "usage_bytes": 0, "quota_bytes": 10 << 30, "indexed_db_bytes": None}
    device = {"memory_gb": 8, "mobile": None, "user_agent": "", "touch_points": 0, "builtin_ai": "missing"}
    assert from_wire(probe, status, device) == ABLE
    assert from_wire(probe | {"webgpu": None}, status, device).webgpu is None


@pytest.mark.parametrize(
    ("mobile", "user_agent", "touch_points", "phone"),
    [
        (True, "Mozilla/5.0 (Linux; Android 16)", 5, True),
        (False, "Mozilla/5.0 (Linux; Android 16; Tablet)", 5, True),
        (False, "Mozilla/5.0 (Windows NT 10.0)", 10, False),
        (None, "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0)", 5, True),
        (None, "Mozilla/5.0 (Macintosh; Intel Mac OS X)", 5, True),
        (None, "Mozilla/5.0 (Macintosh; Intel Mac OS X)", 0, False),
        (None, "Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko", 5, True),
        (None, "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko", 0, False),
    ],
)
def test_what_is_a_phone(mobile: bool | None, user_agent: str, touch_points: int, phone: bool) -> None:
    device = {"memory_gb": None, "mobile": mobile, "user_agent": user_agent, "touch_points": touch_points}
    probe = {
        "webgpu": None,
        "cross_origin_isolated": True,
        "hardware_concurrency": 8,
        "wasm_simd": True,
        "wasm_64": True,
    }
    status = {"opfs": True, "persisted": False, "usage_bytes": 0, "quota_bytes": 0, "indexed_db_bytes": None}
    assert from_wire(probe, status, device | {"builtin_ai": "unavailable"}).phone == phone


def test_an_mlc_model_needs_its_library() -> None:
    weights = variant(file("params_shard_0.bin", b"w"), device="webgpu")
    assert fit(replace(weights, engine="webllm"), ABLE).reasons == ("no_model_library",)
    whole = variant(file("params_shard_0.bin", b"w"), file("lib.wasm", b"l"), device="webgpu")
    assert fit(replace(whole, engine="webllm"), ABLE).verdict == "fits"
    there = Repository("https://hub.example", "a/b", ("params_shard_*", "*.wasm"), 1)
    assert fit(replace(weights, engine="webllm", files=(), repository=there), ABLE).verdict == "fits"
    assert fit(replace(weights, engine="webllm", files=(), repository=None), ABLE).reasons == ("not_built",)


def test_the_browsers_own_model_comes_last_and_only_where_there_is_one() -> None:
    own = Variant("own", "builtin_ai", "browser", "own", (), ())
    both = model(own, ON_CPU)
    assert choose(both, able(builtin_ai="downloadable")).fallbacks == (own,)
    assert choose(both, ABLE).fallbacks == ()
    assert fit(own, ABLE).reasons == ("no_builtin_ai",)
    assert fit(own, able(builtin_ai="unavailable")).reasons == ("builtin_ai_unavailable",)
    assert fit(own, able(builtin_ai="downloading")) == Fit("fits", ("browser_downloads",))
    assert fit(own, able(builtin_ai="available", opfs=False)) == Fit("fits", ())


def test_what_is_not_pinned_may_be_chosen_by_its_estimate() -> None:
    there = Repository("https://hub.example", "a/b", ("x",), 1 << 33)
    assert fit(replace(ON_CPU, files=(), repository=there), ABLE).reasons == ("too_big_for_wasm",)
    small = replace(there, approximate_bytes=1 << 20)
    assert fit(replace(ON_GPU, files=(), repository=small), ABLE).verdict == "fits"


GIB = 1 << 30


@pytest.mark.parametrize(
    ("capabilities", "ceiling"),
    [
        (able(memory_gb=8), None),
        (able(memory_gb=None), None),
        (able(memory_gb=4), GIB),
        (able(memory_gb=0.5), GIB / 4),
        (able(memory_gb=8, phone=True), GIB),
        (able(memory_gb=None, phone=True), GIB / 2),  # Safari does not say
        (able(memory_gb=1, phone=True), GIB / 4),
    ],
)
def test_what_is_no_risk_to_the_page(capabilities: Capabilities, ceiling: float | None) -> None:
    assert memory_ceiling(capabilities) == ceiling


def test_a_phone_is_not_given_what_may_end_the_page() -> None:
    large = replace(ON_GPU, files=(ManifestFile("w", "w", GIB, "7" * 64),))
    phone = able(phone=True, memory_gb=4)
    assert fit(large, phone).reasons == ("memory_too_small",)
    choice = choose(model(large, ON_CPU), phone)
    assert (choice.variant, choice.reasons) == (ON_CPU, ("memory_too_small",))
    assert choose(model(large, ON_CPU), phone, "webgpu").variant == large  # who asks for it gets it
