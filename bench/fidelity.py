"""How true the browser's variants of the embedded model are: `python -m bench.fidelity` prints a Markdown table.

Everything is measured on the text the converter ships for this (English and Spanish prose, not used to make any
choice). KL is in nats per position, from the exact distribution to the variant's.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.llama_cpp import LlamaCpp, Prediction, divergence, llama_cpp, write_f32_copy
from tools.convert.conversion import Source, open_source, write_graph
from tools.convert.dense_storage import DenseStorage
from tools.convert.encoder import Encoder
from tools.convert.exact_model import exact_logits
from tools.convert.fidelity import DEFAULT_TEXT, MAX_TOKENS, Fidelity, compare, measure
from tools.convert.onnx_runner import OnnxRunner
from tools.convert.repository import WASM, WEBGPU
from tools.embedded_model import ROOT, embedded_gguf, prepare

F32 = npt.NDArray[np.float32]

TOKENIZER_SCRIPT = ROOT / "tests" / "tools" / "tokenize.mjs"
PROBES = 200  # positions at which llama.cpp is asked
LISTED_TOKENS = 1000  # of each of its answers; the others count as one
TEXTS = (
    "Hello, world! It's 1234 o'clock; we'll go, won't we?",
    "¿Qué tal? El año pasado comí piñas con la señora Ibáñez.",
    "你好，世界。这是一个测试 123，谢谢！",
    "مرحبا بالعالم، كيف الحال؟ ١٢٣",
    "def f(x):\n    return x**2 + 10  # comment\n\n\tif a != b:\n        pass\n",
    "😀👩‍👩‍👧 ok 🇪🇸! a²b³ Ⅷ ½ x_y __init__",
    "  two  spaces   three \n\n\n end \u00a0nbsp\u3000wide e\u0301",
    "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
)


def probe_positions(length: int) -> list[int]:
    """Evenly spread, the first few left out: nobody can guess what follows one word."""
    return [int(position) for position in np.linspace(8, length - 1, PROBES)]


def agreement(exact: F32, judge: LlamaCpp, ids: Sequence[int]) -> Fidelity:
    """`exact` scores (length, vocab) against llama.cpp's at the probed positions."""
    positions = probe_positions(len(ids))
    judged: list[Prediction] = [judge.predict(ids[: position + 1], LISTED_TOKENS) for position in positions]
    kls = [divergence(exact[position], prediction) for position, prediction in zip(positions, judged, strict=True)]
    same = [exact[at].argmax() == prediction.ids[0] for at, prediction in zip(positions, judged, strict=True)]
    return Fidelity(float(np.mean(kls)), float(np.mean(same)), len(positions))


def browser_token_ids(model: Path, texts: Sequence[str]) -> list[list[int]]:
    """What the tokenizer of transformers.js makes of `texts`, in Node."""
    command = ["node", str(TOKENIZER_SCRIPT), str(model)]
    answer = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True, cwd=ROOT)
    return [entry["ids"] for entry in json.loads(answer.stdout)]


def reference_rows(source: Source, gguf: Path, ids: Sequence[int], exact: F32) -> Iterator[tuple[str, str]]:
    """The exact weights themselves: our float32 graph and llama.cpp must agree on them."""
    with tempfile.TemporaryDirectory() as folder:
        graph = write_graph(Path(folder) / "dense.onnx", source, DenseStorage)[0]
        dense = OnnxRunner(graph, source.network, all_positions=True).prefill(ids)
        yield "float32 graph vs exact weights in NumPy", str(compare(exact, dense))
        with llama_cpp(write_f32_copy(gguf, Path(folder) / "f32.gguf")) as judge:
            yield "float32 graph vs llama.cpp (float32 copy of the GGUF)", str(agreement(dense, judge, ids))
    with llama_cpp(gguf) as judge:
        yield "llama.cpp on the GGUF as shipped, for comparison", str(agreement(exact, judge, ids))
        same = sum(judge.tokenize(text) == theirs for text, theirs in zip(TEXTS, _theirs(), strict=True))
        yield "tokenizer: texts with llama.cpp's token ids", f"{same} of {len(TEXTS)}"


def _theirs() -> list[list[int]]:
    return browser_token_ids(prepare(), TEXTS)


def variant_rows(source: Source, model: Path, ids: Sequence[int], exact: F32) -> Iterator[tuple[str, str]]:
    for variant in (WEBGPU, WASM):
        graph = model / variant.graph
        yield f"{variant.name} ({variant.dtype}): size", f"{graph.stat().st_size / 1e6:.1f} MB"
        for how, fidelity in measure(graph, source.network, ids, exact, stepped=variant is WASM):
            yield f"{variant.name} ({variant.dtype}), read {how}, vs exact weights", str(fidelity)


def main() -> None:
    gguf, model = embedded_gguf(), prepare()
    source = open_source(gguf)
    ids = Encoder(source.vocabulary).encode(DEFAULT_TEXT.read_text(encoding="utf-8"))[:MAX_TOKENS]
    (exact,) = exact_logits(source.network, source.weights, [ids])
    print(f"| {gguf.name}, {gguf.stat().st_size / 1e6:.1f} MB, {len(ids)} tokens | |")
    print("|---|---|")
    for rows in (variant_rows(source, model, ids, exact), reference_rows(source, gguf, ids, exact)):
        for label, value in rows:
            print(f"| {label} | {value} |", flush=True)


if __name__ == "__main__":
    main()
