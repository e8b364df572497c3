"""The Transport over site/bridge.js."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from pyodide.ffi import create_proxy

from pyapp.engine import Json
from pyapp.errors import from_wire


class Bridge:
    """`module` is the imported site/bridge.js. One proxy for all streams, alive as long as the page."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self._open = module.open
        self._abort = module.abort
        self._replies: dict[int, asyncio.Queue[dict[str, Any]]] = {}
        self._receive_proxy = create_proxy(self._receive)
        module.connect(self._receive_proxy)

    async def stream(self, op: str, payload: Json) -> AsyncGenerator[Json, None]:
        """See pyapp.engine.Transport."""
        replies: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        stream_id = self._open(op, json.dumps(payload))
        self._replies[stream_id] = replies
        try:
            while True:
                reply = await replies.get()
                if "value" in reply:
                    yield reply["value"]
                elif "error" in reply:
                    error = reply["error"]
                    raise from_wire(error["code"], error["message"], error.get("details"))
                else:
                    return
        finally:
            del self._replies[stream_id]
            self._abort(stream_id)

    def _receive(self, batch: str) -> None:
        for reply in json.loads(batch):
            if queue := self._replies.get(reply["id"]):
                queue.put_nowait(reply)
