"""The cloud through the whole page and the real relay: offered, agreed to, named, broken off, left; off is off."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request

from bench.llama_server import LlamaServer
from server import files
from server.app import create_app
from server.config import load
from tests.browser.conftest import DESKTOP, PHONE, Candil, Site, wait_for
from tests.browser.driven import SCRIPTED
from tests.browser.test_accessibility import audit
from tests.server.peers import Peer, Reply, delta, refuses, says
from tests.server.rig import GENEROUS
from tools.build.shell import START
from tools.embedded_model import embedded_gguf

TOKEN = "the-token-of-the-operator"


@dataclass
class Company:
    """A provider on loopback, in a loop of its own: the relay runs in another."""

    peer: Peer = field(default_factory=lambda: Peer([says("Hel", "lo")], models=("large-1",)))
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.peer.start(), self.loop).result(10)

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self.peer.stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def company() -> Iterator[Company]:
    company = Company()
    yield company
    company.end()


@pytest.fixture
def llama() -> Iterator[LlamaServer]:
    server = LlamaServer(embedded_gguf())
    yield server
    server.kill()


@contextmanager
def relaying(folder: Path, base_url: str, script: Path | None = None, **environment: str) -> Iterator[Site]:
    """All of the app, from a server with one provider; `script` takes the place of the app's start."""
    env = {"CLOUD_ENABLED": "1", "PROVIDERS": "acme", "ACME_BASE_URL": base_url, "ACME_TITLE": "Acme AI"}
    index = (folder / "index.html").read_text("utf-8")
    page = (index.replace(START, script.read_text("utf-8")) if script else index).encode()
    app = create_app(files.Site((folder,), {"index.html": lambda: page}), load(env | GENEROUS | environment))
    site = Site(folder, wrap=lambda _app: app, lifespan="on").start()
    try:
        yield site
    finally:
        site.stop()


@contextmanager
def newcomer(chromium: Browser, site: Site) -> Iterator[tuple[Candil, list[str]]]:
    """And the paths of the API that were asked."""
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.url.startswith((f"{site.url}v1/", f"{site.url}api/")):
            asked.append(request.url.removeprefix(site.url))

    context.on("request", note)
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield Candil(page).open(site.url), asked
    context.close()
    assert site.violations == []


@pytest.mark.real_model
def test_a_newcomer_agrees_is_told_who_reads_and_comes_back(
    chromium: Browser, site_folder: Path, company: Company
) -> None:
    with relaying(site_folder, company.peer.base_url) as site, newcomer(chromium, site) as (candil, asked):
        page = candil.page
        page.get_by_text("can pass your messages on to Acme AI").wait_for()
        page.get_by_role("button", name="Use the cloud").click()
        page.get_by_role("heading", name="Use the cloud?").wait_for()
        page.get_by_text(f"Your messages will be sent to 127.0.0.1:{site.port} and from there to Acme AI.").wait_for()
        audit(page, "who will read it")
        page.get_by_role("button", name="Back").click()
        page.get_by_role("dialog", name="Choose how Candil answers").wait_for()
        audit(page, "the choice with a cloud")
        assert [path for path in asked if path.startswith("v1/")] == []  # nobody has agreed

        page.get_by_role("button", name="Use the cloud").click()
        page.get_by_role("heading", name="Use the cloud?").wait_for()
        page.get_by_role("button", name="Use the cloud").click()
        candil.wait_until_ready()
        assert page.locator("#status").inner_text() == "Acme AI · the cloud"
        assert page.locator("#reader").inner_text() == "Your messages go to Acme AI"
        assert candil.ask("Hi").answer() == "Hello"
        assert "Sent to Acme AI (large-1)" in candil.articles("assistant").last.inner_text()
        assert company.peer.asked[-1]["messages"][-1] == {"role": "user", "content": "Hi"}

        page.reload()  # the next visit
        candil.wait_until_ready()
        company.peer.replies[:] = [Reply([delta("Half an "), delta("answer"), 0.3, "reset"]), refuses(500)]
        assert candil.ask("And now?").answer(states=("error",)) == "Half an answer"
        broken = candil.articles("assistant").last.inner_text()
        assert "The cloud broke the answer off." in broken
        assert "Sent to Acme AI (large-1)" in broken
        audit(page, "a broken answer of the cloud")
        assert page.get_by_role("button", name="Try again").is_visible()

        page.get_by_role("button", name="Use this device instead").click()
        page.get_by_role("dialog", name="Choose how Candil answers").wait_for()
        page.get_by_role("button", name="Download", exact=True).click()
        stays = page.get_by_text("Stayed on this device")
        wait_for(lambda: page.get_by_role("button", name="Stop").is_visible() or stays.count(), "it answers here", 180)
        if page.get_by_role("button", name="Stop").is_visible():
            page.get_by_role("button", name="Stop").click()
        stays.wait_for()
        assert not page.locator("#reader").is_visible()


