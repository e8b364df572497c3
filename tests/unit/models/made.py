"""Catalog entries made up for tests."""

from __future__ import annotations

import hashlib
from typing import Any

from pyapp.models.manifest import Device, EmbeddedSource, ManifestFile, ModelSpec, Variant


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def file(path: str, content: bytes) -> ManifestFile:
    return ManifestFile(path, f"model/{path}", len(content), sha256(content))


def variant(
    *files: ManifestFile, name: str = "wasm", device: Device = "wasm", features: tuple[str, ...] = ()
) -> Variant:
    return Variant(name, "transformers_js", device, "int8", features, files)


def model(*variants: Variant, name: str = "test") -> ModelSpec:
    return ModelSpec(
        id=name,
        title="Test",
        parameters=1,
        context_tokens=8,
        license="MIT",
        license_url="https://example.org/",
        languages=("en",),
        source=EmbeddedSource("package", "1", "file.gguf", "0" * 64),
        verified=False,
        variants=variants,
    )


def repository(**changes: Any) -> dict[str, Any]:
    """As JSON; without a revision it is not pinned."""
    return {
        "host": "https://huggingface.co",
        "repo": "org/name-onnx",
        "wants": ["config.json", "onnx/model_q4.onnx*"],
        "approximate_bytes": 1000,
    } | changes


def hub_entry(**changes: Any) -> dict[str, Any]:
    """A valid entry of the catalog, as JSON, from a hub."""
    entry: dict[str, Any] = {
        "id": "m",
        "title": "M",
        "parameters": 1,
        "context_tokens": 8,
        "license": "MIT",
        "license_url": "https://example.org/license",
        "languages": ["en", "pt-BR"],
        "source": {"kind": "hub", "host": "https://huggingface.co", "repo": "org/name"},
        "verified": False,
        "variants": [
            {
                "name": "webgpu-q4",
                "engine": "transformers_js",
                "device": "webgpu",
                "dtype": "q4",
                "features": ["shader-f16"],
                "repository": repository(revision="a" * 40),
                "files": [{"path": "onnx/model_q4.onnx", "bytes": 10, "sha256": "1" * 64}],
                "self_test": {"prompt_ids": [1, 2], "next_ids": [0]},
            }
        ],
    }
    return entry | changes
