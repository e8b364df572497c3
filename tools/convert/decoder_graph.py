"""The network as an ONNX graph in the shape transformers.js runs; how a matrix is stored is left open.

transformers.js creates the first, empty KV cache from the *names* of the symbolic dimensions, so they are fixed:
batch_size, sequence_length, past_sequence_length, total_sequence_length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from tools.convert.architecture import Network, Rope, layer_tensor
from tools.convert.attention import Attention
from tools.convert.families import Activation
from tools.convert.graph_writer import CONTRIB, GraphWriter
from tools.convert.rope import Turning

F32 = npt.NDArray[np.float32]

LAST_POSITION = "last_position"  # nodes of this name prefix drop all but the last position
_INT64_MAX = (1 << 63) - 1


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

    def to_residual(self, x: str) -> str:
        """What went through a norm after a layer's last product, as it joins the residual stream."""

    def head(self, x: str) -> str:
        """(batch, 1, hidden), normed -> logits."""


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


class _Layers:
    """The steps of a layer, with what the network's family adds to them."""

    def __init__(self, writer: GraphWriter, network: Network, storage: Storage) -> None:
        self._writer = writer
        self._network = network
        self._storage = storage

    def embedded(self, ids: str) -> str:
        x = self._storage.embed(ids)
        if not self._network.family.scaled_embedding:
            return x
        scale = np.array([self._network.embedding_scale], np.float32)
        return self._writer.node("Mul", [x, self._writer.constant("embedding_scale", scale)])

    def qkv(self, x: str, layer: int) -> str:
        return self._storage.qkv(self._rounded(x), layer)

    def attention_output(self, x: str, layer: int) -> str:
        x = self._sub_normed(x, layer_tensor(layer, "attn_sub_norm"))
        x = self._storage.attention_output(self._rounded(x), layer)
        return self._post_normed(x, layer_tensor(layer, "post_attention_norm"))

    def feed_forward(self, x: str, layer: int) -> str:
        gate_up = self._storage.gate_up(self._rounded(x), layer)
        x = self._sub_normed(self._gated(gate_up, layer), layer_tensor(layer, "ffn_sub_norm"))
        x = self._storage.down(self._rounded(x), layer)
        return self._post_normed(x, layer_tensor(layer, "post_ffw_norm"))

    def _gated(self, gate_up: str, layer: int) -> str:
        writer = self._writer
        gate, up = writer.node_many("Split", [gate_up], [f"gate_{layer}", f"up_{layer}"], axis=-1, num_outputs=2)
        return writer.node("Mul", [self._activated(gate), up])

    def _activated(self, x: str) -> str:
        writer = self._writer
        match self._network.activation:
            case Activation.SILU:
                return writer.node("QuickGelu", [x], domain=CONTRIB, alpha=1.0)
            case Activation.GELU_TANH:
                return writer.node("FastGelu", [x], domain=CONTRIB)
            case Activation.RELU_SQUARED:
                positive = writer.node("Relu", [x])
                return writer.node("Mul", [positive, positive])

    def _rounded(self, x: str) -> str:
        """Each token rounded to the 255 steps between plus and minus its largest channel.

        WebGPU has no Round: adding 1.5 * 2**23 and taking it away leaves a float32 the nearest integer, ties to even.
        """
        if not self._network.family.int8_activations:
            return x
        writer = self._writer
        largest = writer.node("ReduceMax", [writer.node("Abs", [x]), writer.ints(-1)], keepdims=1)
        some = writer.node("Clip", [largest, writer.constant("least_scale", np.array(1e-5, np.float32))])
        scale = writer.node("Div", [writer.constant("steps", np.array([127], np.float32)), some])
        shift = writer.constant("rounding_shift", np.array([1.5 * 2**23], np.float32))
        shifted = writer.node("Add", [writer.node("Mul", [x, scale]), shift])
        return writer.node("Div", [writer.node("Sub", [shifted, shift]), scale])

    def _sub_normed(self, x: str, norm: str) -> str:
        return self._normed(x, norm) if self._network.family.sub_norms else x

    def _post_normed(self, x: str, norm: str) -> str:
        return self._storage.to_residual(self._normed(x, norm)) if self._network.family.post_norms else x

    def _normed(self, x: str, norm: str) -> str:
        inputs = [x, self._writer.constant(norm, self._storage.gains(norm))]
        return self._writer.node("SimplifiedLayerNormalization", inputs, axis=-1, epsilon=self._network.rms_eps)


def build_decoder(writer: GraphWriter, network: Network, turn: Callable[[Rope], Turning], storage: Storage) -> None:
    """Add the whole network to `writer`: token ids and cache in, last position's logits and cache out."""
    ids = writer.input("input_ids", TensorProto.INT64, ["batch_size", "sequence_length"])
    attention = Attention(writer, network, turn, storage.gains)
    layers = _Layers(writer, network, storage)
    stream = _ResidualStream(writer, storage, network.rms_eps, layers.embedded(ids))
    for layer in range(network.layers):
        attended = attention(layers.qkv(stream.normed(layer_tensor(layer, "attn_norm")), layer), layer)
        if layer == network.layers - 1:  # what follows looks at no other position
            attended = last_position(writer, attended)
            stream.keep_last_position()
        stream.add(layers.attention_output(attended, layer))
        stream.add(layers.feed_forward(stream.normed(layer_tensor(layer, "ffn_norm")), layer))
    writer.node("Identity", [storage.head(stream.normed("output_norm.weight"))], output="logits")
    writer.output("logits", TensorProto.FLOAT, ["batch_size", 1, network.vocab])
