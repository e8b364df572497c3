"""The network in plain NumPy with exact float32 weights: what every variant is measured against.

Slow and simple on purpose, and independent of the ONNX graphs. One layer's weights are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tools.convert.architecture import Network, layer_tensor
from tools.convert.families import Activation
from tools.convert.matrices import QKV
from tools.convert.rope import turning
from tools.convert.weights import Weights

F32 = npt.NDArray[np.float32]


def exact_logits(network: Network, weights: Weights, sequences: Sequence[Sequence[int]]) -> list[F32]:
    """For each token sequence its next-token scores at every position, shape (length, vocab)."""
    return _Reading(network, weights, sequences).logits()


class _Reading:
    """One pass over several sequences, laid end to end: every array here is (positions, channels)."""

    def __init__(self, network: Network, weights: Weights, sequences: Sequence[Sequence[int]]) -> None:
        self._network = network
        self._weights = weights
        self._ids = np.concatenate([np.asarray(sequence, np.int64) for sequence in sequences])
        ends = np.cumsum([len(sequence) for sequence in sequences]).tolist()
        self._spans = [slice(end - len(sequence), end) for end, sequence in zip(ends, sequences, strict=True)]
        longest = np.arange(max(map(len, sequences)), dtype=np.int64)
        self._turns = {
            rope: tuple(table.astype(np.float32) for table in turning(network, rope, weights).cos_sin(longest))
            for rope in {network.rope, network.local_rope}
        }

    def logits(self) -> list[F32]:
        vocabulary = self._weights.matrix("token_embd.weight")
        x = vocabulary[self._ids] * np.float32(self._network.embedding_scale)
        for layer in range(self._network.layers):
            x = x + self._attention(layer, self._normed(layer_tensor(layer, "attn_norm"), x))
            x = x + self._feed_forward(layer, self._normed(layer_tensor(layer, "ffn_norm"), x))
        x = self._normed("output_norm.weight", x)
        head = vocabulary if self._network.tied else self._weights.matrix("output.weight")
        return [x[span] @ head.T for span in self._spans]

    def _linear(self, layer: int, part: str, x: F32) -> F32:
        product: F32 = self._rounded(x) @ self._weights.matrix(layer_tensor(layer, part)).T
        if self._network.family.qkv_bias and part in QKV:
            product += self._weights.vector(layer_tensor(layer, part, "bias"))
        return product

    def _rounded(self, x: F32) -> F32:
        if not self._network.family.int8_activations:
            return x
        scale = np.float32(127) / np.maximum(np.abs(x).max(axis=-1, keepdims=True), np.float32(1e-5))
        rounded: F32 = np.rint(x * scale) / scale
        return rounded

    def _normed(self, norm: str, x: F32) -> F32:
        mean_square = np.mean(np.square(x), axis=-1, keepdims=True)
        scaled: F32 = x / np.sqrt(mean_square + np.float32(self._network.rms_eps))
        return scaled * self._weights.vector(norm)

    def _feed_forward(self, layer: int, x: F32) -> F32:
        gated = _activated(self._network.activation, self._linear(layer, "ffn_gate", x))
        gated = gated * self._linear(layer, "ffn_up", x)
        if self._network.family.sub_norms:
            gated = self._normed(layer_tensor(layer, "ffn_sub_norm"), gated)
        out = self._linear(layer, "ffn_down", gated)
        return self._normed(layer_tensor(layer, "post_ffw_norm"), out) if self._network.family.post_norms else out

    def _attention(self, layer: int, x: F32) -> F32:
        parts = (self._linear(layer, part, x) for part in QKV)
        query, key, value = (part.reshape(len(x), -1, self._network.head_dim).swapaxes(0, 1) for part in parts)
        if self._network.family.qk_norm:
            query = self._normed(layer_tensor(layer, "attn_q_norm"), query)
            key = self._normed(layer_tensor(layer, "attn_k_norm"), key)
        mixed = np.empty((len(x), self._network.q_rows), np.float32)
        for span in self._spans:
            heads = self._mixed(
                layer, self._turned(layer, query[:, span]), self._turned(layer, key[:, span]), value[:, span]
            )
            mixed[span] = heads.swapaxes(0, 1).reshape(-1, self._network.q_rows)
        if self._network.family.sub_norms:
            mixed = self._normed(layer_tensor(layer, "attn_sub_norm"), mixed)
        out = self._linear(layer, "attn_output", mixed)
        return self._normed(layer_tensor(layer, "post_attention_norm"), out) if self._network.family.post_norms else out

    def _mixed(self, layer: int, query: F32, key: F32, value: F32) -> F32:
        """Causal attention within one sequence: (heads, length, head_dim), fewer heads in key and value."""
        heads, length, dim = query.shape
        grouped = query.reshape(len(key), -1, length, dim)
        distance = np.arange(length)[:, None] - np.arange(length)
        seen = distance >= 0
        if self._network.is_local(layer):
            seen &= distance < self._network.window
        scores = grouped @ key[:, None].swapaxes(2, 3) * np.float32(self._network.query_scale)
        scores = np.where(seen, scores, -np.inf).astype(np.float32)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed: F32 = shares @ value[:, None]
        return mixed.reshape(heads, length, dim)

    def _turned(self, layer: int, x: F32) -> F32:
        """Rotary embedding of pairs half a head apart: (heads, length, head_dim)."""
        cos, sin = (table[: x.shape[1]] for table in self._turns[self._network.rope_of(layer)])
        first, second = np.split(x, 2, axis=-1)
        return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def _activated(activation: Activation, gate: F32) -> F32:
    out: F32
    match activation:
        case Activation.SILU:
            out = gate / (1 + np.exp(-np.maximum(gate, np.float32(-80))))
        case Activation.GELU_TANH:
            inner = np.float32(np.sqrt(2 / np.pi)) * (gate + np.float32(0.044715) * gate**3)
            out = np.float32(0.5) * gate * (1 + np.tanh(inner))
        case Activation.RELU_SQUARED:
            out = np.square(np.maximum(gate, np.float32(0)))
    return out
