"""A browser with one database and several tabs, as site/storage.js and site/tabs.js make them for Python.

The transactions of one tab run in their order, those of several tabs in any; posts arrive in any order.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from pyapp.engine import Transport
from pyapp.errors import CandilError
from tests.unit.transport import Forever

Rows = dict[str, dict[str, Any]]
STORES = ("chats", "messages", "settings", "runs", "run_parts")


def no_delay() -> float:
    return 0.0


@dataclass
class Browser:
    """`delay` gives the seconds that each step takes."""

    delay: Callable[[], float] = no_delay
    stores: dict[str, Rows] = field(default_factory=lambda: {store: {} for store in STORES})
    tabs: list[Tab] = field(default_factory=list)
    trouble: CandilError | None = None  # of the tabs that are opened from now on

    def tab(self) -> Tab:
        tab = Tab(self, self.trouble)
        self.tabs.append(tab)
        return tab

    def rows(self, store: str) -> list[dict[str, Any]]:
        return list(self.stores[store].values())


@dataclass
class Tab:
    """pyapp.engine.Transport of one tab; JSON crosses. `trouble` is what the database does instead of answering."""

    browser: Browser
    trouble: CandilError | Forever | None = None
    ops: list[str] = field(default_factory=list)
    _listeners: list[asyncio.Queue[Any]] = field(default_factory=list)
    _free_at: dict[str, float] = field(default_factory=dict)

    async def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        self.ops.append(op)
        payload = _crossed(payload)
        match op:
            case "page.post":
                self._post(payload["value"])
            case "page.forget":
                pass
            case "page.posts":
                posts: asyncio.Queue[Any] = asyncio.Queue()
                self._listeners.append(posts)
                while True:
                    yield {"value": await posts.get()}
            case _:
                await self._turn("run")
                answer = await self._transaction(op, payload)
                await self._turn("reply")
                if answer is not None:
                    yield answer

    async def _transaction(self, op: str, payload: Any) -> Any:
        if isinstance(self.trouble, CandilError):
            raise self.trouble
        if self.trouble:
            await asyncio.get_running_loop().create_future()
        return _crossed(getattr(self, op.replace(".", "_"))(**payload))

    async def _turn(self, queue: str) -> None:
        """After a while, and after whatever stood in this queue before."""
        now = asyncio.get_running_loop().time()
        at = max(now + self.browser.delay(), self._free_at.get(queue, 0.0) + 1e-6)
        self._free_at[queue] = at
        await asyncio.sleep(at - now)

    def _post(self, value: Any) -> None:
        for tab in self.browser.tabs:
            if tab is not self:
                asyncio.get_running_loop().call_later(self.browser.delay(), tab.hear, value)

    def hear(self, value: Any) -> None:
        """Another tab's post has arrived."""
        for posts in self._listeners:
            posts.put_nowait(value)

    def db_read(
        self, store: str, keys: list[str] | None = None, index: str | None = None, key: str | None = None
    ) -> Any:
        rows = self.browser.stores[store]
        if keys is not None:
            return {"records": [rows[each] for each in keys if each in rows]}
        return {"records": [row for row in rows.values() if index is None or row.get(index) == key]}

    def db_write(self, puts: Any, deletes: Any, expect: Any) -> Any:
        stores = self.browser.stores
        found = [(each, stores[each["store"]].get(each["key"])) for each in expect]
        unfit = [(each, record) for each, record in found if (record["rev"] if record else 0) != each["rev"]]
        if unfit:
            found_now = [{"store": e["store"], "key": e["key"], "record": record} for e, record in unfit]
            return {"written": False, "found": found_now}
        for store, records in puts.items():
            stores[store].update({record["key" if store == "settings" else "id"]: record for record in records})
        for store, keys in deletes.items():
            for each in keys:
                stores[store].pop(each, None)
        return {"written": True}

    def db_clear(self) -> None:
        for rows in self.browser.stores.values():
            rows.clear()


def _crossed(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


@dataclass
class PageWithTab:
    """A whole page's Transport: what concerns chats is answered by `tab`, the rest by `page`."""

    tab: Tab
    page: Transport

    def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        of_chats = op.startswith("db.") or op in ("page.post", "page.posts")
        return (self.tab if of_chats else self.page).stream(op, payload)
