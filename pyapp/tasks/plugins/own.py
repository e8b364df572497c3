"""The tasks that the user has added, in the database's settings: what they are in one record, each file in its own.

A file is looked at in its worker before it is kept, and its hash is checked whenever a worker gets it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pyapp.chat.database import Database
from pyapp.chat.records import VERSION
from pyapp.engine import Transport
from pyapp.errors import CandilError, PluginRefused
from pyapp.tasks.builtin import BUILT_IN, Tasks
from pyapp.tasks.plugins import wire
from pyapp.tasks.plugins.described import Described
from pyapp.tasks.plugins.described import read as read_described
from pyapp.tasks.plugins.guest import Guest, PluginFile
from pyapp.tasks.plugins.task import PluginTask

KEY = "own_tasks"
LONGEST_FILE = 8_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Own:
    """A task of the user's. `online`: they let it use the network."""

    described: Described
    file: str  # its name
    size: int
    sha256: str
    online: bool = False


@dataclass(frozen=True, slots=True)
class Adding:
    """A file that the user gave: `own` once it was looked at, which may also end in `error`."""

    file: str
    own: Own | None = None
    error: CandilError | None = None


class OwnTasks:
    """`on_change` hears that `kept` or `adding` is different; it must not raise.

    What the database refuses raises its StorageError, with everything as it was.
    """

    def __init__(self, transport: Transport, database: Database, tasks: Tasks) -> None:
        self.kept: Mapping[str, Own] = {}
        self.adding: Adding | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._transport = transport
        self._database = database
        self._tasks = tasks
        self._guests: dict[str, Guest] = {}
        self._data = b""  # of the file that is being added

    async def start(self) -> None:
        """Reads what is kept."""
        with suppress(CandilError):  # no storage: the page says so elsewhere
            for record in await self._database.read("settings", keys=[KEY]):
                await self._show(read_kept(record.get("value")))

    async def follow(self) -> None:
        """What other tabs add and remove, until it is cancelled."""
        with suppress(CandilError):
            async for post in self._database.posts():
                if "own_tasks" in post:
                    await self.start()

    # ---- adding one ----

    async def look(self, name: str, data: bytes) -> None:
        """What is in a file of the user's: asked of itself, in a worker that is ended again."""
        self._data = data
        self._add(adding := Adding(name))
        try:
            own = await self._looked(name, data)
        except CandilError as error:
            looked = replace(adding, error=error)
        else:
            looked = replace(adding, own=own)
        if self.adding is adding:  # else it was given up
            self._add(looked)

    async def _looked(self, name: str, data: bytes) -> Own:
        if not name.endswith((".py", ".whl")):
            raise PluginRefused(why="other_file", what=name)
        if len(data) > LONGEST_FILE:
            raise PluginRefused(why="too_large", what=name)
        guest = Guest(self._transport, _given(PluginFile(name, data)))
        try:
            described = await guest.describe()
        finally:
            await guest.end()
        if described.name in BUILT_IN:
            raise PluginRefused(why="name_taken", what=described.name)
        return Own(described, name, len(data), hashlib.sha256(data).hexdigest())

    async def add(self) -> None:
        """Keeps what was looked at. One of the same name goes, and with it what it was allowed."""
        if self.adding and (own := self.adding.own):
            await self._keep(own, self._data)
            self.give_up()

    async def _keep(self, own: Own, data: bytes) -> None:
        file = {"v": VERSION, "key": _file_key(own.sha256), "value": base64.b64encode(data).decode()}
        await self._write({**self.kept, own.described.name: own}, puts=[file])

    def give_up(self) -> None:
        self._data = b""
        self._add(None)

    # ---- those there are ----

    async def remove(self, name: str) -> None:
        """Its runs stay."""
        if name in self.kept:
            await self._write({key: own for key, own in self.kept.items() if key != name})

    async def allow(self, name: str, online: bool) -> None:
        """Whether it may use the network, from its next worker on, which is at once."""
        if name in self.kept:
            await self._write({**self.kept, name: replace(self.kept[name], online=online)})

    async def file(self, name: str) -> PluginFile:
        """Raises KeyError, PluginRefused when it is not the file that was added, and StorageError."""
        own = self.kept[name]
        records = await self._database.read("settings", keys=[_file_key(own.sha256)])
        data = base64.b64decode(records[0]["value"]) if records else b""
        if hashlib.sha256(data).hexdigest() != own.sha256:
            raise PluginRefused(why="damaged", what=own.file)
        return PluginFile(own.file, data, own.online)

    # ---- the user's data ----

    async def everything(self) -> AsyncGenerator[PluginFile, None]:
        """Raises StorageError; what is damaged is left out."""
        await self.start()
        for name in list(self.kept):
            with suppress(KeyError, PluginRefused):
                yield await self.file(name)

    async def take(self, file: PluginFile) -> bool:
        """Keeps a file of an export; False when it is here already. Raises PluginError, StorageError."""
        await self.start()
        if hashlib.sha256(file.data).hexdigest() in {own.sha256 for own in self.kept.values()}:
            return False
        await self._keep(await self._looked(file.name, file.data), file.data)
        return True

    # ---- keeping ----

    async def _write(self, kept: Mapping[str, Own], puts: Sequence[dict[str, Any]] = ()) -> None:
        hashes = {own.sha256 for own in kept.values()}
        gone = [_file_key(own.sha256) for own in self.kept.values() if own.sha256 not in hashes]
        index = {"v": VERSION, "key": KEY, "value": [wire.to_json(own) for own in kept.values()]}
        await self._database.write({"settings": [*puts, index]}, {"settings": gone}, {})
        await self._show(kept)
        with suppress(CandilError):
            await self._database.post({"chats": [], "messages": {}, "own_tasks": True})

    async def _show(self, kept: Mapping[str, Own]) -> None:
        before, self.kept = self.kept, kept
        gone = [name for name, own in before.items() if kept.get(name) != own]
        ended = [self._guests.pop(name) for name in gone]
        for name in gone:
            self._tasks.remove(name)
        for name, own in kept.items():
            if name not in self._guests:
                self._guests[name] = Guest(self._transport, partial(self.file, name))
                self._tasks.add(PluginTask(own.described, self._guests[name]))
        self.on_change()
        for guest in ended:
            await guest.end()

    def _add(self, adding: Adding | None) -> None:
        self.adding = adding
        self.on_change()


def read_kept(value: object) -> dict[str, Own]:
    """Those of a record that can be read."""
    found: dict[str, Own] = {}
    for each in value if isinstance(value, list) else []:
        with suppress(wire.Fault):
            own = wire.read(Own, each)
            read_described(wire.to_json(own.described))
            found[own.described.name] = own
    return found


def _file_key(sha256: str) -> str:
    return f"own_task_file/{sha256}"


def _given(file: PluginFile) -> Callable[[], Any]:
    async def read() -> PluginFile:
        return file

    return read
