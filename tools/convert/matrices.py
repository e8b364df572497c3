"""Which matrices each product of a layer reads: what the storages that keep matrices apart have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tools.convert.architecture import Network, layer_tensor
from tools.convert.graph_writer import GraphWriter
from tools.convert.weights import Weights

F32 = npt.NDArray[np.float32]

QKV = ("attn_q", "attn_k", "attn_v")


class MatrixStorage(ABC):
    """Subclasses say how the embedding is looked up and how `x` is multiplied with named matrices."""

    def __init__(self, writer: GraphWriter, network: Network, weights: Weights) -> None:
        self._writer = writer
        self._network = network
        self._weights = weights

    @abstractmethod
    def embed(self, ids: str) -> str: ...

    @abstractmethod
    def _linear(self, x: str, names: Sequence[str]) -> str:
        """x times the named matrices, side by side."""

    def gains(self, norm: str) -> F32:
        return self._weights.vector(norm)

    def qkv(self, x: str, layer: int) -> str:
        product = self._linear(x, [layer_tensor(layer, part) for part in QKV])
        if not self._network.family.qkv_bias:
            return product
        biases = np.concatenate([self._weights.vector(layer_tensor(layer, part, "bias")) for part in QKV])
        return self._writer.node("Add", [product, self._writer.constant(f"qkv_bias_{layer}", biases)])

    def attention_output(self, x: str, layer: int) -> str:
        return self._linear(x, [layer_tensor(layer, "attn_output")])

    def gate_up(self, x: str, layer: int) -> str:
        return self._linear(x, [layer_tensor(layer, part) for part in ("ffn_gate", "ffn_up")])

    def down(self, x: str, layer: int) -> str:
        return self._linear(x, [layer_tensor(layer, "ffn_down")])

    def to_residual(self, x: str) -> str:
        return x

    def head(self, x: str) -> str:
        return self._linear(x, ["token_embd.weight" if self._network.tied else "output.weight"])
