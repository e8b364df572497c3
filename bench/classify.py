"""How often the embedded model labels rightly: `python -m bench.classify [--lines 1000]` prints a Markdown table.

The task's own prompts, probabilities and calibration, over the int8 graph that the browser gets, run natively. What
is reported was not looked at for any choice: prompts and calibration were chosen on Amazon's sentences, which the
examples come from too; IMDb's and Yelp's are the test.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections.abc import AsyncGenerator, Sequence
from itertools import takewhile
from pathlib import Path

import numpy as np
from jinja2 import Template

from bench.llama_cpp import LlamaCpp, llama_cpp
from bench.sentences import sentences
from pyapp.engine import GenerateEvent, GenerateRequest, Message, wire
from pyapp.structured.document import DocumentEvent
from pyapp.tasks.classify.labelling import Labelling
from pyapp.tasks.classify.labels import Example, Label
from tools.convert.architecture import Network
from tools.convert.conversion import open_source
from tools.convert.onnx_runner import F32, OnnxRunner
from tools.convert.repository import WASM
from tools.embedded_model import embedded_gguf, prepare

SEED = 1
TEST = ("imdb", "yelp")
LABELS = ("positive", "negative")


class Answers(OnnxRunner):
    """Keeps the last prompt's cache: of the next one only what is different is read."""

    def __init__(self, graph: Path, network: Network) -> None:
        super().__init__(graph, network, all_positions=True)
        self._ids: Sequence[int] = []
        self._cache = self._empty_cache()

    def ln(self, prompt: Sequence[int], answers: Sequence[Sequence[int]]) -> Sequence[float]:
        """ln P of each answer after `prompt`; all its tokens count, so the last should be the one that ends it."""
        agreeing = takewhile(lambda pair: pair[0] == pair[1], zip(self._ids, prompt[:-1], strict=False))
        same = sum(1 for _ in agreeing)
        kept = {name: part[:, :, :same] for name, part in self._cache.items()}
        logits, self._cache = self._run(np.array([prompt[same:]], np.int64), kept)
        self._ids = prompt
        return [self._of(logits[-1:], answer) for answer in answers]

    def _of(self, first: F32, answer: Sequence[int]) -> float:
        rest, _ = self._run(np.array([answer[:-1]], np.int64), self._cache)
        scores = np.concatenate([first, rest]).astype(np.float64)
        return float((scores[np.arange(len(answer)), answer] - np.logaddexp.reduce(scores, axis=1)).sum())


class NativeWork:
    """Implements pyapp.tasks.task.Work as far as probabilities go. `last` is what was scored last, as it was given."""

    language = "en"

    def __init__(self, judge: LlamaCpp) -> None:
        """`judge` tokenizes; the graph's are the probabilities."""
        model, source = prepare(), open_source(embedded_gguf())
        template = json.loads((model / "tokenizer_config.json").read_text(encoding="utf-8"))["chat_template"]
        self.last: Sequence[float] = ()
        self._judge, self._template = judge, Template(template)
        self._end = judge.tokenize("<|im_end|>")
        self._answers = Answers(model / WASM.graph, source.network)

    def now_ms(self) -> int:
        raise NotImplementedError

    async def window(self) -> int:
        return 2048

    async def count(self, messages: Sequence[Message]) -> int:
        return len(self._prompt(messages))

    async def parameters(self) -> int:
        return 135_000_000

    async def summarizer(self) -> None:
        return None

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        answers = [self._judge.tokenize(each) + self._end for each in candidates]
        self.last = self._answers.ln(self._prompt(messages), answers)
        return self.last

    def ask(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        raise NotImplementedError

    def document(self, request: GenerateRequest) -> AsyncGenerator[DocumentEvent, None]:
        raise NotImplementedError

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        return self._judge.tokenize(self._template.render(messages=wire(messages), add_generation_prompt=True))


async def accuracy(
    work: NativeWork, lines: Sequence[tuple[str, str]], examples: Sequence[Example]
) -> tuple[float, float]:
    """As the model has it, and as the task gives it: calibrated."""
    labelling = Labelling([Label(name) for name in LABELS], examples, False, work)
    raw = calibrated = 0
    for text, right in lines:
        given = await labelling.label(text)
        raw += LABELS[int(np.argmax(work.last))] == right
        calibrated += list(given.labels) == [right]
    return raw / len(lines), calibrated / len(lines)


def examples(each: int) -> Sequence[Example]:
    """So many of either label, from what is not tested."""
    found = sentences("amazon")
    by_label = {name: [text for text, label in found if label == name] for name in LABELS}
    return [Example(by_label[name][n], [name]) for n in range(each) for name in LABELS]


async def measure(lines: int) -> None:
    print("| sentences | lines | majority | examples | as the model has it | calibrated |\n|---|---|---|---|---|---|")
    with llama_cpp(embedded_gguf()) as judge:
        work = NativeWork(judge)
        for source in TEST:
            tested = random.Random(SEED).sample(sentences(source), lines)
            majority = max(sum(label == name for _, label in tested) for name in LABELS) / lines
            for each in (0, 2):
                raw, calibrated = await accuracy(work, tested, examples(each))
                print(
                    f"| {source} | {lines} | {majority:.1%} | {2 * each} | {raw:.1%} | {calibrated:.1%} |", flush=True
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1000, help="of each source")
    asyncio.run(measure(parser.parse_args().lines))


if __name__ == "__main__":
    main()
