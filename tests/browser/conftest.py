"""The real site from the real server, in the real Chromium, with the real model.

Every page of the `visitor` fixture is watched: a request to another origin, a CSP violation in the page
or in a worker, or an uncaught error fails the test that caused it.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, Request, sync_playwright
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import files
from server.app import create_app

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
WEBGPU_FLAGS = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


class ViolationReports:
    """Asks the browser to report CSP violations, workers' too, and keeps what it reports."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.reports: list[Any] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def asking(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (k, v + b"; report-uri /csp-report" if k.lower() == b"content-security-policy" else v)
                    for k, v in message["headers"]
                ]
            await send(message)

        if scope["type"] == "http" and scope["path"] == "/csp-report":
            body = b""
            while True:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            self.reports.append(json.loads(body))
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self.app(scope, receive, asking)


@dataclass
class Site:
    """The server's own application, in a thread, that can be stopped and started at the same address."""

    folder: Path
    wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app
    port: int = 0
    violations: list[Any] = field(default_factory=list)
    lifespan: Literal["on", "off"] = "off"  # only the relay has one
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> Site:
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        app = ViolationReports(self.wrap(create_app(files.Site((self.folder,), {}))))
        self.violations = app.reports
        config = uvicorn.Config(app, log_level="error", lifespan=self.lifespan, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listening],), daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(timeout=10)
            self._server = None


@pytest.fixture(scope="session")
def site_folder() -> Path:
    subprocess.run([sys.executable, "-m", "tools.build"], cwd=ROOT, check=True)
    return ROOT / "build" / "site"


@pytest.fixture(scope="session")
def site(site_folder: Path) -> Iterator[Site]:
    site = Site(site_folder).start()
    yield site
    site.stop()


@pytest.fixture(scope="session")
def scripted_site(site_folder: Path) -> Iterator[Site]:
    """All of the app; tests/browser/scripted.py plays its model."""
    from tests.browser.driven import SCRIPTED, driven  # which stands on this module

    site = driven(site_folder, script=SCRIPTED).start()
    yield site
    site.stop()


@pytest.fixture(scope="session")
def playwright_session() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright_session: Playwright) -> Iterator[Browser]:
    browser = playwright_session.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@dataclass
class Watch:
    """What must not happen on a page, as it happened. What happened before on the site is another's."""

    site: Site
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.site.violations.clear()

    def over(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.site.url, "data:", "blob:")):
            self.foreign.append(request.url)

    def check(self) -> None:
        assert self.foreign == []
        assert self.site.violations == []
        assert self.errors == []


def wait_for(condition: Callable[[], object], what: str, seconds: float = 60) -> Any:
    """Polls from outside: the page's CSP forbids evaluating a condition inside it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def show_list(page: Page) -> Page:
    """The list of chats and what is below it: on a phone it has to be asked for."""
    page.wait_for_timeout(100)  # a window that was made narrow closes it
    if page.locator("html").get_attribute("data-sidebar") == "closed":
        page.locator("#show-chats").click()
    return page


@dataclass
class Candil:
    """The page as a person uses it, by the names any test may rely on."""

    page: Page
    answers_before: int = 0

    def state(self) -> str:
        return self.page.locator("html").get_attribute("data-candil") or ""

    def open(self, url: str) -> Candil:
        self.page.goto(url)
        return self

    def wait_for_python(self) -> Candil:
        wait_for(lambda: self.state() in ("python", "ready"), "Python has arrived")
        return self

    def wait_until_ready(self, seconds: float = 120) -> Candil:
        wait_for(lambda: self.state() == "ready", "a model is loaded", seconds)
        return self

    def install(self, url: str) -> Candil:
        """First visit: say yes and wait until the model is loaded."""
        self.open(url)
        self.page.get_by_role("dialog", name="Choose how Candil answers").wait_for()
        self.page.get_by_role("button", name="Download", exact=True).click()
        return self.wait_until_ready()

    @property
    def message(self) -> Any:
        return self.page.get_by_role("textbox", name="Message")

    def articles(self, role: str) -> Any:
        return self.page.get_by_role("log", name="Conversation").locator(f'article[data-role="{role}"]')

    def ask(self, text: str) -> Candil:
        self.answers_before = self.articles("assistant").count()
        self.message.fill(text)
        self.page.get_by_role("button", name="Send").click()
        return self

    def begun(self, *, seconds: float = 60) -> str:
        """Waits until the answer to the last `ask` has words, stops it, and returns them: no need to hear it out."""
        article = self.articles("assistant").nth(self.answers_before)
        text = article.locator('[data-part="text"]')
        article.wait_for()
        ended = ("done", "stopped")
        wait_for(lambda: text.inner_text().strip() or article.get_attribute("data-state") in ended, "words", seconds)
        stop = self.page.get_by_role("button", name="Stop")
        if stop.is_visible():
            stop.click()
        return str(text.inner_text())

    def answer(self, *, seconds: float = 120, states: tuple[str, ...] = ("done",)) -> str:
        """The text of the answer to the last `ask`, once it is in one of `states`."""
        article = self.articles("assistant").nth(self.answers_before)
        article.wait_for()
        wait_for(lambda: article.get_attribute("data-state") != "streaming", "the answer has ended", seconds)
        assert article.get_attribute("data-state") in states
        return str(article.locator('[data-part="text"]').inner_text())


@pytest.fixture
def visitor(chromium: Browser, site: Site) -> Iterator[Candil]:
    """A newcomer: nothing stored, English, desktop."""
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    watch = Watch(site)
    watch.over(context)
    yield Candil(context.new_page())
    context.close()
    watch.check()


@pytest.fixture(scope="session")
def resident_profile(playwright_session: Playwright, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A browser profile in which the model is installed; copy it, do not use it."""
    folder = tmp_path_factory.mktemp("profile")
    context = playwright_session.chromium.launch_persistent_context(
        str(folder), executable_path=CHROMIUM, args=FLAGS, locale="en-US"
    )
    Candil(context.pages[0]).install(f"{site.url}?device=wasm")
    context.close()
    return folder


@pytest.fixture(scope="module")
def resident_context(
    playwright_session: Playwright, site: Site, resident_profile: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """One who was here before: the WASM model is installed. One browser for the tests of a module."""
    profile = tmp_path_factory.mktemp("resident") / "profile"
    shutil.copytree(resident_profile, profile, ignore=shutil.ignore_patterns("Singleton*"))
    context = playwright_session.chromium.launch_persistent_context(
        str(profile),
        executable_path=CHROMIUM,
        args=FLAGS,
        locale="en-US",
        viewport=DESKTOP,  # type: ignore[arg-type]
    )
    yield context
    context.close()
    shutil.rmtree(profile, ignore_errors=True)  # its processes may be about to end


@pytest.fixture
def resident(resident_context: BrowserContext, site: Site) -> Iterator[Candil]:
    watch = Watch(site)
    watch.over(resident_context)
    page = resident_context.new_page()
    candil = Candil(page).open(f"{site.url}?device=wasm").wait_until_ready()
    if page.get_by_role("button", name="New chat").is_visible():
        page.get_by_role("button", name="New chat").click()
    yield candil
    page.close()
    watch.check()


def variant_row(page: Page, key: str) -> Locator:
    """Of the models dialog, unfolded."""
    row = page.locator(f'[data-key="{key}"]')
    row.wait_for(state="attached")
    row.evaluate("row => { for (let at = row; (at = at.parentElement.closest('details')); ) at.open = true; }")
    return row
