"""Runs a converted graph with the native ONNX Runtime, the way transformers.js would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime  # type: ignore[import-untyped]

from tools.convert.architecture import Network
from tools.convert.decoder_graph import LAST_POSITION

F32 = npt.NDArray[np.float32]
Feeds = dict[str, npt.NDArray[Any]]


class OnnxRunner:
    """One graph in memory; every call begins with an empty cache."""

    def __init__(self, graph: Path, network: Network, *, all_positions: bool = False) -> None:
        """With `all_positions` the graph is changed in memory to give the logits of every position."""
        self._network = network
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Threads that spin while they wait make a machine that is also doing something else many times slower.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        source = _every_position(graph) if all_positions else graph
        try:
            self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        finally:
            if source != graph:
                source.unlink()

    def prefill(self, ids: Sequence[int]) -> F32:
        """Logits after reading `ids` in one piece: (positions the graph gives, vocab)."""
        return self._run(np.array([ids], np.int64), self._empty_cache())[0]

    def step_by_step(self, ids: Sequence[int]) -> F32:
        """Logits at every position, reading one token at a time: (length, vocab)."""
        cache, rows = self._empty_cache(), []
        for index in range(len(ids)):
            logits, cache = self._run(np.array([ids[index : index + 1]], np.int64), cache)
            rows.append(logits[-1])
        return np.stack(rows)

    def greedy(self, ids: Sequence[int], count: int) -> Iterator[F32]:
        """Logits of the next `count` positions, each token the likeliest after those before."""
        logits, cache = self._run(np.array([ids], np.int64), self._empty_cache())
        for _ in range(count - 1):
            yield logits[-1]
            logits, cache = self._run(np.array([[logits[-1].argmax()]], np.int64), cache)
        yield logits[-1]

    def _empty_cache(self) -> Feeds:
        shape = (1, self._network.kv_heads, 0, self._network.head_dim)
        names = [
            f"past_key_values.{layer}.{part}" for layer in range(self._network.layers) for part in ("key", "value")
        ]
        return {name: np.zeros(shape, np.float32) for name in names}

    def _run(self, ids: npt.NDArray[np.int64], cache: Feeds) -> tuple[F32, Feeds]:
        past = next(iter(cache.values())).shape[2]
        mask = np.ones((1, past + ids.shape[1]), np.int64)
        names = ["logits", *(name.replace("past_key_values", "present") for name in cache)]
        logits, *present = self._session.run(names, {"input_ids": ids, "attention_mask": mask, **cache})
        return logits[0], dict(zip(cache, present, strict=True))


def _every_position(graph: Path) -> Path:
    """A copy beside `graph`, so that its external data is found, without the cut to the last position."""
    model = onnx.load(graph, load_external_data=False)
    for node in model.graph.node:
        if node.name.startswith(LAST_POSITION):
            node.op_type = "Identity"
            del node.input[1:]
    for output in model.graph.output:
        if output.name == "logits":
            output.type.tensor_type.shape.dim[1].dim_param = "sequence_length"
    copy = graph.with_name(f"every_position_{graph.name}")
    onnx.save(model, copy)
    return copy
