"""The matrices of a GGUF, exact, in the order the graph wants them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType as Kind
from gguf import dequantize

from tools.convert.architecture import Network
from tools.convert.blocks import QUANTIZED, Blocks, decode_blocks, round_to_blocks
from tools.convert.errors import ConvertError
from tools.convert.gguf_file import ByteRows, GgufFile, TensorInfo

F32 = npt.NDArray[np.float32]
SUPPORTED = QUANTIZED | {Kind.F32, Kind.F16, Kind.BF16}


class Weights:
    """Read access to one network's tensors.

    llama.cpp stores the rows of Q and K so that rotary pairs are neighbours; every method here gives them back in
    the order of the original model (pairs half a head apart), which the graph's `rotary_interleaved=0` expects.
    """

    def __init__(self, file: GgufFile, network: Network) -> None:
        self._file = file
        self._network = network
        for info in file.tensors.values():
            if info.kind not in SUPPORTED:
                raise ConvertError(f"The tensor {info.name!r} has the type {info.kind.name}, which is not supported.")
            if len(info.shape) == 1 and info.kind in QUANTIZED:
                raise ConvertError(f"The vector {info.name!r} is quantized, which is not supported.")

    def matrix(self, name: str) -> F32:
        """The exact weights, float32, shape (rows, columns). Raises ConvertError if one is not finite."""
        info = self._info(name)
        values = dequantize(self._rows(info), info.kind).astype(np.float32, copy=False).reshape(info.shape)
        if not np.isfinite(values).all():
            raise ConvertError(f"The tensor {name!r} holds a value that is not a finite number.")
        return values

    def vector(self, name: str) -> F32:
        """A norm's gains or the frequency factors, float32."""
        return self.matrix(name)

    def blocks(self, name: str) -> Blocks | None:
        """The matrix in integer blocks: exact if it is stored so, else rounded to 8 bits; None if it does not fit."""
        info = self._info(name)
        if info.kind not in QUANTIZED:
            return round_to_blocks(self.matrix(name))
        return decode_blocks(info.kind, self._rows(info))

    def has(self, name: str) -> bool:
        return name in self._file.tensors

    def _info(self, name: str) -> TensorInfo:
        return self._file.tensors[name]

    def _rows(self, info: TensorInfo) -> ByteRows:
        rows = self._file.rows(info)
        if info.name.endswith((".attn_q.weight", ".attn_k.weight")):
            half = self._network.head_dim // 2
            order = np.arange(len(rows)).reshape(-1, half, 2).swapaxes(1, 2).reshape(-1)
            return rows[order]
        return rows
