"""From the shell to Python: strictly, in the visitor's language, and with a way out when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from server.app import create_app
from server.files import TYPES
from server.headers import HEADERS
from server.sites import development
from tests.browser.conftest import Candil, Site, Watch, wait_for
from tools.build.layout import Sources
from tools.build.site import Target, build


@pytest.fixture(scope="module")
def shell_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site without a model: what is tested here comes before one."""
    target = Target(tmp_path_factory.mktemp("shell") / "site")
    build(Sources(), target)
    site = Site(target.out).start()
    yield site
    site.stop()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A first visit; without a service worker, so that the network can be tampered with."""
    context = chromium.new_context(locale="en-US", service_workers="block")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def hold(page: Page, pattern: str) -> list[Route]:
    """The requests for `pattern`, which get no answer until the test gives one."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(pattern, keep)
    return held


def wait_until_held(page: Page, held: list[Route]) -> None:
    wait_for(lambda: failure(page) or held, "the file is asked for")


def failure(page: Page) -> bool:
    return page.locator("#boot-error").is_visible()


def test_python_arrives_under_the_strict_policy_from_one_origin(context: BrowserContext, shell_site: Site) -> None:
    watch = Watch(shell_site)
    watch.over(context)
    candil = Candil(context.new_page()).open(shell_site.url).wait_for_python()
    assert candil.page.evaluate("crossOriginIsolated")
    marks = candil.page.evaluate("performance.getEntriesByType('mark').map((mark) => mark.name)")
    assert {"candil:shell", "candil:python"} <= set(marks)
    assert not failure(candil.page)
    watch.check()


def test_inline_scripts_do_not_run(page: Page, shell_site: Site) -> None:
    page.goto(shell_site.url)
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert page.evaluate("window.ran") is None


def test_what_is_typed_before_python_stays(page: Page, shell_site: Site) -> None:
    held = hold(page, "**/app.zip")
    candil = Candil(page).open(shell_site.url)
    page.locator("#message").fill("typed early")
    assert candil.state() == "shell"
    wait_until_held(page, held)
    for route in held:
        route.continue_()
    candil.wait_for_python()
    assert page.locator("#message").input_value() == "typed early"


# ---- language ----


TITLE = {"en": "Your own AI, at home", "es": "Tu propia IA, en casa"}
HINT = {"en": "Write a message…", "es": "Escribe un mensaje…"}


@pytest.mark.parametrize(
    ("locale", "query", "stored", "expected"),
    [
        *(("en-GB", "", "", "en"), ("es-MX", "", "", "es"), ("fr-FR", "", "", "en")),
        *(("en-US", "?lang=es", "", "es"), ("es-ES", "", "en", "en"), ("es-ES", "?lang=xx", "", "es")),
    ],
)
def test_the_shells_language_needs_no_python(  # noqa: PLR0917 -- a table of cases
    chromium: Browser, shell_site: Site, locale: str, query: str, stored: str, expected: str
) -> None:
    context = chromium.new_context(locale=locale, service_workers="block")
    if stored:
        context.add_init_script(f"localStorage.setItem('candil.language', '{stored}')")
    page = context.new_page()
    page.route("**/boot.js", lambda route: route.abort())
    page.goto(shell_site.url + query)
    assert page.locator("html").get_attribute("lang") == expected
    assert page.locator("#welcome-title").inner_text() == TITLE[expected]
    assert page.locator("#message").get_attribute("placeholder") == HINT[expected]
    assert page.locator("#language").input_value() == expected
    context.close()


def test_the_language_can_be_chosen_before_python(page: Page, shell_site: Site) -> None:
    page.route("**/boot.js", lambda route: route.abort())
    page.goto(shell_site.url)
    page.locator("#language").select_option("es")
    assert page.locator("#welcome-title").inner_text() == "Tu propia IA, en casa"
    page.reload()
    assert page.locator("html").get_attribute("lang") == "es"


# ---- failures ----

