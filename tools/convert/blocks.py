"""Matrices as `MatMulNBits` sees them: unsigned integers around a fixed zero point, a scale per block.

Every quantized GGUF type but the codebook ones is `scale * integer + minimum` per block, so it fits without loss:
the integers move so that their middle is the operator's implicit zero point (2, 8 or 128), and what that leaves over,
`offset = minimum + centre * scale`, is added as one extra product with the block sums of the activations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
Integers = npt.NDArray[np.integer[Any]]
Inner = npt.NDArray[np.uint8] | npt.NDArray[np.int8]

_TERNARY_BLOCK = 128


@dataclass(frozen=True, slots=True)
class Factors:
    """One number per block, shape (rows, blocks): `outer`, or `outer` of the super-block times the small `inner`."""

    outer: F32  # (rows, blocks) or (rows, super-blocks)
    inner: Inner | None = None  # (rows, blocks)
    sign: int = 1

    @property
    def values(self) -> F32:
        if self.inner is None:
            return self.outer * np.float32(self.sign)
        repeat = self.inner.shape[1] // self.outer.shape[1]
        return np.repeat(self.outer, repeat, axis=1) * self.inner.astype(np.float32) * np.float32(self.sign)


@dataclass(frozen=True, slots=True)
class Blocks:
    """A matrix (rows, columns): `scale * (quants - 2**(bits-1))`, plus `minimum + centre * scale` if it has minima."""

    quants: Bytes  # (rows, columns), one integer each, 0 .. 2**bits - 1
    bits: int  # 2, 4 or 8
    size: int  # columns that share a scale: 16, 32, 128 or 256
    scale: Factors
    minimum: Factors | None = None
    centre: int = 0

    @property
    def rows(self) -> int:
        return len(self.quants)

    @property
    def columns(self) -> int:
        return int(self.quants.shape[1])

    @property
    def layout(self) -> tuple[int, int, bool]:
        """Matrices of equal layout and columns can be stacked into one."""
        return self.bits, self.size, self.minimum is not None

    def packed(self) -> Bytes:
        """`MatMulNBits`' B, shape (rows, blocks, size * bits / 8): the first integer of a byte is in its low bits."""
        grid = self.quants.reshape(self.rows, -1, self.size)
        if self.bits == 8:
            return grid
        count = 8 // self.bits
        shifted = (grid[..., place::count] << np.uint8(self.bits * place) for place in range(count))
        return reduce(or_, shifted)

    def dense(self) -> F32:
        """The weights these blocks stand for, (rows, columns)."""
        scale = self.scale.values
        integers = self.quants.reshape(self.rows, -1, self.size).astype(np.float32) - np.float32(1 << (self.bits - 1))
        values = scale[..., None] * integers
        if self.minimum is not None:
            values += (self.minimum.values + np.float32(self.centre) * scale)[..., None]
        return values.reshape(self.quants.shape)


def round_to_blocks(weights: F32) -> Blocks | None:
    """8-bit blocks nearest to `weights` (rows, columns); None if the columns are no whole number of blocks.

    Scales are rounded to float16 first where that is safe, so that they need two bytes and cost no accuracy.
    """
    size = next((size for size in (32, 16) if weights.shape[1] % size == 0), None)
    if size is None:
        return None
    grid = weights.reshape(len(weights), -1, size)
    scale = np.abs(grid).max(axis=-1) / np.float32(127)
    with np.errstate(over="ignore"):
        halves = scale.astype(np.float16).astype(np.float32)
    if np.all((halves > 1e-4) & (halves < 6e4) | (scale == 0)):
        scale = halves
    integers = np.rint(grid / np.where(scale == 0, np.float32(1), scale)[..., None]).clip(-128, 127)
    return Blocks((integers + 128).astype(np.uint8).reshape(weights.shape), 8, size, Factors(scale))


def ternary_blocks(weights: F32) -> Blocks | None:
    """2-bit blocks of `weights` (rows, columns), if they are -1, 0 and 1 times one number; else None."""
    scale = np.abs(weights).max()
    if weights.shape[1] % _TERNARY_BLOCK or not np.all((weights == 0) | (np.abs(weights) == scale)):
        return None
    scales = np.full((len(weights), weights.shape[1] // _TERNARY_BLOCK), scale, np.float32)
    return Blocks((np.sign(weights) + 2).astype(np.uint8), 2, _TERNARY_BLOCK, Factors(scales))


def stack_blocks(parts: list[Blocks]) -> Blocks:
    """Matrices of equal layout, one below the other."""
    first = parts[0]
    if len(parts) == 1:
        return first
    minima = [part.minimum for part in parts if part.minimum is not None]
    return Blocks(
        np.concatenate([part.quants for part in parts]),
        first.bits,
        first.size,
        _stack_factors([part.scale for part in parts]),
        _stack_factors(minima) if minima else None,
        first.centre,
    )


def _stack_factors(parts: list[Factors]) -> Factors:
    inner: list[Any] = [part.inner for part in parts if part.inner is not None]  # all of the same type
    outer = np.concatenate([part.outer for part in parts])
    return Factors(outer, np.concatenate(inner) if inner else None, parts[0].sign)
