"""The catalog as served: the repository's, with what only the build knows filled in.

That is the embedded model's files, and how many bytes of engine code somebody accepts with an engine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.build.cache import sha256
from tools.build.layout import BuildError

FOLDER = "models/smollm2-135m-instruct"
GGUF = ("wllama", "")


def model_files(prepared: Path) -> dict[str, Path]:
    """{path in the site: file}. The folder is named by what it holds, so it may be cached for ever."""
    folder = model_folder(prepared)
    listed = json.loads((prepared / "candil.json").read_text("utf-8"))
    paths = {file["path"] for variant in listed["variants"] for file in variant["files"]}
    return {f"{folder}/{path}": prepared / path for path in sorted(paths)}


def model_folder(prepared: Path) -> str:
    return f"{FOLDER}/{sha256(prepared / 'candil.json')[:12]}"


def gguf_place(gguf: Path) -> str:
    """Where the embedded model's own file, as it is, comes in the site."""
    return f"{FOLDER}/{sha256(gguf)[:12]}/{gguf.name}"


def served_manifest(
    manifest: Path, prepared: Path | None, engines: Mapping[str, Any], gguf: Path | None = None
) -> bytes:
    """model_manifest.json of the site: `engines` on top, the embedded model's variants filled in.

    Without a prepared model the embedded entry is left out: it could not be loaded.
    """
    catalog = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {"models": []}
    models = [filled(model, prepared, gguf) if is_embedded(model) else model for model in catalog["models"]]
    catalog["models"] = [model for model in models if model is not None]
    catalog["engines"] = engines
    return (json.dumps(catalog, ensure_ascii=False, indent=1) + "\n").encode()


def is_embedded(model: Mapping[str, Any]) -> bool:
    return bool(model["source"]["kind"] == "embedded")


def filled(model: dict[str, Any], prepared: Path | None, gguf: Path | None = None) -> dict[str, Any] | None:
    """The entry with files and known answers; None without a model. Raises BuildError when the two do not agree."""
    if prepared is None:
        return None
    folder = model_folder(prepared)
    made = {
        kind(v): with_addresses(v, folder)
        for v in json.loads((prepared / "candil.json").read_text("utf-8"))["variants"]
    }
    if gguf is not None:
        made[GGUF] = {"files": [as_it_is(gguf)]}
    if missing := [v["name"] for v in model["variants"] if kind(v) not in made]:
        raise BuildError(f"model_manifest.json offers {', '.join(missing)} of {model['id']}, which is not converted.")
    return {**model, "variants": [{**v, **made[kind(v)]} for v in model["variants"]]}


def kind(variant: Mapping[str, Any]) -> tuple[str, str]:
    """What the catalog and the converter both call a variant by; one runs the file nobody converted."""
    return GGUF if variant.get("engine") == "wllama" else (variant["device"], variant["dtype"])


def with_addresses(made: Mapping[str, Any], folder: str) -> dict[str, Any]:
    files = [{**file, "url": f"{folder}/{file['path']}"} for file in made["files"]]
    return {"files": files, "self_test": made["self_test"]}


def as_it_is(gguf: Path) -> dict[str, object]:
    return {"path": gguf.name, "url": gguf_place(gguf), "bytes": gguf.stat().st_size, "sha256": sha256(gguf)}


def engine_code(
    engines: Mapping[str, Mapping[str, list[str]]], files: Mapping[str, Path]
) -> dict[str, dict[str, dict[str, list[dict[str, object]]]]]:
    """Per engine and device the code's files: bytes on disk, and `wire_bytes` of the brotli variant."""
    return {
        engine: {"files": {device: [code_file(name, files) for name in names] for device, names in devices.items()}}
        for engine, devices in engines.items()
    }


def code_file(name: str, files: Mapping[str, Path]) -> dict[str, object]:
    wire = files.get(f"{name}.br", files[name])
    return {"path": name, "bytes": files[name].stat().st_size, "wire_bytes": wire.stat().st_size}
