"""Keeps the conversation in the browser: at once what is settled, within a second what grows."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from pyapp.chat.archive import dumps, loads
from pyapp.chat.conversation import Conversation
from pyapp.engine import Transport, values
from pyapp.errors import CandilError

KEY = "conversation"
INTERVAL_S = 1.0


@dataclass
class Keeper:
    transport: Transport
    _latest: Conversation | None = None  # not written yet
    _writing: asyncio.Task[None] | None = None
    _settled: asyncio.Event = field(default_factory=asyncio.Event)  # nothing grows: do not wait

    async def restore(self) -> Conversation:
        """The conversation of the last visit; empty when there is none or it cannot be read."""
        try:
            answer = await values(self.transport, "page.get", {"key": KEY})
        except CandilError:
            return Conversation()  # no storage in this browser: nothing was kept
        return loads(answer[-1]["value"] or "")

    def keep(self, conversation: Conversation) -> None:
        """Writes now, and while an answer grows from then on at most once per INTERVAL_S, always the latest."""
        self._latest = conversation
        if any(entry.state == "streaming" for entry in conversation.entries[-1:]):
            self._settled.clear()
        else:
            self._settled.set()
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        try:
            while self._latest is not None:
                payload = {"key": KEY, "value": dumps(self._latest)}
                self._latest = None
                await values(self.transport, "page.put", payload)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._settled.wait(), INTERVAL_S)
        except CandilError:
            pass  # no storage or none left: the chat goes on, it only will not be there after a reload
        finally:
            self._writing = None
