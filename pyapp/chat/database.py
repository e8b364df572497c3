"""The browser's database as the page's ops "db.*" give it (site/storage.js), and the other tabs that share it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from pyapp.chat.records import Record
from pyapp.engine import Transport, values
from pyapp.errors import StorageFailed

WEDGED_S = 20.0  # a database that has not answered by then will not (Firefox has been seen to hang for ever)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another tab wrote first: the records that are there now, by id; None is a record that is gone."""

    found: Mapping[str, Record | None]


class Database:
    """Raises CandilError: StorageError when there is no storage, or none left."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self, store: str, **where: object) -> Sequence[Any]:
        """All records of a store; those with `keys=[…]` that are there; or those whose `index` has the value `key`."""
        return (await self._one("db.read", {"store": store, **where}))["records"]  # type: ignore[no-any-return]

    async def write(
        self,
        puts: Mapping[str, Sequence[Record]],
        deletes: Mapping[str, Sequence[str]],
        expected: Mapping[str, int],
    ) -> Conflict | None:
        """All of it or nothing. `expected`: the revision of chats' records as they must be, 0 for none there."""
        expect = [{"store": "chats", "key": key, "rev": rev} for key, rev in expected.items()]
        answer = await self._one("db.write", {"puts": puts, "deletes": deletes, "expect": expect})
        return None if answer["written"] else Conflict({each["key"]: each["record"] for each in answer["found"]})

    async def clear(self) -> None:
        """Everything is gone: chats, messages, settings."""
        await self._all("db.clear", {})

    async def post(self, value: object) -> None:
        """Tells the other tabs."""
        await self._all("page.post", {"value": value})

    async def posts(self) -> AsyncGenerator[Any, None]:
        """What other tabs tell; never ends by itself."""
        async with aclosing(self._transport.stream("page.posts", {})) as posted:
            async for each in posted:
                yield each["value"]

    async def _one(self, op: str, payload: object) -> Any:
        answers = await self._all(op, payload)
        if not answers:
            raise StorageFailed(f"{op} gave no answer")
        return answers[0]

    async def _all(self, op: str, payload: object) -> list[Any]:
        try:
            async with asyncio.timeout(WEDGED_S):
                return await values(self._transport, op, payload)
        except TimeoutError:
            raise StorageFailed(f"{op} took more than {WEDGED_S:.0f} s") from None


def by_chat(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """(chat id, message id) pairs as the ids of each chat."""
    found: dict[str, list[str]] = {}
    for chat_id, entry_id in pairs:
        found.setdefault(chat_id, []).append(entry_id)
    return found
