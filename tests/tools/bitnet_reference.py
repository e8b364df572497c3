"""BitNet b1.58 2B4T in plain NumPy, from its description (arXiv 2504.12285): shares nothing with the converter.

Per token and product the input is rounded to 8 bits by its largest channel, the weights are -1, 0 and 1 times one
scale. The feed-forward network squares its ReLU, and a norm comes before the last product of each half of a layer.

Where a channel lies on the edge between two steps, float32's noise decides the step, and scores move by a visible
amount; so the reference also says how near to an edge it came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, dequantize

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sizes:
    layers: int
    heads: int
    kv_heads: int
    theta: float = 10_000.0
    eps: float = 1e-6


def read_tensors(gguf: Path) -> dict[str, F32]:
    """Every tensor as floats, by gguf's own reader."""
    return {
        tensor.name: dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1]).astype(np.float32)
        for tensor in GGUFReader(gguf).tensors
    }


class _Rounding:
    """Rounded products, and the least distance to an edge so far, in steps."""

    def __init__(self) -> None:
        self.margin = 0.5

    def product(self, x: F32, weights: F32) -> F32:
        scale = np.float32(127) / np.maximum(np.max(np.abs(x), axis=-1, keepdims=True), np.float32(1e-5))
        steps = x * scale
        self.margin = min(self.margin, float(np.min(np.abs(np.abs(steps - np.floor(steps)) - 0.5))))
        rounded: F32 = np.round(steps).clip(-128, 127) / scale
        return rounded @ weights.T


def _norm(x: F32, gains: F32, eps: float) -> F32:
    normed: F32 = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(eps)) * gains
    return normed


def _rotate(x: F32, theta: float) -> F32:
    """(positions, heads, channels); the first half of a head pairs with the second."""
    half = x.shape[-1] // 2
    angles = np.arange(len(x))[:, None] / theta ** (np.arange(half) / half)
    turn = np.exp(1j * angles)[:, None, :]
    turned = (x[..., :half] + 1j * x[..., half:]) * turn
    return np.concatenate([turned.real, turned.imag], axis=-1).astype(np.float32)


def _attention(query: F32, key: F32, value: F32) -> F32:
    """One head of each per call: (positions, channels)."""
    scores = query @ key.T / np.float32(np.sqrt(query.shape[1]))
    scores[np.triu_indices(len(scores), 1)] = -np.inf
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    mixed: F32 = (weights / weights.sum(axis=1, keepdims=True)) @ value
    return mixed


def bitnet_logits(tensors: Mapping[str, F32], sizes: Sizes, ids: Sequence[int]) -> tuple[F32, float]:
    """Next-token scores at every position, (positions, vocab), and the least distance to an edge in steps."""
    rounding = _Rounding()
    count, per_group = len(ids), sizes.heads // sizes.kv_heads
    x = tensors["token_embd.weight"][list(ids)]
    for layer in range(sizes.layers):
        part = {name.split(".", 2)[2]: values for name, values in tensors.items() if name.startswith(f"blk.{layer}.")}
        h = _norm(x, part["attn_norm.weight"], sizes.eps)
        query = _rotate(rounding.product(h, part["attn_q.weight"]).reshape(count, sizes.heads, -1), sizes.theta)
        key = _rotate(rounding.product(h, part["attn_k.weight"]).reshape(count, sizes.kv_heads, -1), sizes.theta)
        value = rounding.product(h, part["attn_v.weight"]).reshape(count, sizes.kv_heads, -1)
        heads = [
            _attention(query[:, head], key[:, head // per_group], value[:, head // per_group])
            for head in range(sizes.heads)
        ]
        h = _norm(np.concatenate(heads, axis=1), part["attn_sub_norm.weight"], sizes.eps)
        x = x + rounding.product(h, part["attn_output.weight"])
        h = _norm(x, part["ffn_norm.weight"], sizes.eps)
        gate = np.maximum(rounding.product(h, part["ffn_gate.weight"]), 0)
        h = _norm(gate * gate * rounding.product(h, part["ffn_up.weight"]), part["ffn_sub_norm.weight"], sizes.eps)
        x = x + rounding.product(h, part["ffn_down.weight"])
    x = _norm(x, tensors["output_norm.weight"], sizes.eps)
    return x @ tensors["token_embd.weight"].T, rounding.margin
