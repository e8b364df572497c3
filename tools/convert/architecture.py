"""The sizes of one network and the tensors that it must have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.convert.families import Activation, Family

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rope:
    """How a layer turns queries and keys by their position."""

    theta: float
    scale: float = 1.0  # positions are divided by it (linear scaling)
    magnitude: float = 1.0  # what is turned is also multiplied by it
    factors: str | None = None  # the tensor that divides each frequency


@dataclass(frozen=True, slots=True)
class Network:
    architecture: str
    family: Family
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    rotary_dim: int  # channels of a head that are turned
    ffn: int
    vocab: int
    rope: Rope
    local_rope: Rope  # of the layers with a window
    window: int  # tokens that such a layer sees, itself included; 0 if there is no such layer
    query_scale: float
    activation: Activation
    rms_eps: float
    context_tokens: int
    tied: bool  # the output head is the embedding matrix

    @property
    def q_rows(self) -> int:
        return self.heads * self.head_dim

    @property
    def kv_rows(self) -> int:
        return self.kv_heads * self.head_dim

    @property
    def embedding_scale(self) -> float:
        return float(self.hidden**0.5) if self.family.scaled_embedding else 1.0

    def is_local(self, layer: int) -> bool:
        """Whether the layer sees only the window."""
        every = self.family.global_every
        return self.window > 0 and (every == 0 or (layer + 1) % every != 0)

    def rope_of(self, layer: int) -> Rope:
        return self.local_rope if self.is_local(layer) else self.rope

    def head_order(self) -> Indices:
        """Where the channels of a stored query or key head belong, so that rotary pairs are half a head apart.

        Channels that are not turned become pairs whose frequency is zero.
        """
        turned, rest = np.arange(self.rotary_dim), np.arange(self.rotary_dim, self.head_dim)
        pairs = turned.reshape(-1, 2).T if self.family.neighbouring_pairs else turned.reshape(2, -1)
        return np.concatenate([pairs, rest.reshape(2, -1)], axis=1).reshape(-1)


def layer_tensor(layer: int, part: str, kind: str = "weight") -> str:
    """The GGUF name of a tensor of one layer, `part` as in "attn_q"."""
    return f"blk.{layer}.{part}.{kind}"


def cache_bytes(network: Network, tokens: int) -> int:
    """Memory of the keys and values of `tokens` positions, in float32."""
    return 2 * network.layers * network.kv_rows * 4 * tokens


def _parts(network: Network) -> dict[str, tuple[int, ...]]:
    """Names within a layer, and shapes."""
    hidden, q_rows, kv_rows, ffn = network.hidden, network.q_rows, network.kv_rows, network.ffn
    family = network.family
    parts: dict[str, tuple[int, ...]] = {"attn_norm.weight": (hidden,)}
    if family.fused:
        parts |= {"attn_qkv.weight": (q_rows + 2 * kv_rows, hidden), "ffn_up.weight": (2 * ffn, hidden)}
    else:
        parts |= {"attn_q.weight": (q_rows, hidden), "attn_k.weight": (kv_rows, hidden)}
        parts |= {"attn_v.weight": (kv_rows, hidden)}
        parts |= {"ffn_gate.weight": (ffn, hidden), "ffn_up.weight": (ffn, hidden)}
    parts |= {"attn_output.weight": (hidden, q_rows), "ffn_norm.weight": (hidden,), "ffn_down.weight": (hidden, ffn)}
    if family.qkv_bias:
        parts |= {"attn_q.bias": (q_rows,), "attn_k.bias": (kv_rows,), "attn_v.bias": (kv_rows,)}
    if family.qk_norm:
        parts |= {"attn_q_norm.weight": (network.head_dim,), "attn_k_norm.weight": (network.head_dim,)}
    if family.sub_norms:
        parts |= {"attn_sub_norm.weight": (q_rows,), "ffn_sub_norm.weight": (ffn,)}
    if family.post_norms:
        parts |= {"post_attention_norm.weight": (hidden,), "post_ffw_norm.weight": (hidden,)}
    return parts


def tensor_shapes(network: Network) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of every tensor the network must have."""
    yield "token_embd.weight", (network.vocab, network.hidden)
    yield "output_norm.weight", (network.hidden,)
    if not network.tied:
        yield "output.weight", (network.vocab, network.hidden)
    parts = _parts(network)
    for layer in range(network.layers):
        for part, shape in parts.items():
            yield f"blk.{layer}.{part}", shape
