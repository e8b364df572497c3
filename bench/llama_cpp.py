"""llama.cpp as an independent judge: its tokens and its predictions for a GGUF file, through its own HTTP server."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, GGUFValueType, GGUFWriter, dequantize

from bench.llama_server import LlamaServer

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The likeliest next tokens, best first."""

    ids: npt.NDArray[np.int64]
    log_probabilities: npt.NDArray[np.float64]


class LlamaCpp:
    """One loaded model. `address` is http://host:port."""

    def __init__(self, address: str) -> None:
        self.address = address

    def tokenize(self, text: str) -> list[int]:
        """Special tokens in the text are found; none is put around it."""
        answer = self._post("/tokenize", {"content": text, "add_special": False, "parse_special": True})
        tokens = answer["tokens"]
        assert isinstance(tokens, list)
        return [int(token) for token in tokens]

    @cached_property
    def _whole_character(self) -> int:
        return self.tokenize("a")[-1]

    def predict(self, ids: Sequence[int], count: int) -> Prediction:
        """The `count` likeliest tokens after `ids`."""
        request: Json = {"prompt": list(ids), "n_predict": 1, "n_probs": count, "temperature": 0, "cache_prompt": True}
        # The server withholds its answer after a token that is half a character. The bias forces another one, and
        # the probabilities are from before it.
        request["logit_bias"] = [[self._whole_character, 1e6]]
        answer = self._post("/completion", request)
        steps = answer["completion_probabilities"]
        assert isinstance(steps, list)
        top = steps[0]["top_logprobs"]
        return Prediction(
            np.array([entry["id"] for entry in top], np.int64),
            np.array([entry["logprob"] for entry in top], np.float64),
        )

    def continue_greedily(self, ids: Sequence[int], count: int) -> list[int]:
        """The likeliest token after `ids`, and after that, at most `count`; fewer where the answer ends."""
        # A few more are asked for, because the server keeps back tokens that end within a character.
        request: Json = {"prompt": list(ids), "n_predict": count + 4, "temperature": 0, "return_tokens": True}
        tokens = self._post("/completion", request)["tokens"]
        assert isinstance(tokens, list)
        return [int(token) for token in tokens[:count]]

    def _post(self, path: str, body: Json) -> Json:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            parsed: Json = json.load(answer)
        return parsed


@contextmanager
def llama_cpp(gguf: Path, context_tokens: int = 2048, threads: int = 1, *, exact: bool = False) -> Iterator[LlamaCpp]:
    """Load `gguf` into a server on a free local port; `exact`: attention in float32 throughout."""
    server = LlamaServer(gguf, window=context_tokens, threads=threads, exact=exact)
    try:
        yield LlamaCpp(server.url)
    finally:
        server.kill()


def write_f32_copy(source: Path, target: Path) -> Path:
    """The same model with every tensor dequantized: llama.cpp then multiplies in float32, without rounding."""
    reader = GGUFReader(source)
    writer = GGUFWriter(target, "llama")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        kind = field.types[0]
        sub_type = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type)
    for tensor in reader.tensors:
        shape = tuple(int(size) for size in reversed(tensor.shape))
        writer.add_tensor(tensor.name, dequantize(tensor.data, tensor.tensor_type).reshape(shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def divergence(exact: npt.NDArray[np.float32], judged: Prediction) -> float:
    """KL in nats from the judge's distribution to `exact` scores (vocab,), all tokens it did not list as one."""
    shifted = exact.astype(np.float64) - exact.max()
    ours = (shifted - np.log(np.exp(shifted).sum()))[judged.ids]
    theirs = judged.log_probabilities
    rest = [max(1e-12, 1 - float(np.exp(side).sum())) for side in (theirs, ours)]
    return float(np.sum(np.exp(theirs) * (theirs - ours)) + rest[0] * np.log(rest[0] / rest[1]))
