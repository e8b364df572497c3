"""A strict reader of GGUF files, versions 2 and 3.

The file may come from anywhere, so every count, length and offset is compared with the bytes that are really there
before anything is allocated. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from tools.convert.errors import ConvertError

Scalar = bool | int | float | str
Array = Sequence[str] | npt.NDArray[np.generic]
Value = Scalar | Array
ByteRows = npt.NDArray[np.uint8]

MAX_ENTRIES = 1 << 16  # metadata keys, tensors
MAX_ARRAY_ITEMS = 1 << 22
MAX_STRING_BYTES = 1 << 24
MAX_NAME_BYTES = 1 << 10
MAX_DIMENSIONS = 4

_STRING, _ARRAY = 8, 9
_SCALARS: dict[int, np.dtype[np.generic]] = {
    code: np.dtype(kind)
    for code, kind in enumerate(["<u1", "<i1", "<u2", "<i2", "<u4", "<i4", "<f4", "?", "", "", "<u8", "<i8", "<f8"])
    if kind
}


class BitnetKind(IntEnum):
    """Types that only bitnet.cpp knows, by their number there (ggml.h of its llama.cpp)."""

    I2_S = 36


Kind = GGMLQuantizationType | BitnetKind
_I2_S_BLOCK = 128, 32  # weights, bytes
_I2_S_TAIL_BYTES = 32  # behind all weights; begins with the one scale, float32


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Where one tensor lies; `shape` is slowest axis first (rows, columns), the reverse of GGUF's."""

    name: str
    shape: tuple[int, ...]
    kind: Kind
    offset: int  # from the beginning of the file
    size_bytes: int  # of the weights themselves
    scale: float = 1.0  # of all weights; only I2_S has one beside its blocks


class ModelFile(Protocol):
    """What a network is read from: metadata and tensors by GGUF's names."""

    @property
    def path(self) -> Path: ...

    @property
    def metadata(self) -> Mapping[str, Value]: ...

    @property
    def tensors(self) -> Mapping[str, TensorInfo]: ...

    def rows(self, info: TensorInfo) -> ByteRows:
        """The stored bytes of a tensor, shape (rows, bytes per row); a vector is one row."""


@dataclass(frozen=True, slots=True)
class GgufFile:
    path: Path
    metadata: Mapping[str, Value]
    tensors: Mapping[str, TensorInfo]
    data: npt.NDArray[np.uint8]  # the whole file, memory-mapped

    def rows(self, info: TensorInfo) -> ByteRows:
        stored = self.data[info.offset : info.offset + info.size_bytes]
        return stored.reshape(math.prod(info.shape[:-1]), -1)


class _Cursor:
    """Reads forward through bytes; raises ConvertError where they end."""

    def __init__(self, data: npt.NDArray[np.uint8]) -> None:
        self._data = data
        self.position = 0

    def take(self, size: int, what: str) -> bytes:
        if size > len(self._data) - self.position:
            raise ConvertError(f"The file is cut short: it ends inside {what}.")
        start, self.position = self.position, self.position + size
        return self._data[start : self.position].tobytes()

    def u32(self, what: str) -> int:
        return int(struct.unpack("<I", self.take(4, what))[0])

    def u64(self, what: str) -> int:
        return int(struct.unpack("<Q", self.take(8, what))[0])

    def text(self, what: str, limit: int = MAX_STRING_BYTES) -> str:
        size = self.u64(what)
        if size > limit:
            raise ConvertError(f"The file is damaged: {what} claims a text of {size} bytes.")
        try:
            return self.take(size, what).decode()
        except UnicodeDecodeError:
            raise ConvertError(f"The file is damaged: {what} is not UTF-8.") from None


def _read_array(cursor: _Cursor, what: str) -> Array:
    code = cursor.u32(what)
    count = cursor.u64(what)
    if count > MAX_ARRAY_ITEMS:
        raise ConvertError(f"The file is damaged: {what} claims {count} items.")
    if code == _STRING:
        return [cursor.text(what) for _ in range(count)]
    if code not in _SCALARS:
        raise ConvertError(f"The file is damaged: {what} is an array of unknown type {code}.")
    dtype = _SCALARS[code]
    return np.frombuffer(cursor.take(count * dtype.itemsize, what), dtype)


def _read_value(cursor: _Cursor, what: str) -> Value:
    code = cursor.u32(what)
    if code == _STRING:
        return cursor.text(what)
    if code == _ARRAY:
        return _read_array(cursor, what)
    if code not in _SCALARS:
        raise ConvertError(f"The file is damaged: {what} has the unknown type {code}.")
    dtype = _SCALARS[code]
    item: bool | int | float = np.frombuffer(cursor.take(dtype.itemsize, what), dtype)[0].item()
    return item


