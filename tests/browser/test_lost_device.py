"""The graphics card goes away in the middle of an answer, in the whole app: what was said stays, the processor goes on.

The app is the real one, but its model is tiny and random: the real one takes seconds a token on an emulated card.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect

from server import files
from server.app import create_app
from tests.browser.conftest import CHROMIUM, DESKTOP, FLAGS, ROOT, WEBGPU_FLAGS, Candil, Site, Watch, wait_for
from tests.tools.tiny_gguf import TinyShape, write_tiny_gguf
from tools.build import model
from tools.convert.conversion import open_source, write_repository

LONG = "the quick brown fox jumps over the lazy dog and the dog sleeps in the sun " * 4  # as tokens, and more than 32
LOST = "The graphics card went away"
SECONDS = 30  # the promise is 10 on a machine that does nothing else

pytestmark = pytest.mark.webgpu


@pytest.fixture(scope="module")
def tiny_site(site_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The built site, in which the embedded model is a tiny one."""
    folder = tmp_path_factory.mktemp("tiny")
    gguf = write_tiny_gguf(folder / "tiny.gguf", shape=TinyShape(context_tokens=8192))
    prepared = folder / "model"
    prepared.mkdir()
    write_repository(prepared, open_source(gguf))
    served = folder / "site"
    for place, file in {**model.model_files(prepared), model.gguf_place(gguf): gguf}.items():
        (served / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, served / place)
    engines = json.loads((site_folder / "model_manifest.json").read_text("utf-8"))["engines"]
    catalog = model.served_manifest(ROOT / "model_manifest.json", prepared, engines, gguf)
    (served / "model_manifest.json").write_bytes(catalog)
    app = create_app(files.Site((served, site_folder), {}))
    site = Site(site_folder, wrap=lambda _app: app).start()
    yield site
    site.stop()


@pytest.fixture
def gpu_browser(playwright_session: Playwright) -> Iterator[Browser]:
    """Of its own: its graphics process is ended."""
    browser = playwright_session.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *WEBGPU_FLAGS])
    yield browser
    browser.close()


def use_the_graphics_card(candil: Candil) -> None:
    """It is emulated, so nobody gets it who does not ask."""
    page = candil.page
    expect(page.locator("#status")).to_contain_text("processor")
    page.get_by_role("button", name="Models").click()
    row = page.locator('[data-key="smollm2-135m-instruct.webgpu-q4"]')
    page.locator("details.versions").filter(has=row).locator("summary").click()
    for action in ("Download", "Use this one"):
        row.get_by_role("button", name=re.compile(f"^{action}:")).click()
    expect(page.locator("#status")).to_contain_text("graphics card", timeout=60_000)
    page.keyboard.press("Escape")


def test_a_partial_answer_stays_and_the_processor_goes_on(gpu_browser: Browser, tiny_site: Site) -> None:
    context = gpu_browser.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    watch = Watch(tiny_site)
    watch.over(context)
    candil = Candil(context.new_page()).install(tiny_site.url)
    use_the_graphics_card(candil)

    candil.ask(LONG)
    answer = candil.articles("assistant").first
    text = answer.locator('[data-part="text"]')
    wait_for(lambda: len(text.inner_text().split()) > 3, "words")  # one alone may be a mark of Markdown
    assert answer.get_attribute("data-state") == "streaming"
    gpu_browser.new_browser_cdp_session().send("Browser.crashGpuProcess")
    crashed = time.monotonic()

    expect(answer).to_contain_text(LOST, timeout=SECONDS * 1000)
    partial = text.inner_text().strip()
    assert partial
    expect(candil.page.locator("#status")).to_contain_text("processor", timeout=SECONDS * 1000)
    answer.get_by_role("button", name="Try again").click()
    expect(answer).not_to_contain_text(LOST)  # in its place there is another, and the way back to it
    wait_for(lambda: text.inner_text().strip(), "new words", SECONDS)
    seconds = time.monotonic() - crashed
    print(f"{seconds:.1f} s from the crash to new words")
    assert seconds < SECONDS

    candil.page.get_by_role("button", name="Stop").click()
    answer.get_by_role("button", name="Previous version").click()
    expect(answer).to_contain_text(LOST)
    assert text.inner_text().strip() == partial
    context.close()
    watch.check()
