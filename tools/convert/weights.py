"""The matrices of a model file, exact, in the order the graph wants them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType as Kind
from gguf import dequantize

from tools.convert.architecture import Indices, Network, layer_tensor
from tools.convert.block_formats import QUANTIZED, decode_blocks
from tools.convert.blocks import Blocks, round_to_blocks, ternary_blocks
from tools.convert.errors import ConvertError
from tools.convert.gguf_file import BitnetKind, ByteRows, ModelFile, TensorInfo

F32 = npt.NDArray[np.float32]
SUPPORTED = QUANTIZED | {Kind.F32, Kind.F16, Kind.BF16}
_OF_QUERY_AND_KEY_HEADS = ("attn_q", "attn_k", "attn_q_norm", "attn_k_norm")


class Weights:
    """Read access to one network's tensors, by the names of plain Llama.

    A fused tensor is given out as its parts, and the channels of query and key heads come in the order of
    `Network.head_order`, which the graph's `rotary_interleaved=0` expects.
    """

    def __init__(self, file: ModelFile, network: Network) -> None:
        self._file = file
        self._network = network
        self._inside = dict(_fused_parts(network)) if network.family.fused else {}
        self._order = network.head_order()
        for info in file.tensors.values():
            if info.kind not in SUPPORTED:
                raise ConvertError(f"The tensor {info.name!r} has the type {info.kind.name}, which is not supported.")
            if len(info.shape) == 1 and info.kind in QUANTIZED:
                raise ConvertError(f"The vector {info.name!r} is quantized, which is not supported.")

    def matrix(self, name: str) -> F32:
        """The exact weights, float32, shape (rows, columns). Raises ConvertError if one is not finite."""
        info, rows = self._rows(name)
        if isinstance(info.kind, BitnetKind):
            return decode_blocks(info.kind, rows, info.scale).dense()
        return _finite(name, dequantize(rows, info.kind).astype(np.float32, copy=False).reshape(len(rows), -1))

    def vector(self, name: str) -> F32:
        """A norm's gains, biases or the frequency factors, float32."""
        info = self._file.tensors[name]
        assert isinstance(info.kind, Kind)  # __init__ refuses quantized vectors
        values = dequantize(self._file.rows(info), info.kind).astype(np.float32, copy=False).reshape(-1)
        return _finite(name, values[self._channels(name, len(values))])

    def blocks(self, name: str) -> Blocks | None:
        """The matrix in integer blocks: exact if stored so or ternary, else of 8 bits; None if it does not fit."""
        info, rows = self._rows(name)
        if info.kind not in QUANTIZED:
            return self._float_blocks(name)
        return decode_blocks(info.kind, rows, info.scale)

    def _float_blocks(self, name: str) -> Blocks | None:
        weights = self.matrix(name)
        ternary = ternary_blocks(weights) if self._network.family.int8_activations else None
        return ternary or round_to_blocks(weights)

    def _rows(self, name: str) -> tuple[TensorInfo, ByteRows]:
        stored, part = self._inside.get(name, (name, slice(None)))
        info = self._file.tensors[stored]
        rows = self._file.rows(info)[part]
        return info, rows[self._channels(name, len(rows))]

    def _channels(self, name: str, count: int) -> slice | Indices:
        """Which stored rows or values to take, in order."""
        if not name.startswith("blk.") or name.split(".")[2] not in _OF_QUERY_AND_KEY_HEADS:
            return slice(None)
        if np.all(np.diff(self._order) == 1):
            return slice(None)
        heads = np.arange(0, count, self._network.head_dim, dtype=np.int64)
        return (heads[:, None] + self._order).reshape(-1)


def _fused_parts(network: Network) -> Iterator[tuple[str, tuple[str, slice]]]:
    """Plain Llama's tensor -> the stored tensor and the rows within it."""
    q, kv, ffn = network.q_rows, network.kv_rows, network.ffn
    parts = {
        "attn_q": ("attn_qkv", slice(0, q)),
        "attn_k": ("attn_qkv", slice(q, q + kv)),
        "attn_v": ("attn_qkv", slice(q + kv, q + 2 * kv)),
        "ffn_gate": ("ffn_up", slice(0, ffn)),
        "ffn_up": ("ffn_up", slice(ffn, 2 * ffn)),
    }
    for layer in range(network.layers):
        for part, (stored, rows) in parts.items():
            yield layer_tensor(layer, part), (layer_tensor(layer, stored), rows)


def _finite(name: str, values: F32) -> F32:
    if not np.isfinite(values).all():
        raise ConvertError(f"The tensor {name!r} holds a value that is not a finite number.")
    return values