def _read_metadata(cursor: _Cursor, count: int) -> dict[str, Value]:
    metadata: dict[str, Value] = {}
    for index in range(count):
        key = cursor.text(f"metadata key {index + 1}", MAX_NAME_BYTES)
        if key in metadata:
            raise ConvertError(f"The file is damaged: the metadata key {key!r} is there twice.")
        metadata[key] = _read_value(cursor, f"the metadata value {key!r}")
    return metadata


def _read_tensor_info(cursor: _Cursor, index: int) -> TensorInfo:
    name = cursor.text(f"the name of tensor {index + 1}", MAX_NAME_BYTES)
    what = f"the description of tensor {name!r}"
    rank = cursor.u32(what)
    if not 1 <= rank <= MAX_DIMENSIONS:
        raise ConvertError(f"The file is damaged: tensor {name!r} claims {rank} dimensions.")
    shape = tuple(reversed([cursor.u64(what) for _ in range(rank)]))
    code = cursor.u32(what)
    offset = cursor.u64(what)
    if min(shape) == 0:
        raise ConvertError(f"The file is damaged: tensor {name!r} has a dimension of zero.")
    kind, (block, block_bytes) = _kind(name, code)
    if shape[-1] % block:
        raise ConvertError(
            f"The file is damaged: tensor {name!r} has rows of {shape[-1]}, not whole blocks of {block}."
        )
    return TensorInfo(name, shape, kind, offset, math.prod(shape) // block * block_bytes)


def _kind(name: str, code: int) -> tuple[Kind, tuple[int, int]]:
    """A type, and the weights and bytes of its blocks."""
    if code == BitnetKind.I2_S:
        return BitnetKind.I2_S, _I2_S_BLOCK
    try:
        kind = GGMLQuantizationType(code)
        return kind, GGML_QUANT_SIZES[kind]
    except (ValueError, KeyError):
        raise ConvertError(f"Tensor {name!r} has the unknown type number {code}.") from None


def _place(infos: Sequence[TensorInfo], start: int, alignment: int, file_bytes: int) -> dict[str, TensorInfo]:
    """Offsets from the beginning of the file; every tensor inside it and apart from the others."""
    placed: dict[str, TensorInfo] = {}
    end = start
    for info in sorted(infos, key=lambda info: info.offset):
        offset = start + info.offset
        if info.name in placed:
            raise ConvertError(f"The file is damaged: tensor {info.name!r} is there twice.")
        if info.offset % alignment:
            raise ConvertError(
                f"The file is damaged: tensor {info.name!r} does not begin at a multiple of {alignment}."
            )
        if offset < end:
            raise ConvertError(f"The file is damaged: tensor {info.name!r} overlaps another.")
        tail = _I2_S_TAIL_BYTES if info.kind == BitnetKind.I2_S else 0
        end = offset + info.size_bytes + tail
        if end > file_bytes:
            raise ConvertError(f"The file is cut short: tensor {info.name!r} lies beyond its end.")
        placed[info.name] = replace(info, offset=offset)
    return placed


def _alignment(metadata: Mapping[str, Value]) -> int:
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 8 <= alignment <= 1 << 16 or alignment & (alignment - 1):
        raise ConvertError(f"The file is damaged: its alignment is {alignment!r}.")
    return alignment


def _count(cursor: _Cursor, what: str) -> int:
    count = cursor.u64(f"the number of {what}")
    if count > MAX_ENTRIES:
        raise ConvertError(f"The file is damaged: it claims {count} {what}.")
    return count


def read_gguf(path: Path) -> GgufFile:
    """Read metadata and tensor places; tensor bytes stay on disk.

    Raises ConvertError for anything that is not a whole, consistent GGUF file, OSError if it cannot be read.
    """
    if path.stat().st_size < 24:
        raise ConvertError(f"{path.name} is not a GGUF file.")
    data: npt.NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
    cursor = _Cursor(data)
    if cursor.take(4, "the header") != b"GGUF":
        raise ConvertError(f"{path.name} is not a GGUF file.")
    version = cursor.u32("the header")
    if version not in (2, 3):
        raise ConvertError(f"GGUF version {version} is not supported, only 2 and 3 (little-endian).")
    tensor_count = _count(cursor, "tensors")
    metadata = _read_metadata(cursor, _count(cursor, "metadata keys"))
    infos = [_read_tensor_info(cursor, index) for index in range(tensor_count)]
    alignment = _alignment(metadata)
    start = -(-cursor.position // alignment) * alignment
    placed = _place(infos, start, alignment, len(data))
    tensors = {name: _with_scale(info, data) for name, info in placed.items()}
    return GgufFile(path, metadata, tensors, data)


def _with_scale(info: TensorInfo, data: ByteRows) -> TensorInfo:
    if info.kind != BitnetKind.I2_S:
        return info
    end = info.offset + info.size_bytes
    scale = float(data[end : end + 4].view("<f4")[0])
    if not math.isfinite(scale):
        raise ConvertError(f"The tensor {info.name!r} has a scale that is not a finite number.")
    return replace(info, scale=scale)
