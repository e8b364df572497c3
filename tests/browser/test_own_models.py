"""A model of the user's own with the real engine: dropped offline, kept, from an address; and what is not one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.browser.conftest import DESKTOP, Candil, Site, show_list
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


def one_thread(app: ASGIApp) -> ASGIApp:
    """Without isolation an engine has one thread; several wait for each other when the machine has other work."""

    async def apart(scope: Scope, receive: Receive, send: Send) -> None:
        async def without(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [h for h in message["headers"] if h[0].lower() != b"cross-origin-opener-policy"]
            await send(message)

        await app(scope, receive, without)

    return apart


@pytest.fixture(scope="module")
def plain_site(site_folder: Path) -> Iterator[Site]:
    site = Site(site_folder, wrap=one_thread).start()
    yield site
    site.stop()


@pytest.fixture
def guest(chromium: Browser, plain_site: Site) -> Iterator[Candil]:
    """A newcomer who said "Not now"; the engine's code is kept."""
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    candil = Candil(context.new_page()).open(f"{plain_site.url}?device=wasm")
    candil.page.get_by_role("button", name="Not now").click()
    kept = candil.page.evaluate(KEEP, {"group": "wllama:wasm"})
    assert "code" not in kept
    yield candil
    context.close()
    assert plain_site.violations == []


def drop(page: Page, *paths: Path) -> None:
    """As from the file manager, on the middle of the page."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 200, "data": data})


def section(page: Page) -> Locator:
    return page.locator("#own")


def press(page: Page, name: str) -> None:
    section(page).get_by_role("button", name=name).click()


def open_models(page: Page) -> None:
    show_list(page).get_by_role("button", name="Models").click()


def test_dropped_without_a_network_it_answers_as_soon_as_a_download_would(
    chromium: Browser, plain_site: Site, guest: Candil, gguf: Path, record_property: Callable[[str, object], None]
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
    ready_s = time.monotonic() - begun
    assert guest.ask("Say hello.").begun(seconds=120)
    dropped_s = time.monotonic() - begun
    page.context.set_offline(False)

    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    other = Candil(context.new_page()).open(f"{plain_site.url}?device=wasm")
    download = other.page.get_by_role("button", name="Download", exact=True)
    download.wait_for()
    begun = time.monotonic()
    download.click()
    other.wait_until_ready()
    downloaded_ready_s = time.monotonic() - begun
    assert other.ask("Say hello.").begun(seconds=120)
    downloaded_s = time.monotonic() - begun
    context.close()
    figures = {"card_s": seen_s, "ready_s": ready_s, "words_s": dropped_s}
    figures |= {"downloaded_ready_s": downloaded_ready_s, "downloaded_words_s": downloaded_s}
    for name, value in figures.items():
        record_property(name, round(value, 2))
    print(figures)
    assert dropped_s <= downloaded_s


def test_kept_it_is_there_after_a_reload_without_a_network(guest: Candil, gguf: Path) -> None:
    page = guest.page
    page.context.set_offline(True)
    open_models(page)
    with page.expect_file_chooser() as chooser:
        section(page).get_by_role("button", name="Choose a file").press("Enter")
    chooser.value.set_files(gguf)
    press(page, "Keep it here")
    guest.wait_until_ready()
    page.reload()
    guest.wait_until_ready()
    assert guest.ask("Say hello.").begun(seconds=180)
    open_models(page)
    row = page.locator("[data-key^=smollm2-135m-8k-lc100k]")
    expect(row).to_contain_text("Your own file")
    expect(row).to_contain_text("In use")
    row.get_by_role("button", name=re.compile("^Delete:")).click()
    row.get_by_role("button", name=re.compile("^Delete for good:")).click()
    expect(row).to_have_count(0)
    expect(page.get_by_role("dialog", name="Models")).to_contain_text("Models take 0 B.")


def test_from_an_address_it_is_shown_then_fetched_then_used(guest: Candil, hub: Hub, gguf: Path) -> None:
    page = guest.page
    hub.put(GGUF_NAME, gguf.read_bytes())
    hub.redirects["blob"] = f"{hub.origin}/model/{GGUF_NAME}"
    open_models(page)
    address = section(page).get_by_role("textbox", name="Address of a .gguf file")
    address.fill("ftp://example.org/x.gguf")
    address.press("Enter")
    expect(section(page)).to_contain_text("This is not an https address.")
    address.fill(f"{hub.origin}/model/blob")
    address.press("Enter")
    expect(section(page)).to_contain_text(TITLE)
    expect(section(page)).to_contain_text("apache-2.0")
    assert sum(asked.bytes for asked in hub.asked) < 4 << 20
    press(page, "Download it")
    guest.wait_until_ready()
    hub.reset()
    page.reload()
    guest.wait_until_ready()
    open_models(page)
    expect(page.locator("[data-key^=smollm2-135m-8k-lc100k]")).to_contain_text("In use")


def test_what_is_no_model_is_refused_with_a_sentence(guest: Candil, tmp_path: Path, gguf: Path) -> None:
    page = guest.page
    start = gguf.read_bytes()[: 3 << 20]
    wrong, cut, text = tmp_path / "wrong.gguf", tmp_path / "cut.gguf", tmp_path / "notes.txt"
    wrong.write_bytes(b"PK\3\4" + start[4:])
    cut.write_bytes(start)
    text.write_text("a note", "utf-8")
    drop(page, wrong)
    expect(section(page).get_by_role("alert").first).to_contain_text("This is not a model file")
    drop(page, cut)
    expect(section(page).get_by_role("alert").first).to_contain_text("The file ends too early")
    huge = tmp_path / "huge.gguf"
    huge.write_bytes(start)
    with huge.open("r+b") as file:
        file.truncate(10 << 30)  # takes no room on the disk
    drop(page, huge)
    expect(section(page)).to_contain_text("It is larger than the 4 GB")
    expect(section(page).get_by_role("button", name="Use it now")).to_have_count(0)
    press(page, "Cancel")
    page.get_by_role("button", name="Close").click()
    drop(page, text)
    expect(page.get_by_role("list", name="Attached")).to_contain_text("notes.txt")


def test_it_is_fit_for_everybody(guest: Candil, gguf: Path) -> None:
    page = guest.page
    for scheme, viewport in LOOKS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        drop(page, gguf)
        expect(section(page)).to_contain_text(TITLE)
        audit(page, "a model of one's own")
        press(page, "Cancel")
        audit(page, "no model of one's own")
