"""Rotary position embedding: the angle of every position and frequency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.convert.architecture import Network, Rope
from tools.convert.errors import ConvertError
from tools.convert.weights import Weights

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Turning:
    """Per pair of channels, shape (head_dim / 2,)."""

    frequencies: F64  # radians per position, 0 for a pair that is not turned
    magnitudes: F64  # what the pair is multiplied by

    def cos_sin(self, positions: npt.NDArray[np.int64]) -> tuple[F64, F64]:
        """Each (positions, head_dim / 2)."""
        angles = np.outer(positions.astype(np.float64), self.frequencies)
        return np.cos(angles) * self.magnitudes, np.sin(angles) * self.magnitudes

    def unscaled(self) -> Turning:
        return Turning(self.frequencies, np.ones_like(self.magnitudes))


def turning(network: Network, rope: Rope, weights: Weights) -> Turning:
    """Linear scaling and the file's factors are in it. Raises ConvertError for a factor that is not positive."""
    exponents = np.arange(0, network.rotary_dim, 2, dtype=np.float64) / network.rotary_dim
    frequencies: F64 = rope.theta**-exponents / rope.scale
    if rope.factors is not None:
        factors = weights.vector(rope.factors).astype(np.float64)
        if not np.all(factors > 0):
            raise ConvertError(f"The tensor {rope.factors!r} holds a factor that is not positive.")
        frequencies = frequencies / factors
    still = (network.head_dim - network.rotary_dim) // 2
    magnitudes = np.full(len(frequencies), rope.magnitude)
    return Turning(np.pad(frequencies, (0, still)), np.pad(magnitudes, (0, still), constant_values=1.0))
