"""Builds one ONNX file: nodes in memory, weights spooled to disk as they come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper

OPSET = 21
IR_VERSION = 10
CONTRIB = "com.microsoft"
INLINE_LIMIT_BYTES = 1_500_000_000  # protobuf stops at 2 GB, and some readers hold a file twice
CHUNK_LIMIT_BYTES = 1_900_000_000  # below the 2 GB of a JavaScript ArrayBuffer
_ALIGNMENT = 64

AnyArray = npt.NDArray[Any]
Dimension = str | int


class GraphWriter:
    """One graph on its way to `path`; call `finish` once. Values are referred to by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._model = ModelProto(ir_version=IR_VERSION, producer_name="candil")
        self._model.opset_import.extend([helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)])
        self._graph = self._model.graph
        self._graph.name = path.stem
        self._constants: set[str] = set()
        self._nodes = 0
        self._chunks = [path.with_name(path.name + "_data")]
        self._spool = self._chunks[0].open("wb")
        self._spooled_bytes = 0

    def __enter__(self) -> GraphWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def input(self, name: str, kind: int, shape: Sequence[Dimension]) -> str:
        self._graph.input.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name: str, kind: int, shape: Sequence[Dimension]) -> None:
        self._graph.output.append(helper.make_tensor_value_info(name, kind, shape))

    def constant(self, name: str, values: AnyArray) -> str:
        """An initializer; a name that exists already is not written again."""
        if name in self._constants:
            return name
        self._constants.add(name)
        tensor = self._graph.initializer.add(name=name, dims=values.shape)
        tensor.data_type = helper.np_dtype_to_tensor_dtype(values.dtype)
        if values.nbytes < 256:
            tensor.raw_data = values.tobytes()
        else:
            self._spool_out(tensor, values)
        return name

    def float_constant(self, name: str, values: npt.NDArray[np.float32]) -> str:
        """A float32 constant in two bytes each where that loses nothing (the session folds the Cast away)."""
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        if values.nbytes < 256 or not np.array_equal(halves.astype(np.float32), values):
            return self.constant(name, values.astype(np.float32, copy=False))
        if name + ".f16" in self._constants:
            return name
        return self.node("Cast", [self.constant(name + ".f16", halves)], output=name, to=TensorProto.FLOAT)

    def node(
        self, op: str, inputs: Sequence[str], *, output: str = "", name: str = "", domain: str = "", **attributes: Any
    ) -> str:
        """Add a node with one output; gives back that output's name."""
        return self.node_many(op, inputs, [output or self._fresh(op)], name=name, domain=domain, **attributes)[0]

    def node_many(
        self, op: str, inputs: Sequence[str], outputs: list[str], *, name: str = "", domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node with several outputs, "" for one that is not wanted."""
        self._nodes += 1
        label = name or f"{op}_{self._nodes}"
        self._graph.node.append(helper.make_node(op, inputs, outputs, name=label, domain=domain, **attributes))
        return outputs

    def ints(self, *values: int) -> str:
        """A constant int64 vector."""
        return self.constant("ints_" + "_".join(str(value).replace("-", "m") for value in values), np.array(values))

    def finish(self) -> list[Path]:
        """Write the graph; gives back its files, the graph itself first."""
        self._spool.close()
        chunks = self._chunks
        if sum(chunk.stat().st_size for chunk in chunks) <= INLINE_LIMIT_BYTES:
            self._inline(chunks[0])
            chunks = []
        self._path.write_bytes(self._model.SerializeToString(deterministic=True))
        return [self._path, *chunks]

    def _fresh(self, op: str) -> str:
        return f"{op}_{self._nodes + 1}_output"

    def _spool_out(self, tensor: TensorProto, values: AnyArray) -> None:
        if self._spooled_bytes and self._spooled_bytes + values.nbytes > CHUNK_LIMIT_BYTES:
            self._spool.close()
            self._chunks.append(self._path.with_name(f"{self._path.name}_data_{len(self._chunks)}"))
            self._spool = self._chunks[-1].open("wb")
            self._spooled_bytes = 0
        padding = -self._spooled_bytes % _ALIGNMENT
        self._spool.write(bytes(padding))
        offset = self._spooled_bytes + padding
        self._spool.write(np.ascontiguousarray(values).data)
        self._spooled_bytes = offset + values.nbytes
        tensor.data_location = TensorProto.EXTERNAL
        place = {"location": self._chunks[-1].name, "offset": str(offset), "length": str(values.nbytes)}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=value)

    def _inline(self, spool: Path) -> None:
        with spool.open("rb") as data:
            for tensor in self._graph.initializer:
                if tensor.data_location == TensorProto.EXTERNAL:
                    place = {entry.key: entry.value for entry in tensor.external_data}
                    data.seek(int(place["offset"]))
                    tensor.raw_data = data.read(int(place["length"]))
                    tensor.ClearField("external_data")
                    tensor.ClearField("data_location")
        spool.unlink()
