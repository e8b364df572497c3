"""Orthogonal matrices that spread outliers over all channels before rounding to 8 bits (QuaRot, arXiv 2404.00456).

Built from closed forms in float64, so that every machine rounds the rotated weights to the same integers.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


def hadamard(size: int) -> F64:
    """The orthonormal Walsh-Hadamard matrix; `size` must be a power of two."""
    matrix: F64 = np.ones((1, 1))
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    scaled: F64 = matrix / np.sqrt(size)
    return scaled


def hartley(size: int) -> F64:
    """The orthonormal discrete Hartley matrix: for any size, and no entry is much larger than another."""
    phase = 2 * np.pi * (np.outer(np.arange(size), np.arange(size)) % size) / size
    matrix: F64 = (np.cos(phase) + np.sin(phase)) / np.sqrt(size)
    return matrix


def spreading(size: int) -> F64:
    """An orthogonal matrix whose entries are all about 1 / sqrt(size): Hadamard times Hartley for the odd factor."""
    even = size & -size
    return np.kron(hadamard(even), hartley(size // even)).astype(np.float64)


def random_signs(size: int, seed: str) -> F64:
    """+1 and -1, the same everywhere for a seed; without them channels that look alike add up in one output."""
    digest = hashlib.shake_256(seed.encode()).digest(-(-size // 8))
    bits = np.unpackbits(np.frombuffer(digest, np.uint8))[:size]
    return 1.0 - 2.0 * bits.astype(np.float64)


def residual_rotation(hidden: int) -> F64:
    """The rotation of the residual stream, (hidden, hidden); rotated = original @ it."""
    return random_signs(hidden, "residual")[:, None] * spreading(hidden)


def block_rotation(columns: int, limit: int = 64) -> F64:
    """A rotation of runs of channels, small enough to apply while running; its size divides `columns`."""
    return hadamard(min(limit, columns & -columns))


def rotate_columns(weights: F64, rotation: F64) -> F64:
    """`weights` (rows, columns) times a block-diagonal matrix of copies of `rotation`."""
    rows, columns = weights.shape
    return (weights.reshape(-1, len(rotation)) @ rotation).reshape(rows, columns)
