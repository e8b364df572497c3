"""Whether greedy answers are llama.cpp's: `python -m bench.agreement [--webgpu PROMPTS]` prints a Markdown table.

Twenty questions in English and Spanish go as the same token ids to the lossless 4-bit graph (native ONNX Runtime) and
to llama.cpp on a float32 copy of the GGUF. `--webgpu 2` asks the graph in Chromium too (minutes on a software card).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.decode import CHROMIUM, TEXTS
from bench.llama_cpp import LlamaCpp, llama_cpp, write_f32_copy
from tests.browser.bare import serving
from tools.convert.conversion import Source, open_source
from tools.convert.onnx_runner import OnnxRunner
from tools.convert.repository import WEBGPU
from tools.embedded_model import embedded_gguf, prepare

TOKENS = 16
SOFTWARE_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
QUESTIONS = (
    "What is the capital of France?",
    "Why is the sky blue?",
    "Write a short poem about the sea.",
    "How do I boil an egg?",
    "Name three colours.",
    "What is 7 plus 5?",
    "Explain gravity to a child.",
    "Who wrote Don Quixote?",
    "Give me a word that rhymes with light.",
    "Translate 'good morning' into Spanish.",
    "¿Cuál es la capital de España?",
    "¿Por qué llueve?",
    "Escribe una frase sobre el otoño.",
    "¿Cómo se hace una tortilla de patatas?",
    "Dime tres animales.",
    "¿Cuánto es 9 menos 4?",
    "Explica qué es un átomo.",
    "¿Quién pintó Las Meninas?",
    "Cuenta un chiste corto.",
    "Traduce 'gato' al inglés.",
)


@dataclass(frozen=True, slots=True)
class Answer:
    question: str
    prompt_ids: list[int]
    expected: list[int]  # llama.cpp's first tokens, up to the end of its answer
    given: list[int]

    @property
    def agrees(self) -> bool:
        return self.expected == self.given


def answers(source: Source, graph: Path, judge: LlamaCpp) -> Iterator[Answer]:
    """`judge` has loaded the same weights in float32."""
    runner = OnnxRunner(graph, source.network)
    for question in QUESTIONS:
        text = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        prompt = judge.tokenize(text)
        given = [int(logits.argmax()) for logits in runner.greedy(prompt, TOKENS)]
        expected = judge.continue_greedily(prompt, TOKENS)
        ends = source.vocabulary.end_ids
        yield Answer(question, prompt, _before_end(expected, ends), _before_end(given, ends))


def _before_end(ids: Sequence[int], ends: Sequence[int]) -> list[int]:
    stop = next((at for at, index in enumerate(ids) if index in ends), len(ids))
    return list(ids[:stop])


@contextmanager
def on_webgpu(model: Path) -> Iterator[Page]:
    """A page with the 4-bit graph loaded on a software card."""
    with serving({"/models/m/": model}) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *SOFTWARE_GPU])
        page = browser.new_page()
        page.set_default_timeout(3_600_000)
        page.goto(url)
        page.wait_for_selector("html[data-ready]", state="attached")
        page.evaluate('start("/engines/transformers_js.js")')
        told = page.evaluate(
            """async ([names, dtype]) => call("transformers_js.load",
               { files: {}, device: "webgpu", dtype, threads: 2 }, { blobs: await blobs("/models/m", names) })""",
            [[*TEXTS, WEBGPU.graph], WEBGPU.dtype],
        )
        assert told["error"] is None, told["error"]
        yield page
        browser.close()


def webgpu_answer(page: Page, answer: Answer, ends: Sequence[int]) -> Answer:
    """The same question, to the page."""
    asked = {"prompt_ids": answer.prompt_ids, "steps": TOKENS}
    told = page.evaluate("(asked) => call('transformers_js.self_test', asked)", asked)
    given = _before_end(told["values"][0]["next_ids"], ends)
    return Answer(answer.question, answer.prompt_ids, answer.expected, given)


def _printed(where: str, asked: Iterable[Answer]) -> list[Answer]:
    """Each as it comes."""
    told = []
    for answer in asked:
        told.append(answer)
        pairs = zip(answer.given, answer.expected, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        print(f"| {where} | {answer.question} | {same} of {len(answer.expected)} | {answer.agrees} |", flush=True)
    print(f"| {where} | **all** | | {sum(answer.agrees for answer in told)} of {len(told)} |", flush=True)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a converted repository; the embedded model's without it")
    parser.add_argument("--webgpu", type=int, default=0, metavar="PROMPTS", help="ask so many in Chromium too")
    given = parser.parse_args()
    model = given.model or prepare()
    gguf = embedded_gguf()
    source = open_source(gguf)
    print(f"| runtime | question | equal among the first {TOKENS} tokens | agrees |\n|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as folder,
        llama_cpp(write_f32_copy(gguf, Path(folder) / "f32.gguf"), exact=True) as judge,
    ):
        native = _printed("native", answers(source, model / WEBGPU.graph, judge))
    if given.webgpu:
        with on_webgpu(model) as page:
            ends = source.vocabulary.end_ids
            _printed("WebGPU", (webgpu_answer(page, answer, ends) for answer in native[: given.webgpu]))


if __name__ == "__main__":
    main()
