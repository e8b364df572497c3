"""Makes Chromium's own AI stack run on the fake weights that are compiled into it for its tests.

Debian's Chromium has all of Chrome's Prompt API but the model, and of that only a manifest is missing: which weights,
for what. This writes one, in protobuf's wire format by hand, for the one version whose fields are known. What answers
then is Chromium: its templates, its sessions, its limits, its constrained decoding; only the words are an echo.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

VERSION = "156"  # whose field numbers and flags these are

Mode = Literal["ready", "download"]  # the weights are here, or the browser has to fetch them first

_KEY = "ab" * 32  # of the component that has the weights
_COMPONENT = "2026.1.1.1"
_CONTEXT_TOKENS = 4096
_CATEGORIES = ("cpu", "gpu_low_tier", "gpu_high_tier")


def flags(folder: Path, mode: Mode) -> list[str]:
    """What Chromium is started with; `folder` gets the manifest and the weights."""
    features = (
        "UseFakeChromeML",
        "OptimizationGuideManifestBroker",
        "OnDeviceModelCpuBackend:on_device_cpu_ram_threshold_mb/0/on_device_cpu_processor_count_threshold/1",
    )
    return [
        "--disable-features=Nothing",  # Playwright's own list would turn the whole service off; the last one counts
        f"--enable-features={','.join(features)}",
        f"--optimization-guide-manifest-override={_write(folder, mode)}",
    ]


def _write(folder: Path, mode: Mode) -> Path:
    component = folder / "component"
    component.mkdir(parents=True)
    for place in (folder, component):
        (place / "weights.bin").write_text("fake")
    (folder / "config.pb").write_bytes(_field(1, _field(5, 1)))
    (folder / "manifest.binarypb").write_bytes(_manifest(mode))
    components = {} if mode == "ready" else {_KEY: {_COMPONENT: str(component)}}
    override = folder / "override.json"
    override.write_text(json.dumps({"manifest_path": str(folder), "components": components}))
    return override


def _manifest(mode: Mode) -> bytes:
    """assets, recipes, and what each category of device uses them for."""
    weights = "manifest" if mode == "ready" else "component"
    assets = b"" if mode == "ready" else _field(1, _named(weights, _field(1, _KEY) + _field(2, _COMPONENT)))
    base = _field(1, _reference(weights, "weights.bin")) + _field(2, 2) + _field(3, 2) + _field(5, _CONTEXT_TOKENS)
    solution = _field(1, "base") + _field(3, _reference("manifest", "config.pb"))
    recipes = _field(1, _named("base", base)) + _field(4, _named("solution", solution))
    return _field(1, assets) + _field(2, recipes) + b"".join(_field(3, _named(c, _uses())) for c in _CATEGORIES)


def _uses() -> bytes:
    kind = "type.googleapis.com/optimization_guide.proto.PromptApiFeatureConfig"
    config = _field(1, kind) + _field(2, _field(1, "prompt_api"))
    return _field(1, _named("prompt_api", _field(1, "solution"))) + _field(2, _named("prompt_api", config))


def _named(name: str, value: bytes) -> bytes:
    """An entry of a protobuf map."""
    return _field(1, name) + _field(2, value)


def _reference(asset: str, path: str) -> bytes:
    return _field(1, asset) + _field(2, path)


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])
