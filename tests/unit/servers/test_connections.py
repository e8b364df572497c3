"""Servers are kept with their keys, in the database's settings and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyapp.errors import StorageFailed
from pyapp.models.manifest import ServerSource
from pyapp.openai.models import ServedModel
from pyapp.servers.address import parse
from pyapp.servers.connections import KEY, Connection, Connections
from tests.unit.run import run

HERE = parse("localhost:8080")
THERE = parse("https://models.example.org")
SMALL, LARGE = ServedModel("small", 2048, "llamacpp"), ServedModel("large")


class MemoryDatabase:
    def __init__(self, value: Any = None) -> None:
        self.records = {} if value is None else {KEY: {"v": 1, "key": KEY, "value": value}}
        self.reads = 0
        self.broken = False

    async def read(self, store: str, **where: Any) -> Sequence[Any]:
        self.reads += 1
        if self.broken:
            raise StorageFailed("no")
        assert store == "settings"
        return [self.records[key] for key in where["keys"] if key in self.records]

    async def write(self, puts: Any, deletes: Any, expected: Any) -> None:
        if self.broken:
            raise StorageFailed("no")
        assert (deletes, expected) == ({}, {})
        self.records |= {record["key"]: record for record in puts["settings"]}


def test_what_is_kept_is_there_on_the_next_visit() -> None:
    database = MemoryDatabase()

    async def work() -> None:
        before = Connections(database)
        await before.start()
        await before.keep(Connection(HERE, "sk-1", (SMALL,)))
        await before.keep(Connection(THERE))
        await before.keep(Connection(HERE, "sk-2", (LARGE, SMALL)))
        after = Connections(database)
        await after.start()
        assert after.all == before.all == (Connection(THERE), Connection(HERE, "sk-2", (SMALL, LARGE)))
        assert after.key_for("http://localhost:8080/v1") == "sk-2"
        assert after.key_for("http://localhost:1/v1") == ""
        sources = [spec.source for spec in await after.specs()]
        assert sources == [ServerSource(str(HERE), "small"), ServerSource(str(HERE), "large")]
        await after.forget(HERE)
        assert "sk-" not in str(database.records)
        assert after.key_for(str(HERE)) == ""

    run(work())


def test_it_is_read_once() -> None:
    database = MemoryDatabase()
    connections = Connections(database)
    run(connections.start())
    run(connections.specs())
    assert database.reads == 1


def test_without_storage_it_lasts_as_long_as_the_page() -> None:
    database = MemoryDatabase()
    database.broken = True
    connections = Connections(database)

    async def work() -> None:
        assert await connections.specs() == ()
        try:
            await connections.keep(Connection(HERE, "sk-1", (SMALL,)))
        except StorageFailed:
            assert connections.key_for(str(HERE)) == "sk-1"
        else:
            raise AssertionError("it said nothing")

    run(work())


def test_records_that_are_none_of_ours_are_left_out() -> None:
    good = {"base_url": str(HERE), "key": "", "models": []}
    bad = [3, {}, good | {"key": "a\nb"}, good | {"base_url": "http://evil.example"}, good | {"models": [3]}]
    for value in ([*bad, good], {"x": 1}, None):
        connections = Connections(MemoryDatabase(value))
        run(connections.start())
        assert connections.all == ((Connection(HERE),) if isinstance(value, list) else ())


def test_a_key_is_in_no_repr() -> None:
    assert "sk-1" not in repr(Connection(HERE, "sk-1"))
