"""axe-core finds nothing on any state of the page, light and dark, desktop and phone; the keyboard is enough."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.browser.conftest import DESKTOP, PHONE, ROOT, Candil, Site, wait_for

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)]
# In each language every theme and every size.
LOCAL_LOOKS = [("en", "light", DESKTOP), ("en", "dark", PHONE), ("es", "dark", DESKTOP), ("es", "light", PHONE)]


def audit(page: Page, what: str) -> None:
    """Runs axe in the page through the protocol, which no CSP forbids."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("Runtime.evaluate", {"expression": AXE})
    run = f"axe.run({{runOnly: {TAGS!r}}}).then((r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))"
    answer = cdp.send("Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True})
    cdp.detach()
    assert answer["result"].get("value") == [], what


def big_enough(targets: Locator) -> None:
    """For a thumb, each of them."""
    for target in targets.all():
        box = target.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44, target.evaluate("e => e.outerHTML")


class Slow:
    """Weights drip, so that a download can be looked at."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dripping(message: Any) -> None:
            if message["type"] == "http.response.body" and "/models/" in scope["path"]:
                await asyncio.sleep(0.2)
            await send(message)

        await self.app(scope, receive, dripping)


class Gone:
    """Weights are not there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "/models/" in scope["path"]:
            scope = {**scope, "raw_path": b"/nowhere", "path": "/nowhere"}
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def slow_site(site_folder: Path) -> Iterator[Site]:
    site = Site(site_folder, wrap=Slow).start()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def gone_site(site_folder: Path) -> Iterator[Site]:
    site = Site(site_folder, wrap=Gone).start()
    yield site
    site.stop()


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]['width']}")
def guest(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Callable[[str], Candil]]:
    """Opens an address as a newcomer, in one of the looks."""
    scheme, viewport = request.param
    context = chromium.new_context(viewport=viewport, color_scheme=scheme, locale="en-US", reduced_motion="reduce")
    yield lambda url: Candil(context.new_page()).open(url)
    context.close()


def test_first_visit_and_not_now(guest: Callable[[str], Candil], site: Site) -> None:
    candil = guest(site.url)
    candil.page.get_by_role("dialog").wait_for()
    audit(candil.page, "the choice")
    candil.page.get_by_role("button", name="Not now").click()
    candil.page.get_by_text("Candil has no model yet").wait_for()
    audit(candil.page, "declined")
    candil.message.fill("Something")
    audit(candil.page, "a draft")


def test_downloading(guest: Callable[[str], Candil], slow_site: Site) -> None:
    candil = guest(slow_site.url)
    candil.page.get_by_role("button", name="Download", exact=True).click()
    candil.page.get_by_role("progressbar", name="Model download").wait_for()
    candil.ask("A question that has to wait")
    candil.page.get_by_text("will be sent as soon as").wait_for()
    audit(candil.page, "downloading, a message waits")
    candil.page.get_by_role("button", name="Cancel download").click()


def test_download_failed(guest: Callable[[str], Candil], gone_site: Site) -> None:
    candil = guest(gone_site.url)
    candil.page.get_by_role("button", name="Download", exact=True).click()
    candil.page.get_by_text("The download stopped").wait_for()
    audit(candil.page, "download failed")


def test_python_does_not_arrive(guest: Callable[[str], Candil], site: Site) -> None:
    candil = guest("about:blank")
    candil.page.route("**/*.wasm", lambda route: route.abort())
    candil.open(site.url)
    candil.page.get_by_text("Candil could not start").wait_for(timeout=60_000)
    audit(candil.page, "boot failed")


@pytest.mark.real_model
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[0]}-{look[1]['width']}")
def test_chat(resident: Candil, look: tuple[str, Any]) -> None:
    scheme, viewport = look
    resident.page.set_viewport_size(viewport)
    resident.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    audit(resident.page, "ready")
    resident.ask("Write a Markdown table of three fruits and a short Python code block.")
    wait_for(lambda: resident.page.locator("[data-tail]").count(), "the answer has begun")
    audit(resident.page, "answering")
    resident.page.get_by_role("button", name="Stop").click()
    audit(resident.page, "stopped")
    resident.ask("word " * 9000)
    wait_for(lambda: "too long" in resident.page.locator("#notice").inner_text(), "the notice")
    audit(resident.page, "notice")
    resident.message.fill("")


def test_the_keyboard_is_enough(visitor: Candil, site: Site) -> None:
    visitor.open(site.url).page.get_by_role("dialog").wait_for()
    assert visitor.page.get_by_role("button", name="Download", exact=True).evaluate("e => e === document.activeElement")
    visitor.page.keyboard.press("Escape")
    visitor.page.get_by_text("Candil has no model yet").wait_for()
    assert visitor.message.evaluate("e => e === document.activeElement")
    visitor.page.keyboard.type("Hello")
    visitor.page.keyboard.press("Enter")
    visitor.page.get_by_role("dialog").wait_for()
    assert visitor.message.input_value() == "Hello"


def test_targets_are_big_enough_for_a_thumb(guest: Callable[[str], Candil], site: Site) -> None:
    candil = guest(site.url)
    candil.page.get_by_role("button", name="Not now").click()
    big_enough(candil.page.locator("button:visible, select:visible, textarea:visible"))
