"""python -m bench.streaming: what a growing answer costs the page, in Chromium, without a model.

A script in the page plays the engine: tokens at a given rate into the page's own rendering. Counted are the tasks
that hold the main thread for more than 50 ms (the browser's "long tasks") between the first token and the last
element. The bar: none at 100 tokens a second into 10 000 characters.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

import static_server
from tests.browser.conftest import CHROMIUM, FLAGS, Site
from tools.build.layout import ROOT
from tools.build.shell import START

DRIVER = """
import asyncio
from dataclasses import replace
from js import document, fetch, performance, window
from pyapp.browser.page import BrowserPage
from pyapp.chat.shown import Changed
from pyapp.chat.tree import Entry
from pyapp.views.language import Language

async def play():
    text = await (await fetch("answer.txt")).text()
    piece, per_second = (int(n) for n in window.playing.split())
    page = BrowserPage(Language("en"))
    entry = Entry("1", "c", None, "assistant", "", 0, "streaming")
    page.show_session(Changed(entry, None))
    begin = performance.now()
    document.documentElement.dataset.begin = str(begin)
    for n, at in enumerate(range(0, len(text), piece)):
        late = begin + 1000 * n / per_second - performance.now()
        if late > 0 or n % 16 == 0:
            await asyncio.sleep(max(late, 0) / 1000)
        page.show_session(Changed(entry, text[at : at + piece]))
    page.show_session(Changed(replace(entry, text=text, state="done"), None))
    while page._answers._streams:
        await asyncio.sleep(0.05)
    document.documentElement.dataset.end = str(performance.now())

asyncio.ensure_future(play())
document.documentElement.dataset.candil = "python"
"""

OBSERVE = """
window.longTasks = [];
new PerformanceObserver((list) => { for (const e of list.getEntries()) longTasks.push([e.startTime, e.duration]); })
  .observe({ type: "longtask", buffered: true });
window.playing = "PLAY";
"""

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


def play(browser: Browser, folder: Path, run: Run) -> tuple[float, list[float]]:
    """(seconds from first token to last element, the long tasks in between in ms)."""
    index = (folder / "index.html").read_text("utf-8")
    assert START in index
    generated: dict[str, Callable[[], bytes]] = {
        "index.html": lambda: index.replace(START, DRIVER).encode(),
        "answer.txt": lambda: answer(run.kind, run.chars).encode(),
    }
    site = served(folder, generated).start()
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.on("console", lambda message: print(message.text, file=sys.stderr) if message.type == "error" else None)
    page.add_init_script(OBSERVE.replace("PLAY", f"{run.piece} {run.per_second}"))
    page.goto(site.url)
    limit = time.monotonic() + 120 + 2 * run.chars / run.piece / run.per_second
    html = page.locator("html")
    while not html.get_attribute("data-end", timeout=60_000):
        if time.monotonic() > limit:
            raise TimeoutError(run)
        time.sleep(0.2)
    begin, end = (float(str(html.get_attribute(name))) for name in ("data-begin", "data-end"))
    cdp = page.context.new_cdp_session(page)
    found = cdp.send("Runtime.evaluate", {"expression": "JSON.stringify(longTasks)"})["result"]["value"]
    page.context.close()
    site.stop()
    return (end - begin) / 1000, [duration for start, duration in json.loads(found) if begin <= start <= end]


def served(folder: Path, generated: dict[str, Callable[[], bytes]]) -> Site:
    """`folder` as the server serves it, with files that come before those in it."""
    inner = static_server.create_app(static_server.Site((folder,), generated))
    return Site(folder, wrap=lambda _app: inner)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.streaming", description=__doc__)
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "site", help="a built site")
    parser.add_argument("--kind", choices=ANSWERS, action="append", help="default: all")
    parser.add_argument("--million", action="store_true", help="a million characters instead of ten thousand")
    arguments = parser.parse_args()
    worst = 0.0
    print("| answer | characters | tokens/s | seconds | tasks > 50 ms | longest |")
    print("|---|--:|--:|--:|--:|--:|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for kind in arguments.kind or ANSWERS:
            run = Run(kind, 1_000_000, 500, 200) if arguments.million else Run(kind, 10_000, 4, 100)
            seconds, tasks = play(browser, arguments.site.resolve(), run)
            longest = max(tasks, default=0.0)
            worst = max(worst, longest)
            shown = f"{longest:.0f} ms" if tasks else "—"
            print(f"| {kind} | {run.chars} | {run.per_second} | {seconds:.1f} | {len(tasks)} | {shown} |", flush=True)
        browser.close()
    return int(worst > (1000 if arguments.million else 50))


if __name__ == "__main__":
    sys.exit(main())
