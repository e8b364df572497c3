"""Matrices in integer blocks for `MatMulNBits`, activations in float32: the variant for WebGPU."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from onnx import TensorProto

from tools.convert.architecture import Network
from tools.convert.blocks import Blocks, Factors, stack_blocks
from tools.convert.graph_writer import CONTRIB, GraphWriter
from tools.convert.matrices import MatrixStorage
from tools.convert.weights import Weights


class BlockStorage(MatrixStorage):
    """Whatever is stored in blocks keeps its exact values; float matrices are rounded to 8-bit blocks."""

    def __init__(self, writer: GraphWriter, network: Network, weights: Weights) -> None:
        super().__init__(writer, network, weights)
        self._sums: dict[tuple[str, int], str] = {}

    def embed(self, ids: str) -> str:
        name, hidden = "token_embd.weight", self._network.hidden
        blocks = self._weights.blocks(name)
        if blocks is None:
            return self._writer.node("Gather", [self._writer.constant(name, self._weights.matrix(name)), ids], axis=0)
        scale = self._factors(f"{name}.scale", blocks.scale)
        columns = self._writer.node("Reshape", [scale, self._writer.ints(blocks.rows, -1, 1)])
        rows = self._writer.node(
            "GatherBlockQuantized",
            [self._packed(name, blocks), ids, columns],
            domain=CONTRIB,
            bits=blocks.bits,
            block_size=blocks.size,
            gather_axis=0,
            quantize_axis=2,
        )
        if blocks.minimum is not None:
            offsets = self._writer.node("Gather", [self._offset(name, blocks), ids], axis=0)
            rows = self._writer.node("Add", [rows, self._writer.node("Unsqueeze", [offsets, self._writer.ints(-1)])])
        return self._writer.node("Reshape", [rows, self._writer.ints(0, 0, hidden)])

    def _linear(self, x: str, names: Sequence[str]) -> str:
        """x times the named matrices, side by side; those of one layout share one product."""
        loaded = [(name, self._weights.blocks(name)) for name in names]
        outputs: list[str] = []
        for _, run in groupby(loaded, key=lambda pair: pair[1] and pair[1].layout):
            members = list(run)
            name = members[0][0]
            blocks = [part for _, part in members if part is not None]
            outputs.append(self._product(x, name, stack_blocks(blocks)) if blocks else self._dense(x, members))
        return outputs[0] if len(outputs) == 1 else self._writer.node("Concat", outputs, axis=-1)

    def _dense(self, x: str, members: Sequence[tuple[str, Blocks | None]]) -> str:
        stacked = np.concatenate([self._weights.matrix(name) for name, _ in members])
        matrix = self._writer.constant(f"{members[0][0]}.transposed", np.ascontiguousarray(stacked.T))
        return self._writer.node("MatMul", [x, matrix])

    def _product(self, x: str, name: str, blocks: Blocks) -> str:
        product = self._writer.node(
            "MatMulNBits",
            [x, self._packed(name, blocks), self._factors(f"{name}.scale", blocks.scale)],
            domain=CONTRIB,
            K=blocks.columns,
            N=blocks.rows,
            bits=blocks.bits,
            block_size=blocks.size,
        )
        if blocks.minimum is None:
            return product
        offsets = self._writer.node("Transpose", [self._offset(name, blocks)], perm=[1, 0])
        return self._writer.node("Add", [product, self._writer.node("MatMul", [self._block_sums(x, blocks), offsets])])

    def _packed(self, name: str, blocks: Blocks) -> str:
        return self._writer.constant(f"{name}.quants", blocks.packed())

    def _offset(self, name: str, blocks: Blocks) -> str:
        """minimum + centre * scale, (rows, blocks); folded into one constant when the session loads."""
        assert blocks.minimum is not None
        scale = self._factors(f"{name}.scale", blocks.scale)
        minimum = self._factors(f"{name}.minimum", blocks.minimum)
        centre = self._writer.constant(f"centre_{blocks.centre}", np.array([blocks.centre], np.float32))
        return self._writer.node("Add", [minimum, self._writer.node("Mul", [scale, centre])])

    def _factors(self, name: str, factors: Factors) -> str:
        """(rows, blocks) of float32, from as few bytes as hold them exactly; folded when the session loads."""
        rows, count = factors.outer.shape
        signed = factors.outer * np.float32(factors.sign)
        if factors.inner is None and count > 1 and np.all(signed == signed[:, :1]):  # ternary matrices have one scale
            column = self._writer.float_constant(f"{name}.column", np.ascontiguousarray(signed[:, :1]))
            return self._writer.node("Expand", [column, self._writer.ints(rows, count)])
        outer = self._writer.float_constant(f"{name}.outer", signed)
        if factors.inner is None:
            return outer
        inner = self._writer.constant(f"{name}.inner", factors.inner.reshape(rows, count, -1))
        inner = self._writer.node("Cast", [inner], to=TensorProto.FLOAT)
        outer = self._writer.node("Unsqueeze", [outer, self._writer.ints(2)])
        product = self._writer.node("Mul", [outer, inner])
        return self._writer.node("Reshape", [product, self._writer.ints(rows, factors.inner.shape[1])])

    def _block_sums(self, x: str, blocks: Blocks) -> str:
        """(batch, sequence, columns) -> (batch, sequence, blocks); made once per input."""
        key = (x, blocks.size)
        if key not in self._sums:
            grid = self._writer.node("Reshape", [x, self._writer.ints(0, 0, -1, blocks.size)])
            self._sums[key] = self._writer.node("ReduceSum", [grid, self._writer.ints(-1)], keepdims=0)
        return self._sums[key]
