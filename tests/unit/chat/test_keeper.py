"""The latest is written, seldom; a browser without storage costs nothing but the memory."""

from __future__ import annotations

import asyncio

from pyapp.chat.archive import dumps
from pyapp.chat.conversation import Conversation, Entry, State
from pyapp.chat.keeper import Keeper
from pyapp.errors import StorageFailed
from tests.unit.run import run
from tests.unit.transport import ScriptedTransport


def saying(text: str, state: State = "done") -> Conversation:
    return Conversation().add(Entry(0, "assistant", text, state))


def test_what_grows_is_written_once_a_second_and_what_is_settled_at_once() -> None:
    async def story() -> None:
        kept: dict[str, str] = {}

        def put(payload: dict[str, str]) -> list[object]:
            kept[payload["key"]] = payload["value"]
            return []

        transport = ScriptedTransport(
            {
                "page.put": put,
                "page.get": lambda p: [{"value": kept.get(p["key"])}],
            }
        )
        keeper = Keeper(transport)
        assert await keeper.restore() == Conversation()
        for n in range(1, 30):
            keeper.keep(saying("a" * n, "streaming"))
            await asyncio.sleep(0.1)
        assert 3 <= len([op for op, _ in transport.calls if op == "page.put"]) <= 4
        keeper.keep(saying("a" * 30))
        await asyncio.sleep(0.01)
        assert kept["conversation"] == dumps(saying("a" * 30))  # settled: at once
        await asyncio.sleep(2)
        keeper.keep(saying("later"))
        await asyncio.sleep(0.1)
        assert await keeper.restore() == saying("later")

    run(story())


def test_without_storage_the_chat_goes_on() -> None:
    async def story() -> None:
        transport = ScriptedTransport(
            {"page.put": lambda _: [StorageFailed()], "page.get": lambda _: [StorageFailed()]}
        )
        keeper = Keeper(transport)
        assert await keeper.restore() == Conversation()
        keeper.keep(saying("a"))
        await asyncio.sleep(5)
        keeper.keep(saying("b"))
        await asyncio.sleep(5)
        assert len(transport.calls) == 3

    run(story())
