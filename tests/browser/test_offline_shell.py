"""The service worker: the shell without a network, updates that wait, engine code from its first use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page
from starlette.types import ASGIApp, Receive, Scope, Send

from server.app import create_app
from server.sites import development as development_site
from tests.browser.conftest import Candil, Site, wait_for
from tools.build.layout import Sources
from tools.build.site import Target, build

ENGINE = "vendor/onnxruntime/ort-wasm-simd-threaded.wasm"
KEEP = """async ({group, abortAt}) => {
  const { keep } = await import("./offline.js");
  const controller = new AbortController();
  const seen = [];
  const onProgress = (progress) => {
    seen.push(progress);
    if (abortAt !== undefined && seen.length > abortAt) controller.abort();
  };
  try {
    await keep(group, { signal: controller.signal, onProgress });
    return { seen };
  } catch (error) {
    return { seen, code: error.code, name: error.name };
  }
}"""


@dataclass
class Asked:
    """Every path the server was asked for."""

    paths: list[str] = field(default_factory=list)

    def around(self, app: ASGIApp) -> ASGIApp:
        async def recording(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.paths.append(scope["path"].lstrip("/"))
            await app(scope, receive, send)

        return recording


@dataclass
class Deployment:
    """A project whose sources a test edits and deploys again, served and recorded."""

    sources: Sources
    target: Target
    site: Site
    asked: Asked

    def deploy(self) -> None:
        build(self.sources, self.target)

    def edit(self, name: str, text: str) -> None:
        path = self.sources.site / name
        path.write_text(path.read_text("utf-8") + text, "utf-8")

    def precached(self) -> dict[str, Any]:
        text = (self.target.out / "precache.js").read_text()
        listed: dict[str, Any] = json.loads(text.removeprefix("self.PRECACHE = ").removesuffix(";\n"))
        return listed


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    real = Sources()
    copytree(real.site, tmp_path / "sources" / "site")
    sources = replace(real, site=tmp_path / "sources" / "site")
    target = Target(tmp_path / "site")
    build(sources, target)
    asked = Asked()
    site = Site(target.out, wrap=asked.around).start()
    yield Deployment(sources, target, site, asked)
    site.stop()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="en-US")
    yield context
    context.close()


def installed(context: BrowserContext, url: str) -> Page:
    """A page whose shell is kept, and which is served by the service worker."""
    page = context.new_page()
    Candil(page).open(url).wait_for_python()
    wait_for(lambda: page.evaluate("Boolean(navigator.serviceWorker.controller)"), "the shell is kept")
    return page


def apply_update(page: Page) -> None:
    page.locator("#update").wait_for(state="visible", timeout=20_000)
    # Not by the mouse: the offer of a model may have come above it meanwhile.
    page.locator('#update [data-action="apply-update"]').evaluate("button => button.click()")


def without_variants(path: Path) -> None:
    """Served as it is: the compressed files beside it are those of another content."""
    for variant in path.parent.glob(f"{path.name}.*"):
        variant.unlink()


def kept_files(page: Page) -> set[str]:
    """sha256 of every kept file."""
    urls = page.evaluate(
        """async () => {
          const names = (await caches.keys()).filter((name) => name.startsWith("candil-files"));
          const keys = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
          return keys.flat().map(({ url }) => url);
        }"""
    )
    return {url.rsplit("/", 1)[1] for url in urls if "/file/" in url}


@contextmanager
def without_network(context: BrowserContext, site: Site) -> Iterator[None]:
    site.stop()
    context.set_offline(True)
    yield
    context.set_offline(False)
    site.start()


def fetch_status(page: Page, path: str) -> int | str:
    status: int | str = page.evaluate(
        "(path) => fetch(path).then((answer) => answer.status, (error) => error.name)", path
    )
    return status


# ---- offline ----


def test_the_shell_starts_without_server_and_network(context: BrowserContext, deployment: Deployment) -> None:
    page = installed(context, deployment.site.url)
    with without_network(context, deployment.site):
        for query in ("", "?lang=es"):
            candil = Candil(context.new_page()).open(deployment.site.url + query).wait_for_python()
            assert candil.page.evaluate("crossOriginIsolated")
        assert candil.page.locator("html").get_attribute("lang") == "es"
        violation = candil.page.evaluate(
            """() => new Promise((resolve) => {
              document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
              document.body.append(Object.assign(document.createElement("script"), { textContent: "1" }));
            })"""
        )
        assert violation == "script-src-elem"
    page.close()


def test_what_is_not_the_shell_is_not_kept(context: BrowserContext, deployment: Deployment) -> None:
    page = installed(context, deployment.site.url)
    assert fetch_status(page, "api/config") == 200
    assert fetch_status(page, "nothing.js") == 404
    assert fetch_status(page, "model_manifest.json") == 200
    with without_network(context, deployment.site):
        assert fetch_status(page, "api/config") == "TypeError"
        assert fetch_status(page, "nothing.js") == "TypeError"
        assert fetch_status(page, ENGINE) == "TypeError"
        assert fetch_status(page, "model_manifest.json") == 200  # the last one seen
        assert fetch_status(page, "app.zip") == 200


def test_the_catalog_is_the_newest_one(context: BrowserContext, deployment: Deployment) -> None:
    page = installed(context, deployment.site.url)
    (deployment.target.out / "model_manifest.json").write_text('{"models": [], "engines": {}, "newer": true}')
    assert page.evaluate("fetch('model_manifest.json').then((answer) => answer.json()).then((json) => json.newer)")


def test_an_address_that_does_not_exist_is_still_a_404(context: BrowserContext, deployment: Deployment) -> None:
    page = installed(context, deployment.site.url)
    answer = page.goto(deployment.site.url + "nothing")
    assert answer
    assert answer.status == 404


# ---- updates ----


def test_an_update_fetches_what_changed_waits_and_is_applied_on_request(
    context: BrowserContext, deployment: Deployment
) -> None:
    page = installed(context, deployment.site.url)
    old = kept_files(page)
    deployment.edit("styles/tokens.css", "\n:root { --deployed: two; }\n")
    deployment.deploy()
    deployment.asked.paths.clear()
    page.reload()
    Candil(page).wait_for_python()
    prompt = page.locator("#update")
    prompt.wait_for(state="visible", timeout=20_000)
    assert set(deployment.asked.paths) <= {
        "sw.js",
        "precache.js",
        "styles/all.css",
        "model_manifest.json",
        "api/config",
    }
    assert deployed(page) == ""  # nothing happens to a page that is open
    apply_update(page)
    wait_for(lambda: reloaded(page) == "two", "the new version is there")
    wait_for(lambda: kept_files(page) == shell_hashes(deployment), "what only the old version had is gone")
    assert old - kept_files(page)


def deployed(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--deployed')")).strip()


def reloaded(page: Page) -> str:
    """`deployed` of a page that may be reloading right now."""
    try:
        return deployed(page)
    except Error:  # the page went away under the question
        return ""


def shell_hashes(deployment: Deployment) -> set[str]:
    return {file["sha256"] for file in deployment.precached()["groups"]["shell"].values()}


def test_a_half_deployed_version_is_not_installed(context: BrowserContext, deployment: Deployment) -> None:
    page = installed(context, deployment.site.url)
    deployment.edit("styles/tokens.css", "\n:root { --deployed: two; }\n")
    deployment.deploy()
    (deployment.target.out / "styles" / "all.css").write_text("/* not yet the one in the list */")
    without_variants(deployment.target.out / "styles" / "all.css")
    state = page.evaluate(
        """async () => {
          const registration = await navigator.serviceWorker.ready;
          const found = new Promise((resolve) => registration.addEventListener("updatefound", resolve, { once: true }));
          await registration.update();
          await found;
          const worker = registration.installing;
          while (worker.state === "installing") {
            await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
          }
          return worker.state;
        }"""
    )
    assert state == "redundant"
    with without_network(context, deployment.site):
        page.reload()
        Candil(page).wait_for_python()
        assert deployed(page) == ""


def test_another_tab_is_told_and_not_reloaded(context: BrowserContext, deployment: Deployment) -> None:
    page, other = installed(context, deployment.site.url), installed(context, deployment.site.url)
    deployment.edit("styles/tokens.css", "\n:root { --deployed: two; }\n")
    deployment.deploy()
    other.locator("#message").fill("a draft")
    page.evaluate("navigator.serviceWorker.ready.then((registration) => registration.update())")
    apply_update(page)
    wait_for(lambda: reloaded(page) == "two", "the new version is there")
    assert deployed(other) == ""
    assert other.locator("#message").input_value() == "a draft"
    apply_update(other)
    wait_for(lambda: reloaded(other) == "two", "the other tab follows when it wants to")


# ---- engine code ----


def test_an_engines_code_is_kept_with_progress_and_stays_through_updates(
    context: BrowserContext, deployment: Deployment
) -> None:
    page = installed(context, deployment.site.url)
    group = deployment.precached()["groups"]["transformers_js:wasm"]
    total = sum(file["bytes"] for file in group.values())
    kept = page.evaluate(KEEP, {"group": "transformers_js:wasm"})
    assert "code" not in kept
    assert kept["seen"][0] == {"received": 0, "total": total}
    assert kept["seen"][-1] == {"received": total, "total": total}
    received = [step["received"] for step in kept["seen"]]
    assert received == sorted(received)
    assert len(received) > 5
    deployment.asked.paths.clear()
    again = page.evaluate(KEEP, {"group": "transformers_js:wasm"})
    assert again["seen"] == [{"received": total, "total": total}]
    assert deployment.asked.paths == []

    deployment.edit("styles/tokens.css", "\n:root { --deployed: two; }\n")
    deployment.deploy()
    page.reload()
    apply_update(page)
    wait_for(lambda: reloaded(page) == "two", "the new version is there")
    assert not any(path.startswith("vendor/") for path in deployment.asked.paths)
    with without_network(context, deployment.site):
        assert fetch_status(page, ENGINE) == 200


def test_an_engines_file_is_kept_when_it_is_first_fetched(context: BrowserContext, deployment: Deployment) -> None:
    page = installed(context, deployment.site.url)
    sha256 = deployment.precached()["groups"]["transformers_js:wasm"][ENGINE]["sha256"]
    assert fetch_status(page, ENGINE) == 200
    wait_for(lambda: sha256 in kept_files(page), "it is kept")


def test_a_file_that_is_not_the_listed_one_is_not_kept(context: BrowserContext, deployment: Deployment) -> None:
    page = installed(context, deployment.site.url)
    path = deployment.target.out / ENGINE
    path.write_bytes(path.read_bytes()[::-1])
    without_variants(path)
    kept = page.evaluate(KEEP, {"group": "transformers_js:wasm"})
    assert kept["code"] == "hash_mismatch"
    sha256 = deployment.precached()["groups"]["transformers_js:wasm"][ENGINE]["sha256"]
    assert sha256 not in kept_files(page)


def test_keeping_without_a_network_says_so(context: BrowserContext, deployment: Deployment) -> None:
    page = installed(context, deployment.site.url)
    with without_network(context, deployment.site):
        assert page.evaluate(KEEP, {"group": "transformers_js:wasm"})["code"] == "network_failed"


def test_keeping_a_group_there_is_not(context: BrowserContext, deployment: Deployment) -> None:
    page = installed(context, deployment.site.url)
    assert page.evaluate(KEEP, {"group": "no_such:engine"})["code"] == "offline_unavailable"


def test_keeping_can_be_aborted_and_taken_up_again(context: BrowserContext, deployment: Deployment) -> None:
    page = installed(context, deployment.site.url)
    assert page.evaluate(KEEP, {"group": "transformers_js:wasm", "abortAt": 1})["name"] == "AbortError"
    assert "code" not in page.evaluate(KEEP, {"group": "transformers_js:wasm"})


def test_without_service_workers_keeping_says_so_and_the_page_works(chromium: Browser, deployment: Deployment) -> None:
    context = chromium.new_context(locale="en-US", service_workers="block")
    page = context.new_page()
    Candil(page).open(deployment.site.url).wait_for_python()
    assert page.evaluate(KEEP, {"group": "transformers_js:wasm"})["code"] == "offline_unavailable"
    context.close()


# ---- development ----


def test_development_removes_a_service_worker_that_was_left_behind(
    context: BrowserContext, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = installed(context, deployment.site.url)
    deployment.site.stop()
    development = create_app(development_site())
    monkeypatch.setattr("tests.browser.conftest.create_app", lambda _site: development)
    deployment.site.start()
    with page.expect_event("load"):  # it takes the page with it
        page.evaluate("void navigator.serviceWorker.ready.then((registration) => registration.update())")
    wait_for(lambda: page.evaluate("caches.keys()") == [], "nothing is kept any more")
