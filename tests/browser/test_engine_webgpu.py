"""The transformers.js worker on WebGPU (SwiftShader), with a tiny random model: the plumbing, not the words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.browser.bare import ROOT, serving

FLAGS = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
GREEDY = {"temperature": 0, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "repetition_penalty": 1, "seed": 1}

pytestmark = pytest.mark.webgpu


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    for command in (
        ["tests.tools.tiny_gguf", str(folder / "tiny.gguf")],
        ["tools.convert", str(folder / "tiny.gguf"), "--out", str(folder / "model"), "--no-fidelity"],
    ):
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)
    return folder / "model"


@pytest.fixture(scope="module")
def gpu_browser(playwright_session: Playwright) -> Iterator[Browser]:
    browser = playwright_session.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def page(gpu_browser: Browser, tiny: Path) -> Iterator[Page]:
    """A bare page in which the tiny model is loaded on WebGPU."""
    variant = webgpu(tiny)
    with serving({"/models/m/": tiny}) as (url, _):
        page = gpu_browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(url)
        page.wait_for_selector("html[data-ready]", state="attached")
        page.evaluate('start("/engines/transformers_js.js")')
        told = page.evaluate(
            """async ([names, dtype]) => call("transformers_js.load",
               { files: {}, device: "webgpu", dtype, threads: 1 },
               { blobs: await blobs("/models/m", names) })""",
            [[file["path"] for file in variant["files"]], variant["dtype"]],
        )
        assert told["error"] is None
        yield page
        page.close()


def webgpu(model: Path) -> Any:
    catalog = json.loads((model / "candil.json").read_text(encoding="utf-8"))
    return next(variant for variant in catalog["variants"] if variant["device"] == "webgpu")


def call(page: Page, verb: str, payload: object) -> Any:
    return page.evaluate("([op, payload]) => call(op, payload)", [f"transformers_js.{verb}", payload])


def ask(page: Page, text: str, tokens: int = 6) -> tuple[str, Any]:
    messages = [{"role": "user", "content": text}]
    told = call(page, "generate", {"messages": messages, "sampling": GREEDY, "max_new_tokens": tokens, "stop": []})
    assert told["error"] is None
    *deltas, last = told["values"]
    return "".join(delta["text"] for delta in deltas), last["finished"]


def test_it_gives_the_known_answer(page: Page, tiny: Path) -> None:
    known = webgpu(tiny)["self_test"]
    asked = {"prompt_ids": known["prompt_ids"], "steps": len(known["next_ids"])}
    assert call(page, "self_test", asked)["values"] == [{"next_ids": known["next_ids"]}]


def test_a_cache_on_the_gpu_is_cut_and_read_on(page: Page) -> None:
    words = "the quick brown fox jumps over the lazy dog " * 6
    ask(page, words + "and sleeps")
    edited, figures = ask(page, words + "and runs")
    assert 0 < figures["cached_tokens"] < figures["prompt_tokens"]
    call(page, "self_test", {"prompt_ids": [1], "steps": 1})  # forgets
    anew, figures = ask(page, words + "and runs")
    assert figures["cached_tokens"] == 0
    assert anew == edited


def test_a_lost_device_is_said_to_be_lost(page: Page, gpu_browser: Browser) -> None:
    page.evaluate(
        "(payload) => { window.answer = call('transformers_js.generate', payload); }",
        {"messages": [{"role": "user", "content": "the dog"}], "sampling": GREEDY, "max_new_tokens": 400, "stop": []},
    )
    page.wait_for_timeout(300)
    gpu_browser.new_browser_cdp_session().send("Browser.crashGpuProcess")
    told = page.evaluate("() => window.answer")
    assert told["error"] is not None
    assert told["error"]["code"] == "device_lost", told["error"]
