"""The engine contract over the real thing: site/bridge.js, the real store, the real worker and the real model.

Only Python is outside: pyapp's own downloader and engine run here, in CPython, and reach the page's bridge.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from pyapp.engine import Engine, Transport
from pyapp.engines.transformers_js import TransformersJs
from pyapp.engines.wllama import Wllama
from pyapp.errors import from_wire
from pyapp.models.manifest import ModelSpec, Variant, parse
from pyapp.models.store import Store
from tests.browser.aside import aside, entered
from tests.browser.conftest import CHROMIUM, FLAGS, Site
from tests.contract.engine import CONTRACT, Check

pytestmark = pytest.mark.real_model

BRIDGE = """
async () => {
  window.bridge = await import("/bridge.js");
  window.bridge.connect((batch) => window.candilReceive(batch));
}
"""


class PageTransport:
    """pyapp.engine.Transport over the bridge of a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._replies: dict[int, asyncio.Queue[dict[str, Any]]] = {}
        self._early: dict[int, list[dict[str, Any]]] = {}  # replies that came before their id did

    async def start(self) -> None:
        await self._page.expose_function("candilReceive", self._receive)
        await self._page.evaluate(BRIDGE)

    def _receive(self, batch: str) -> None:
        for reply in json.loads(batch):
            if queue := self._replies.get(reply["id"]):
                queue.put_nowait(reply)
            else:
                self._early.setdefault(reply["id"], []).append(reply)

    async def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        open_ = "([op, payload]) => window.bridge.open(op, payload)"
        id_ = await self._page.evaluate(open_, [op, json.dumps(payload)])
        queue = self._replies[id_] = asyncio.Queue()
        for reply in self._early.pop(id_, []):
            queue.put_nowait(reply)
        try:
            while True:
                reply = await queue.get()
                if "error" in reply:
                    error = reply["error"]
                    raise from_wire(error["code"], error["message"], error.get("details"))
                if "value" not in reply:
                    return
                yield reply["value"]
        finally:
            del self._replies[id_]
            await self._page.evaluate("(id) => window.bridge.abort(id)", id_)


ENGINES: dict[str, Callable[[Transport], Engine]] = {
    "wasm-int8": lambda transport: TransformersJs(transport, seed=lambda: 1),
    # One thread: beside other work llama.cpp's threads wait for each other.
    "wllama-gguf": lambda transport: Wllama(transport, seed=lambda: 1, most_threads=1),
}

Loaded = tuple[Engine, ModelSpec, Variant]


@asynccontextmanager
async def loaded(url: str, manifest: str, name: str) -> AsyncIterator[Loaded]:
    """A variant of the embedded model, downloaded into the page's store and loaded from it."""
    model = parse(manifest).models[0]
    variant = next(v for v in model.variants if v.name == name)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        await page.goto(f"{url}nothing-here")  # a document of this origin without the application
        transport = PageTransport(page)
        await transport.start()
        async for _ in Store(transport).download(model, variant):
            pass
        engine = ENGINES[name](transport)
        async for _ in engine.load(model, variant):
            pass
        yield engine, model, variant
        await browser.close()


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, site: Site, site_folder: Path) -> Iterator[Loaded]:
    manifest = (site_folder / "model_manifest.json").read_text("utf-8")
    with entered(loaded(site.url, manifest, request.param)) as engine:
        yield engine


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_the_contract_holds(engine: Loaded, check: Check) -> None:
    aside(check)(*engine)  # type: ignore[arg-type]
