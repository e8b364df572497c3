"""A download that goes wrong, as the page tells it: one clear sentence, nothing lost, a way on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.browser.conftest import DESKTOP, Candil, Site, wait_for

pytestmark = pytest.mark.real_model
OURS = (b"cross-origin-", b"content-security-policy")


class Trouble:
    """What happens to weights on their way; set from the test while the page downloads."""

    flip = False  # one bit of the big file's first chunk
    slow_s = 0.0  # before each piece
    headers = True  # those of isolation and the policy are sent
    model_bytes = 0  # sent

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def troubled(scope: Scope, receive: Receive, send: Send) -> None:
            weights = scope["type"] == "http" and re.fullmatch(r"/models/.*\.onnx", scope["path"])

            async def changed(message: Any) -> None:
                if message["type"] == "http.response.start" and not self.headers:
                    message["headers"] = [h for h in message["headers"] if not h[0].startswith(OURS)]
                if weights and message["type"] == "http.response.body" and (body := message.get("body", b"")):
                    await asyncio.sleep(self.slow_s)
                    self.model_bytes += len(body)
                    if self.flip:
                        self.flip = False
                        message = {**message, "body": bytes([body[0] ^ 1]) + body[1:]}
                await send(message)

            await app(scope, receive, changed)

        return troubled


@pytest.fixture
def trouble() -> Trouble:
    return Trouble()


@pytest.fixture
def troubled_site(site_folder: Path, trouble: Trouble) -> Iterator[Site]:
    site = Site(site_folder, wrap=trouble.wrap).start()
    yield site
    site.stop()


@pytest.fixture
def guest(chromium: Browser, troubled_site: Site) -> Iterator[Candil]:
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    candil = Candil(context.new_page()).open(f"{troubled_site.url}?device=wasm")
    candil.page.get_by_role("dialog", name="Choose how Candil answers").wait_for()
    yield candil
    context.close()


def start(candil: Candil) -> None:
    candil.page.get_by_role("button", name="Download", exact=True).click()


def test_a_damaged_file_is_fetched_again_when_asked(guest: Candil, trouble: Trouble) -> None:
    trouble.flip = True
    start(guest)
    guest.page.get_by_text("A file arrived damaged").wait_for(timeout=90_000)
    assert guest.state() == "python"
    guest.page.get_by_role("button", name="Continue the download").click()
    guest.wait_until_ready()


def test_a_server_that_is_gone_costs_only_what_was_on_its_way(
    guest: Candil, trouble: Trouble, troubled_site: Site
) -> None:
    trouble.slow_s = 0.01
    start(guest)
    wait_for(lambda: trouble.model_bytes > 40e6, "a part has arrived")
    troubled_site.stop()
    guest.page.get_by_text("Trying again").wait_for(timeout=30_000)
    guest.page.get_by_text("The download stopped").wait_for(timeout=120_000)
    assert "could not be reached" in guest.page.locator("#setup").inner_text()
    trouble.slow_s = 0.0
    troubled_site.start()
    guest.page.get_by_role("button", name="Continue the download").click()
    guest.wait_until_ready()
    assert trouble.model_bytes < 139e6 + 5 * 8 * 2**20  # a chunk per connection, and one for luck


def test_a_reload_goes_on_by_itself(guest: Candil, trouble: Trouble) -> None:
    trouble.slow_s = 0.02
    start(guest)
    wait_for(lambda: trouble.model_bytes > 30e6, "a part has arrived")
    trouble.slow_s = 0.0
    guest.page.reload()
    guest.wait_until_ready()
    assert trouble.model_bytes < 139e6 + 5 * 8 * 2**20


def test_cancel_and_later_again(guest: Candil, trouble: Trouble) -> None:
    trouble.slow_s = 0.02
    start(guest)
    wait_for(lambda: trouble.model_bytes > 20e6, "a part has arrived")
    guest.page.get_by_role("button", name="Cancel download").click()
    guest.page.get_by_role("button", name="Choose a model").click()
    guest.page.get_by_text("are already here").wait_for()
    trouble.slow_s = 0.0
    start(guest)
    guest.wait_until_ready()


def test_a_host_without_headers_one_thread_at_first_then_all(
    chromium: Browser, troubled_site: Site, trouble: Trouble
) -> None:
    trouble.headers = False
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    candil = Candil(context.new_page()).open(f"{troubled_site.url}?device=wasm")
    candil.page.get_by_text("one processor core only").wait_for()
    assert not candil.page.evaluate("crossOriginIsolated")
    start(candil)
    candil.wait_until_ready()
    assert candil.ask("Say hello.").begun()

    candil.page.reload()  # it comes from the service worker, which adds what the host leaves out
    candil.wait_until_ready()
    assert candil.page.evaluate("crossOriginIsolated")
    policy = "fetch('engines/transformers_js.js').then((it) => it.headers.get('content-security-policy'))"
    assert "script-src 'self'" in candil.page.evaluate(policy)
    candil.page.context.set_offline(True)
    candil.page.reload()
    candil.wait_until_ready()
    assert candil.page.evaluate("crossOriginIsolated")
    assert candil.ask("Say hello.").begun()
    context.close()
