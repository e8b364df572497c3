"""When an answer was slow, and what would have made it faster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyapp.chat.tree import Origin
from pyapp.engine import Usage
from pyapp.figures import Advice, Conditions, advice, conditions, prefill_tokens, prefill_tokens_per_s, seconds, where
from pyapp.models.capabilities import Adapter, Capabilities
from pyapp.models.manifest import Manifest
from pyapp.setup.catalog import Catalog
from tests.unit.setup.scripted import MODEL

WRITING = Usage(prompt_tokens=100, cached_tokens=60, new_tokens=100, prefill_ms=2000, decode_ms=38_000)
READING = Usage(prompt_tokens=5000, cached_tokens=0, new_tokens=10, prefill_ms=38_000, decode_ms=2000)
LONG = replace(WRITING, new_tokens=900)
WASM, WEBGPU = Origin("Tiny", "wasm"), Origin("Tiny", "webgpu")
GPU = Adapter("acme", "x", shader_f16=True, max_buffer_bytes=10**9)
SOFTWARE = replace(GPU, vendor="SwiftShader")
DEVICE = Capabilities(
    webgpu=None,
    wasm_simd=True,
    wasm_64=True,
    cross_origin_isolated=True,
    hardware_concurrency=4,
    opfs=True,
    persisted=False,
    usage_bytes=0,
    quota_bytes=0,
)


def given(*, smaller_model: bool = False, **changes: Any) -> Conditions:
    return Conditions(capabilities=replace(DEVICE, **changes), smaller_model=smaller_model)


def test_what_an_answer_took() -> None:
    assert seconds(WRITING) == 40
    assert prefill_tokens(WRITING) == 40
    assert prefill_tokens_per_s(WRITING) == 20
    assert prefill_tokens_per_s(replace(WRITING, prefill_ms=0)) == 0


@pytest.mark.parametrize(("budget_s", "slow"), [(39.9, True), (40, False), (3600, False)])
def test_the_budget_is_the_users(budget_s: float, slow: bool) -> None:
    assert bool(advice(WRITING, WASM, Conditions(budget_s))) == slow


@pytest.mark.parametrize(
    ("usage", "origin", "given_", "expected"),
    [
        (WRITING, WASM, Conditions(), ("other_programs",)),
        (WRITING, WASM, given(cross_origin_isolated=False), ("threads", "webgpu_browser")),
        (WRITING, WASM, given(cross_origin_isolated=False, hardware_concurrency=1, webgpu=SOFTWARE), None),
        (WRITING, WASM, given(webgpu=GPU), ("graphics_card",)),
        (WRITING, WASM, given(cross_origin_isolated=False, webgpu=GPU), ("threads", "graphics_card")),
        (WRITING, WEBGPU, given(webgpu=GPU, cross_origin_isolated=False), ("other_programs",)),
        (READING, WEBGPU, given(webgpu=GPU), ("long_context",)),
        (LONG, WASM, given(), ("long_answer", "webgpu_browser")),
        (LONG, WASM, given(webgpu=GPU, smaller_model=True), ("graphics_card", "long_answer")),
        (WRITING, WASM, given(webgpu=SOFTWARE, smaller_model=True), ("smaller_model",)),
    ],
)
def test_what_would_make_it_faster(
    usage: Usage, origin: Origin, given_: Conditions, expected: tuple[Advice, ...] | None
) -> None:
    assert advice(usage, origin, given_) == (expected or ("other_programs",))


@pytest.mark.parametrize(("parameters", "smaller"), [(6, False), (7, False), (8, True)])
def test_what_is_known_of_the_device(parameters: int, smaller: bool) -> None:
    catalog = Catalog(DEVICE, "auto", Manifest((MODEL,)))
    assert conditions(None, MODEL, 5) == Conditions(5)
    assert conditions(catalog, None, 5) == Conditions(5, DEVICE)
    assert conditions(catalog, replace(MODEL, parameters=parameters), 5) == Conditions(5, DEVICE, smaller)


@pytest.mark.parametrize(
    ("host", "far"),
    [
        ("", "here"),
        ("localhost:1234", "this_computer"),
        ("[::1]", "this_computer"),
        ("192.168.1.5:8080", "sent"),
        ("api.example.org", "sent"),
        ("no host at all", "sent"),
    ],
)
def test_how_far_the_words_went(host: str, far: str) -> None:
    assert where(Origin("Tiny", "server", "openai_http", host)) == far


def test_a_server_is_not_this_device() -> None:
    origin = Origin("Tiny", "server", "openai_http", "localhost:1234")
    assert advice(WRITING, origin, given(smaller_model=True, webgpu=GPU)) == ()
    assert advice(LONG, origin, given()) == ("long_answer",)