NEEDED = [
    "vendor/pyscript/core.js",
    "runtime.mjs",
    "vendor/pyodide/pyodide.mjs",
    "vendor/pyodide/pyodide.asm.wasm",
    "stdlib.zip",
    "app.zip",
]
FAULTS: dict[str, Callable[[Route], None]] = {
    "no connection": lambda route: route.abort("connectionfailed"),
    "missing": lambda route: route.fulfill(status=404, body="", headers=HEADERS),
    "damaged": lambda route: route.fulfill(status=200, body=b"not it", headers=headers_for(route)),
}


def headers_for(route: Route) -> dict[str, str]:
    kind = TYPES[Path(route.request.url).suffix]
    return {**HEADERS, "Content-Type": kind}


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *((name, "missing") for name in NEEDED),
        *((name, "damaged") for name in ("vendor/pyodide/pyodide.asm.wasm", "stdlib.zip", "app.zip")),
        *((name, "no connection") for name in ("vendor/pyodide/pyodide.asm.wasm", "app.zip")),
    ],
)
def test_what_does_not_load_is_said_and_retried_with_the_draft(
    page: Page, shell_site: Site, name: str, fault: str
) -> None:
    page.route(f"**/{name}", FAULTS[fault])
    candil = Candil(page).open(shell_site.url)
    page.locator("#message").fill("my draft")
    wait_for(lambda: failure(page), "the failure is shown", 30)
    assert page.get_by_role("alert").filter(has_text="Candil could not start").is_visible()
    page.unroute(f"**/{name}")
    page.get_by_role("button", name="Try again").click()
    candil.wait_for_python()
    assert page.locator("#message").input_value() == "my draft"
    assert not failure(page)


def test_a_load_that_hangs_is_said_and_may_still_arrive(page: Page, shell_site: Site) -> None:
    held = hold(page, "**/stdlib.zip")
    page.clock.install()
    candil = Candil(page).open(shell_site.url)
    wait_until_held(page, held)
    assert not failure(page)
    page.clock.fast_forward(91_000)
    wait_for(lambda: failure(page), "the failure is shown")
    for route in held:
        route.continue_()
    candil.wait_for_python()
    assert not failure(page)


def test_a_retry_without_a_server_keeps_the_page_and_the_draft(page: Page, shell_site: Site) -> None:
    page.route("**/app.zip", lambda route: route.abort())
    candil = Candil(page).open(shell_site.url)
    page.locator("#message").fill("my draft")
    wait_for(lambda: failure(page), "the failure is shown")
    page.unroute("**/app.zip")
    shell_site.stop()
    try:
        page.get_by_role("button", name="Try again").click()
        page.wait_for_timeout(300)
        assert page.locator("#message").input_value() == "my draft"
        assert failure(page)
    finally:
        shell_site.start()
    page.get_by_role("button", name="Try again").click()
    candil.wait_for_python()
    assert page.locator("#message").input_value() == "my draft"


def test_an_app_that_raises_is_a_failure_that_is_said(
    chromium: Browser, tmp_path: Path, context: BrowserContext
) -> None:
    app = tmp_path / "pyapp"
    (app / "browser").mkdir(parents=True)
    real = Sources()
    (app / "views").mkdir()
    (app / "views" / "strings").symlink_to(real.app / "views" / "strings")
    (app / "browser" / "app.py").write_text("def main() -> None:\n    raise ValueError('no')\n")
    build(replace(real, app=app), Target(tmp_path / "site"))
    site = Site(tmp_path / "site").start()
    page = context.new_page()
    page.goto(site.url)
    wait_for(lambda: failure(page), "the failure is shown", 30)
    site.stop()


def test_development_boots_from_the_sources(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(tmp_path / "dev", dev=True)
    build(Sources(), target)
    dev = development()
    app = create_app(replace(dev, folders=(dev.folders[0], target.out)))
    site = Site(target.out)
    monkeypatch.setattr("tests.browser.conftest.create_app", lambda _site: app)
    candil = Candil(page).open(site.start().url).wait_for_python()
    assert not failure(candil.page)
    site.stop()
