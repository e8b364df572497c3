"""How quickly the page answers to a hand, and how still it is, in Chromium: `python -m bench.vitals`.

A session with a scripted model (tests/browser/scripted.py): begin, ask, write while an answer grows, the list, search,
settings, another chat. Of every step the slowest interaction, from the input to the next paint (the browser's own event
timing, which counts in steps of 8 ms), and at the end what has moved by itself (cumulative layout shift). The bars:
150 ms and 0.05. Wall-clock times: run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Locator, Page, ViewportSize, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, DESKTOP, FLAGS, PHONE, show_list, wait_for
from tests.browser.driven import SCRIPTED, driven
from tools.build.layout import ROOT

INP_BAR_MS, CLS_BAR = 150.0, 0.05
ROUNDS = 3

# What moved after an input was expected to; interactions that were quicker than 16 ms are not told, and no concern.
OBSERVE = """
window.vitals = { shift: 0, interactions: [] };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) vitals.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.interactionId) vitals.interactions.push(entry.duration);
}).observe({ type: "event", durationThreshold: 16, buffered: true });
"""
PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100))))"


@dataclass
class Visit:
    page: Page
    cdp: CDPSession

    @classmethod
    def begin(cls, browser: Browser, url: str, viewport: Any, slower: float = 1) -> Visit:
        """A page whose model is ready; `slower` divides the processor's speed."""
        size: ViewportSize = viewport
        context = browser.new_context(viewport=size, locale="en-US", service_workers="block")
        page = context.new_page()
        page.add_init_script(OBSERVE)
        cdp = context.new_cdp_session(page)
        cdp.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        page.goto(f"{url}?device=wasm")
        wait_for(lambda: page.locator("html").get_attribute("data-candil") == "ready", "the model is ready")
        return cls(page, cdp)

    def layout_shift(self) -> float:
        """All there was so far; the browser's own figure takes the worst five seconds of it."""
        self.page.evaluate(PAINTED)
        return float(self.page.evaluate("vitals.shift"))

    def interactions_ms(self) -> list[float]:
        """Since the last call."""
        self.page.evaluate(PAINTED)
        return [float(ms) for ms in self.page.evaluate("vitals.interactions.splice(0)")]

    def end(self) -> None:
        self.page.context.close()


def _ask(page: Page, text: str, shown: str) -> Locator:
    """The answer to `text`, once it says `shown`."""
    message, last = page.locator("#message"), page.locator('article[data-role="assistant"]').last
    message.click()
    message.press_sequentially(text)
    message.press("Enter")
    expect(last).to_contain_text(shown)
    return last


def _ask_and_see(page: Page) -> None:
    expect(_ask(page, "Something", "one thing")).to_have_attribute("data-state", "done")


def _write_meanwhile(page: Page) -> None:
    answer = _ask(page, "Something long", "word 5")
    page.locator("#message").press_sequentially("what I think of while it is answering", delay=30)
    page.keyboard.press("Escape")
    expect(answer).to_have_attribute("data-state", "stopped")
    page.locator("#message").fill("")


def _regenerate(page: Page) -> None:
    page.locator('[data-action="regenerate"]').last.click()
    expect(page.locator('article[data-role="assistant"]').last).to_contain_text("word 50")
    page.locator("#stop").click()


def _switch_versions(page: Page) -> None:
    for _ in range(2):
        page.locator('[data-action="switch-branch"]:enabled').last.click()


def _hide_and_show(page: Page) -> None:
    show_list(page).locator("#hide-chats").click()
    page.locator("#show-chats").click()


def _search(page: Page) -> None:
    show_list(page).locator("#search").press_sequentially("something", delay=30)
    page.locator("mark").first.wait_for()
    page.locator("#search").fill("")


def _settings(page: Page) -> None:
    show_list(page).locator("#open-settings").click()
    page.locator('[name="theme"]').select_option("dark")
    for section in ("chat", "personas", "shortcuts", "app"):
        page.locator(f'[data-action="show-section"][data-id="{section}"]').click()
    page.keyboard.press("Escape")


def _new_chat(page: Page) -> None:
    show_list(page).locator("#new-chat").click()
    _ask_and_see(page)


def _switch_chats(page: Page) -> None:
    for at in (1, 0, 1):
        show_list(page).locator("#chats .chat").nth(at).click()
        expect(page.locator("#chats li").nth(at)).to_have_attribute("data-open", "")


SESSION: dict[str, Callable[[Page], None]] = {
    "ask, and see it answered": _ask_and_see,
    "write while an answer grows, stop it": _write_meanwhile,
    "another version": _regenerate,
    "switch versions": _switch_versions,
    "hide and show the list": _hide_and_show,
    "search": _search,
    "settings, every section": _settings,
    "a new chat": _new_chat,
    "switch chats": _switch_chats,
}


def measured(browser: Browser, url: str, viewport: Any, slower: float) -> tuple[dict[str, list[float]], float]:
    """The interactions of every step, and the layout shift of all of them."""
    visit = Visit.begin(browser, url, viewport, slower)
    interactions: dict[str, list[float]] = {}
    for name, step in SESSION.items():
        step(visit.page)
        interactions[name] = visit.interactions_ms()
    shift = visit.layout_shift()
    visit.end()
    return interactions, shift


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.vitals", description=__doc__)
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "site", help="a built site")
    parser.add_argument("--slower", type=float, default=1, help="divide the processor's speed, as for a phone")
    arguments = parser.parse_args()
    worst, shifts = 0.0, 0.0
    print("| step | size | slow interactions (> 16 ms) | worst of each round |\n|---|---|--:|--:|")
    site = driven(arguments.site.resolve(), script=SCRIPTED).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for size, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
            rounds = [measured(browser, site.url, viewport, arguments.slower) for _ in range(ROUNDS)]
            for name in rounds[0][0]:
                of_step = [interactions[name] for interactions, _ in rounds]
                slowest = [max(each, default=0) for each in of_step]
                worst = max(worst, *slowest)
                print(f"| {name} | {size} | {sum(map(len, of_step))} | {', '.join(f'{ms:.0f}' for ms in slowest)} ms |")
            shifts = max(shifts, *(shift for _, shift in rounds))
        browser.close()
    site.stop()
    print(f"\nWorst interaction: {worst:.0f} ms (bar {INP_BAR_MS:.0f}). Layout shift: {shifts:.4f} (bar {CLS_BAR}).")
    return int(worst > INP_BAR_MS or shifts > CLS_BAR)


if __name__ == "__main__":
    sys.exit(main())
