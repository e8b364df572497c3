"""The bars that the embedded model's variants must clear."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from bench.agreement import answers
from bench.fidelity import agreement
from bench.llama_cpp import llama_cpp, write_f32_copy
from tools.convert.conversion import Source, open_source, write_graph
from tools.convert.dense_storage import DenseStorage
from tools.convert.encoder import Encoder
from tools.convert.exact_model import exact_logits
from tools.convert.fidelity import DEFAULT_TEXT, MAX_TOKENS, compare, measure
from tools.convert.onnx_runner import OnnxRunner
from tools.convert.repository import WASM, WEBGPU
from tools.embedded_model import embedded_gguf, prepare

pytestmark = pytest.mark.real_model

F32 = npt.NDArray[np.float32]


@cache
def _source() -> Source:
    return open_source(embedded_gguf())


@cache
def _ids() -> tuple[int, ...]:
    return tuple(Encoder(_source().vocabulary).encode(DEFAULT_TEXT.read_text(encoding="utf-8"))[:MAX_TOKENS])


@cache
def _exact() -> F32:
    return exact_logits(_source().network, _source().weights, [_ids()])[0]


def test_the_text_is_long_enough() -> None:
    assert len(_ids()) >= 1000


def test_the_float32_graph_is_llama_cpp_on_exact_weights(tmp_path: Path) -> None:
    graph = write_graph(tmp_path / "dense.onnx", _source(), DenseStorage)[0]
    dense = OnnxRunner(graph, _source().network, all_positions=True).prefill(_ids())
    assert compare(_exact(), dense).kl < 1e-6
    with llama_cpp(write_f32_copy(embedded_gguf(), tmp_path / "f32.gguf")) as judge:
        fidelity = agreement(dense, judge, _ids())
    assert fidelity.kl <= 0.001
    assert fidelity.top1 >= 0.99


def test_greedy_answers_are_llama_cpps(tmp_path: Path) -> None:
    f32 = write_f32_copy(embedded_gguf(), tmp_path / "f32.gguf")
    with llama_cpp(f32, exact=True) as judge:
        asked = list(answers(_source(), prepare() / WEBGPU.graph, judge))
    assert len(asked) == 20
    assert sum(answer.agrees for answer in asked) >= 18


def test_the_webgpu_variant_is_lossless() -> None:
    ((_, fidelity),) = measure(prepare() / WEBGPU.graph, _source().network, _ids(), _exact(), stepped=False)
    assert fidelity.kl <= 0.001


def test_the_wasm_variant_stays_close_however_it_reads() -> None:
    for _, fidelity in measure(prepare() / WASM.graph, _source().network, _ids(), _exact()):
        assert fidelity.kl <= 0.02
