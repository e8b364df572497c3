"""The servers the user has connected to, with their keys, in this browser's database; never in an export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pyapp.errors import StorageError
from pyapp.models.manifest import ModelSpec
from pyapp.openai.models import ServedModel
from pyapp.servers.address import Address, Refused, parse, parse_key
from pyapp.servers.served import described

KEY = "servers"  # in the database's store "settings"


class Database(Protocol):
    """See pyapp.chat.database. Raises StorageError."""

    async def read(self, store: str, **where: object) -> Sequence[Any]: ...

    async def write(
        self,
        puts: Mapping[str, Sequence[dict[str, Any]]],
        deletes: Mapping[str, Sequence[str]],
        expected: Mapping[str, int],
    ) -> object: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """`models` are those that were put to use, so that the next visit finds them without asking the server."""

    address: Address
    key: str = field(default="", repr=False)
    models: tuple[ServedModel, ...] = ()


class Connections:
    def __init__(self, database: Database) -> None:
        self.all: tuple[Connection, ...] = ()
        self._database = database
        self._started = False

    async def start(self) -> None:
        """Reads what is kept, once. Raises StorageError."""
        if not self._started:
            records = await self._database.read("settings", keys=[KEY])
            self.all = tuple(_read(records[0].get("value") if records else None))
            self._started = True

    def key_for(self, base_url: str) -> str:
        """ "" for a server without one, and for one that was forgotten."""
        return next((each.key for each in self.all if str(each.address) == base_url), "")

    async def specs(self) -> tuple[ModelSpec, ...]:
        """The models that were put to use; none where nothing can be kept."""
        with suppress(StorageError):
            await self.start()
        return tuple(described(each.address, model)[0] for each in self.all for model in each.models)

    async def keep(self, connection: Connection) -> None:
        """In the place of the one to the same server. What the database refuses lasts until the tab closes."""
        known = next((each for each in self.all if each.address == connection.address), connection)
        models = {model.id: model for model in (*known.models, *connection.models)}
        await self._become(*self._others(connection.address), replace(connection, models=tuple(models.values())))

    async def forget(self, address: Address) -> None:
        """Its key too."""
        await self._become(*self._others(address))

    def _others(self, address: Address) -> Iterator[Connection]:
        return (each for each in self.all if each.address != address)

    async def _become(self, *connections: Connection) -> None:
        self.all = connections
        value = [_record(each) for each in connections]
        await self._database.write({"settings": [{"v": 1, "key": KEY, "value": value}]}, {}, {})


def _record(connection: Connection) -> Mapping[str, Any]:
    models = [{"id": m.id, "context_tokens": m.context_tokens, "owned_by": m.owned_by} for m in connection.models]
    return {"base_url": str(connection.address), "key": connection.key, "models": models}


def _read(value: Any) -> Iterator[Connection]:
    """What is no connection is left out: a record can be of another version."""
    for each in value if isinstance(value, list) else ():
        try:
            models = tuple(ServedModel(m["id"], m["context_tokens"], m["owned_by"]) for m in each["models"])
            yield Connection(parse(each["base_url"]), parse_key(each["key"]), models)
        except (Refused, KeyError, TypeError, AttributeError):
            continue
