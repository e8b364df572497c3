"""What a growing answer costs the page, in Chromium and without a model: `python -m bench.streaming`.

tests/browser/driver.py plays the engine: tokens at a given rate into the page's own rendering. Counted are the main
thread's tasks between the first token and the last element, by the processor's time and not by the clock, so that
other work on the machine does not count. The bars: none above 50 ms at 100 tokens a second into 10 000 characters;
with --million, none above 1 s and memory that stays.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, DESKTOP, FLAGS
from tests.browser.driven import Driven, driven
from tools.build.layout import ROOT

LONG_MS = 50.0
BAR_MS, MILLION_BAR_MS = 50.0, 1000.0
BAR_MB = 400.0
CATEGORIES = ["toplevel", "blink.user_timing"]
TASK, BEGIN, END = "ThreadControllerImpl::RunTask", "stream-begin", "stream-end"

MIXED = """## Step {n}

A paragraph with *emphasis*, `code`, a [link](https://example.org/{n}) and a formula $x^{{{n}}}$. It goes on a little.

- one thing
- another **thing**

| a | b |
|---|--:|
| {n} | 2 |

```python
def step_{n}(x: int) -> int:
    return x * {n}  # a comment
```

"""
ANSWERS: dict[str, Callable[[int], str]] = {
    "mixed": lambda n: MIXED.format(n=n),
    "one list": lambda n: f"{n + 1}. **Item {n}** with `code` and words\n   - nested *one*\n   - nested two\n",
    "one table": lambda n: (
        ("| a | b | c |\n|---|---|---|\n" if n == 0 else "") + f"| cell {n} | **two** | three words |\n"
    ),
    "one code block": lambda n: ("```python\n" if n == 0 else "") + f"value_{n} = compute({n})  # a comment\n",
    "one paragraph": lambda n: f"Sentence {n} has *emphasis*, `code` and [a link](https://example.org/{n}). ",
    "one quote": lambda n: f"> Line {n} with **bold** words.\n> - a list in it\n>\n",
}


def answer(kind: str, chars: int) -> str:
    parts: list[str] = []
    size = 0
    while size < chars:
        parts.append(ANSWERS[kind](len(parts)))
        size += len(parts[-1])
    return "".join(parts)[:chars]


@dataclass(frozen=True, slots=True)
class Run:
    kind: str
    chars: int
    piece: int  # characters per token
    per_second: int  # tokens


@dataclass(frozen=True, slots=True)
class Cost:
    seconds: float  # first token -> last element
    tasks_ms: list[float]  # processor time of each task of the main thread in between
    memory_mb: float  # of the page at the end, Python's included

    @property
    def longest_ms(self) -> float:
        return max(self.tasks_ms)


def play(browser: Browser, url: str, run: Run) -> Cost:
    context = browser.new_context(viewport=DESKTOP, service_workers="block")  # type: ignore[arg-type]
    page = Driven(context, url)
    browser.start_tracing(page=page.page, categories=CATEGORIES)
    page.drive("stream", text=answer(run.kind, run.chars), piece=run.piece, per_second=run.per_second)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    memory = page.evaluate("performance.measureUserAgentSpecificMemory().then((memory) => memory.bytes)")
    context.close()
    return cost(events, memory)


def cost(events: list[dict[str, Any]], memory_bytes: int) -> Cost:
    begin, end = (next(e for e in events if e["name"] == name) for name in (BEGIN, END))
    thread = begin["pid"], begin["tid"]
    tasks = [e for e in events if e["name"] == TASK and (e["pid"], e["tid"]) == thread]
    during = [e["tdur"] / 1000 for e in tasks if begin["ts"] <= e["ts"] <= end["ts"] and "tdur" in e]
    return Cost((end["ts"] - begin["ts"]) / 1e6, during, memory_bytes / 1e6)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.streaming", description=__doc__)
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "site", help="a built site")
    parser.add_argument("--kind", choices=ANSWERS, action="append", help="default: all")
    parser.add_argument("--million", action="store_true", help="a million characters instead of ten thousand")
    arguments = parser.parse_args()
    costs: list[Cost] = []
    print("| answer | characters | tokens/s | seconds | processor s | tasks > 50 ms | longest | memory |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    site = driven(arguments.site.resolve()).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for kind in arguments.kind or ANSWERS:
            run = Run(kind, 1_000_000, 500, 200) if arguments.million else Run(kind, 10_000, 4, 100)
            costs.append(play(browser, site.url, run))
            print(row(run, costs[-1]), flush=True)
        browser.close()
    site.stop()
    slow = max(c.longest_ms for c in costs) > (MILLION_BAR_MS if arguments.million else BAR_MS)
    return int(slow or max(c.memory_mb for c in costs) > BAR_MB)


def row(run: Run, cost: Cost) -> str:
    n_long = sum(task > LONG_MS for task in cost.tasks_ms)
    figures = f"{cost.seconds:.1f} | {sum(cost.tasks_ms) / 1000:.1f} | {n_long} | {cost.longest_ms:.0f} ms"
    return f"| {run.kind} | {run.chars} | {run.per_second} | {figures} | {cost.memory_mb:.0f} MB |"


if __name__ == "__main__":
    sys.exit(main())
