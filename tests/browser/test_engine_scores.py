"""How likely the transformers.js worker says answers are, and grammars in a tokenizer that is not byte-level.

On tiny networks in float32, where two runtimes agree to the fourth place; int8 activations share a scale with what is
read beside them, so there even one runtime differs by tenths of a nat when the same tokens are read in other pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.browser.bare import Call, caller, opened, serving
from tests.browser.documents import made
from tests.schemas.corpus import Case, arr, obj, text, whole
from tests.tools.tiny_families import NETWORKS, write_tiny_network
from tools.convert.conversion import Source, open_source, write_graph, write_repository
from tools.convert.dense_storage import DenseStorage
from tools.convert.encoder import Encoder
from tools.convert.onnx_runner import OnnxRunner
from tools.convert.repository import WASM

BEGIN, END = 1, 2
ASKED = [{"role": "user", "content": "Is the sea blue? Say yes or no."}]
CANDIDATES = ["yes", "no", "yes, it is", "yes", "", "yes, it was", "é"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scores")


def repository(folder: Path, family: str) -> tuple[Path, Source]:
    """A tiny model as a site has it, but in float32, under the name of the processor's variant."""
    source = open_source(write_tiny_network(folder / f"{family}.gguf", NETWORKS[family]))
    made = folder / family
    made.mkdir()
    write_repository(made, source)
    write_graph(folder / f"{family}.onnx", source, DenseStorage)
    (folder / f"{family}.onnx").replace(made / WASM.graph)
    return made, source


def engine_of(chromium: Browser, model: Path) -> Iterator[Call]:
    names = sorted(path.relative_to(model).as_posix() for path in model.rglob("*.json"))
    with serving({"/models/m/": model}) as (url, _):
        page = opened(chromium, url, "transformers_js")
        told = page.evaluate(
            """async (names) => call("transformers_js.load", { files: {}, device: "wasm", dtype: "int8", threads: 1 },
               { blobs: await blobs("/models/m", names) })""",
            [*names, WASM.graph],
        )
        assert told["error"] is None
        yield caller(page, "transformers_js")
        page.close()


@pytest.fixture(scope="module")
def byte_level(chromium: Browser, folder: Path) -> Iterator[tuple[Call, Path, Source]]:
    model, source = repository(folder, "qwen2")
    for engine in engine_of(chromium, model):
        yield engine, model, source


@pytest.fixture(scope="module")
def sentence_piece(chromium: Browser, folder: Path) -> Iterator[Call]:
    model, _ = repository(folder, "gemma3")
    yield from engine_of(chromium, model)


def ln_probability(model: Path, source: Source, prompt: Sequence[int], answer: Sequence[int]) -> float:
    """By the native runtime, over the whole sequence at once, without a cache."""
    whole_sequence = [*prompt, *answer, END]
    rows = OnnxRunner(model / WASM.graph, source.network, all_positions=True).prefill(whole_sequence[:-1])
    rows = rows[len(prompt) - 1 :] - rows[len(prompt) - 1 :].max(1, keepdims=True)
    rows -= np.log(np.exp(rows).sum(1, keepdims=True))
    return float(rows[np.arange(len(rows)), whole_sequence[len(prompt) :]].sum())


def test_candidates_have_the_probabilities_of_whole_sequences(byte_level: tuple[Call, Path, Source]) -> None:
    engine, model, source = byte_level
    encode = Encoder(source.vocabulary).encode
    asked = [BEGIN, *encode(f"user\n{ASKED[0]['content']}"), END, *encode("\n")]
    prompt = [*asked, BEGIN, *encode("assistant\n")]
    told = engine("score", {"messages": ASKED, "candidates": CANDIDATES})
    assert told["error"] is None
    (value,) = told["values"]
    expected = [ln_probability(model, source, prompt, encode(each)) for each in CANDIDATES]
    assert value["scores"] == pytest.approx(expected, abs=2e-3)
    backwards = engine("score", {"messages": ASKED, "candidates": CANDIDATES[::-1]})
    assert backwards["values"][0]["scores"] == pytest.approx(value["scores"][::-1], abs=1e-6)


def test_a_grammar_holds_where_words_begin_with_a_visible_space(sentence_piece: Call) -> None:
    schema = obj("more", name=text(12), ages=arr(whole(0, 150)), more=text(30))
    for seed in range(8):
        document = made(sentence_piece, Case("tiny", "Hello", schema), 60, seed=seed, temperature=2)
        assert document.outcome == "valid", document


def test_a_candidate_beyond_the_window_is_refused(byte_level: tuple[Call, Path, Source]) -> None:
    engine, _, _ = byte_level
    told = engine("score", {"messages": ASKED, "candidates": ["yes", "no " * 2000]})
    assert told["error"]["code"] == "context_overflow"


def test_an_abort_ends_the_reading_of_candidates(byte_level: tuple[Call, Path, Source]) -> None:
    engine, _, _ = byte_level
    many = [f"{n} " * 20 for n in range(400)]
    told = engine("score", {"messages": ASKED, "candidates": many}, abortAfterMs=300)
    assert told["values"] == []
    assert told["error"] is None
