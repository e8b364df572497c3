"""The built folder: complete, verified, and made once."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import brotli
import pytest
import zstandard

from tools.build import site as building
from tools.build import vendor
from tools.build.cache import Cache, digest
from tools.build.layout import BuildError, Sources
from tools.build.model import filled
from tools.build.site import Target, build
from tools.build.styles import LINK


def snapshot(folder: Path) -> dict[str, int]:
    """{path: inode}: a file that was made again has another."""
    return {p.relative_to(folder).as_posix(): p.stat().st_ino for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared model of two small variants."""
    folder = tmp_path_factory.mktemp("model")
    files = {"config.json": b"{}", "onnx/model_q8.onnx": b"q8" * 100, "onnx/model_q4.onnx": b"q4" * 50}
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)

    def variant(name: str, device: str, *names: str) -> dict[str, object]:
        listed = [{"path": n, "bytes": len(files[n]), "sha256": hashlib.sha256(files[n]).hexdigest()} for n in names]
        return {"name": name, "device": device, "dtype": name, "files": listed, "self_test": {"next_ids": [1]}}

    variants = [
        variant("q8", "wasm", "config.json", "onnx/model_q8.onnx"),
        variant("q4", "webgpu", "config.json", "onnx/model_q4.onnx"),
    ]
    (folder / "candil.json").write_text(json.dumps({"variants": variants}))
    return folder


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """The real packages, and copies of our own files that a test may edit."""
    root = tmp_path_factory.mktemp("sources")
    real = Sources()
    shutil.copytree(real.site, root / "site")
    shutil.copytree(real.app, root / "pyapp", ignore=shutil.ignore_patterns("__pycache__"))
    variants = [
        {"name": "on-gpu", "engine": "e", "device": "webgpu", "dtype": "q4"},
        {"name": "on-cpu", "engine": "e", "device": "wasm", "dtype": "q8"},
    ]
    catalog = {
        "models": [
            {"id": "embedded", "source": {"kind": "embedded"}, "variants": variants},
            {"id": "other", "source": {"kind": "hub"}, "variants": [{"name": "x"}]},
        ]
    }
    (root / "manifest.json").write_text(json.dumps(catalog))
    return replace(real, root=root, site=root / "site", app=root / "pyapp", manifest=root / "manifest.json")


