"""pyapp.engine.Transport over the bridge of a page: Python outside, everything else where it belongs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page, async_playwright

from pyapp.errors import from_wire
from tests.browser.conftest import CHROMIUM, FLAGS

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


@asynccontextmanager
async def page_transport(url: str) -> AsyncIterator[tuple[Page, PageTransport]]:
    """A document of this origin without the application, in a browser of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        await page.goto(f"{url}nothing-here")
        transport = PageTransport(page)
        await transport.start()
        yield page, transport
        await browser.close()
