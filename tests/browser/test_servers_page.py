"""A server of the user's through the whole page: connected by hand, asked, and said to have been asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request

from bench.llama_server import LlamaServer
from tests.browser.conftest import Candil, Site, wait_for
from tools.embedded_model import embedded_gguf

pytestmark = pytest.mark.real_model
KEY = "sk-of-the-test"


@pytest.fixture(scope="module")
def server() -> Iterator[LlamaServer]:
    server = LlamaServer(embedded_gguf(), KEY)
    yield server
    server.kill()


@pytest.fixture
def newcomer(chromium: Browser, site: Site) -> Iterator[tuple[Candil, list[str]]]:
    """Nobody has said yes to a download; what is asked of others than the site."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    foreign: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((site.url, "data:", "blob:")):
            foreign.append(request.url)

    context.on("request", note)
    site.violations.clear()
    yield Candil(context.new_page()).open(site.url), foreign
    context.close()
    assert site.violations == []


def models_dialog(page: Page) -> Page:
    page.get_by_role("button", name="Models", exact=True).first.click()
    page.get_by_role("heading", name="A server of yours").scroll_into_view_if_needed()
    return page


def test_a_server_is_connected_answers_and_is_named(newcomer: tuple[Candil, list[str]], server: LlamaServer) -> None:
    candil, foreign = newcomer
    page = candil.page
    candil.wait_for_python()
    page.get_by_role("dialog", name="Choose how Candil answers").wait_for()
    page.keyboard.press("Escape")
    models_dialog(page)
    page.wait_for_timeout(500)
    assert foreign == []  # nobody is asked unasked

    page.get_by_label("Address", exact=True).fill(f"127.0.0.1:{server.port}")
    page.get_by_label("Key (if it asks for one)").fill("sk-wrong")
    page.get_by_role("button", name="Connect").click()
    page.get_by_text("The server refused the key (status 401)").wait_for()
    assert page.locator("#own-address-wrong").inner_text() == ""  # that is another form

    page.get_by_label("Key (if it asks for one)").fill(KEY)
    page.keyboard.press("Enter")
    use = page.get_by_role("button", name="Use: ", exact=False).filter(has_text="Use")
    use.first.wait_for()
    use.first.click()
    page.get_by_role("button", name="Close", exact=True).first.click()
    candil.wait_until_ready()
    assert candil.ask("Say hello.").answer(seconds=180).strip()
    article = candil.articles("assistant").last
    wait_for(lambda: f"Stayed on this computer: 127.0.0.1:{server.port}" in article.inner_text(), "who was told")
    assert "Stayed on this device" not in article.inner_text()
    assert all(url.startswith(server.url) for url in foreign)
    assert KEY not in page.content()

    page.reload()  # the next visit
    candil.wait_until_ready()
    assert candil.ask("And again.").begun(seconds=180)


def test_looking_says_what_is_where_and_what_to_change(newcomer: tuple[Candil, list[str]]) -> None:
    candil, foreign = newcomer
    page = candil.page
    candil.wait_for_python()
    page.get_by_role("dialog", name="Choose how Candil answers").wait_for()
    page.keyboard.press("Escape")
    models_dialog(page)
    page.get_by_role("button", name="Look for servers on this computer").click()
    wait_for(lambda: "looking…" not in page.locator(".findings").inner_text(), "all have answered or not")
    assert "Ollama" in page.locator(".findings").inner_text()
    page.get_by_text("It runs, but is not found?").nth(1).click()
    page.get_by_text("OLLAMA_ORIGINS").first.wait_for()
    assert all(url.startswith("http://127.0.0.1:") for url in foreign)
    assert len(foreign) == 5
