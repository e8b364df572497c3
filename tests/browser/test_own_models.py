"""A model of the user's own with the real engine: dropped without a network, kept, from an address; and what is not one."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Candil, Site, show_list, wait_for
from tests.browser.test_accessibility import LOOKS, audit
from tests.browser.test_offline_shell import KEEP
from tests.hub import Hub, running
from tools.embedded_model import GGUF_NAME, embedded_gguf

pytestmark = pytest.mark.real_model

TITLE = "Smollm2 135M 8k Lc100K Mix1 Ep2"


@pytest.fixture(scope="module")
def gguf() -> Path:
    return embedded_gguf()


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    yield from running()


@pytest.fixture
def guest(chromium: Browser, site: Site) -> Iterator[Candil]:
    """A newcomer who said "Not now"; the engine's code is kept."""
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    candil = Candil(context.new_page()).open(f"{site.url}?device=wasm")
    candil.page.get_by_role("button", name="Not now").click()
    kept = candil.page.evaluate(KEEP, {"group": "wllama:wasm"})
    assert "code" not in kept
    yield candil
    context.close()


def drop(page: Page, *paths: Path) -> None:
    """As from the file manager, on the middle of the page."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 700, "y": 300, "data": data})


def section(page: Page) -> Locator:
    return page.locator("#own")


def press(page: Page, name: str) -> None:
    section(page).get_by_role("button", name=name).click()


def open_models(page: Page) -> None:
    show_list(page).get_by_role("button", name="Models").click()


def test_dropped_without_a_network_it_answers_as_soon_as_a_download_would(
    chromium: Browser, site: Site, guest: Candil, gguf: Path, record_property: pytest.RecordProperty
) -> None:
    page = guest.page
    page.context.set_offline(True)
    begun = time.monotonic()
    drop(page, gguf)
    expect(section(page)).to_contain_text(TITLE)
    expect(section(page)).to_contain_text("98.4 MB (Q4_1)")
    seen_s = time.monotonic() - begun
    press(page, "Use it now")
    guest.wait_until_ready()
    assert guest.ask("Say hello.").begun(seconds=120)
    dropped_s = time.monotonic() - begun
    page.context.set_offline(False)

    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    other = Candil(context.new_page()).open(f"{site.url}?device=wasm")
    download = other.page.get_by_role("button", name="Download", exact=True)
    download.wait_for()
    begun = time.monotonic()
    download.click()
    other.wait_until_ready()
    assert other.ask("Say hello.").begun(seconds=120)
    downloaded_s = time.monotonic() - begun
    context.close()
    figures = {"card_s": seen_s, "dropped_s": dropped_s, "downloaded_s": downloaded_s}
    for name, value in figures.items():
        record_property(name, round(value, 2))
    print(figures)
    assert dropped_s <= downloaded_s
