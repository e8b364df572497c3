"""The network in plain NumPy with exact float32 weights: what every variant is measured against.

Slow and simple on purpose, and independent of the ONNX graphs. One layer's weights are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tools.convert.architecture import Network, layer_tensor
from tools.convert.rope import angles, inverse_frequencies
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
        turns = angles(inverse_frequencies(network, weights), longest)
        self._cos, self._sin = np.cos(turns).astype(np.float32), np.sin(turns).astype(np.float32)

    def logits(self) -> list[F32]:
        vocabulary = self._weights.matrix("token_embd.weight")
        x = vocabulary[self._ids]
        for layer in range(self._network.layers):
            x = x + self._attention(layer, self._normed(layer_tensor(layer, "attn_norm"), x))
            x = x + self._feed_forward(layer, self._normed(layer_tensor(layer, "ffn_norm"), x))
        x = self._normed("output_norm.weight", x)
        head = vocabulary if self._network.tied else self._weights.matrix("output.weight")
        return [x[span] @ head.T for span in self._spans]

    def _linear(self, layer: int, part: str, x: F32) -> F32:
        return x @ self._weights.matrix(layer_tensor(layer, part)).T

    def _normed(self, norm: str, x: F32) -> F32:
        mean_square = np.mean(np.square(x), axis=-1, keepdims=True)
        scaled: F32 = x / np.sqrt(mean_square + np.float32(self._network.rms_eps))
        return scaled * self._weights.vector(norm)

    def _feed_forward(self, layer: int, x: F32) -> F32:
        gate = self._linear(layer, "ffn_gate", x)
        silu = gate / (1 + np.exp(-np.maximum(gate, np.float32(-80))))
        return self._linear(layer, "ffn_down", silu * self._linear(layer, "ffn_up", x))

    def _attention(self, layer: int, x: F32) -> F32:
        parts = (self._linear(layer, part, x) for part in ("attn_q", "attn_k", "attn_v"))
        query, key, value = (part.reshape(len(x), -1, self._network.head_dim).swapaxes(0, 1) for part in parts)
        mixed = np.empty((len(x), self._network.q_rows), np.float32)
        for span in self._spans:
            heads = self._mixed(self._turned(query[:, span]), self._turned(key[:, span]), value[:, span])
            mixed[span] = heads.swapaxes(0, 1).reshape(-1, self._network.q_rows)
        return self._linear(layer, "attn_output", mixed)

    def _mixed(self, query: F32, key: F32, value: F32) -> F32:
        """Causal attention within one sequence: (heads, length, head_dim), fewer heads in key and value."""
        heads, length, dim = query.shape
        grouped = query.reshape(len(key), -1, length, dim)
        future = np.triu(np.full((length, length), -np.inf, np.float32), 1)
        scores = grouped @ key[:, None].swapaxes(2, 3) * np.float32(dim**-0.5) + future
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed: F32 = shares @ value[:, None]
        return mixed.reshape(heads, length, dim)

    def _turned(self, x: F32) -> F32:
        """Rotary embedding of pairs half a head apart: (heads, length, head_dim)."""
        cos, sin = self._cos[: x.shape[1]], self._sin[: x.shape[1]]
        first, second = np.split(x, 2, axis=-1)
        return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)
