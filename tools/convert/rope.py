"""Rotary position embedding: the angle of every position and frequency."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tools.convert.architecture import Network
from tools.convert.errors import ConvertError
from tools.convert.weights import Weights

F64 = npt.NDArray[np.float64]


def inverse_frequencies(network: Network, weights: Weights) -> F64:
    """Radians per position, shape (head_dim / 2,); llama3's factors and linear scaling are in them."""
    exponents = np.arange(0, network.head_dim, 2, dtype=np.float64) / network.head_dim
    frequencies: F64 = network.rope_theta**-exponents / network.rope_scale
    if weights.has("rope_freqs.weight"):
        factors = weights.vector("rope_freqs.weight").astype(np.float64)
        if not np.all(factors > 0):
            raise ConvertError("The tensor 'rope_freqs.weight' holds a factor that is not positive.")
        frequencies = frequencies / factors
    return frequencies


def angles(frequencies: F64, positions: npt.NDArray[np.int64]) -> F64:
    """Radians, shape (positions, head_dim / 2)."""
    return np.outer(positions.astype(np.float64), frequencies)
