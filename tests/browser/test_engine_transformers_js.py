"""The transformers.js worker by itself, in a bare page under the site's own headers, with the real model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.bare import Call, Told, caller, opened, serving
from tests.browser.documents import made
from tests.schemas.corpus import CASES, Case
from tools.embedded_model import prepare

TEXTS = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]
GREEDY = {"temperature": 0, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "repetition_penalty": 1, "seed": 1}
SEA = [{"role": "user", "content": "Tell me a story about the sea."}]

pytestmark = pytest.mark.real_model


def files() -> dict[str, Path]:
    return {"/models/m/": prepare()}


@pytest.fixture
def served() -> Iterator[tuple[str, list[str]]]:
    with serving(files()) as served:
        yield served


def bare(chromium: Browser, url: str) -> Page:
    return opened(chromium, url, "transformers_js")


def load(page: Page, names: list[str], device: str = "wasm") -> Told:
    told: Told = page.evaluate(
        """async ([names, device]) => call("transformers_js.load", { files: {}, device, dtype: "int8", threads: 1 },
           { blobs: await blobs("/models/m", names) })""",
        [names, device],
    )
    return told


@pytest.fixture(scope="module")
def engine(chromium: Browser) -> Iterator[Call]:
    with serving(files()) as (url, asked):
        page = bare(chromium, url)
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
        told = load(page, [*TEXTS, "onnx/model_int8.onnx"])
        assert told["error"] is None
        assert told["values"] == [{"stage": "reading"}, {"stage": "session"}]
        asked.clear()
        refused.clear()
        yield caller(page, "transformers_js")
        page.close()
    assert asked == []  # a loaded engine asks the network for nothing
    assert refused == []  # and runs into no policy


def ask(
    engine: Call, messages: object, tokens: int = 8, sampling: object = None, stop: object = ()
) -> tuple[str, Told]:
    payload = {
        "messages": messages,
        "sampling": sampling or GREEDY,
        "max_new_tokens": tokens,
        "stop": list(stop),  # type: ignore[call-overload]
    }
    told = engine("generate", payload)
    assert told["error"] is None
    *deltas, last = told["values"]
    return "".join(delta["text"] for delta in deltas), last["finished"]


def forget(engine: Call) -> None:
    """The self-test leaves an empty cache behind."""
    assert engine("self_test", {"prompt_ids": [1], "steps": 1})["error"] is None


def test_a_conversation_that_grows_reads_only_what_is_new_and_says_the_same(engine: Call) -> None:
    forget(engine)
    first, figures = ask(engine, SEA)
    assert first
    assert figures["cached_tokens"] == 0
    assert figures["new_tokens"] == 8
    assert figures["reason"] == "length"
    grown = [*SEA, {"role": "assistant", "content": first}, {"role": "user", "content": "Go on."}]
    second, reused = ask(engine, grown)
    assert reused["cached_tokens"] >= figures["prompt_tokens"]
    forget(engine)
    anew, figures = ask(engine, grown)
    assert figures["cached_tokens"] == 0
    assert anew[:4] == second[:4]  # the answer was read one token at a time, now all at once: the last bits differ


def test_an_edit_keeps_what_comes_before_it_and_says_the_same(engine: Call) -> None:
    rules = [{"role": "system", "content": "You are a storyteller. " * 25}]
    ask(engine, [*rules, *SEA])
    edited = [*rules, {"role": "user", "content": "Tell me a story about a dog."}]
    text, reused = ask(engine, edited)
    assert 0 < reused["cached_tokens"] < reused["prompt_tokens"]
    forget(engine)
    anew, _ = ask(engine, edited)
    assert anew == text


def test_an_answer_tried_again_is_the_same_without_reading_all_of_it(engine: Call) -> None:
    forget(engine)
    question = [{"role": "user", "content": "Tell me a story. " * 30}]
    text, _ = ask(engine, question)
    again, figures = ask(engine, question)
    assert again == text
    assert figures["cached_tokens"] >= figures["prompt_tokens"] - 64


def test_a_seed_repeats_an_answer(engine: Call) -> None:
    def drawn(seed: int) -> str:
        return ask(engine, SEA, sampling={**GREEDY, "temperature": 1.2, "seed": seed})[0]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_text_ends_before_a_stop_string(engine: Call) -> None:
    whole, _ = ask(engine, SEA)
    stop = whole[4:9]
    text, figures = ask(engine, SEA, stop=[stop])
    assert text == whole[: whole.index(stop)]
    assert figures["reason"] == "stop"


def said(words: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": "sea " * words}]


def test_an_abort_in_a_long_prompt_frees_the_engine(engine: Call) -> None:
    forget(engine)
    told = engine(
        "generate", {"messages": said(2000), "sampling": GREEDY, "max_new_tokens": 4, "stop": []}, abortAfterMs=300
    )
    assert told["error"] is None
    assert told["values"] == []
    assert told["ended"] - told["aborted"] < 20_000  # 64 tokens; bench/decode.py measures it on a quiet machine
    text, _ = ask(engine, SEA, tokens=2)
    assert text


def test_what_was_read_before_an_abort_is_not_read_again(engine: Call) -> None:
    forget(engine)
    payload = {"messages": said(300), "sampling": GREEDY, "max_new_tokens": 1, "stop": []}
    engine("generate", payload, abortAfterMs=100)
    _, figures = ask(engine, said(300), tokens=1)
    assert 0 < figures["cached_tokens"] < 300
    assert figures["cached_tokens"] % 64 == 0


def test_an_abort_between_tokens_ends_the_answer(engine: Call) -> None:
    payload = {"messages": SEA, "sampling": GREEDY, "max_new_tokens": 500, "stop": []}
    told = engine("generate", payload, abortAfterValues=3)
    assert told["error"] is None
    assert len(told["values"]) < 10
    text, _ = ask(engine, SEA, tokens=2)
    assert text


def test_typed_control_tokens_are_text(engine: Call) -> None:
    def tokens(content: str) -> int:
        return int(engine("count", {"messages": [{"role": "user", "content": content}]})["values"][0]["tokens"])

    assert tokens("a<|im_end|>") > tokens("a") + 3


def test_a_prompt_beyond_the_window_is_refused_with_its_figures(engine: Call) -> None:
    messages = [{"role": "user", "content": "one two " * 5000}]
    told = engine("generate", {"messages": messages, "sampling": GREEDY, "max_new_tokens": 1, "stop": []})
    assert told["error"]["code"] == "context_overflow"
    assert told["error"]["details"]["context_tokens"] == 8192
    assert told["error"]["details"]["prompt_tokens"] > 8192


def test_without_a_model_it_says_so(chromium: Browser, served: tuple[str, list[str]]) -> None:
    page = bare(chromium, served[0])
    call = caller(page, "transformers_js")
    for verb, payload in {"count": {"messages": SEA}, "self_test": {"prompt_ids": [1], "steps": 1}}.items():
        assert call(verb, payload)["error"]["code"] == "not_loaded"
    (probe,) = call("probe", {})["values"]
    assert probe["cross_origin_isolated"]
    assert probe["wasm_simd"]
    page.close()


def test_without_an_adapter_webgpu_is_unavailable(chromium: Browser, served: tuple[str, list[str]]) -> None:
    page = bare(chromium, served[0])
    assert load(page, TEXTS, device="webgpu")["error"]["code"] == "engine_unavailable"
    page.close()


def test_a_model_that_is_not_whole_is_an_error_and_no_request(chromium: Browser, served: tuple[str, list[str]]) -> None:
    url, asked = served
    for names in ([*TEXTS], ["onnx/model_int8.onnx"]):
        page = bare(chromium, url)
        told = load(page, names)
        assert told["error"]["code"] == "engine_failed"
        page.close()
    assert not [path for path in asked if "huggingface" in path or path.startswith("/model/")]


def test_a_prompt_is_read_once_for_all_candidates(engine: Call) -> None:
    forget(engine)
    long = [{"role": "user", "content": "Is the sea deep? " * 40}]
    began = engine("score", {"messages": long, "candidates": ["Yes", "No", "Perhaps", "Never"]})
    assert began["error"] is None
    _, figures = ask(engine, long, tokens=2)
    assert figures["prompt_tokens"] - figures["cached_tokens"] <= 64


@pytest.mark.parametrize("case", CASES[5::18], ids=lambda case: case.name)
def test_a_document_is_what_its_schema_describes(engine: Call, case: Case) -> None:
    assert made(engine, case, 64, seed=len(case.name)).outcome == "valid"


def test_a_document_ends_within_its_tokens(engine: Call) -> None:
    case = Case("story", "Tell me a very long story.", {"type": "array", "items": {"type": "string"}, "minItems": 3})
    for tokens in (16, 30):
        document = made(engine, case, tokens)
        assert document.outcome == "valid"
        assert document.finished["new_tokens"] <= tokens


def test_a_grammar_that_is_none_is_refused(engine: Call) -> None:
    told = engine("generate", {"messages": SEA, "sampling": GREEDY, "max_new_tokens": 4, "stop": [], "grammar": "root"})
    assert told["error"]["code"] == "invalid_request"
    assert ask(engine, SEA, tokens=2)[0]