@pytest.mark.real_model
def test_a_company_that_dies_in_the_middle_and_comes_back(
    chromium: Browser, site_folder: Path, llama: LlamaServer
) -> None:
    with relaying(site_folder, f"{llama.url}/v1", SCRIPTED) as site, newcomer(chromium, site) as (candil, _):
        page = candil.page
        candil.wait_until_ready()
        page.get_by_role("button", name="Models", exact=True).first.click()
        page.get_by_role("region", name="The cloud").get_by_role("button", name="Use the cloud").click()
        page.locator("#choice").get_by_role("button", name="Use the cloud").click()
        wait_for(lambda: page.locator("#status").inner_text() == "Acme AI · the cloud", "the cloud is in use")
        if page.locator("#models").is_visible():
            page.get_by_role("button", name="Close", exact=True).first.click()

        candil.ask("Write a long story about a lighthouse.")
        wait_for(lambda: page.get_by_role("button", name="Stop").is_visible() and llama.busy(), "it answers", 60)
        growing = candil.articles("assistant").last.locator('[data-part="text"]')
        wait_for(lambda: len(growing.inner_text()) > 20, "words", 60)
        begun = growing.inner_text()
        llama.kill()
        assert candil.answer(states=("error",), seconds=60).startswith(begun[:20])
        assert "The cloud broke the answer off." in candil.articles("assistant").last.inner_text()

        llama.start()
        page.get_by_role("button", name="Try again").click()
        wait_for(lambda: candil.articles("assistant").last.get_attribute("data-state") == "done", "it answers", 180)
        assert "Sent to Acme AI" in candil.articles("assistant").last.inner_text()


def test_off_means_off_and_a_token_is_asked_for(chromium: Browser, site_folder: Path, company: Company) -> None:
    with (
        relaying(site_folder, company.peer.base_url, SCRIPTED, ACCESS_TOKEN=TOKEN) as site,
        newcomer(chromium, site) as (candil, asked),
    ):
        page = candil.page
        candil.wait_until_ready()
        assert "An answer" in candil.ask("Hi").answer()
        page.reload()
        candil.wait_until_ready()
        assert set(asked) == {"api/config"}

        page.get_by_role("button", name="Models", exact=True).first.click()
        section = page.get_by_role("region", name="The cloud")
        section.get_by_text("Off: nothing is sent.").wait_for()
        section.get_by_role("button", name="Use the cloud").click()
        asks = page.locator("#choice")
        asks.get_by_label("Access token").fill("a-wrong-one")
        asks.get_by_role("button", name="Use the cloud").click()
        wait_for(lambda: "wants an access token" in page.locator("#setup").inner_text(), "the token is refused")
        audit(page, "a token that was refused")
        section.get_by_label("Access token").fill(TOKEN)
        section.get_by_role("button", name="Save").click()
        section.get_by_text("On and in use").wait_for()
        page.get_by_role("button", name="Close", exact=True).first.click()
        assert candil.ask("And you?").answer() == "Hello"
        assert TOKEN not in page.content()

        company.peer.replies[:] = [refuses(500)]
        candil.ask("Down?").answer(states=("error",))
        page.get_by_role("button", name="Use this device instead").click()
        wait_for(lambda: candil.articles("assistant").last.get_attribute("data-state") == "done", "it is answered here")
        assert "Stayed on this device" in candil.articles("assistant").last.inner_text()

        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.locator("#show-chats").click()
        page.get_by_role("button", name="Models", exact=True).first.click()
        page.emulate_media(color_scheme="dark")
        audit(page, "the cloud in use, on a phone in the dark")
        section.get_by_role("button", name="Switch the cloud off").click()
        section.get_by_text("Off: nothing is sent.").wait_for()
