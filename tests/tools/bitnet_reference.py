"""BitNet b1.58 2B4T in plain NumPy, from its description (arXiv 2504.12285): shares nothing with the converter.

Per token and product the input is rounded to 8 bits by its largest channel, the weights are -1, 0 and 1 times one
scale. The feed-forward network squares its ReLU, and a norm comes before the last product of each half of a layer.

Where a channel lies on the edge between two steps, float32's noise decides the step, and scores move by a visible
amount. Both steps are right there, so the reference can be asked for every reading: each way to take those channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, dequantize

F32 = npt.NDArray[np.float32]
EDGE_STEPS = 1e-4  # of 127: float32's noise, after some products that a library may add up in any order


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
    """To 8 bits. `choices`: whether each channel on an edge, as they come, is taken up; the rest go down."""

    def __init__(self, choices: Sequence[bool]) -> None:
        self._choices = choices
        self.on_edge = 0  # channels so far

    def __call__(self, x: F32) -> F32:
        scale = np.float32(127) / np.maximum(np.max(np.abs(x), axis=-1, keepdims=True), np.float32(1e-5))
        steps = x * scale
        below = np.floor(steps)
        taken = np.round(steps)
        for place in np.argwhere(np.abs(steps - below - 0.5) < EDGE_STEPS):
            up = self.on_edge < len(self._choices) and self._choices[self.on_edge]
            taken[tuple(place)] = below[tuple(place)] + up
            self.on_edge += 1
        value: F32 = taken.clip(-128, 127) / scale
        return value


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


def readings(tensors: Mapping[str, F32], sizes: Sizes, ids: Sequence[int]) -> Iterator[F32]:
    """Next-token scores at every position, (positions, vocab), for each way to take the channels on an edge."""
    waiting: list[tuple[bool, ...]] = [()]
    while waiting:
        choices = waiting.pop()
        logits, on_edge = _logits(tensors, sizes, ids, choices)
        yield logits
        later = range(len(choices), on_edge)  # each of them up, those between down
        waiting += [(*choices, *(False for _ in range(len(choices), place)), True) for place in later]


def _logits(tensors: Mapping[str, F32], sizes: Sizes, ids: Sequence[int], choices: Sequence[bool]) -> tuple[F32, int]:
    """The scores, and how many channels lay on an edge."""
    rounded = _Rounding(choices)
    count, per_group = len(ids), sizes.heads // sizes.kv_heads
    x = tensors["token_embd.weight"][list(ids)]
    for layer in range(sizes.layers):
        part = {name.split(".", 2)[2]: values for name, values in tensors.items() if name.startswith(f"blk.{layer}.")}
        h = rounded(_norm(x, part["attn_norm.weight"], sizes.eps))
        query = _rotate((h @ part["attn_q.weight"].T).reshape(count, sizes.heads, -1), sizes.theta)
        key = _rotate((h @ part["attn_k.weight"].T).reshape(count, sizes.kv_heads, -1), sizes.theta)
        value = (h @ part["attn_v.weight"].T).reshape(count, sizes.kv_heads, -1)
        heads = [
            _attention(query[:, head], key[:, head // per_group], value[:, head // per_group])
            for head in range(sizes.heads)
        ]
        h = _norm(np.concatenate(heads, axis=1), part["attn_sub_norm.weight"], sizes.eps)
        x = x + rounded(h) @ part["attn_output.weight"].T
        h = rounded(_norm(x, part["ffn_norm.weight"], sizes.eps))
        gate = np.maximum(h @ part["ffn_gate.weight"].T, 0)
        h = _norm(gate * gate * (h @ part["ffn_up.weight"].T), part["ffn_sub_norm.weight"], sizes.eps)
        x = x + rounded(h) @ part["ffn_down.weight"].T
    x = _norm(x, tensors["output_norm.weight"], sizes.eps)
    return x @ tensors["token_embd.weight"].T, rounded.on_edge
