"""The command: what it leaves behind, what it says, and that it says the same twice."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tools.tiny_gguf import TinyShape, write_tiny_gguf
from tools.convert import cli, conversion
from tools.convert.onnx_runner import OnnxRunner

SMALL = TinyShape(layers=1, hidden=64, heads=2, kv_heads=1, ffn=64, context_tokens=64)
FILES = {
    "candil.json",
    "config.json",
    "generation_config.json",
    "onnx/model_int8.onnx",
    "onnx/model_q4.onnx",
    "tokenizer.json",
    "tokenizer_config.json",
}


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "tiny.gguf", shape=SMALL)


def _convert(gguf: Path, out: Path, *options: str) -> int:
    before = signal.getsignal(signal.SIGTERM)
    try:
        return cli.main([str(gguf), "--out", str(out), "--no-fidelity", *options])
    finally:
        signal.signal(signal.SIGTERM, before)


def _contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, gguf: Path) -> None:
    assert _convert(gguf, tmp_path / "first") == 0
    assert _convert(gguf, tmp_path / "second") == 0
    first = _contents(tmp_path / "first")
    assert set(first) == FILES
    assert first == _contents(tmp_path / "second")


def test_candil_json_lists_every_file_as_it_is(tmp_path: Path, gguf: Path) -> None:
    assert _convert(gguf, tmp_path / "out") == 0
    listing = json.loads((tmp_path / "out/candil.json").read_text(encoding="utf-8"))
    hashes = _contents(tmp_path / "out")
    assert listing["format"] == 1
    assert listing["source"] == {
        "file": "tiny.gguf",
        "sha256": hashlib.sha256(gguf.read_bytes()).hexdigest(),
        "architecture": "llama",
    }
    assert [variant["name"] for variant in listing["variants"]] == ["webgpu", "wasm"]
    listed = {entry["path"]: entry for variant in listing["variants"] for entry in variant["files"]}
    assert set(listed) == FILES - {"candil.json"}
    for path, entry in listed.items():
        assert entry["sha256"] == hashes[path]
        assert entry["bytes"] == (tmp_path / "out" / path).stat().st_size


def test_the_self_test_is_what_each_variant_says(tmp_path: Path, gguf: Path) -> None:
    assert _convert(gguf, tmp_path / "out") == 0
    network = conversion.open_source(gguf).network
    for variant in json.loads((tmp_path / "out/candil.json").read_text(encoding="utf-8"))["variants"]:
        test = variant["self_test"]
        assert 1 <= len(test["prompt_ids"]) <= 24
        runner = OnnxRunner(tmp_path / f"out/onnx/model_{variant['dtype']}.onnx", network)
        said = [int(logits.argmax()) for logits in runner.greedy(test["prompt_ids"], len(test["next_ids"]))]
        assert said == test["next_ids"]


def test_sizes_and_fidelity_are_printed(tmp_path: Path, gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the quick brown fox, el perro duerme al sol", encoding="utf-8")
    before = signal.getsignal(signal.SIGTERM)
    assert cli.main([str(gguf), "--out", str(tmp_path / "out"), "--text", str(text)]) == 0
    signal.signal(signal.SIGTERM, before)
    said = capsys.readouterr().out
    for line in ("webgpu: onnx/model_q4.onnx", "wasm, read in one piece: KL", "wasm, read token by token: KL"):
        assert line in said


def _fails(tmp_path: Path, capsys: pytest.CaptureFixture[str], gguf: Path, out: Path, *options: str) -> str:
    """The sentence of a conversion that must fail and leave nothing."""
    before = set(tmp_path.rglob("*"))
    assert _convert(gguf, out, *options) == 1
    assert set(tmp_path.rglob("*")) == before
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    return said.err


def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, gguf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/precious.txt").write_text("mine")
    assert "not empty" in _fails(tmp_path, capsys, gguf, tmp_path / "out")


def test_an_empty_folder_is_filled(tmp_path: Path, gguf: Path) -> None:
    (tmp_path / "out").mkdir()
    assert _convert(gguf, tmp_path / "out") == 0
    assert set(_contents(tmp_path / "out")) == FILES


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = _fails(tmp_path, capsys, tmp_path / "none.gguf", tmp_path / "out")
    assert "none.gguf: No such file or directory" in said


def test_a_folder_instead_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _fails(tmp_path, capsys, tmp_path, tmp_path / "out")


def test_a_damaged_file(tmp_path: Path, gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gguf.write_bytes(gguf.read_bytes()[:-1000])
    assert "cut short" in _fails(tmp_path, capsys, gguf, tmp_path / "out")


def test_weights_that_are_not_finite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gguf = write_tiny_gguf(tmp_path / "tiny.gguf", quant="F32", shape=SMALL)
    data = bytearray(gguf.read_bytes())
    data[-SMALL.hidden * 4 - 4000 : -SMALL.hidden * 4 - 3000] = b"\xff" * 1000
    gguf.write_bytes(data)
    assert "not a finite number" in _fails(tmp_path, capsys, gguf, tmp_path / "out")


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_terminated_conversion_leaves_nothing(tmp_path: Path) -> None:
    gguf = write_tiny_gguf(tmp_path / "tiny.gguf", shape=TinyShape(layers=40))
    command = [sys.executable, "-m", "tools.convert", str(gguf), "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not list(tmp_path.glob(".out.partial-*")):
            time.sleep(0.005)
        process.terminate()
        process.wait(30)
    assert process.returncode == 128 + signal.SIGTERM
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.gguf"]
