"""BitNet: every ternary format gives the same 2-bit graph, and it computes what an independent reading computes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind

from tests.tools.bitnet_reference import F32, Sizes, read_tensors, readings
from tests.tools.judged import IDS, judged
from tests.tools.tiny_families import NETWORKS, write_tiny_network
from tools.convert.block_storage import BlockStorage
from tools.convert.conversion import Source, open_source, write_graph
from tools.convert.dense_storage import DenseStorage
from tools.convert.exact_model import exact_logits
from tools.convert.fidelity import compare
from tools.convert.gguf_file import BitnetKind
from tools.convert.onnx_runner import OnnxRunner

TINY = NETWORKS["bitnet-b1.58"]
PROMPTS = [IDS[start : start + 6] for start in range(0, 240, 6)]
FORMATS = (Kind.TQ1_0, Kind.TQ2_0, BitnetKind.I2_S, Kind.F32)


@cache
def _reference() -> list[list[F32]]:
    """Of each prompt every reading."""
    sizes = Sizes(TINY.layers, TINY.heads, TINY.kv_heads)
    with TemporaryDirectory() as folder:
        gguf = write_tiny_network(Path(folder) / "tiny.gguf", TINY, kind=Kind.TQ2_0, embedding=Kind.Q8_0)
        tensors = read_tensors(gguf)
    return [list(readings(tensors, sizes, prompt)) for prompt in PROMPTS]


def _distance(logits: F32, prompt_readings: list[F32]) -> float:
    return min(float(np.abs(logits - expected).max()) for expected in prompt_readings)


def _tiny(folder: Path, kind: Kind | BitnetKind) -> Source:
    return open_source(write_tiny_network(folder / "tiny.gguf", TINY, kind=kind, embedding=Kind.Q8_0))


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_the_2_bit_graph_is_the_independent_network(tmp_path: Path, kind: Kind | BitnetKind) -> None:
    source = _tiny(tmp_path, kind)
    graph = write_graph(tmp_path / "graph.onnx", source, BlockStorage)[0]
    runner = OnnxRunner(graph, source.network, all_positions=True)
    for prompt, expected in zip(PROMPTS, _reference(), strict=True):
        for logits in (runner.prefill(prompt), runner.step_by_step(prompt)):
            assert _distance(logits, expected) <= 1e-3
            assert all(compare(reading, logits).kl < 0.01 for reading in expected)


def test_few_channels_lie_on_an_edge() -> None:
    """Else some reading would fit anything."""
    assert max(len(each) for each in _reference()) <= 64


def test_the_converters_own_reference_is_the_independent_network(tmp_path: Path) -> None:
    source = _tiny(tmp_path, Kind.TQ2_0)
    computed = exact_logits(source.network, source.weights, PROMPTS)
    for expected, logits in zip(_reference(), computed, strict=True):
        assert _distance(logits, expected) <= 1e-3


def test_without_rounding_it_is_llama_cpps_network(tmp_path: Path) -> None:
    """On float32 weights llama.cpp does not round activations; nor does it know the squared ReLU."""
    gguf = write_tiny_network(tmp_path / "tiny.gguf", NETWORKS["bitnet"])
    source = open_source(gguf)
    exact = replace(source.network, family=replace(source.network.family, int8_activations=False))
    graph = write_graph(tmp_path / "graph.onnx", replace(source, network=exact), DenseStorage)[0]
    fidelity = judged(gguf, OnnxRunner(graph, exact, all_positions=True).prefill(IDS), 1024)
    assert fidelity.kl < 1e-4
    assert fidelity.top1 >= 0.99


@pytest.mark.parametrize("kind", [Kind.TQ1_0, Kind.TQ2_0], ids=lambda kind: kind.name)
def test_with_rounding_it_stays_close_to_llama_cpp(tmp_path: Path, kind: Kind) -> None:
    """llama.cpp rounds runs of 256 channels, which is all of a token here."""
    gguf = write_tiny_network(tmp_path / "tiny.gguf", NETWORKS["bitnet"], kind=kind)
    source = open_source(gguf)
    graph = write_graph(tmp_path / "graph.onnx", source, DenseStorage)[0]
    fidelity = judged(gguf, OnnxRunner(graph, source.network, all_positions=True).prefill(IDS), 1024)
    assert fidelity.kl <= 0.001
