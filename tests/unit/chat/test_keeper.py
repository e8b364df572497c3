"""The latest is written, seldom; a browser without storage costs nothing but the memory."""

from __future__ import annotations

import asyncio

from pyapp.chat.conversation import Conversation, Entry

from pyapp.chat.keeper import Keeper
from pyapp.errors import StorageFailed
from tests.unit.run import run
from tests.unit.transport import ScriptedTransport


def saying(*texts: str) -> Conversation:
    conversation = Conversation()
    for text in texts:
        conversation = conversation.add(Entry(0, "user", text))
    return conversation


def test_the_latest_is_written_at_most_once_a_second() -> None:
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
            keeper.keep(saying(*"a" * n))
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        assert await keeper.restore() == saying(*"a" * 29)
        assert 3 <= len([op for op, _ in transport.calls if op == "page.put"]) <= 4
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
