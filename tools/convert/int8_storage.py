"""Matrices as one int8 per weight, activations rounded to int8 per token: the variant for WebAssembly.

There `MatMulInteger` is the only fast product (`MatMulNBits` unpacks the whole matrix on every call). Plain rounding
would ruin the model, because a few channels of the residual stream are huge; so every matrix is folded with an
orthogonal rotation that spreads them, exact in real arithmetic:

    residual stream   h' = h R            (R from rotation.residual_rotation; RMS norms do not see it)
    norms             gains move into the matrices that follow
    values            v' = H v per head, undone in the output projection
    FFN               x' = x B before the down projection, B block-diagonal, applied while running
    head              reads the embedding matrix E R itself: logits = E R (R^T diag(gains) R) h'
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from tools.convert.architecture import Network, layer_tensor
from tools.convert.graph_writer import CONTRIB, GraphWriter
from tools.convert.matrices import QKV
from tools.convert.rotation import block_rotation, residual_rotation, rotate_columns, spreading
from tools.convert.weights import Weights

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]

_FOLDED = (".attn_norm.weight", ".ffn_norm.weight", "output_norm.weight")
_ROWS_AT_ONCE = 8192  # bounds the float64 copies of a large vocabulary


def round_rows(weights: F64) -> tuple[Int8, F32]:
    """Integers -127..127 and a scale per row: weights ~ integers * scale[:, None]."""
    scale = (np.abs(weights).max(axis=1) / 127).astype(np.float32)
    divisor = np.where(scale == 0, np.float32(1), scale).astype(np.float64)
    return np.rint(weights / divisor[:, None]).clip(-127, 127).astype(np.int8), scale


class Int8Storage:
    def __init__(self, writer: GraphWriter, network: Network, weights: Weights) -> None:
        self._writer = writer
        self._network = network
        self._weights = weights
        self._residual = residual_rotation(network.hidden)
        self._value = spreading(network.head_dim)
        self._ffn = block_rotation(network.ffn)
        self._seen: dict[str, tuple[str, str]] = {}

    def embed(self, ids: str) -> str:
        integers, scale = self._vocabulary("token_embd.weight", np.ones(self._network.hidden))
        rows = self._writer.node("Cast", [self._writer.node("Gather", [integers, ids])], to=TensorProto.FLOAT)
        scales = self._writer.node("Unsqueeze", [self._writer.node("Gather", [scale, ids]), self._writer.ints(-1)])
        return self._writer.node("Mul", [rows, scales])

    def gains(self, norm: str) -> F32:
        """The gains of norms that only read the residual stream are in the matrices that follow."""
        if norm.endswith(_FOLDED):
            return np.ones(self._network.hidden, np.float32)
        return self._weights.vector(norm)

    def qkv(self, x: str, layer: int) -> str:
        query, key, value = (self._reading(layer, part, "attn_norm") for part in QKV)
        product = self._linear(x, f"qkv_{layer}", np.concatenate([query, key, self._turned_values(value)]))
        if not self._network.family.qkv_bias:
            return product
        query, key, value = (self._weights.vector(layer_tensor(layer, part, "bias")).astype(np.float64) for part in QKV)
        biases = np.concatenate([query, key, self._turned_values(value[:, None])[:, 0]]).astype(np.float32)
        return self._writer.node("Add", [product, self._writer.constant(f"qkv_bias_{layer}", biases)])

    def _turned_values(self, rows: F64) -> F64:
        """H v per head."""
        per_head = rows.reshape(-1, self._network.head_dim, rows.shape[1])
        return (self._value.T @ per_head).reshape(rows.shape)

    def attention_output(self, x: str, layer: int) -> str:
        matrix = self._matrix(layer_tensor(layer, "attn_output"))
        return self._linear(x, f"attention_output_{layer}", self._written(rotate_columns(matrix, self._value)))

    def gate_up(self, x: str, layer: int) -> str:
        parts = [self._reading(layer, part, "ffn_norm") for part in ("ffn_gate", "ffn_up")]
        return self._linear(x, f"gate_up_{layer}", np.concatenate(parts))

    def down(self, x: str, layer: int) -> str:
        writer = self._writer
        matrix = self._matrix(layer_tensor(layer, "ffn_down"))
        size = len(self._ffn)
        runs = writer.node("Reshape", [x, writer.ints(0, 0, -1, size)])
        turned = writer.node("MatMul", [runs, writer.constant("ffn_rotation", self._ffn.astype(np.float32))])
        x = writer.node("Reshape", [turned, writer.ints(0, 0, self._network.ffn)])
        return self._linear(x, f"down_{layer}", self._written(rotate_columns(matrix, self._ffn)))

    def to_residual(self, x: str) -> str:
        """What went through a norm of its own was left as it is until here."""
        rotation = self._writer.constant("residual_rotation", self._residual.astype(np.float32))
        return self._writer.node("MatMul", [x, rotation])

    def head(self, x: str) -> str:
        gains = self._weights.vector("output_norm.weight").astype(np.float64)
        if not self._network.tied:
            return self._vocabulary_product(x, "output.weight", gains)
        regained = self._residual.T @ (gains[:, None] * self._residual)
        x = self._writer.node("MatMul", [x, self._writer.constant("output_gains", regained.astype(np.float32))])
        return self._vocabulary_product(x, "token_embd.weight", np.ones(self._network.hidden))

    def _matrix(self, name: str) -> F64:
        return self._weights.matrix(name).astype(np.float64)

    def _written(self, matrix: F64) -> F64:
        """A matrix whose output joins the rotated residual stream, unless a norm with gains comes between."""
        return matrix if self._network.family.post_norms else self._residual.T @ matrix

    def _reading(self, layer: int, part: str, norm: str) -> F64:
        """A matrix that reads the normed residual stream, gains and rotation folded in."""
        gains = self._weights.vector(layer_tensor(layer, norm)).astype(np.float64)
        return (self._matrix(layer_tensor(layer, part)) * gains) @ self._residual

    def _vocabulary(self, name: str, gains: F64) -> tuple[str, str]:
        """A matrix with one row per token, rotated: names of its integers (vocab, hidden) and scales (vocab,)."""
        if name in self._seen:
            return self._seen[name]
        whole = self._weights.matrix(name)
        integers = np.empty(whole.shape, np.int8)
        scales = np.empty(len(whole), np.float32)
        for start in range(0, len(whole), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            integers[rows], scales[rows] = round_rows((whole[rows].astype(np.float64) * gains) @ self._residual)
        names = self._writer.constant(f"{name}.int8", integers), self._writer.constant(f"{name}.scale", scales)
        self._seen[name] = names
        return names

    def _vocabulary_product(self, x: str, name: str, gains: F64) -> str:
        """Scores of all tokens. The session folds the Transpose into a constant of its own, which it can pack;
        one that the embedding also reads would be packed anew on every call.
        """
        integers, scale = self._vocabulary(name, gains)
        return self._integer_product(x, self._writer.node("Transpose", [integers], perm=[1, 0]), scale)

    def _linear(self, x: str, name: str, weights: F64) -> str:
        integers, scale = round_rows(weights)
        matrix = self._writer.constant(f"{name}.int8", np.ascontiguousarray(integers.T))
        return self._integer_product(x, matrix, self._writer.constant(f"{name}.scale", scale))

    def _integer_product(self, x: str, matrix: str, scale: str) -> str:
        """x times an int8 matrix (columns, rows), x rounded to int8 with one scale per token."""
        writer = self._writer
        largest = writer.node("ReduceMax", [writer.node("Abs", [x]), writer.ints(-1)], keepdims=1)
        some = writer.node("Max", [largest, writer.constant("tiny", np.array([1e-20], np.float32))])
        step = writer.node("Mul", [some, writer.constant("one_127th", np.array([1 / 127], np.float32))])
        shifted = writer.node(
            "Add", [writer.node("Div", [x, step]), writer.constant("shift", np.array([128.5], np.float32))]
        )
        integers = writer.node("Cast", [shifted], to=TensorProto.UINT8)  # cuts off: rounds, once half is added
        one, zero = (
            writer.constant("unit_scale", np.array([1], np.float32)),
            writer.constant("zero_point", np.array([128], np.uint8)),
        )
        product = writer.node("MatMulIntegerToFloat", [integers, matrix, one, scale, zero], domain=CONTRIB)
        return writer.node("Mul", [product, step])
