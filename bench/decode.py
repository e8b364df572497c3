"""How fast answers come in Chromium on WebAssembly, beside plain transformers.js and wllama: `python -m bench.decode`.

All engines are loaded in one page and take turns, round by round, so that a busy machine slows all of
them; a ratio is the median of the rounds' ratios. "Ours via wllama" is the page's other engine, with the GGUF as
it is. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser.bare import NODE_MODULES, POLICY, ROOT, serving, wllama_files
from tools.embedded_model import embedded_gguf, prepare

CHROMIUM = "/usr/bin/chromium"
PAGE = b'<!doctype html><title>decode</title><script type="module" src="/bench/decode_page.js"></script>'
TEXTS = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]
STORY = [{"role": "user", "content": "Tell me a long story about the sea."}]
QUESTIONS = [
    "Who is in it?",
    "Where are they?",
    "Why?",
    "What happens next?",
    "And then?",
    "How does it end?",
    "Thanks!",
]
TOKENS = 32


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    ours: str
    other: str
    ratio: str
    asked: str


@contextmanager
def opened(model: Path, gguf: Path, made: Path) -> Iterator[Page]:
    """`made`: a folder for what the build makes of wllama."""
    mounts = {
        **wllama_files(made),
        "/bench/": ROOT / "bench",
        "/models/m/": model,
        "/gguf": gguf,
        "/wllama/": NODE_MODULES / "@wllama/wllama/esm",
    }
    policy = POLICY.replace("worker-src 'self'", "worker-src 'self' blob:")  # wllama's workers are blobs
    with serving(mounts, PAGE, policy) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("html[data-ready]", state="attached")
        yield page
        browser.close()


def decode_rows(page: Page, rounds: int, others: dict[str, tuple[str, str]]) -> Iterator[Row]:
    """`others`: engine -> (what to call it, the ratio asked for)."""
    speeds: dict[str, list[float]] = {engine: [] for engine in ("ours", *others)}
    for engine in speeds:  # the first run of each compiles
        page.evaluate("([engine, messages]) => decode(engine, messages, 4)", [engine, STORY])
    for _ in range(rounds):
        for engine, figures in speeds.items():
            figures.append(page.evaluate("(given) => decode(...given)", [engine, STORY, TOKENS]))
    for engine, (name, asked) in others.items():
        ratio = statistics.median(ours / other for ours, other in zip(speeds["ours"], speeds[engine], strict=True))
        yield Row(
            f"decode, tokens/s, beside {name}",
            f"{statistics.median(speeds['ours']):.1f}",
            f"{statistics.median(speeds[engine]):.1f}",
            f"{ratio:.2f}",
            asked,
        )


def reuse_row(page: Page, rounds: int) -> Row:
    """Time to first token at turn 8, with the cache of turn 7 and with none."""
    messages: list[dict[str, str]] = list(STORY)
    for question in QUESTIONS:
        answer = page.evaluate("([messages]) => generate(messages, 48)", [messages])
        before, messages = (
            messages,
            [
                *messages,
                {"role": "assistant", "content": answer["text"]},
                {"role": "user", "content": question},
            ],
        )
    reused, anew = [], []
    for _ in range(rounds):
        page.evaluate("forget()")
        page.evaluate("([messages]) => generate(messages, 48)", [before])
        turn: dict[str, Any] = page.evaluate("([messages]) => generate(messages, 1)", [messages])
        reused.append(turn["prefill_ms"])
        page.evaluate("forget()")
        anew.append(page.evaluate("([messages]) => generate(messages, 1)", [messages])["prefill_ms"])
    return Row(
        f"first token at turn 8, ms ({turn['cached_tokens']} of {turn['prompt_tokens']} tokens kept)",
        f"{statistics.median(reused):.0f}",
        f"{statistics.median(anew):.0f} without reuse",
        f"{statistics.median(a / b for a, b in zip(reused, anew, strict=True)):.2f}",
        "<= 0.25",
    )


def stop_rows(page: Page, rounds: int) -> Iterator[Row]:
    """After a stop in the middle of a prompt of 2000 tokens."""
    long = [{"role": "user", "content": "sea " * 1970}]
    runs = [page.evaluate("(given) => stop(...given)", [long, STORY, 1000]) for _ in range(rounds)]
    for what, key, asked in (
        ("stop in a prompt of 2000 tokens: engine free, ms", "free_ms", "<= 2000"),
        ("the same: the next prompt's first token, ms", "next_ms", ""),
    ):
        times = [run[key] for run in runs]
        yield Row(what, f"{statistics.median(times):.0f}", f"at most {max(times):.0f}", "", asked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a converted repository; the embedded model without it")
    parser.add_argument("--threads", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    model = given.model or prepare()
    with TemporaryDirectory() as made, opened(model, embedded_gguf(), Path(made)) as page:
        options = {
            "files": [*TEXTS, "onnx/model_int8.onnx"],
            "dtype": "int8",
            "threads": given.threads,
            "withGguf": True,
        }
        page.evaluate("load", options)
        others = {
            "plain": ("plain transformers.js", ">= 0.97"),
            "wllama": ("wllama, the GGUF", ">= 1.2"),
            "gguf": ("ours via wllama", ""),
        }
        rows = [
            *decode_rows(page, given.rounds, others),
            reuse_row(page, min(3, given.rounds)),
            *stop_rows(page, min(3, given.rounds)),
        ]
    print(f"\n{given.threads} thread(s), {given.rounds} rounds, load average {os.getloadavg()[0]:.1f}\n")
    print("| what | ours | other | ratio | asked |\n|---|---|---|---|---|")
    for row in rows:
        print(f"| {row.what} | {row.ours} | {row.other} | {row.ratio} | {row.asked} |")


if __name__ == "__main__":
    main()
