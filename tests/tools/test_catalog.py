"""The catalog of this repository: valid, honest, and of use on the devices people have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pyapp.models.capabilities import Adapter, Capabilities
from pyapp.models.choice import fit
from pyapp.models.manifest import ENGINES, BrowserSource, EmbeddedSource, HubSource, ModelSpec, Variant, parse
from tools.pin.layout import laid_out

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "model_manifest.json").read_text("utf-8")
DOCUMENT: dict[str, Any] = json.loads(TEXT)
MODELS = parse(TEXT).models
VARIANTS = [(model, variant) for model in MODELS for variant in model.variants]
FROM_HUBS = [(model, variant) for model, variant in VARIANTS if isinstance(model.source, HubSource)]
WEIGHTS = {"transformers_js": "onnx/model_", "wllama": ".gguf", "webllm": "params_shard_"}


def named(pick: object) -> str:
    return pick.id if isinstance(pick, ModelSpec) else pick.name if isinstance(pick, Variant) else str(pick)


def test_it_is_what_its_schema_says_and_laid_out_as_the_tool_does() -> None:
    Draft202012Validator(json.loads((ROOT / "model_manifest.schema.json").read_text("utf-8"))).validate(DOCUMENT)
    assert laid_out(DOCUMENT) == TEXT


def test_there_is_something_for_everybody() -> None:
    assert len(VARIANTS) >= 20
    assert {variant.engine for _, variant in VARIANTS} == ENGINES
    assert isinstance(MODELS[0].source, EmbeddedSource)  # what a newcomer is offered comes with this site


@pytest.mark.parametrize(("model", "variant"), FROM_HUBS, ids=named)
def test_no_entry_claims_a_hash_nobody_computed(model: ModelSpec, variant: Variant) -> None:
    """Only `tools.pin` and the page write hashes, always with the commit they are of, and for every file they want."""
    (entry,) = (each for each in DOCUMENT["models"] if each["id"] == model.id)
    (written,) = (each for each in entry["variants"] if each["name"] == variant.name)
    if "revision" not in written["repository"]:
        assert "files" not in written
        assert "sha256" not in json.dumps(written)
        assert not variant.pinned
        return
    plain = {want for want in written["repository"]["wants"] if "*" not in want}
    assert plain <= {file["path"] for file in written["files"]}
    assert len({file["sha256"] for file in written["files"]}) == len(written["files"])  # made-up hashes repeat


@pytest.mark.parametrize(("model", "variant"), FROM_HUBS, ids=named)
def test_a_variant_wants_weights_and_its_estimate_is_possible(model: ModelSpec, variant: Variant) -> None:
    assert variant.repository is not None
    assert any(WEIGHTS[variant.engine] in want for want in variant.repository.wants)
    bits = 8 * variant.repository.approximate_bytes / model.parameters
    assert 1.5 < bits < 17  # ternary to half precision, or 4 bits under a large vocabulary in full
    assert ("shader-f16" in variant.features) == ("f16" in variant.dtype)
    assert not model.verified  # nobody of this project has run it


def test_an_engine_runs_where_it_can() -> None:
    places = {(variant.engine, variant.device) for _, variant in VARIANTS}
    assert places <= {
        ("transformers_js", "webgpu"),
        ("transformers_js", "wasm"),
        ("wllama", "wasm"),
        ("webllm", "webgpu"),
        ("builtin_ai", "browser"),
    }
    for model, variant in VARIANTS:
        assert (variant.device == "browser") == isinstance(model.source, BrowserSource)


def device(webgpu: Adapter | None = None, **changes: Any) -> Capabilities:
    values: dict[str, Any] = {
        "webgpu": webgpu,
        "wasm_simd": True,
        "wasm_64": True,
        "cross_origin_isolated": True,
        "hardware_concurrency": 8,
        "opfs": True,
        "persisted": False,
        "usage_bytes": 0,
        "quota_bytes": 10 << 30,
    }
    return Capabilities(**(values | changes))


ADRENO = Adapter("qualcomm", "adreno-7xx", shader_f16=True, max_buffer_bytes=1 << 30)
IRIS = Adapter("intel", "gen-12lp", shader_f16=True, max_buffer_bytes=2 << 30)
GEFORCE = Adapter("nvidia", "ada", shader_f16=True, max_buffer_bytes=4 << 30)
DEVICES = {
    "phone of 4 GB without WebGPU": device(memory_gb=4, phone=True),
    "phone with WebGPU": device(ADRENO, memory_gb=8, phone=True),
    "laptop of 8 GB with an integrated GPU": device(IRIS, memory_gb=8),
    "desktop": device(GEFORCE, memory_gb=32, builtin_ai="downloadable"),
}


@pytest.mark.parametrize("name", DEVICES)
def test_every_device_has_a_model_that_fits(name: str) -> None:
    fitting = [(model.id, variant) for model, variant in FROM_HUBS if fit(variant, DEVICES[name]).verdict == "fits"]
    assert fitting
    if DEVICES[name].webgpu is None:
        assert {variant.device for _, variant in fitting} == {"wasm"}


def test_chromes_own_model_fits_only_where_chrome_has_it() -> None:
    (own,) = (variant for _, variant in VARIANTS if variant.engine == "builtin_ai")
    verdicts = {name: fit(own, capabilities).verdict for name, capabilities in DEVICES.items()}
    assert [name for name, verdict in verdicts.items() if verdict == "fits"] == ["desktop"]
