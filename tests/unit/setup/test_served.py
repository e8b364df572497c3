"""A model on a server of the user's is used like one that is installed, and never offered."""

from __future__ import annotations

from pyapp.errors import ServerUnreachable
from pyapp.models.manifest import ModelSpec
from pyapp.openai.models import ServedModel
from pyapp.servers.address import parse
from pyapp.servers.served import described
from pyapp.setup.catalog import pick_key
from pyapp.setup.setup import Setup
from pyapp.setup.state import LoadFailed, Ready
from tests.unit.chat.scripted import ScriptedEngine
from tests.unit.run import run
from tests.unit.setup.scripted import WASM, MemoryIntent, ScriptedStore, transport

SERVED, SERVER = described(parse("localhost:8080"), ServedModel("small", 2048))
KEY = pick_key(SERVED, SERVER)


def setup(chosen: str | None = None, engine: ScriptedEngine | None = None) -> Setup:
    async def served() -> tuple[ModelSpec, ...]:
        return (SERVED,)

    return Setup(
        transport(),
        engine or ScriptedEngine(),
        ScriptedStore(here=[WASM]),
        MemoryIntent(),
        "wasm",
        chosen=MemoryIntent(chosen),
        served=served,
    )


def test_the_one_that_was_chosen_is_there_on_the_next_visit() -> None:
    here = setup(KEY)
    here.device = "auto"
    run(here.begin())
    assert here.state == Ready(SERVED, SERVER)


def test_it_is_never_taken_unasked() -> None:
    here = setup()
    run(here.begin())
    assert isinstance(here.state, Ready)
    assert here.state.variant == WASM


def test_it_is_used_without_a_download_and_can_be_named_from_then_on() -> None:
    here = setup()

    async def work() -> None:
        await here.begin()
        other, variant = described(parse("localhost:8080"), ServedModel("large"))
        await here.use(other, variant)
        assert here.state == Ready(other, variant)
        await here.use(other, variant)
        assert here.catalog
        assert len(here.catalog.served) == 2
        await here.use(SERVED, SERVER)
        assert len(here.catalog.served) == 2

    run(work())


def test_a_server_that_is_not_there_is_said_to_be_missing() -> None:
    error = ServerUnreachable(host="localhost:8080")
    here = setup(engine=ScriptedEngine(loads=[(), [error]]))

    async def work() -> None:
        await here.begin()
        await here.use(SERVED, SERVER)

    run(work())
    assert here.state == LoadFailed(SERVED, SERVER, error)
