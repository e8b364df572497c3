"""Python outside, worker inside: the seam's Transport from CPython to a real worker in a Chromium page.

So the real downloader drives the real store, on real OPFS, without Pyodide in between.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator
from typing import Any

from playwright.async_api import Error, Page

from pyapp.errors import EngineFailed, from_wire

START = """
(script) => {
  const worker = new Worker(script, { type: "module" });
  worker.addEventListener("message", ({ data }) => window.candilReply(data));
  worker.addEventListener("error", (event) => window.candilReply({ failed: String(event.message) }));
  window.candilAsk = (request) => worker.postMessage(request);
}
"""


class RemoteTransport:
    """One worker of one page. A page that is gone fails every open stream with EngineFailed."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Queue[dict[str, Any]]] = {}

    @classmethod
    async def start(cls, page: Page, script: str) -> RemoteTransport:
        transport = cls(page)
        page.on("crash", lambda _page: transport.fail("the page crashed"))
        await page.expose_function("candilReply", transport._hear)
        await page.evaluate(START, script)
        return transport

    def fail(self, why: str) -> None:
        for queue in self._replies.values():
            queue.put_nowait({"error": {"code": EngineFailed.code, "message": why}})

    def _hear(self, reply: dict[str, Any]) -> None:
        if "failed" in reply:
            return self.fail(reply["failed"])
        if queue := self._replies.get(reply["id"]):
            queue.put_nowait(reply)
        return None

    async def _ask(self, request: dict[str, Any]) -> None:
        try:
            await self._page.evaluate("(request) => window.candilAsk(request)", request)
        except Error as error:
            raise EngineFailed(str(error)) from error

    async def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        id_ = next(self._ids)
        queue = self._replies[id_] = asyncio.Queue()
        ended = False
        try:
            await self._ask({"id": id_, "op": op, "payload": payload})
            while True:
                reply = await queue.get()
                ended = "value" not in reply
                if "end" in reply:
                    return
                if "error" in reply:
                    error = reply["error"]
                    raise from_wire(error["code"], error["message"], error.get("details"))
                yield reply["value"]
        finally:
            del self._replies[id_]
            if not ended and not self._page.is_closed():
                # Not awaited: an abort is posted, and what follows it is posted after it.
                self._post_abort(id_)

    def _post_abort(self, id_: int) -> None:
        task = asyncio.ensure_future(
            self._page.evaluate("(request) => window.candilAsk(request)", {"id": id_, "abort": True})
        )
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
