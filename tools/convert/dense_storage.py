"""Matrices as plain float32: the exact reference, too big to ship."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tools.convert.matrices import MatrixStorage


class DenseStorage(MatrixStorage):
    def embed(self, ids: str) -> str:
        table = self._writer.constant("token_embd.weight", self._weights.matrix("token_embd.weight"))
        return self._writer.node("Gather", [table, ids], axis=0)

    def _linear(self, x: str, names: Sequence[str]) -> str:
        stacked = np.concatenate([self._weights.matrix(name) for name in names])
        matrix = self._writer.constant(f"{names[0]}.transposed", np.ascontiguousarray(stacked.T))
        return self._writer.node("MatMul", [x, matrix])