@pytest.fixture(scope="module")
def built(sources: Sources, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Target:
    target = Target(tmp_path_factory.mktemp("build") / "site", prepared_model=model)
    assert build(sources, target)
    return target


def test_a_second_run_does_nothing(sources: Sources, built: Target) -> None:
    before = snapshot(built.out)
    assert not build(sources, built)
    assert snapshot(built.out) == before


def test_an_edit_replaces_what_depends_on_it_and_no_more(sources: Sources, built: Target) -> None:
    before = snapshot(built.out)
    style = sources.site / "styles" / "tokens.css"
    original = style.read_text()
    style.write_text(original + "\n/* edited */\n")
    assert build(sources, built)
    after = snapshot(built.out)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed == {n + ext for n in ("styles/all.css", "precache.js") for ext in ("", ".br", ".zst", ".gz")}
    style.write_text(original)
    build(sources, built)


def test_the_style_sheets_are_one_in_their_order(sources: Sources, built: Target) -> None:
    page = (built.out / "index.html").read_text("utf-8")
    assert page.count('rel="stylesheet"') == 1
    linked = LINK.findall((sources.site / "index.html").read_text("utf-8"))
    texts = [(sources.site / name).read_text("utf-8") for name in linked]
    assert (built.out / "styles" / "all.css").read_text("utf-8") == "\n".join(texts)
    assert [p.name for p in (built.out / "styles").glob("*.css")] == ["all.css"]


def test_what_is_gone_from_the_sources_goes(sources: Sources, built: Target) -> None:
    extra = sources.site / "extra.js"
    extra.write_text("// extra")
    build(sources, built)
    assert (built.out / "extra.js").exists()
    extra.unlink()
    build(sources, built)
    assert not (built.out / "extra.js").exists()


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_site_is_made_again(sources: Sources, built: Target, damage: Callable[[Path], object]) -> None:
    whole = (built.out / "app.zip").read_bytes()
    damage(built.out / "app.zip")
    assert build(sources, built)
    assert (built.out / "app.zip").read_bytes() == whole


@pytest.mark.parametrize(
    ("suffix", "unpack"), [(".br", brotli.decompress), (".zst", zstandard.decompress), (".gz", gzip.decompress)]
)
def test_a_variant_is_the_same_bytes(built: Target, suffix: str, unpack: Callable[[bytes], bytes]) -> None:
    packed = list(built.out.rglob(f"*{suffix}"))
    assert {f"{name}{suffix}" for name in ("app.zip", "stdlib.zip", "index.html")} <= {p.name for p in packed}
    for path in packed:
        assert unpack(path.read_bytes()) == path.with_suffix("").read_bytes()
        assert "models" not in path.parts


def test_the_precache_list_is_what_is_there(built: Target) -> None:
    text = (built.out / "precache.js").read_text()
    listed = json.loads(text.removeprefix("self.PRECACHE = ").removesuffix(";\n"))
    for files in listed["groups"].values():
        for name, file in files.items():
            data = (built.out / name).read_bytes()
            assert file == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    shell = set(listed["groups"]["shell"])
    assert {"index.html", "boot.js", "app.zip", "stdlib.zip", "vendor/pyodide/pyodide.asm.wasm"} <= shell
    assert not {"sw.js", "model_manifest.json", "precache.js"} & shell
    later = ("models/", "vendor/onnxruntime", "vendor/transformers", "vendor/wllama", "vendor/jinja", "vendor/web-llm")
    assert not any(name.startswith((*later, "vendor/pdfjs")) for name in shell)
    engines = {f"{e}:{d}" for e, devices in vendor.ENGINES.items() for d in devices}
    assert set(listed["groups"]) == {"shell"} | engines | set(vendor.LATER)


def test_the_catalog_as_served(built: Target, model: Path) -> None:
    catalog = json.loads((built.out / "model_manifest.json").read_text())
    embedded, other = catalog["models"]
    assert other["variants"] == [{"name": "x"}]
    assert [(v["name"], v["engine"]) for v in embedded["variants"]] == [("on-gpu", "e"), ("on-cpu", "e")]
    for variant in embedded["variants"]:
        assert variant["self_test"] == {"next_ids": [1]}
        for file in variant["files"]:
            data = (built.out / file["url"]).read_bytes()
            assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    revision = hashlib.sha256((model / "candil.json").read_bytes()).hexdigest()[:12]
    assert embedded["variants"][0]["files"][0]["url"] == f"models/smollm2-135m-instruct/{revision}/config.json"


def test_a_catalog_that_offers_what_is_not_converted(model: Path) -> None:
    entry = {"id": "m", "source": {"kind": "embedded"}, "variants": [{"name": "q2", "device": "wasm", "dtype": "q2"}]}
    with pytest.raises(BuildError, match=r"offers q2 of m, which is not converted"):
        filled(entry, model)


def test_the_file_nobody_converted_is_offered_as_it_is(model: Path, tmp_path: Path) -> None:
    gguf = tmp_path / "m.gguf"
    gguf.write_bytes(b"GGUF")
    sha256 = hashlib.sha256(b"GGUF").hexdigest()
    variant = {"name": "gguf", "engine": "wllama", "device": "wasm", "dtype": "Q4_1"}
    entry = {"id": "m", "source": {"kind": "embedded"}, "variants": [variant]}
    url = f"models/smollm2-135m-instruct/{sha256[:12]}/m.gguf"
    file = {"path": "m.gguf", "url": url, "bytes": 4, "sha256": sha256}
    assert filled(entry, model, gguf) == {**entry, "variants": [{**variant, "files": [file]}]}
    with pytest.raises(BuildError, match="offers gguf of m"):
        filled(entry, model)


ENGINE_DEVICES = [(engine, device) for engine, devices in vendor.ENGINES.items() for device in devices]


@pytest.mark.parametrize(("engine", "device"), ENGINE_DEVICES)
def test_an_engines_code_is_counted(built: Target, engine: str, device: str) -> None:
    catalog = json.loads((built.out / "model_manifest.json").read_text())
    code = catalog["engines"][engine]["files"][device]
    assert [file["path"] for file in code] == vendor.ENGINES[engine][device]
    for file in code:
        assert file["bytes"] == (built.out / file["path"]).stat().st_size
        assert file["wire_bytes"] == (built.out / f"{file['path']}.br").stat().st_size


def test_development_has_neither_app_nor_precache_list_nor_brotli(sources: Sources, tmp_path: Path) -> None:
    target = Target(tmp_path / "dev", dev=True)
    build(sources, target)
    names = snapshot(target.out).keys()
    assert "stdlib.zip" in names
    assert not {"app.zip", "precache.js"} & names
    assert not any(name.endswith(".br") for name in names)
    assert [m["id"] for m in json.loads((target.out / "model_manifest.json").read_text())["models"]] == ["other"]


def test_a_text_missing_in_a_language_ends_the_build_with_a_sentence(sources: Sources, tmp_path: Path) -> None:
    spanish = sources.app / "views" / "strings" / "es.py"
    original = spanish.read_text("utf-8")
    spanish.write_text("STRINGS: dict[str, str] = {}\n", "utf-8")
    try:
        with pytest.raises(BuildError, match=r"missing in pyapp/views/strings/es\.py"):
            build(sources, Target(tmp_path / "site"))
    finally:
        spanish.write_text(original, "utf-8")


def test_packages_that_are_not_installed(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="is missing: run `make setup`"):
        list(vendor.vendored(tmp_path))


def test_vendored_modules_import_only_what_is_vendored(built: Target) -> None:
    pyscript = built.out / "vendor" / "pyscript"
    for path in pyscript.glob("*.js"):
        for name in vendor.PYSCRIPT_IMPORT.findall(path.read_text("utf-8")):
            assert (pyscript / name).exists() or name.startswith(vendor.PYSCRIPT_UNUSED)
    for name in ("_md.js", "_u64.js", "utils.js"):
        assert (built.out / "vendor" / "noble-hashes" / name).exists()


def test_a_file_is_cached_whole_or_not_at_all(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")

    def broken(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        cache.file("x", "key", broken)
    assert list((tmp_path / "cache").iterdir()) == []
    assert cache.write("x", b"whole").read_bytes() == b"whole"


def test_digest_keeps_its_parts_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc")


def test_weights_are_linked_not_copied(built: Target, model: Path) -> None:
    served = next(built.out.glob("models/*/*/config.json"))
    assert served.stat().st_nlink > 1 or served.stat().st_dev != model.stat().st_dev
    assert building.is_complete(built.out)


def test_the_page_names_the_parts_of_pyscript_for_boot_to_ask_for_at_once(built: Target) -> None:
    page = (built.out / "index.html").read_text("utf-8")
    found = re.search(r'data-preload="([^"]+)"', page)
    assert found
    names = found[1].split()
    assert any("/core-" in name for name in names)
    assert all((built.out / name).is_file() for name in names)
    assert not any(re.search(r"/m?py-.{8}\.js$|/core\.js$", name) for name in names)
