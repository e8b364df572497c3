"""python -m bench.summarise: a PDF of 30 pages summarised offline by the embedded model, in Chromium.

Memory is what Chromium's processes have for themselves (RssAnon), before the file is given and at the worst while it is
worked on. The bars: it finishes, a pause takes at most 1 s, every point has a source. It takes many minutes.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pydoc_data.topics import topics

from playwright.sync_api import Page, expect, sync_playwright

from tests import made_pdfs
from tests.browser.conftest import CHROMIUM, FLAGS, Candil, Site, show_list
from tools.build.layout import ROOT

PAGE_WORDS = 400
PAUSE_S = 1.0
PATIENCE_MS = 3 * 3600 * 1000


def pages(count: int) -> list[list[str]]:
    """Of Python's own reference, which comes with Python: paragraphs of real prose."""
    paragraphs = [" ".join(each.split()) for text in topics.values() for each in text.split("\n\n")]
    prose = iter(each for each in paragraphs if len(each.split()) > 30 and "::" not in each and "**" not in each)
    made: list[list[str]] = []
    for _ in range(count):
        page: list[str] = []
        while sum(len(each.split()) for each in page) < PAGE_WORDS:
            page.append(next(prose).replace("&", "and").replace("<", "‹").replace(">", "›"))
        made.append(page)
    return made


class Memory:
    """Of the processes that a browser with this profile has."""

    def __init__(self, profile: Path) -> None:
        self._profile = str(profile)
        self.worst_mb = 0.0

    def now_mb(self) -> float:
        total_kb = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if self._profile in (process / "cmdline").read_text("utf-8", "replace"):
                    found = re.search(r"RssAnon:\s+(\d+)", (process / "status").read_text("utf-8"))
                    total_kb += int(found[1]) if found else 0
            except OSError:
                continue  # it has ended
        return total_kb / 1000

    @contextmanager
    def watched(self) -> Iterator[None]:
        over = threading.Event()

        def watch() -> None:
            while not over.wait(1):
                self.worst_mb = max(self.worst_mb, self.now_mb())

        thread = threading.Thread(target=watch)
        thread.start()
        yield
        over.set()
        thread.join()


def row(what: str, value: str, bar: str = "") -> None:
    print(f"| {what} | {value} | {bar} |", flush=True)


def seconds(work: Callable[[], object]) -> float:
    before = time.monotonic()
    work()
    return time.monotonic() - before


def measure(page: Page, memory: Memory, count: int) -> bool:
    show_list(page).get_by_role("button", name="Tasks", exact=True).click()
    page.get_by_role("button", name="Summary").click()
    page.wait_for_timeout(10_000)  # what reads PDF files is kept meanwhile
    page.context.set_offline(True)
    row("memory before", f"{memory.now_mb():.0f} MB")
    pdf = made_pdfs.report(pages(count), title="Reference", header="The Python reference")
    file = {"name": "reference.pdf", "mimeType": "application/pdf", "buffer": pdf}
    state = page.locator(".run-state .run-line")
    with memory.watched():
        page.locator("#task-field-file").set_input_files(file)  # type: ignore[arg-type]
        told = page.get_by_text(re.compile(r"\d+ pages, "))
        row("reading the file", f"{seconds(lambda: told.wait_for(timeout=600_000)):.1f} s")
        row("it has", told.inner_text())
        page.get_by_role("button", name="Start").click()
        expect(page.locator(".result")).to_contain_text(re.compile("[a-z]{3}"), timeout=600_000)
        page.get_by_role("button", name="Pause").click()
        pause_s = seconds(lambda: expect(state).to_contain_text("Paused", timeout=60_000))
        row("a pause", f"{pause_s:.2f} s", f"{PAUSE_S:.0f} s")
        page.get_by_role("button", name="Continue").click()
        done_s = seconds(lambda: expect(state).to_contain_text("Done", timeout=PATIENCE_MS))
        row("the summary", f"{done_s / 60:.1f} min")
    row("memory at the worst", f"{memory.worst_mb:.0f} MB")
    points = page.locator(".result .points").first.locator("li")
    sources = [point.locator("button.source").count() for point in points.all()]
    row("points, and the fewest sources of one", f"{len(sources)}, {min(sources)}", "1")
    for point in points.all():
        print(f"  {point.inner_text()!r}")
    return pause_s <= PAUSE_S and min(sources) >= 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.summarise", description=__doc__)
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "site", help="a built site")
    parser.add_argument("--pages", type=int, default=30)
    arguments = parser.parse_args()
    site = Site(arguments.site.resolve()).start()
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=FLAGS, locale="en-US"
        )
        candil = Candil(context.pages[0]).install(f"{site.url}?device=wasm")
        print("| | | bar |\n|---|--:|--:|")
        fine = measure(candil.page, Memory(Path(profile)), arguments.pages)
        context.close()
    site.stop()
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
