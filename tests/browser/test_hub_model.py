"""A model nobody has pinned, from a hub on other origins: asked about, downloaded, checked, loaded, answering."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests import hub as hubs
from tests.browser.conftest import DESKTOP, Candil, Site
from tests.hub import Hub, status

pytestmark = pytest.mark.real_model

REPO = "somebody/smollm2-onnx"


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    yield from hubs.running()


class Elsewhere:
    """The site with another catalog, and a CSP that allows this machine's hub in the place of the real ones."""

    def __init__(self, catalog: bytes, hub: Hub) -> None:
        self.catalog = catalog
        self.hosts = f"connect-src {hub.origin} http://localhost:{hub.port}".encode()

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def changed(scope: Scope, receive: Receive, send: Send) -> None:
            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [(k, v.replace(b"connect-src", self.hosts)) for k, v in message["headers"]]
                await send(message)

            if scope["type"] == "http" and scope["path"] == "/model_manifest.json":
                await Response(self.catalog, media_type="application/json")(scope, receive, answer)
            else:
                await app(scope, receive, answer)

        return changed


def as_a_hub_has_it(served: Any, folder: Path, hub: Hub) -> bytes:
    """The embedded model's files in a repository, and the catalog that knows no more than their names."""
    (model,) = (each for each in served["models"] if each["source"]["kind"] == "embedded")
    (variant,) = (
        each for each in model["variants"] if each["device"] == "wasm" and each["engine"] == "transformers_js"
    )
    files = {file["path"]: (folder / file["url"]).read_bytes() for file in variant.pop("files")}
    hub.publish(REPO, files)
    wants = [path for path in files if not path.startswith("onnx/")] + ["onnx/model_int8.onnx*"]
    variant["repository"] = {"host": hub.origin, "repo": REPO, "wants": wants, "approximate_bytes": 10**8}
    model |= {
        "source": {"kind": "hub", "host": hub.origin, "repo": REPO},
        "variants": [variant],
        "verified": False,
    }
    return json.dumps(served | {"models": [model]}).encode()


@pytest.fixture(scope="module")
def hub_site(site_folder: Path, hub: Hub) -> Iterator[Site]:
    served = json.loads((site_folder / "model_manifest.json").read_text("utf-8"))
    site = Site(site_folder, wrap=Elsewhere(as_a_hub_has_it(served, site_folder, hub), hub).wrap).start()
    yield site
    site.stop()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    yield context
    context.close()


def test_from_a_catalog_entry_without_hashes_to_an_answer(context: BrowserContext, hub_site: Site, hub: Hub) -> None:
    hub.api_faults.append(Response("slow down", 429, headers=hubs.CORS | {"Retry-After": "1"}))
    weights = next(path for path in hub.files if path.endswith(".onnx"))
    hub.faults[weights] = [status(503, Retry_After="1")]
    candil = Candil(context.new_page()).open(f"{hub_site.url}?device=wasm")
    dialog = candil.page.get_by_role("dialog", name="Choose how Candil answers")
    dialog.wait_for()
    assert f"asks 127.0.0.1 which files {REPO} has now" in dialog.inner_text()
    assert hub.asked == []  # nothing before the yes
    candil.page.get_by_role("button", name="Download", exact=True).click()
    candil.wait_until_ready(240)
    candil.ask("What is the capital of France? Answer in one short sentence.")
    assert "Paris" in candil.answer()
    assert {asked.headers["host"] for asked in hub.asked if asked.path == weights} == {f"localhost:{hub.port}"}
    assert all("cookie" not in asked.headers and "referer" not in asked.headers for asked in hub.asked)

    asked_before = len(hub.asked)
    hub.repos.clear()  # what the hub says from now on does not matter
    candil.page.reload()
    candil.wait_until_ready(240)
    assert len(hub.asked) == asked_before
    assert hub_site.violations == []


def test_a_hub_that_wants_an_account_is_told_in_a_sentence(context: BrowserContext, hub_site: Site, hub: Hub) -> None:
    hub.repos.clear()
    candil = Candil(context.new_page()).open(f"{hub_site.url}?device=wasm")
    candil.page.get_by_role("button", name="Download", exact=True).click()
    candil.page.get_by_text("The server asks for permission to download this model.").wait_for()
