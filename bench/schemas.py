"""Documents of the embedded model in Chromium on WebAssembly, held to 200 schemas: `python -m bench.schemas`.

`jsonschema` judges them in this process, which shares nothing with the page. Then what the constraint costs: the same
prompt and as many tokens with and without, by turns, so that a busy machine slows both; a ratio is the median of the
rounds' ratios. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from pyapp.errors import SchemaUnsupported
from pyapp.structured.grammar import grammar
from pyapp.structured.subset import check
from tests.browser.bare import Call, caller, opened, serving
from tests.browser.documents import SAMPLING, made
from tests.schemas.corpus import CASES, arr, obj, text, whole
from tests.schemas.refused import REFUSALS
from tools.embedded_model import prepare

CHROMIUM = "/usr/bin/chromium"
FILES = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "onnx/model_int8.onnx"]
LOAD = """async (names) => call("transformers_js.load", { files: {}, device: "wasm", dtype: "int8", threads: 1 },
   { blobs: await blobs("/models/m", names) })"""

# Of what the constraint costs something different: one long text, short texts with bounds, numbers and choices.
COSTLY = {
    "a long text": {"type": "string"},
    "texts of at most 40 characters": arr(obj(name=text(40), city=text(20), age=whole(0, 150)), 20, 40),
    "choices and numbers": arr(obj(kind={"enum": ["a", "b", "c"]}, at=whole(0, 999), on={"type": "boolean"}), 20, 40),
}
STORY = "Tell me a long story about the sea."
TOKENS = 96


@contextmanager
def engine() -> Iterator[Call]:
    with serving({"/models/m/": prepare()}) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = opened(browser, url, "transformers_js")
        assert page.evaluate(LOAD, FILES)["error"] is None
        yield caller(page, "transformers_js")
        browser.close()


def document_rows(ask: Call, tokens: int) -> Iterator[str]:
    for family, cases in itertools.groupby(CASES, key=lambda case: case.name.rpartition("-")[0]):
        of = [(case, made(ask, case, tokens, seed=number)) for number, case in enumerate(cases)]
        outcomes = Counter(each.outcome for _, each in of)
        yield f"| {family} | {len(of)} | {outcomes['valid']} | {outcomes['invalid']} | {outcomes['cut off']} |"
        for case, each in of:
            if each.outcome != "valid":
                yield f"<!-- {case.name}: {each.outcome}: {each.text!r} -->"


def refused() -> str:
    """Of the schemas that must be, how many are, before anything runs."""
    return f"{sum(is_refused(schema) for schema, *_ in REFUSALS)} of {len(REFUSALS)}"


def is_refused(schema: object) -> bool:
    try:
        check(schema)
    except SchemaUnsupported:
        return True
    return False


def per_token(ask: Call, schema: object | None) -> float:
    """ms, with as many tokens each time: an answer without a schema does not end before."""
    payload = {
        "messages": [{"role": "user", "content": STORY}],
        "sampling": SAMPLING,
        "max_new_tokens": TOKENS,
        "stop": [],
        "continue_last": False,
        "grammar": None if schema is None else grammar(schema, "plain"),
    }
    told = ask("generate", payload)
    finished = told["values"][-1]["finished"]
    return float(finished["decode_ms"] / (finished["new_tokens"] - 1))


def cost_rows(ask: Call, rounds: int) -> Iterator[str]:
    for what, schema in COSTLY.items():
        per_token(ask, schema)  # the first makes the masks
        with_, without = [], []
        for _ in range(rounds):
            without.append(per_token(ask, None))
            with_.append(per_token(ask, schema))
        ratio = statistics.median(a / b for a, b in zip(with_, without, strict=True))
        yield f"| {what} | {statistics.median(with_):.1f} | {statistics.median(without):.1f} | {ratio:.3f} | <= 1.10 |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=200, help="that a document may have")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=["documents", "cost"])
    given = parser.parse_args()
    with engine() as ask:
        if given.only != "cost":
            print("\n| schemas | asked | valid | invalid | cut off |\n|---|---|---|---|---|")
            for row in document_rows(ask, given.tokens):
                print(row, flush=True)
            print(f"\nRefused before anything ran: {refused()} that must be.")
        if given.only != "documents":
            print("\n| the constraint, ms a token | with | without | ratio | asked |\n|---|---|---|---|---|")
            for row in cost_rows(ask, given.rounds):
                print(row, flush=True)
    print(f"\n{given.rounds} rounds of {TOKENS} tokens, load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
