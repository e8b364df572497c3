"""Every architecture of the converter on ONNX Runtime Web, both devices, says what the native runtime says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from playwright.sync_api import Browser, Playwright

from tests.browser.bare import serving
from tests.tools.tiny_families import NETWORKS, write_tiny_network
from tools.convert.conversion import open_source, write_repository
from tools.convert.onnx_runner import OnnxRunner
from tools.convert.repository import Variant

FLAGS = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
PROMPT = [1, *np.random.default_rng(3).integers(3, 350, 89).tolist()]  # longer than the windows
STEPS = 3
MARGIN = 0.02  # between the best and the second score: another order of sums moves them by less

pytestmark = pytest.mark.webgpu


@pytest.fixture(scope="module")
def gpu_browser(playwright_session: Playwright) -> Iterator[Browser]:
    browser = playwright_session.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
    yield browser
    browser.close()


# Those whose graphs differ most; natively every family is tested. All six were seen here, qwen3 and both phi3 too.
@pytest.fixture(scope="module", params=["qwen2", "gemma3", "bitnet-b1.58"])
def converted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A model repository, and for each of its variants a prompt with the tokens that follow."""
    folder = tmp_path_factory.mktemp(request.param)
    kind = Kind.TQ2_0 if request.param.startswith("bitnet") else Kind.F32
    tiny = write_tiny_network(folder / "tiny.gguf", NETWORKS[request.param], kind=kind, embedding=Kind.Q8_0)
    source = open_source(tiny)
    (folder / "model").mkdir()
    graphs = write_repository(folder / "model", source)
    return folder / "model", {
        variant: _known_answer(OnnxRunner(files[0], source.network)) for variant, files in graphs.items()
    }


def _known_answer(runner: OnnxRunner) -> tuple[list[int], list[int]]:
    """The first prompt whose continuation is clear."""
    for length in range(len(PROMPT), 70, -1):
        rows = list(runner.greedy(PROMPT[:length], STEPS))
        if min(np.diff(np.sort(logits)[-2:])[0] for logits in rows) > MARGIN:
            return PROMPT[:length], [int(logits.argmax()) for logits in rows]
    raise AssertionError("no clear continuation")


@pytest.mark.parametrize("device", ["webgpu", "wasm"])
def test_it_says_what_the_native_runtime_says(gpu_browser: Browser, converted: tuple[Path, Any], device: str) -> None:
    folder, answers = converted
    variant: Variant = next(variant for variant in answers if variant.device == device)
    prompt, expected = answers[variant]
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.json"))
    with serving({"/models/m/": folder}) as (url, _):
        page = gpu_browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(url)
        page.wait_for_selector("html[data-ready]", state="attached")
        page.evaluate('start("/engines/transformers_js.js")')
        told = page.evaluate(
            """async ([names, device, dtype]) => call("transformers_js.load",
               { files: {}, device, dtype, threads: 1 },
               { blobs: await blobs("/models/m", names) })""",
            [[*files, variant.graph], device, variant.dtype],
        )
        assert told["error"] is None
        asked = {"prompt_ids": prompt, "steps": STEPS}
        told = page.evaluate("(asked) => call('transformers_js.self_test', asked)", asked)
        page.close()
    assert told["error"] is None
    assert told["values"] == [{"next_ids": expected}]
