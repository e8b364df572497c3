"""The wllama worker by itself, in a bare page under the site's own headers, with the real GGUF.

One thread throughout: beside other work llama.cpp's threads wait for each other.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from playwright.sync_api import Browser

from pyapp.structured.grammar import grammar
from tests.browser.bare import Call, Told, caller, opened, serving, wllama_files
from tools.embedded_model import embedded_gguf

GREEDY = {"temperature": 0, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "repetition_penalty": 1, "seed": 1}
SEA = [{"role": "user", "content": "Tell me a story about the sea."}]
LOAD = """
async (payload) => call("wllama.load", payload, { blobs: await blobs("/gguf", Object.keys(payload.files)) })
"""

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def mounts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return wllama_files(tmp_path_factory.mktemp("wllama"))


def asked_to_load(*names: str, **changes: object) -> dict[str, object]:
    payload = {"device": "wasm", "threads": 1, "context_tokens": 2048, "batch_tokens": 16, "embeddings": False}
    return {"files": dict.fromkeys(names or ("model.gguf",), ""), **payload, **changes}


@pytest.fixture(scope="module")
def engine(chromium: Browser, mounts: Mapping[str, Path]) -> Iterator[Call]:
    with serving({**mounts, "/gguf/model.gguf": embedded_gguf()}) as (url, asked):
        page = opened(chromium, url, "wllama")
        said: list[str] = []
        elsewhere: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: None if request.url.startswith(url) else elsewhere.append(request.url))
        told = page.evaluate(LOAD, asked_to_load())
        assert told["error"] is None
        assert told["values"] == [{"stage": "reading"}, {"stage": "session"}]
        asked.clear()
        yield caller(page, "wllama")
        page.close()
    assert asked == []  # a loaded engine asks the network for nothing
    assert elsewhere == []
    assert said == []  # neither a refusal by the policy nor anybody's words


def request(messages: object, tokens: int, **changes: object) -> dict[str, object]:
    usual = {"sampling": GREEDY, "stop": [], "continue_last": False, "grammar": None}
    return {"messages": messages, "max_new_tokens": tokens, **usual, **changes}


def ask(engine: Call, messages: object, tokens: int = 8, **changes: object) -> tuple[str, Told]:
    told = engine("generate", request(messages, tokens, **changes))
    assert told["error"] is None
    *deltas, last = told["values"]
    return "".join(delta["text"] for delta in deltas), last["finished"]


def count(engine: Call, *contents: str) -> int:
    messages = [{"role": "user", "content": content} for content in contents]
    return int(engine("count", {"messages": messages, "continue_last": False})["values"][0]["tokens"])


def said(words: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": "sea " * words}]


def test_a_conversation_that_grows_reads_only_what_is_new_though_it_is_counted_in_between(engine: Call) -> None:
    first, figures = ask(engine, SEA)
    count(engine, "something else altogether")
    grown = [*SEA, {"role": "assistant", "content": first}, {"role": "user", "content": "Go on."}]
    _, reused = ask(engine, grown)
    assert reused["cached_tokens"] >= figures["prompt_tokens"]


def test_an_answer_tried_again_is_the_same(engine: Call) -> None:
    text, _ = ask(engine, SEA)
    ask(engine, said(40), tokens=1)
    assert ask(engine, SEA)[0] == text
    again, figures = ask(engine, SEA)
    assert again == text
    assert figures["cached_tokens"] == figures["prompt_tokens"] - 1


def test_an_answer_goes_on_where_it_ends(engine: Call) -> None:
    begun, _ = ask(engine, SEA, tokens=4)
    whole, _ = ask(engine, SEA, tokens=8)
    more, figures = ask(engine, [*SEA, {"role": "assistant", "content": begun}], tokens=4, continue_last=True)
    assert begun + more == whole
    told = engine("count", {"messages": [*SEA, {"role": "assistant", "content": begun}], "continue_last": True})
    assert told["values"] == [{"tokens": figures["prompt_tokens"]}]


def test_text_ends_before_a_stop_string(engine: Call) -> None:
    whole, _ = ask(engine, SEA)
    stop = whole[4:9]
    text, figures = ask(engine, SEA, stop=[stop, ""])
    assert text == whole[: whole.index(stop)]
    assert figures["reason"] == "stop"


def test_characters_come_whole(engine: Call) -> None:
    wish = [{"role": "user", "content": "Repeat: 🌊🐙日本 ñ"}]
    begun = [*wish, {"role": "assistant", "content": "🌊🐙日本 ñ\n🌊🐙日本 ñ\n"}]
    told = engine("generate", request(begun, 24, continue_last=True))
    pieces = [value["text"] for value in told["values"] if "text" in value]
    assert any(ord(character) > 0x7F for character in "".join(pieces))
    assert "\N{REPLACEMENT CHARACTER}" not in "".join(pieces)


def test_a_repetition_penalty_changes_what_is_said(engine: Call) -> None:
    plain, _ = ask(engine, said(8), tokens=12)
    penalised, _ = ask(engine, said(8), tokens=12, sampling={**GREEDY, "repetition_penalty": 1.9})
    assert plain != penalised


def test_an_abort_in_a_long_prompt_frees_the_engine(engine: Call) -> None:
    _, figures = ask(engine, [{"role": "user", "content": "Once more: " + 30 * "a ship "}], tokens=1)
    batch_ms = 16 * figures["prefill_ms"] / (figures["prompt_tokens"] - figures["cached_tokens"])
    told = engine("generate", request(said(1500), 4), abortAfterMs=1000)
    assert told["error"] is None
    assert told["values"] == []
    assert told["ended"] - told["aborted"] < max(3000, 2.5 * batch_ms)  # quiet, a batch takes less than a second
    _, figures = ask(engine, said(20), tokens=1)
    assert figures["cached_tokens"] > 0  # what was read before is not read again


def test_an_abort_between_tokens_ends_the_answer(engine: Call) -> None:
    told = engine("generate", request(SEA, 500), abortAfterValues=3)
    assert told["error"] is None
    assert len(told["values"]) < 10
    assert ask(engine, SEA, tokens=2)[0]


def test_typed_control_tokens_are_text(engine: Call) -> None:
    assert count(engine, "a<|im_end|>") > count(engine, "a") + 3
    assert count(engine, "<|im_start|><|im_end|>") > count(engine, "") + 8


def test_an_answer_keeps_to_a_schema(engine: Call) -> None:
    schema = {
        "type": "object",
        "properties": {
            "wet": {"type": "boolean"},
            "why": {"type": "string", "maxLength": 20},
            "deep": {"minimum": 4000},
        },
        "required": ["wet", "why"],
    }
    text, figures = ask(engine, SEA, tokens=80, grammar=grammar(schema))
    assert figures["reason"] == "stop"
    assert Draft202012Validator(schema).is_valid(json.loads(text))


def test_a_prompt_beyond_the_window_is_refused_with_its_figures(engine: Call) -> None:
    told = engine("generate", request(said(5000), 1))
    assert told["error"]["code"] == "context_overflow"
    assert told["error"]["details"]["context_tokens"] == 2048
    assert told["error"]["details"]["prompt_tokens"] == count(engine, said(5000)[0]["content"]) > 5000


def test_embeddings_need_a_model_loaded_for_them(engine: Call) -> None:
    assert engine("embed", {"texts": ["a"]})["error"]["code"] == "engine_failed"


def test_texts_become_vectors_of_length_one_by_meaning(chromium: Browser, mounts: Mapping[str, Path]) -> None:
    with serving({**mounts, "/gguf/model.gguf": embedded_gguf()}) as (url, _):
        page = opened(chromium, url, "wllama")
        changes = {"context_tokens": 256, "batch_tokens": 256, "embeddings": True}
        assert page.evaluate(LOAD, asked_to_load(**changes))["error"] is None
        told = caller(page, "wllama")("embed", {"texts": ["a cat", "a kitten", "quarterly revenue grew"]})
        cat, kitten, revenue = (value["vector"] for value in told["values"])
        page.close()
    assert math.isclose(dot(cat, cat), 1, rel_tol=1e-4)
    assert dot(cat, kitten) > dot(cat, revenue)


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def broken(folder: Path) -> dict[str, Path]:
    whole = embedded_gguf().read_bytes()
    contents = {
        "magic.gguf": b"GGUX" + whole[4:200_000],
        "version.gguf": b"GGUF" + struct.pack("<I", 9) + whole[8:200_000],
        "header.gguf": whole[:100_000],
        "truncated.gguf": whole[:60_000_000],
        "zeros.gguf": bytes(1_000_000),
        "empty.gguf": b"",
        "html.gguf": b"<!doctype html><title>404</title>" * 100,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {f"/gguf/{name}": folder / name for name in contents}


def test_models_that_cannot_be_loaded_are_typed_errors(
    chromium: Browser, mounts: Mapping[str, Path], tmp_path: Path
) -> None:
    files = {**mounts, **broken(tmp_path), "/gguf/model.gguf": embedded_gguf()}
    with serving(files) as (url, _):
        asked = {Path(name).name: asked_to_load(Path(name).name) for name in files if "/gguf/" in name}
        asked["model.gguf"] = asked_to_load(context_tokens=1_000_000)  # 23 GB of KV cache
        asked["gpu"] = asked_to_load(device="webgpu")
        codes = {}
        for name, payload in asked.items():
            page = opened(chromium, url, "wllama")
            codes[name] = page.evaluate(LOAD, payload)["error"]["code"]
            assert caller(page, "wllama")("count", {"messages": SEA})["error"]["code"] == "not_loaded"
            page.close()
    assert codes.pop("model.gguf") == "out_of_memory"
    assert codes.pop("gpu") == "engine_unavailable"
    assert set(codes.values()) == {"engine_failed"}


def test_a_worker_that_cannot_start_is_an_error(chromium: Browser, mounts: Mapping[str, Path]) -> None:
    without = {name: path for name, path in mounts.items() if not name.endswith("worker.js")}
    with serving({**without, "/gguf/model.gguf": embedded_gguf()}) as (url, _):
        page = opened(chromium, url, "wllama")
        assert page.evaluate(LOAD, asked_to_load())["error"]["code"] == "engine_failed"
        page.close()
