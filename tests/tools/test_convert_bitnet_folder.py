"""BitNet as Hugging Face has it becomes the same graph as its GGUF; damaged folders get one sentence."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind

from tests.tools.judged import IDS
from tests.tools.tiny_bitnet_folder import write_bitnet_folder
from tests.tools.tiny_families import NETWORKS, write_tiny_network
from tools.convert import cli
from tools.convert.block_storage import BlockStorage
from tools.convert.conversion import Source, open_source, write_graph
from tools.convert.errors import ConvertError
from tools.convert.gguf_file import BitnetKind
from tools.convert.onnx_runner import OnnxRunner


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The command changes what SIGTERM does."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def gguf(tmp_path: Path) -> Source:
    tiny = NETWORKS["bitnet-b1.58"]
    return open_source(write_tiny_network(tmp_path / "t.gguf", tiny, kind=BitnetKind.I2_S, embedding=Kind.BF16))


@pytest.fixture
def folder(tmp_path: Path, gguf: Source) -> Path:
    return write_bitnet_folder(tmp_path / "folder", gguf)


def _logits(folder: Path, source: Source) -> np.ndarray:
    return OnnxRunner(write_graph(folder / "graph.onnx", source, BlockStorage)[0], source.network).prefill(IDS[:20])


@pytest.mark.parametrize("linear_class", ["autobitlinear", "bitlinear"])
def test_the_folder_is_the_ggufs_network(tmp_path: Path, gguf: Source, linear_class: str) -> None:
    source = open_source(write_bitnet_folder(tmp_path / "folder", gguf, linear_class=linear_class))
    np.testing.assert_array_equal(_logits(tmp_path, source), _logits(tmp_path, gguf))
    for field in ("tokens", "kinds", "merges", "pre", "special", "end_ids", "chat_template", "add_bos"):
        assert getattr(source.vocabulary, field) == getattr(gguf.vocabulary, field), field


def test_the_command_converts_it_and_says_how_large_it_is(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([str(folder), "--out", str(tmp_path / "out"), "--no-fidelity", "--context", "256"]) == 0
    said = capsys.readouterr().out
    assert "webgpu: onnx/model_q2.onnx, 0." in said
    assert "keys and values at 256 tokens" in said
    config = json.loads((tmp_path / "out/config.json").read_text(encoding="utf-8"))
    assert config["transformers.js_config"]["device_config"] == {"webgpu": {"dtype": "q2"}, "wasm": {"dtype": "q2"}}
    variants = json.loads((tmp_path / "out/candil.json").read_text(encoding="utf-8"))["variants"]
    assert [variant["device"] for variant in variants] == ["webgpu", "wasm"]
    assert variants[0]["files"] == variants[1]["files"]


def _change_json(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
        change(value)
        (folder / name).write_text(json.dumps(value), encoding="utf-8")

    return damage


def _change_header(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "model.safetensors"
        data = path.read_bytes()
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        change(header)
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])

    return damage


def _write(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


Q = "model.layers.0.self_attn.q_proj.weight"
DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "another model": (_change_json("config.json", lambda c: c.update(model_type="mamba")), "'mamba'"),
    "no sizes": (_change_json("config.json", lambda c: c.pop("hidden_size")), "embedding_length"),
    "master weights": (_change_json("config.json", lambda c: c.pop("quantization_config")), "quantization_config"),
    "config that is no JSON": (_write("config.json", b"{"), "config.json is not JSON"),
    "config that is a list": (_write("config.json", b"[]"), "not a JSON object"),
    "no tokenizer model": (_change_json("tokenizer.json", lambda t: t.pop("model")), "has no model"),
    "another tokenizer": (_change_json("tokenizer.json", lambda t: t["model"].update(type="Unigram")), "'Unigram'"),
    "unknown words": (_change_json("tokenizer.json", lambda t: t.update(pre_tokenizer={"type": "x"})), "words"),
    "absurd token id": (_change_json("tokenizer.json", lambda t: t["model"]["vocab"].update(x=1 << 40)), "the id"),
    "no merges": (_change_json("tokenizer.json", lambda t: t["model"].pop("merges")), "merges"),
    "empty weights": (_write("model.safetensors", b""), "not a safetensors"),
    "absurd header": (_write("model.safetensors", b"\xff" * 64), "not a safetensors"),
    "header that is no JSON": (_write("model.safetensors", b"\4" + bytes(7) + b"nope"), "not JSON"),
    "no scale": (_change_header(lambda h: h.pop(f"{Q}_scale")), "no weight_scale"),
    "unknown tensor": (_change_header(lambda h: h.update(x=h[Q])), "'x'"),
    "missing tensor": (_change_header(lambda h: h.pop("model.norm.weight")), "output_norm"),
    "unknown type": (_change_header(lambda h: h[Q].update(dtype="F8_E4M3")), "F8_E4M3"),
    "a place outside": (_change_header(lambda h: h[Q].update(data_offsets=[1 << 40, (1 << 40) + 16384])), "inside it"),
    "an overflowing shape": (_change_header(lambda h: h[Q].update(shape=[1 << 47, 1 << 47])), "inside it"),
    "a shape of text": (_change_header(lambda h: h[Q].update(shape="big")), "proper shape"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_folders_get_one_sentence(folder: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(folder)
    with pytest.raises(ConvertError, match=message) as error:
        open_source(folder)
    assert "\n" not in str(error.value)
