"""Matrices as plain float32: the exact reference, too big to ship."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tools.convert.architecture import Llama, layer_tensor
from tools.convert.graph_writer import GraphWriter
from tools.convert.weights import Weights

F32 = npt.NDArray[np.float32]


class DenseStorage:
    def __init__(self, writer: GraphWriter, llama: Llama, weights: Weights) -> None:
        self._writer = writer
        self._weights = weights
        self._head = "token_embd.weight" if llama.tied else "output.weight"

    def embed(self, ids: str) -> str:
        table = self._writer.constant("token_embd.weight", self._weights.matrix("token_embd.weight"))
        return self._writer.node("Gather", [table, ids], axis=0)

    def gains(self, norm: str) -> F32:
        return self._weights.vector(norm)

    def qkv(self, x: str, layer: int) -> str:
        return self._linear(x, [layer_tensor(layer, part) for part in ("attn_q", "attn_k", "attn_v")])

    def attention_output(self, x: str, layer: int) -> str:
        return self._linear(x, [layer_tensor(layer, "attn_output")])

    def gate_up(self, x: str, layer: int) -> str:
        return self._linear(x, [layer_tensor(layer, part) for part in ("ffn_gate", "ffn_up")])

    def down(self, x: str, layer: int) -> str:
        return self._linear(x, [layer_tensor(layer, "ffn_down")])

    def head(self, x: str) -> str:
        return self._linear(x, [self._head])

    def _linear(self, x: str, names: list[str]) -> str:
        stacked = np.concatenate([self._weights.matrix(name) for name in names])
        matrix = self._writer.constant(f"{names[0]}.transposed", np.ascontiguousarray(stacked.T))
        return self._writer.node("MatMul", [x, matrix])
