"""A strict reader of safetensors files. Format: https://github.com/huggingface/safetensors#format"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.convert.errors import ConvertError

MAX_HEADER_BYTES = 100_000_000  # the format's own limit

_ITEM_BYTES = {"U8": 1, "F16": 2, "BF16": 2, "F32": 4}


@dataclass(frozen=True, slots=True)
class StoredTensor:
    name: str
    dtype: str  # one of _ITEM_BYTES
    shape: tuple[int, ...]
    data: npt.NDArray[np.uint8]  # its bytes, memory-mapped

    def floats(self) -> npt.NDArray[np.float32]:
        """float32, exact. Raises ConvertError if the tensor holds no floats."""
        match self.dtype:
            case "F32":
                values = self.data.view("<f4")
            case "F16":
                values = self.data.view("<f2").astype(np.float32)
            case "BF16":
                values = (self.data.view("<u2").astype(np.uint32) << 16).view(np.float32)
            case _:
                raise ConvertError(f"The tensor {self.name!r} is {self.dtype}, expected floats.")
        return values.astype(np.float32, copy=False).reshape(self.shape)


def read_safetensors(path: Path) -> dict[str, StoredTensor]:
    """Raises ConvertError for anything that is not a whole, consistent file, OSError if it cannot be read."""
    if path.stat().st_size < 8:
        raise ConvertError(f"{path.name} is not a safetensors file.")
    data: npt.NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
    size = int(data[:8].view("<u8")[0])
    if size > min(MAX_HEADER_BYTES, len(data) - 8):
        raise ConvertError(f"{path.name} is not a safetensors file, or it is cut short.")
    try:
        header = json.loads(data[8 : 8 + size].tobytes())
    except (ValueError, RecursionError):
        raise ConvertError(f"{path.name} is damaged: its header is not JSON.") from None
    if not isinstance(header, dict):
        raise ConvertError(f"{path.name} is damaged: its header is no object.")
    weights = data[8 + size :]
    return {name: _tensor(name, entry, weights) for name, entry in header.items() if name != "__metadata__"}


def _tensor(name: str, entry: object, weights: npt.NDArray[np.uint8]) -> StoredTensor:
    if not isinstance(entry, Mapping):
        raise ConvertError(f"The file is damaged: tensor {name!r} has no description.")
    dtype = entry.get("dtype")
    if not isinstance(dtype, str) or dtype not in _ITEM_BYTES:
        raise ConvertError(f"The tensor {name!r} has the type {dtype!r}, which is not supported.")
    shape, place = _sizes(name, entry.get("shape")), _sizes(name, entry.get("data_offsets"))
    if len(place) != 2:
        raise ConvertError(f"The file is damaged: tensor {name!r} has no proper place.")
    start, end = place
    if end > len(weights) or end - start != math.prod(shape) * _ITEM_BYTES[dtype]:
        raise ConvertError(f"The file is cut short or damaged: tensor {name!r} does not lie inside it.")
    return StoredTensor(name, dtype, tuple(shape), weights[start:end])


def _sizes(name: str, values: object) -> list[int]:
    if not isinstance(values, list) or not all(type(value) is int and 0 <= value < 1 << 48 for value in values):
        raise ConvertError(f"The file is damaged: tensor {name!r} has no proper shape or place.")
    return values
