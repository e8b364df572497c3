"""Causal attention as `GroupQueryAttention`: rotary positions, windows, the KV cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from tools.convert.architecture import Network, Rope, layer_tensor
from tools.convert.graph_writer import CONTRIB, GraphWriter
from tools.convert.rope import Turning

F32 = npt.NDArray[np.float32]

_ROPE_STRIDE = 128  # positions per row of the coarse table


class Attention:
    """What all layers' attention shares: rotary tables and how long the past is."""

    def __init__(
        self, writer: GraphWriter, network: Network, turn: Callable[[Rope], Turning], gains: Callable[[str], F32]
    ) -> None:
        """`gains` are what the norm of that GGUF name multiplies by."""
        self._writer = writer
        self._network = network
        self._gains = gains
        mask = writer.input("attention_mask", TensorProto.INT64, ["batch_size", "total_sequence_length"])
        length = writer.node("ReduceSum", [mask, writer.ints(1)], keepdims=0)
        last = writer.node("Sub", [length, writer.ints(1)])
        self._last_position = writer.node("Cast", [last], to=TensorProto.INT32)
        total = writer.node("Gather", [writer.node("Shape", [mask]), writer.constant("one", np.array(1))], axis=0)
        self._total = writer.node("Cast", [total], to=TensorProto.INT32)
        self._tables = {rope: self._rotary_tables(turn(rope), label) for rope, label in _ropes(network).items()}

    def __call__(self, qkv: str, layer: int) -> str:
        """Queries, keys and values side by side -> (batch, sequence, q_rows)."""
        network = self._network
        past, present = self._cache(layer)
        heads = self._normed_heads(qkv, layer) if network.family.qk_norm else [qkv, "", ""]
        cos, sin = self._tables[network.rope_of(layer)]
        window: dict[str, Any] = {"local_window_size": network.window} if network.is_local(layer) else {}
        return self._writer.node_many(
            "GroupQueryAttention",
            [*heads, *past, self._last_position, self._total, cos, sin],
            [f"attention_{layer}", *present],
            domain=CONTRIB,
            num_heads=network.heads,
            kv_num_heads=network.kv_heads,
            scale=network.query_scale,
            do_rotary=1,
            rotary_interleaved=0,
            **window,
        )[0]

    def _normed_heads(self, qkv: str, layer: int) -> list[str]:
        """Queries, keys and values, the first two through a norm per head."""
        writer, network = self._writer, self._network
        sizes = writer.ints(network.q_rows, network.kv_rows, network.kv_rows)
        parts = [f"{part}_{layer}" for part in ("query", "key", "value")]
        writer.node_many("Split", [qkv, sizes], parts, axis=-1)
        return [
            self._normed(parts[0], layer_tensor(layer, "attn_q_norm"), network.q_rows),
            self._normed(parts[1], layer_tensor(layer, "attn_k_norm"), network.kv_rows),
            parts[2],
        ]

    def _normed(self, x: str, norm: str, rows: int) -> str:
        writer = self._writer
        heads = writer.node("Reshape", [x, writer.ints(0, 0, -1, self._network.head_dim)])
        inputs = [heads, writer.constant(norm, self._gains(norm))]
        normed = writer.node("SimplifiedLayerNormalization", inputs, axis=-1, epsilon=self._network.rms_eps)
        return writer.node("Reshape", [normed, writer.ints(0, 0, rows)])

    def _cache(self, layer: int) -> tuple[list[str], list[str]]:
        heads, dim = self._network.kv_heads, self._network.head_dim
        past = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
        present = [f"present.{layer}.{part}" for part in ("key", "value")]
        for name in past:
            self._writer.input(name, TensorProto.FLOAT, ["batch_size", heads, "past_sequence_length", dim])
        for name in present:
            self._writer.output(name, TensorProto.FLOAT, ["batch_size", heads, "total_sequence_length", dim])
        return past, present

    def _rotary_tables(self, turning: Turning, label: str) -> tuple[str, str]:
        """cos and sin, each (positions, head_dim / 2).

        Whole tables of a long context would be tens of megabytes to download, so the file holds two short ones and
        the session joins them once, when it folds constants: cos(a+b) = cos a cos b - sin a sin b.
        """
        writer, positions = self._writer, self._network.context_tokens
        stride = min(_ROPE_STRIDE, positions)
        rows = -(-positions // stride)
        coarse = [table[:, None] for table in turning.cos_sin(np.arange(rows, dtype=np.int64) * stride)]
        fine = [table[None] for table in turning.unscaled().cos_sin(np.arange(stride, dtype=np.int64))]
        names = [f"{label}_{size}_{function}" for size in ("coarse", "fine") for function in ("cos", "sin")]
        cos_a, sin_a, cos_b, sin_b = (
            writer.constant(name, table.astype(np.float32)) for name, table in zip(names, coarse + fine, strict=True)
        )

        def joined(first: tuple[str, str], operation: str, second: tuple[str, str]) -> str:
            products = [writer.node("Mul", list(pair)) for pair in (first, second)]
            half = writer.ints(-1, self._network.head_dim // 2)
            return writer.node("Reshape", [writer.node(operation, products), half])

        return joined((cos_a, cos_b), "Sub", (sin_a, sin_b)), joined((sin_a, cos_b), "Add", (cos_a, sin_b))


def _ropes(network: Network) -> dict[Rope, str]:
    """The ropes that layers use, each with a name for its tables."""
    used = dict.fromkeys(network.rope_of(layer) for layer in range(network.layers))
    return {rope: "rope" if rope == network.rope else "local_rope" for rope in used}
