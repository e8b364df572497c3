"""The ops "db.*" and what tabs tell each other, in memory: one `MemoryDatabase`, and a transport for each tab of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from pyapp.errors import StorageFailed


@dataclass
class MemoryDatabase:
    stores: dict[str, dict[str, Any]] = field(default_factory=lambda: {"chats": {}, "messages": {}, "settings": {}})
    tabs: list[Tab] = field(default_factory=list)
    refuses: bool = False

    def tab(self) -> Tab:
        self.tabs.append(Tab(self))
        return self.tabs[-1]


@dataclass(eq=False)
class Tab:
    """Implements pyapp.engine.Transport. What crosses is JSON, as on the page."""

    database: MemoryDatabase
    calls: list[str] = field(default_factory=list)
    _heard: list[asyncio.Queue[Any]] = field(default_factory=list)

    async def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        self.calls.append(op)
        payload = json.loads(json.dumps(payload, allow_nan=False))
        if op == "page.posts":
            heard: asyncio.Queue[Any] = asyncio.Queue()
            self._heard.append(heard)
            while True:
                yield {"value": await heard.get()}
        if op == "page.post":
            for tab in self.database.tabs:
                for queue in tab._heard if tab is not self else ():
                    queue.put_nowait(payload["value"])
        if op.startswith("db."):
            if self.database.refuses:
                raise StorageFailed()
            for answer in getattr(self, f"_{op.removeprefix('db.')}")(payload):
                yield json.loads(json.dumps(answer))

    def _read(self, asked: Any) -> list[Any]:
        rows = self.database.stores[asked["store"]]
        if "keys" in asked:
            return [{"records": [rows[key] for key in asked["keys"] if key in rows]}]
        found = [row for row in rows.values() if "index" not in asked or row[asked["index"]] == asked["key"]]
        return [{"records": found}]

    def _write(self, asked: Any) -> list[Any]:
        stores = self.database.stores
        found = [
            {**each, "record": stores[each["store"]].get(each["key"])}
            for each in asked["expect"]
            if (stores[each["store"]].get(each["key"]) or {"rev": 0})["rev"] != each["rev"]
        ]
        if found:
            return [{"written": False, "found": found}]
        for store, records in asked["puts"].items():
            stores[store] |= {record["key" if store == "settings" else "id"]: record for record in records}
        for store, keys in asked["deletes"].items():
            for key in keys:
                stores[store].pop(key, None)
        return [{"written": True}]

    def _clear(self, _asked: Any) -> list[Any]:
        for store in self.database.stores.values():
            store.clear()
        return []
