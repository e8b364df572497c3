"""The page of servers: nothing is asked unasked, and what is chosen is kept and used."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyapp.errors import ServerUnreachable
from pyapp.models.manifest import ModelSpec, ServerSource, Variant
from pyapp.openai.models import ServedModel
from pyapp.servers.address import parse
from pyapp.servers.connections import Connection, Connections
from pyapp.servers.discovery import Found, Troubled, Unreachable
from pyapp.servers_page import ServersPage, Shown
from pyapp.views import servers as view
from pyapp.views.language import Language
from tests.unit.run import run
from tests.unit.servers.scripted_server import ScriptedServers, as_json
from tests.unit.servers.test_connections import MemoryDatabase
from tests.unit.transport import Forever
from tests.unit.views.languages import EN, ES

MODELS = as_json({"data": [{"id": "small"}, {"id": "<large>"}]})
LOCAL = "http://127.0.0.1:11434/v1"


class Scene:
    """A page, what it showed, and what it put to use."""

    def __init__(self, answers: dict[str, Any] | None = None, database: MemoryDatabase | None = None) -> None:
        self.servers = ScriptedServers(answers or {})
        self.connections = Connections(database or MemoryDatabase())
        self.used: list[tuple[ModelSpec, Variant]] = []
        self.shown: list[Shown] = []
        self.page = ServersPage(self.servers, self.connections, self._use, "http://localhost:8000")
        self.page.on_change = self.shown.append

    async def _use(self, model: ModelSpec, variant: Variant) -> None:
        self.used.append((model, variant))

    async def settled(self, seconds: float = 100) -> Shown:
        await asyncio.sleep(seconds)
        return self.shown[-1]


def test_opening_asks_nobody() -> None:
    scene = Scene(database=MemoryDatabase([{"base_url": LOCAL, "key": "", "models": []}]))

    async def work() -> None:
        scene.page.open()
        shown = await scene.settled()
        assert [server.address for server in shown.servers] == [parse(LOCAL)]
        assert shown.findings is None
        assert scene.servers.requests == []

    run(work())


def test_opening_without_storage() -> None:
    database = MemoryDatabase()
    database.broken = True
    scene = Scene({f"GET {LOCAL}/models": MODELS}, database)

    async def work() -> None:
        scene.page.open()
        scene.page.connect(LOCAL, "")
        await scene.settled()
        scene.page.use(LOCAL, "small")
        await scene.settled()
        scene.page.forget(LOCAL)
        assert (await scene.settled()).servers == ()

    run(work())
    assert len(scene.used) == 1


def test_looking_finds_and_lists() -> None:
    silent = {"GET http://127.0.0.1:8080/v1/models": lambda _: [Forever()]}
    scene = Scene({f"GET {LOCAL}/models": MODELS, **silent})

    async def work() -> None:
        scene.page.look()
        scene.page.look()  # once is enough
        await asyncio.sleep(1)
        waiting = dict(scene.shown[-1].findings or ())
        assert sorted(str(finding) for finding in waiting.values()).count("None") == 1
        shown = await scene.settled()
        findings = {place.program: finding for place, finding in shown.findings or ()}
        assert isinstance(findings["ollama"], Found)
        assert findings["llama_cpp"] == findings["lm_studio"] == Unreachable()
        assert "vllm" not in findings  # the page itself is there
        assert [(str(s.address), len(s.models), s.kept) for s in shown.servers] == [(LOCAL, 2, False)]
        scene.page.look()
        await scene.settled()

    run(work())
    assert len(scene.servers.requests) == 8


def test_a_model_that_is_chosen_is_kept_with_the_key_and_used() -> None:
    scene = Scene({f"GET {LOCAL}/models": MODELS})

    async def work() -> None:
        scene.page.connect("127.0.0.1:11434", " sk-1 ")
        shown = await scene.settled()
        assert not shown.connecting
        assert (shown.wrong, shown.error, shown.connected) == (None, None, parse(LOCAL))
        assert "127.0.0.1:11434" in view.message(shown, EN)
        scene.page.use(LOCAL, "small")
        scene.page.use(LOCAL, "nobody has it")
        shown = await scene.settled()
        assert [server.kept for server in shown.servers] == [True]
        assert scene.connections.all == (Connection(parse(LOCAL), "sk-1", (ServedModel("small"),)),)
        scene.page.reconnect(LOCAL)
        await scene.settled()
        scene.page.forget(LOCAL)
        assert (await scene.settled()).servers == ()

    run(work())
    assert [model.source for model, _ in scene.used] == [ServerSource(LOCAL, "small")]
    assert [request["headers"].get("authorization") for request in scene.servers.requests] == ["Bearer sk-1"] * 2


def test_one_that_is_kept_is_used_with_its_key_without_asking() -> None:
    row = {"id": "small", "context_tokens": None, "owned_by": ""}
    scene = Scene(database=MemoryDatabase([{"base_url": LOCAL, "key": "sk-1", "models": [row]}]))

    async def work() -> None:
        scene.page.open()
        await scene.settled()
        scene.page.use(LOCAL, "small")
        await scene.settled()

    run(work())
    assert len(scene.used) == 1
    assert scene.connections.key_for(LOCAL) == "sk-1"
    assert scene.servers.requests == []


def test_what_is_typed_wrongly_asks_nobody() -> None:
    scene = Scene()
    scene.page.connect("http://example.org", "")
    scene.page.connect("localhost", "sk\n1")
    assert [shown.wrong for shown in scene.shown] == ["plain_http", "key"]
    assert scene.servers.requests == []


def test_a_server_that_is_not_there_and_then_another() -> None:
    scene = Scene({"GET http://localhost:1/v1/models": lambda _: [Forever()], f"GET {LOCAL}/models": MODELS})

    async def work() -> None:
        scene.page.connect("localhost:2", "")
        shown = await scene.settled(1)
        assert isinstance(shown.error, ServerUnreachable)
        scene.page.connect("localhost:1", "")
        shown = await scene.settled(1)
        assert shown.connecting
        assert shown.error is None
        scene.page.connect(LOCAL, "")
        shown = await scene.settled(1)
        assert not shown.connecting
        assert len(shown.servers) == 1

    run(work())
    assert scene.servers.closed == ["http://localhost:1/v1/models"]


# ---- as HTML ----


@pytest.mark.parametrize("language", [EN, ES], ids=["en", "es"])
def test_every_part_of_it_in_html(language: Language) -> None:
    scene = Scene(
        {
            f"GET {LOCAL}/models": MODELS,
            "GET http://127.0.0.1:1234/v1/models": as_json({}, 401),
            "GET http://127.0.0.1:8080/v1/models": lambda _: [2.0, Forever()],
        }
    )

    async def work() -> list[str]:
        scene.page.look()
        await scene.settled(1)
        looking = view.findings(scene.shown[-1], language)
        scene.page.use(LOCAL, "small")
        shown = await scene.settled()
        assert any(isinstance(finding, Troubled) for _, finding in shown.findings or ())
        return [looking, view.findings(shown, language), view.servers(shown, language)]

    looking, found, listed = run(work())
    assert language.text("servers.looking") in looking
    assert language.count("servers.found", 2) in found
    assert language.text("servers.advice.foundry")[:20] in found
    assert "<large>" not in listed
    assert 'data-model="&lt;large&gt;"' in listed
    assert f'data-address="{LOCAL}"' in listed
    assert listed.count('data-action="server-use"') == 2
    assert 'data-action="server-forget"' in listed
    assert language.text("servers.warning")[:20] in view.section(language)
    assert view.findings(Shown(), language) == view.message(Shown(), language) == ""
    assert language.text("servers.connecting") in view.message(Shown(connecting=True), language)
    assert language.text("servers.wrong.key") in view.message(Shown(wrong="key"), language)
    assert "localhost:1" in view.message(Shown(error=ServerUnreachable(host="localhost:1")), language)
