"""The engine keeps the contract, and tells llama.cpp what transformers.js is not told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyapp.engine import GenerateRequest
from pyapp.engines.wllama import Wllama
from pyapp.errors import EngineFailed, NotLoaded
from pyapp.models.manifest import ManifestFile, Variant
from tests.contract.engine import CONTRACT, QUESTION, Check, answer, load
from tests.unit.engines.scripted import MODEL, ScriptedWorker
from tests.unit.run import run

PARTS = (
    ManifestFile("big-00001-of-00002.gguf", "models/1", 2, "a" * 64),
    ManifestFile("big-00002-of-00002.gguf", "models/2", 9, "b" * 64),
)
VARIANT = Variant("gguf", "wllama", "wasm", "q4_1", (), PARTS)
REPLACE = ("page.replace_worker", {"worker": "wllama"})


def scripted() -> ScriptedWorker:
    return ScriptedWorker(name="wllama")


def loaded(worker: ScriptedWorker, **options: Any) -> Wllama:
    engine = Wllama(worker, seed=lambda: 99, **options)
    run(load(engine, MODEL, VARIANT))
    return engine


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_it_keeps_the_contract_of_engines(check: Check) -> None:
    run(check(loaded(scripted()), MODEL, VARIANT))  # type: ignore[arg-type]


def test_loading_sends_the_parts_in_order_and_the_whole_window() -> None:
    worker = scripted()
    loaded(worker)
    assert worker.calls == [
        ("wllama.probe", {}),
        (
            "wllama.load",
            {
                "files": {"big-00001-of-00002.gguf": "a" * 64, "big-00002-of-00002.gguf": "b" * 64},
                "device": "wasm",
                "threads": 4,
                "context_tokens": 200,
                "batch_tokens": 64,
                "embeddings": False,
            },
        ),
    ]


@pytest.mark.parametrize(
    ("options", "threads", "batch", "embeddings"),
    [({"most_threads": 1}, 1, 16, False), ({"most_threads": 9}, 4, 64, False), ({"embeddings": True}, 4, 200, True)],
)
def test_threads_can_be_fewer_and_embeddings_read_a_text_at_once(
    options: dict[str, Any], threads: int, batch: int, embeddings: bool
) -> None:
    worker = scripted()
    loaded(worker, **options)
    payload = worker.calls[-1][1]
    assert (payload["threads"], payload["batch_tokens"], payload["embeddings"]) == (threads, batch, embeddings)


@pytest.mark.parametrize(("schema", "grammar"), [(None, None), ({"type": "boolean"}, 'root ::= ("true" | "false")\n')])
def test_a_schema_crosses_as_a_grammar(schema: object, grammar: str | None) -> None:
    worker = scripted()
    run(answer(loaded(worker), GenerateRequest(QUESTION, schema=schema)))
    assert worker.calls[-1][1]["grammar"] == grammar


def test_texts_become_vectors() -> None:
    assert run(loaded(scripted(), embeddings=True).embed(["a", "bcd"])) == [[1.0], [3.0]]


def test_a_failed_embedding_ends_the_worker() -> None:
    worker = scripted()
    engine = loaded(worker, embeddings=True)
    worker.failures = {"wllama.embed": [EngineFailed("gone")]}
    with pytest.raises(EngineFailed):
        run(engine.embed(["a"]))
    assert worker.calls[-1] == REPLACE
    with pytest.raises(NotLoaded):
        run(engine.embed(["a"]))


def test_another_variant_gets_a_fresh_worker() -> None:
    worker = scripted()
    engine = loaded(worker)
    run(load(engine, MODEL, replace(VARIANT, name="other")))
    assert worker.calls[2] == REPLACE
