"""axe-core finds nothing on any state of the chat page, in both languages, light and dark, on a desktop and a phone.

The app is whole but for its model, which tests/browser/scripted.py plays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Site, show_list, wait_for
from tests.browser.test_accessibility import audit

Open = Callable[..., Page]

TARGET_PX = 44
TARGETS = "#sidebar, .bar, #conversation, .dock"
SMALL = 0.01  # of a pixel: what a browser rounds
# A small laptop's window at 200 %, and one 1280 pixels wide at 400 % (WCAG 1.4.10).
ZOOMED = {"200 %": ({"width": 640, "height": 400}, 2), "400 %": ({"width": 320, "height": 400}, 4)}
FILES: list[Any] = [
    {"name": f"{name}.txt", "mimeType": "text/plain", "buffer": b"Words in a file"}
    for name in ("notes", "a rather long name of a file that nobody would want to type")
]
PICTURE: Any = {"name": "picture.png", "mimeType": "image/png", "buffer": b"\x89PNG\0"}
WIDER = """() => ["html", "main", ".dock", "#sidebar", "#chats"].filter((selector) => {
  const e = document.querySelector(selector);
  return e.scrollWidth > e.clientWidth;
})"""


@pytest.fixture
def opened(chromium: Browser, scripted_site: Site) -> Iterator[Open]:
    """Opens the app in a browser that has the given properties."""
    contexts = []

    def opens(language: str = "en", **properties: Any) -> Page:
        contexts.append(chromium.new_context(service_workers="block", **properties))
        page = contexts[-1].new_page()
        page.goto(f"{scripted_site.url}?device=wasm&lang={language}")
        wait_for(lambda: page.locator("html").get_attribute("data-candil") == "ready", "the model is ready")
        return page

    yield opens
    for context in contexts:
        context.close()


def ask(page: Page, text: str) -> None:
    page.locator("#message").fill(text)
    page.locator("#send").click()
    answered(page)


def answered(page: Page) -> None:
    last = page.locator('article[data-role="assistant"]').last
    expect(last).to_contain_text("one thing")
    expect(last).to_have_attribute("data-state", "done")


def do(page: Page, action: str) -> None:
    page.locator(f'[data-action="{action}"]').first.click()


def everybody(page: Page, what: str) -> None:
    """Whoever they are, and by day or night: axe, the size of what can be hit, and nothing to scroll sideways."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        audit(page, f"{what}, {scheme}")
    small = page.locator(f":is({TARGETS}) :is(button, select, textarea, summary, input:not([type=file])):visible")
    for target in small.all():
        box = target.bounding_box()
        assert box
        assert min(box["height"], box["width"]) >= TARGET_PX - SMALL, (what, target.evaluate("e => e.outerHTML"))
    assert page.evaluate(WIDER) == [], what


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_state_is_for_everybody(opened: Open, viewport: dict[str, int], language: str) -> None:
    page = opened(language, viewport=viewport, reduced_motion="reduce")
    page.locator("#file").set_input_files(FILES)
    expect(page.locator("#files li")).to_have_count(2)
    page.locator("#file").set_input_files(PICTURE)
    page.locator("#notice p").wait_for()
    everybody(page, "files, and one that was refused")
    do(page, "dismiss")

    ask(page, "Words " * 100)
    page.locator("details.file summary").first.click()
    page.locator('[data-part="stats"] summary').click()
    everybody(page, "an answer with its figures, an open file")
    do(page, "regenerate")
    expect(page.locator(".branches")).to_have_count(1)
    answered(page)
    everybody(page, "versions")
    do(page, "edit-message")
    page.locator(".editing").wait_for()
    everybody(page, "an edit")
    page.keyboard.press("Escape")

    show_list(page)
    everybody(page, "the list, which on a phone covers")
    do(page, "rename-chat")
    page.locator(".rename input").wait_for()
    everybody(page, "a title that is edited")
    page.locator(".rename input").press("Escape")
    page.locator("#search").fill("words")
    page.locator("mark").first.wait_for()
    everybody(page, "what a search has found")
    page.locator("#search").fill("nothing has this")
    page.locator("#chats .none").wait_for()
    everybody(page, "a search that has found nothing")
    page.locator("#search").fill("")
    do(page, "delete-chat")
    page.locator('[data-action="undo-chat"]').wait_for()
    everybody(page, "a deleted chat")
    do(page, "undo-chat")
    do(page, "delete-message")
    page.locator('[data-action="undo-message"]').wait_for()
    everybody(page, "a deleted message")


@pytest.mark.parametrize("zoom", ZOOMED)
def test_everything_is_reached_when_it_is_zoomed(opened: Open, zoom: str) -> None:
    viewport, factor = ZOOMED[zoom]
    page = opened(viewport=viewport, device_scale_factor=factor)
    assert page.evaluate(WIDER) == []
    ask(page, "Words " * 100)
    assert page.evaluate(WIDER) == []
    assert page.locator("#main").evaluate("main => main.clientHeight") >= 100  # something can be read
    do(page, "edit-message")
    page.locator("#file").set_input_files([*FILES, PICTURE])
    page.locator("#notice p").wait_for()
    page.locator("#message").fill("one line\n" * 20)
    assert page.evaluate(WIDER) == []
    for name in ("#attach", "#message", "#send"):
        page.locator(name).focus()
        expect(page.locator(name)).to_be_in_viewport(ratio=0.9)
    page.keyboard.press("Escape")
    show_list(page)
    assert page.evaluate(WIDER) == []
    for name in ("#search", "#chats button.chat", "#open-settings", "#language"):
        page.locator(name).focus()
        expect(page.locator(name)).to_be_in_viewport(ratio=0.9)


def test_nothing_moves_for_who_wants_that(opened: Open) -> None:
    page = opened(reduced_motion="reduce")
    page.locator("#message").fill("Something long")
    page.locator("#send").click()
    for _ in range(10):
        assert page.evaluate("document.getAnimations().length") == 0
    page.locator("#stop").click()
    show_list(page)
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_system_s_own_colours_are_enough(opened: Open, scheme: str) -> None:
    page = opened(forced_colors="active", color_scheme=scheme)
    ask(page, "Something")
    do(page, "regenerate")
    expect(page.locator(".branches")).to_have_count(1)
    answered(page)
    audit(page, "forced colours")
    for name, outlined in (("#message", ".composer"), ("#search", "#search"), ("#new-chat", "#new-chat")):
        page.locator(name).focus()
        page.keyboard.press("Shift")  # from the keyboard: what is focused is shown
        style = page.locator(outlined).evaluate("e => getComputedStyle(e).outlineStyle")
        assert style == "solid", f"{name} shows that it has the focus"
