"""Every architecture, on a tiny random network: our float32 graph computes what llama.cpp computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.judged import IDS, judged
from tests.tools.tiny_families import NETWORKS, write_tiny_network
from tools.convert.block_storage import BlockStorage
from tools.convert.conversion import open_source, write_graph
from tools.convert.dense_storage import DenseStorage
from tools.convert.exact_model import exact_logits
from tools.convert.fidelity import compare
from tools.convert.int8_storage import Int8Storage
from tools.convert.onnx_runner import OnnxRunner

EXACT = 1e-6  # KL of float32 arithmetic in another order


@pytest.mark.parametrize(
    ("name", "context_tokens"),
    [
        ("llama3", 1024),
        ("smollm2", 1024),
        ("qwen2", 1024),
        ("qwen3", 1024),
        ("phi3", 512),  # the short factors
        ("phi3", 1024),  # the long ones
        ("gemma3", 1024),
    ],
)
def test_the_float32_graph_is_llama_cpps_network(tmp_path: Path, name: str, context_tokens: int) -> None:
    gguf = write_tiny_network(tmp_path / "tiny.gguf", NETWORKS[name])
    source = open_source(gguf, context_tokens)
    graph = write_graph(tmp_path / "dense.onnx", source, DenseStorage)[0]
    runner = OnnxRunner(graph, source.network, all_positions=True)
    whole = runner.prefill(IDS)
    fidelity = judged(gguf, whole, context_tokens)
    assert fidelity.kl < 1e-4  # a window of 65 instead of 64 is 0.003
    assert fidelity.top1 >= 0.99
    count = 120  # token by token, past gemma's window
    assert compare(whole[:count], runner.step_by_step(IDS[:count])).kl < EXACT


@pytest.mark.parametrize("name", ["llama3", "qwen2", "qwen3", "phi3", "phi3-sliding", "gemma3"])
def test_every_variant_stays_with_the_numpy_reference(tmp_path: Path, name: str) -> None:
    source = open_source(write_tiny_network(tmp_path / "tiny.gguf", NETWORKS[name]))
    ids = IDS[:150]
    (exact,) = exact_logits(source.network, source.weights, [ids])
    for storage, limit in ((DenseStorage, EXACT), (BlockStorage, 0.01), (Int8Storage, 0.03)):
        graph = write_graph(tmp_path / f"{storage.__name__}.onnx", source, storage)[0]
        runner = OnnxRunner(graph, source.network, all_positions=True)
        assert compare(exact, runner.prefill(ids)).kl < limit
        assert compare(exact[:60], runner.step_by_step(ids[:60])).kl < limit
