"""A server of the user's: looking for one, connecting, putting one of its models to use, forgetting it.

Rule of this file: no server is asked for anything before the user pressed a button that says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from pyapp.engine import Transport
from pyapp.errors import CandilError
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.openai.models import ServedModel
from pyapp.servers.address import Address, Reason, Refused, parse, parse_key
from pyapp.servers.connections import Connection, Connections
from pyapp.servers.discovery import Finding, Found, Place, look, places
from pyapp.servers.served import described, models_of

Use = Callable[[ModelSpec, Variant], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A server and the models that can be chosen from it."""

    address: Address
    models: tuple[ServedModel, ...]
    kept: bool  # it can be forgotten


@dataclass(frozen=True, slots=True)
class Shown:
    """`findings`: None before anybody has looked; a finding is None while it is waited for."""

    servers: tuple[Listed, ...] = ()
    findings: tuple[tuple[Place, Finding | None], ...] | None = None
    connecting: bool = False
    wrong: Reason | None = None  # with what was typed
    error: CandilError | None = None  # what the server that was typed said
    connected: Address | None = None  # it answered, and its models are among `servers`


class ServersPage:
    """Methods return at once; `on_change` hears what comes of them. `own` is where this page came from."""

    def __init__(self, transport: Transport, connections: Connections, use: Use, own: str) -> None:
        self.on_change: Callable[[Shown], None] = lambda _: None
        self._transport = transport
        self._connections = connections
        self._use = use
        self._own = own
        self._findings: dict[Place, Finding | None] | None = None
        self._asked: dict[Address, Connection] = {}  # that answered to this page, with all their models
        self._wrong: Reason | None = None
        self._error: CandilError | None = None
        self._connected: Address | None = None
        self._looking: asyncio.Task[None] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- what the user does ----

    def open(self) -> None:
        self._do(self._open())

    def look(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = self._do(self._look())

    def connect(self, address: str, key: str) -> None:
        """What was typed; while one is waited for, another takes its place."""
        self._wrong = self._error = self._connected = None
        try:
            connection = Connection(parse(address), parse_key(key))
        except Refused as refused:
            self._wrong = refused.reason
            return self._tell()
        if self._connecting:
            self._connecting.cancel()
        self._connecting = self._do(self._connect(connection))

    def reconnect(self, address: str) -> None:
        """Asks one that is kept for its models, with the key it was kept with."""
        self.connect(address, self._connections.key_for(address))

    def use(self, address: str, model_id: str) -> None:
        for server in self._servers():
            for model in server.models:
                if (str(server.address), model.id) == (address, model_id):
                    self._do(self._put_to_use(server.address, model))

    def forget(self, address: str) -> None:
        self._do(self._forget(parse(address)))

    # ---- what comes of it ----

    async def _open(self) -> None:
        with suppress(CandilError):  # no storage: nothing is kept, and the page works
            await self._connections.start()
        self._tell()

    async def _look(self) -> None:
        where = places(self._own)
        findings: dict[Place, Finding | None] = dict.fromkeys(where)
        self._findings = findings
        self._tell()
        async with aclosing(look(self._transport, where)) as found:
            async for place, finding in found:
                findings[place] = finding
                if isinstance(finding, Found) and finding.models and place.address not in self._asked:
                    self._asked[place.address] = Connection(place.address, "", finding.models)
                self._tell()

    async def _connect(self, connection: Connection) -> None:
        self._tell()
        try:
            models = await models_of(self._transport, connection.address, connection.key)
            self._asked[connection.address] = Connection(connection.address, connection.key, tuple(models))
            self._connected = connection.address
        except CandilError as error:
            self._error = error
        self._connecting = None
        self._tell()

    async def _put_to_use(self, address: Address, model: ServedModel) -> None:
        asked = self._asked.get(address)
        key = asked.key if asked else self._connections.key_for(str(address))
        with suppress(CandilError):  # what cannot be kept lasts until the tab closes
            await self._connections.keep(Connection(address, key, (model,)))
        self._tell()
        await self._use(*described(address, model))

    async def _forget(self, address: Address) -> None:
        self._asked.pop(address, None)
        with suppress(CandilError):
            await self._connections.forget(address)
        self._tell()

    # ---- what is shown ----

    def shown(self) -> Shown:
        return Shown(
            servers=self._servers(),
            findings=None if self._findings is None else tuple(self._findings.items()),
            connecting=self._connecting is not None,
            wrong=self._wrong,
            error=self._error,
            connected=self._connected,
        )

    def _servers(self) -> tuple[Listed, ...]:
        kept = {each.address: each for each in self._connections.all}
        return tuple(Listed(a, each.models, a in kept) for a, each in (kept | self._asked).items())

    def _tell(self) -> None:
        self.on_change(self.shown())

    def _do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
