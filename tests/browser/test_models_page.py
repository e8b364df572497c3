"""The models page with the real model: download, pause, go on, check, repair, delete, use; by keyboard; axe."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.browser.conftest import DESKTOP, PHONE, Candil, Site, show_list, wait_for
from tests.browser.test_accessibility import LOCAL_LOOKS, audit, big_enough

pytestmark = pytest.mark.real_model

ROW = "smollm2-135m-instruct.wasm-int8"
WEIGHTS = 139e6


class Trickle:
    """Weights come slowly while a test wants to look at them on their way; every byte of them is counted."""

    def __init__(self) -> None:
        self.slow_s = 0.0
        self.sent = 0

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def trickling(scope: Scope, receive: Receive, send: Send) -> None:
            weights = scope["type"] == "http" and scope["path"].endswith(".onnx")

            async def counted(message: Any) -> None:
                if weights and message["type"] == "http.response.body":
                    await asyncio.sleep(self.slow_s)
                    self.sent += len(message.get("body", b""))
                await send(message)

            await app(scope, receive, counted)

        return trickling


@pytest.fixture
def trickle() -> Trickle:
    return Trickle()


@pytest.fixture
def slow_site(site_folder: Path, trickle: Trickle) -> Iterator[Site]:
    site = Site(site_folder, wrap=trickle.wrap).start()
    yield site
    site.stop()


@pytest.fixture
def guest(chromium: Browser, slow_site: Site) -> Iterator[Candil]:
    """A newcomer who said "Not now" and looks at the models."""
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    candil = Candil(context.new_page()).open(f"{slow_site.url}?device=wasm")
    candil.page.get_by_role("button", name="Not now").click()
    yield open_models(candil)
    context.close()


def open_models(candil: Candil) -> Candil:
    show_list(candil.page).get_by_role("button", name="Models").click()
    row(candil).wait_for()
    return candil


def row(candil: Candil) -> Locator:
    return candil.page.locator(f'[data-key="{ROW}"]')


def do(candil: Candil, action: str) -> None:
    row(candil).get_by_role("button", name=re.compile(f"^{action}:")).click()


def test_download_pause_go_on_check_delete_and_again(guest: Candil, trickle: Trickle) -> None:
    dialog = guest.page.get_by_role("dialog", name="Models")
    expect(dialog).to_contain_text("Does not run here. This browser offers no WebGPU.")
    expect(row(guest)).to_contain_text("Not downloaded.")
    trickle.slow_s = 0.02
    do(guest, "Download")
    row(guest).get_by_role("progressbar").wait_for()
    wait_for(lambda: trickle.sent > 30e6, "a part has arrived")
    do(guest, "Pause")
    expect(row(guest)).to_contain_text("are here; the download can go on")
    trickle.slow_s = 0.0
    do(guest, "Continue")
    guest.wait_until_ready()
    assert trickle.sent < WEIGHTS + 5 * 8 * 2**20  # what had arrived was not fetched again
    expect(row(guest)).to_contain_text("In use")
    expect(dialog).to_contain_text(re.compile(r"Models take 13\d\sMB"))
    do(guest, "Check")
    expect(row(guest)).to_contain_text("Every byte was checked", timeout=60_000)
    do(guest, "Delete")
    do(guest, "Keep it")
    expect(row(guest)).to_contain_text("On this device.")
    do(guest, "Delete")
    do(guest, "Delete for good")
    expect(row(guest)).to_contain_text("Not downloaded.")
    expect(dialog).to_contain_text("Models take 0 B.")
    assert guest.state() == "python"
    sent = trickle.sent
    do(guest, "Download")
    guest.wait_until_ready()
    assert trickle.sent - sent > WEIGHTS * 0.9
    guest.page.get_by_role("button", name="Close").click()
    assert guest.ask("Say hello.").begun()


def test_a_damaged_file_is_named_and_repaired(guest: Candil, trickle: Trickle) -> None:
    do(guest, "Download")
    guest.wait_until_ready()
    spoil(guest.page)
    do(guest, "Check")
    expect(row(guest)).to_contain_text("Damaged: ", timeout=60_000)
    expect(row(guest)).not_to_contain_text("onnx")  # the small file only
    sent = trickle.sent
    do(guest, "Repair")
    expect(row(guest)).to_contain_text("On this device.", timeout=30_000)
    assert trickle.sent == sent  # the weights were not touched
    do(guest, "Check")
    expect(row(guest)).to_contain_text("Every byte was checked", timeout=60_000)


def spoil(page: Page) -> None:
    """Flips a bit of the smallest stored file, behind Candil's back."""
    script = """async () => {
        const files = [];
        const walk = async (directory) => {
            for await (const handle of directory.values()) {
                if (handle.kind === "directory") await walk(handle);
                else if (/^[0-9a-f]{64}$/.test(handle.name)) files.push([(await handle.getFile()).size, handle]);
            }
        };
        await walk(await navigator.storage.getDirectory());
        const [, handle] = files.sort((a, b) => a[0] - b[0])[0];
        const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
        bytes[0] ^= 1;
        const writable = await handle.createWritable();
        await writable.write(bytes);
        await writable.close();
    }"""
    page.evaluate(script)


def test_the_keyboard_is_enough(guest: Candil) -> None:
    keys, page = guest.page.keyboard, guest.page
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Models")).to_be_focused()
    keys.press("Enter")
    row(guest).wait_for()
    tab_to(page, "Download: SmolLM2")
    keys.press("Enter")
    expect(focused(page)).to_have_attribute("data-action", "model-pause")
    guest.wait_until_ready()
    expect(focused(page)).to_have_attribute("data-action", "model-verify")
    keys.press("Enter")
    expect(row(guest)).to_contain_text("Every byte was checked", timeout=60_000)
    tab_to(page, "Delete: SmolLM2")
    keys.press("Enter")
    expect(focused(page)).to_have_attribute("data-action", "model-keep")
    keys.press("Tab")
    keys.press("Enter")
    expect(row(guest)).to_contain_text("Not downloaded.")
    expect(focused(page)).to_have_attribute("data-action", "model-download")
    keys.press("Escape")
    expect(page.get_by_role("dialog", name="Models")).to_be_hidden()
    expect(page.get_by_role("button", name="Models")).to_be_focused()


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def tab_to(page: Page, label: str) -> None:
    for _ in range(30):
        if (focused(page).get_attribute("aria-label") or "").startswith(label):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {label}")


@pytest.mark.parametrize("look", LOCAL_LOOKS, ids=lambda look: f"{look[0]}-{look[1]}-{look[2]['width']}")
def test_axe_finds_nothing(resident: Candil, site: Site, look: tuple[str, str, Any]) -> None:
    language, scheme, viewport = look
    page = resident.page
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    resident.open(f"{site.url}?device=wasm&lang={language}").wait_until_ready()
    show_list(page).locator('[data-action="open-models"]').click()
    row(resident).wait_for()
    audit(page, "the models")
    row(resident).locator('[data-action="model-delete"]').click()
    audit(page, "a question")
    row(resident).locator('[data-action="model-keep"]').click()
    row(resident).locator('[data-action="model-verify"]').click()
    row(resident).get_by_role("progressbar").wait_for()
    audit(page, "a check")


def test_targets_are_big_enough_for_a_thumb(resident: Candil) -> None:
    resident.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    open_models(resident)
    big_enough(resident.page.get_by_role("dialog", name="Models").get_by_role("button"))
