"""Every variant of every kind of network predicts what the exact weights predict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.tools.tiny_gguf import QUANTS, TinyShape, write_tiny_gguf
from tools.convert import graph_writer
from tools.convert.block_storage import BlockStorage
from tools.convert.conversion import Source, open_source, write_graph
from tools.convert.dense_storage import DenseStorage
from tools.convert.exact_model import exact_logits
from tools.convert.fidelity import compare, measure
from tools.convert.int8_storage import Int8Storage
from tools.convert.onnx_runner import OnnxRunner

IDS = [1, *np.random.default_rng(7).integers(3, 350, 40).tolist()]
EXACT = 1e-6  # KL of float32 arithmetic in another order
FLOAT_TYPES = ("F32", "F16", "BF16")


def _source(folder: Path, **options: object) -> Source:
    return open_source(write_tiny_gguf(folder / "tiny.gguf", **options))  # type: ignore[arg-type]


def _kls(folder: Path, source: Source, storage: type[BlockStorage | DenseStorage | Int8Storage]) -> list[float]:
    """In one piece and token by token."""
    (exact,) = exact_logits(source.network, source.weights, [IDS])
    graph = write_graph(folder / "graph.onnx", source, storage)[0]
    return [fidelity.kl for _, fidelity in measure(graph, source.network, IDS, exact)]


@pytest.mark.parametrize("quant", QUANTS)
def test_integer_blocks_are_lossless_and_floats_nearly(tmp_path: Path, quant: str) -> None:
    source = _source(tmp_path, quant=quant, embedding_quant=quant)
    assert max(_kls(tmp_path, source, BlockStorage)) < (0.01 if quant in FLOAT_TYPES else EXACT)


@pytest.mark.parametrize("quant", ["F32", "Q4_1", "Q6_K"])
def test_rotated_int8_stays_close_however_the_prompt_is_read(tmp_path: Path, quant: str) -> None:
    assert max(_kls(tmp_path, _source(tmp_path, quant=quant), Int8Storage)) < 0.02


NETWORKS: dict[str, dict[str, object]] = {
    "untied head": {"tied": False},
    "untied K-quant head": {"tied": False, "quant": "Q6_K"},
    "llama3 frequency factors": {"rope_factors": True},
    "one key/value head per head": {"shape": TinyShape(kv_heads=4)},
    "one key/value head": {"shape": TinyShape(kv_heads=1)},
    "sizes that are no powers of two": {"quant": "Q8_0", "shape": TinyShape(hidden=288, heads=9, kv_heads=3, ffn=352)},
    "columns that are no blocks": {
        "quant": "F16",
        "embedding_quant": "F16",
        "shape": TinyShape(hidden=80, heads=5, kv_heads=5, ffn=200),
    },
}


@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)
def test_every_kind_of_network(tmp_path: Path, options: dict[str, object]) -> None:
    source = _source(tmp_path, **options)
    assert max(_kls(tmp_path, source, DenseStorage)) < EXACT
    assert max(_kls(tmp_path, source, BlockStorage)) < (EXACT if options.get("quant") != "F16" else 0.01)
    assert max(_kls(tmp_path, source, Int8Storage)) < 0.03


def test_the_graph_gives_the_last_position_only(tmp_path: Path) -> None:
    source = _source(tmp_path)
    (exact,) = exact_logits(source.network, source.weights, [IDS])
    runner = OnnxRunner(write_graph(tmp_path / "graph.onnx", source, BlockStorage)[0], source.network)
    assert compare(exact[-1:], runner.prefill(IDS)).kl < EXACT


def test_big_graphs_keep_their_weights_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_writer, "INLINE_LIMIT_BYTES", 100_000)
    monkeypatch.setattr(graph_writer, "CHUNK_LIMIT_BYTES", 200_000)
    source = _source(tmp_path)
    files = write_graph(tmp_path / "graph.onnx", source, BlockStorage)
    assert [path.name for path in files[:3]] == ["graph.onnx", "graph.onnx_data", "graph.onnx_data_1"]
    assert all(path.stat().st_size <= 200_000 for path in files)
    (exact,) = exact_logits(source.network, source.weights, [IDS])
    assert max(fidelity.kl for _, fidelity in measure(files[0], source.network, IDS, exact)) < EXACT
