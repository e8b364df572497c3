"""The Llama network as an ONNX graph in the shape transformers.js runs; how a matrix is stored is left open.

transformers.js creates the first, empty KV cache from the *names* of the symbolic dimensions, so they are fixed:
batch_size, sequence_length, past_sequence_length, total_sequence_length.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from tools.convert.architecture import Network
from tools.convert.graph_writer import CONTRIB, GraphWriter
from tools.convert.rope import angles

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

LAST_POSITION = "last_position"  # nodes of this name prefix drop all but the last position
_INT64_MAX = (1 << 63) - 1
_ROPE_STRIDE = 128  # positions per row of the coarse table


class Storage(Protocol):
    """How one variant keeps its matrices. Every method adds nodes to the writer and names their output."""

    def embed(self, ids: str) -> str:
        """(batch, sequence) token ids -> (batch, sequence, hidden), float32."""

    def gains(self, norm: str) -> F32:
        """What the RMS norm of this GGUF name multiplies by, shape (hidden,)."""

    def qkv(self, x: str, layer: int) -> str:
        """Queries, keys and values side by side."""

    def attention_output(self, x: str, layer: int) -> str: ...

    def gate_up(self, x: str, layer: int) -> str:
        """Gate and up side by side, (batch, sequence, 2 * ffn)."""

    def down(self, x: str, layer: int) -> str: ...

    def head(self, x: str) -> str:
        """(batch, 1, hidden), normed -> logits."""


class _Attention:
    """What all layers' attention shares: rotary tables and how long the past is."""

    def __init__(self, writer: GraphWriter, network: Network, frequencies: F64) -> None:
        self._writer = writer
        self._network = network
        mask = writer.input("attention_mask", TensorProto.INT64, ["batch_size", "total_sequence_length"])
        length = writer.node("ReduceSum", [mask, writer.ints(1)], keepdims=0)
        last = writer.node("Sub", [length, writer.ints(1)])
        self._last_position = writer.node("Cast", [last], to=TensorProto.INT32)
        total = writer.node("Gather", [writer.node("Shape", [mask]), writer.constant("one", np.array(1))], axis=0)
        self._total = writer.node("Cast", [total], to=TensorProto.INT32)
        self._cos, self._sin = _rotary_tables(writer, network, frequencies)

    def __call__(self, qkv: str, layer: int) -> str:
        network = self._network
        past, present = self._cache(layer)
        inputs = [qkv, "", "", *past, self._last_position, self._total, self._cos, self._sin]
        return self._writer.node_many(
            "GroupQueryAttention",
            inputs,
            [f"attention_{layer}", *present],
            domain=CONTRIB,
            num_heads=network.heads,
            kv_num_heads=network.kv_heads,
            scale=network.head_dim**-0.5,
            do_rotary=1,
            rotary_interleaved=0,
        )[0]

    def _cache(self, layer: int) -> tuple[list[str], list[str]]:
        heads, dim = self._network.kv_heads, self._network.head_dim
        past = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
        present = [f"present.{layer}.{part}" for part in ("key", "value")]
        for name in past:
            self._writer.input(name, TensorProto.FLOAT, ["batch_size", heads, "past_sequence_length", dim])
        for name in present:
            self._writer.output(name, TensorProto.FLOAT, ["batch_size", heads, "total_sequence_length", dim])
        return past, present


def _rotary_tables(writer: GraphWriter, network: Network, frequencies: F64) -> tuple[str, str]:
    """cos and sin, each (positions, head_dim / 2).

    Whole tables of a long context would be tens of megabytes to download, so the file holds two short ones and the
    session joins them once, when it folds constants: cos(a+b) = cos a cos b - sin a sin b.
    """
    stride = min(_ROPE_STRIDE, network.context_tokens)
    rows = -(-network.context_tokens // stride)
    coarse = angles(frequencies, np.arange(rows, dtype=np.int64) * stride)[:, None]
    fine = angles(frequencies, np.arange(stride, dtype=np.int64))[None]
    tables = {
        f"rope_{size}_{function.__name__}": function(values).astype(np.float32)
        for size, values in (("coarse", coarse), ("fine", fine))
        for function in (np.cos, np.sin)
    }
    cos_a, sin_a, cos_b, sin_b = (writer.constant(name, table) for name, table in tables.items())

    def joined(first: tuple[str, str], operation: str, second: tuple[str, str]) -> str:
        products = [writer.node("Mul", list(pair)) for pair in (first, second)]
        return writer.node("Reshape", [writer.node(operation, products), writer.ints(-1, network.head_dim // 2)])

    return joined((cos_a, cos_b), "Sub", (sin_a, sin_b)), joined((sin_a, cos_b), "Add", (cos_a, sin_b))


class _ResidualStream:
    """The running sum of the layers' outputs, and its norms."""

    def __init__(self, writer: GraphWriter, storage: Storage, eps: float, embedded: str) -> None:
        self._writer = writer
        self._storage = storage
        self._eps = eps
        self._sum = embedded
        self._addend = ""

    def add(self, x: str) -> None:
        self._addend = x

    def normed(self, norm: str) -> str:
        gains = self._storage.gains(norm)
        label = "gains_of_one" if np.all(gains == 1) else norm
        inputs = [self._sum, self._writer.constant(label, gains)]
        if not self._addend:
            return self._writer.node("SimplifiedLayerNormalization", inputs, axis=-1, epsilon=self._eps)
        outputs = [f"{norm}.output", "", "", f"{norm}.sum"]
        inputs.insert(1, self._addend)
        self._writer.node_many("SkipSimplifiedLayerNormalization", inputs, outputs, domain=CONTRIB, epsilon=self._eps)
        self._addend, self._sum = "", outputs[3]
        return outputs[0]

    def keep_last_position(self) -> None:
        self._sum = last_position(self._writer, self._sum)


def last_position(writer: GraphWriter, x: str) -> str:
    """(batch, sequence, n) -> (batch, 1, n)"""
    window = [writer.ints(-1), writer.ints(_INT64_MAX), writer.ints(1)]
    return writer.node("Slice", [x, *window], name=f"{LAST_POSITION}_{x}")


def _silu_product(writer: GraphWriter, gate_up: str, layer: int) -> str:
    gate, up = writer.node_many("Split", [gate_up], [f"gate_{layer}", f"up_{layer}"], axis=-1, num_outputs=2)
    return writer.node("Mul", [writer.node("QuickGelu", [gate], domain=CONTRIB, alpha=1.0), up])


def build_decoder(writer: GraphWriter, network: Network, frequencies: F64, storage: Storage) -> None:
    """Add the whole network to `writer`: token ids and cache in, last position's logits and cache out."""
    ids = writer.input("input_ids", TensorProto.INT64, ["batch_size", "sequence_length"])
    attention = _Attention(writer, network, frequencies)
    stream = _ResidualStream(writer, storage, network.rms_eps, storage.embed(ids))
    for layer in range(network.layers):
        attended = attention(storage.qkv(stream.normed(f"blk.{layer}.attn_norm.weight"), layer), layer)
        if layer == network.layers - 1:  # what follows looks at no other position
            attended = last_position(writer, attended)
            stream.keep_last_position()
        stream.add(storage.attention_output(attended, layer))
        gate_up = storage.gate_up(stream.normed(f"blk.{layer}.ffn_norm.weight"), layer)
        stream.add(storage.down(_silu_product(writer, gate_up, layer), layer))
    writer.node("Identity", [storage.head(stream.normed("output_norm.weight"))], output="logits")
    writer.output("logits", TensorProto.FLOAT, ["batch_size", 1, network.vocab])
