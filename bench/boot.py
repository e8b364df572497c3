"""How fast the page starts, beside stock PyScript with stock Pyodide on the same page: `python -m bench.boot`.

Each visit is a first one, in a browser process of its own; the two take turns. Times are from the navigation to Python
having answered an event of the page; CPU is the main thread's. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import BrowserType, Page, sync_playwright

from server.app import create_app
from server.files import Site
from tools.build import archive, compress, shell, vendor
from tools.build.cache import Cache, sha256
from tools.build.layout import ROOT, Sources
from tools.build.site import Files, Target, build, publish, site_files

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PATIENCE_S = 60

# Asks Python for Spanish as soon as Python has taken over the page; its listener answers before this returns.
ASK = """new MutationObserver(() => {
  const page = document.documentElement;
  const choice = document.getElementById("language");
  if (globalThis.answeredMs || page.dataset.candil === "shell" || !choice) return;
  choice.value = "es";
  choice.dispatchEvent(new Event("change", { bubbles: true }));
  if (page.lang === "es") globalThis.answeredMs = performance.now();
}).observe(document, { subtree: true, attributeFilter: ["data-candil"] });"""
PAINT = """performance.getEntriesByName("first-contentful-paint")[0]?.startTime"""


@dataclass(frozen=True, slots=True)
class Visit:
    paint_ms: float
    answer_ms: float
    cpu_ms: float  # main thread, until the answer
    wire_bytes: int
    requests: int


@dataclass(frozen=True, slots=True)
class Bar:
    """What we hold ourselves to: at most `most`, of ours or of ours divided by stock's."""

    field: str
    title: str
    unit: str
    scale: float
    most: float
    ratio: bool

    def row(self, ours: list[Visit], stock: list[Visit]) -> str:
        mine, theirs = self.values(ours), self.values(stock)
        ratio = statistics.median(m / t for m, t in zip(mine, theirs, strict=True))
        value = ratio if self.ratio else statistics.median(mine)
        limit = f"{self.most:g}×" if self.ratio else f"{self.most:g} {self.unit}"
        verdict = "yes" if value <= self.most else "**no**"
        cells = [self.title, self.spread(theirs), self.spread(mine), f"{ratio:.2f}×", f"≤ {limit}", verdict]
        return f"| {' | '.join(cells)} |"

    def values(self, visits: list[Visit]) -> list[float]:
        return [getattr(visit, self.field) / self.scale for visit in visits]

    def spread(self, values: list[float]) -> str:
        return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f}) {self.unit}"


BARS = (
    Bar("paint_ms", "first paint", "s", 1000, 0.1, ratio=False),
    Bar("answer_ms", "until Python answers, wall", "s", 1000, 0.5, ratio=True),
    Bar("cpu_ms", "until Python answers, main-thread CPU", "s", 1000, 0.4, ratio=True),
    Bar("wire_bytes", "on the wire until then", "MB", 1e6, 6.0, ratio=False),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    sources = Sources()
    ours, stock = Target(ROOT / "build" / "bench-ours"), ROOT / "build" / "bench-stock"
    build(sources, ours)
    build_stock(sources, stock)
    visits: dict[str, list[Visit]] = {"ours": [], "stock": []}
    with serving(ours.out) as our_url, serving(stock) as stock_url, sync_playwright() as playwright:
        for number in range(rounds):
            turns = [("ours", our_url), ("stock", stock_url)]
            for name, url in turns if number % 2 else reversed(turns):
                visits[name].append(visit(playwright.chromium, url))
    report(visits["ours"], visits["stock"])


def report(ours: list[Visit], stock: list[Visit]) -> None:
    print(f"First visit, {len(ours)} rounds: median (least–most); the ratio is the median of the rounds' ratios.\n")
    print("| | stock PyScript + Pyodide | Candil | ratio | bar | met |\n|---|---|---|---|---|---|")
    for bar in BARS:
        print(bar.row(ours, stock))
    print(f"\nRequests until the answer: {stock[0].requests} stock, {ours[0].requests} ours.")


def build_stock(sources: Sources, out: Path) -> None:
    """The same page and app the usual way: npm's PyScript and Pyodide as they are, the app a zip of source."""
    cache = Cache(sources.cache / "build")
    files: Files = {name: path for name, path in site_files(sources.site) if name != "runtime.mjs"}
    files.update((n, p) for n, p in vendor.vendored(sources.node_modules) if n.startswith(("vendor/pys", "vendor/pyo")))
    for name in ("python_stdlib.zip", "pyodide-lock.json"):
        files[f"vendor/pyodide/{name}"] = sources.node_modules / "pyodide" / name
    files["app.zip"] = cache.write("app-source.zip", archive.app_source(sources))
    config = {
        "interpreter": "./vendor/pyodide/pyodide.mjs",
        "files": {"./app.zip": "./*"},
        "js_modules": {"main": {"./bridge.js": "bridge"}},
    }
    strings = shell.read_strings(sources.app / "views" / "strings")
    page = shell.render((sources.site / "index.html").read_text("utf-8"), strings, config=config)
    files["index.html"] = cache.write("stock-index.html", page.encode())
    files["model_manifest.json"] = cache.write("no-models.json", b'{"format": 1, "models": []}')
    files.update(compress.compressed(cache, files, {name: sha256(path) for name, path in files.items()}))
    publish(files, out)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(Site((folder,), {}))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join()


def visit(chromium: BrowserType, url: str) -> Visit:
    """One first visit. The service worker is left out: it fetches in the background what the page already has."""
    browser = chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    try:
        page = browser.new_context(locale="en-US", service_workers="block").new_page()
        page.add_init_script(ASK)
        return measured(page, url)
    finally:
        browser.close()


def measured(page: Page, url: str) -> Visit:
    session = page.context.new_cdp_session(page)
    finished: list[dict[str, Any]] = []

    def keep(event: dict[str, Any]) -> None:
        finished.append(event)

    session.on("Network.loadingFinished", keep)
    session.send("Network.enable")
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = cpu_ms(session.send("Performance.getMetrics"))
    page.goto(url)
    deadline = time.monotonic() + PATIENCE_S
    while not (answer_ms := page.evaluate("globalThis.answeredMs")):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Python did not answer within {PATIENCE_S} s at {url}")
        page.wait_for_timeout(20)
    cpu = cpu_ms(session.send("Performance.getMetrics")) - before
    wire = sum(int(event["encodedDataLength"]) for event in finished)
    return Visit(page.evaluate(PAINT), answer_ms, cpu, wire, len(finished))


def cpu_ms(metrics: dict[str, Any]) -> float:
    return 1000 * next(float(m["value"]) for m in metrics["metrics"] if m["name"] == "TaskDuration")


if __name__ == "__main__":
    main()
