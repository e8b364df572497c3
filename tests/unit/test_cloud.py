"""Who offers a cloud, to whom it goes, and that nobody is asked before the user has agreed to exactly those."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pyapp.cloud import Cloud, offer
from pyapp.errors import NetworkFailed
from pyapp.models.manifest import Company, ServerSource
from pyapp.servers.address import Refused
from pyapp.setup.setup import PageIntent
from pyapp.setup.state import Checking, Ready
from pyapp.views.cloud import confirm, reader, section
from tests.unit.run import run
from tests.unit.setup.scripted import MODEL, WASM
from tests.unit.transport import Forever, ScriptedTransport
from tests.unit.views.languages import EN, ES

ACME = {"name": "acme", "title": "Acme AI", "models": ["large"]}
BOLT = {"name": "bolt", "title": "Bolt", "models": []}
LIMITS = {"max_total_chars": 32000, "max_tokens": 1024}
ORIGIN = "https://candil.example"


def config(*providers: Any, token: object = False, **limits: object) -> str:
    return json.dumps(
        {"new": 1, "cloud": {"providers": providers, "limits": LIMITS | limits, "token_required": token, "new": 1}}
    )


def made(*steps: Any, agreed: str | None = None, origin: str = ORIGIN) -> tuple[Cloud, ScriptedTransport]:
    """`steps`: what GET /api/config comes to."""
    transport = ScriptedTransport({"page.read": lambda _: steps})
    return Cloud(transport, PageIntent(agreed), PageIntent(), origin), transport


def offered(*providers: Any, agreed: str | None = None, token: bool = False) -> Cloud:
    cloud, _ = made({"body": config(*providers or [ACME], token=token)}, agreed=agreed)
    run(cloud.look())
    return cloud


def test_what_is_offered() -> None:
    found = offer(config(ACME, BOLT, token=True))
    assert found
    assert found.companies == (Company("acme", "Acme AI"), Company("bolt", "Bolt"))
    priced = offer(config(ACME | {"price": 2}, BOLT | {"price": None}))
    assert priced
    assert [each.price for each in priced.companies] == [2.0, None]
    assert (found.context_tokens, found.token_required) == (9142, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!doctype html>",
        "null",
        "[]",
        '{"cloud": null}',
        '{"cloud": {}}',
        "[" * 100_000,
        config(),
        config(*[ACME] * 21),
        config(ACME, token="no"),
        config(ACME, max_total_chars=0),
        config(ACME, max_total_chars=True),
        config(ACME, max_total_chars="32000"),
        config(ACME | {"title": ""}),
        config(ACME | {"title": "x" * 101}),
        config(ACME | {"title": "two\nlines"}),
        config(ACME | {"name": 7}),
        config("acme"),
        config(ACME | {"price": "2"}),
        config(ACME | {"price": True}),
        config(ACME | {"price": -1}),
    ],
)
def test_what_is_no_offer(text: str) -> None:
    assert offer(text) is None


def test_who_has_not_agreed_has_no_cloud_and_waits_for_nothing() -> None:
    cloud, transport = made(Forever())
    assert run(cloud.specs()) == ()
    assert transport.calls == []
    assert (cloud.on, cloud.readers) == (False, "")


def test_who_has_agreed_finds_it_on_the_next_visit() -> None:
    cloud = offered(ACME, BOLT)
    heard: list[bool] = []
    cloud.on_change = lambda: heard.append(cloud.on)
    assert run(cloud.specs()) == ()
    cloud.switch(True)
    (spec,) = run(cloud.specs())
    assert isinstance(spec.source, ServerSource)
    assert (spec.title, spec.source.model, spec.source.base_url) == ("Acme AI, Bolt", "auto", f"{ORIGIN}/v1")
    assert (cloud.host, cloud.readers) == ("candil.example", "Acme AI, Bolt")
    cloud.switch(False)
    assert run(cloud.specs()) == ()
    assert heard == [True, False]


@pytest.mark.parametrize(
    ("agreed", "on"),
    [('["acme"]', False), ('["acme", "bolt"]', True), ('["acme", "bolt", "gone"]', True), ("{", False), ("7", False)],
)
def test_another_company_needs_another_yes(agreed: str, on: bool) -> None:
    assert offered(ACME, BOLT, agreed=agreed).on == on


def test_it_is_asked_for_once_and_again_where_there_was_no_answer() -> None:
    cloud, transport = made(NetworkFailed("offline"))
    run(cloud.look())
    assert cloud.offer is None
    transport.answers["page.read"] = lambda _: [{"body": config(ACME)}]

    async def thrice() -> None:
        await asyncio.gather(cloud.look(), cloud.look())
        await cloud.look()

    run(thrice())
    assert cloud.offer
    assert transport.calls == [("page.read", {"url": "/api/config"})] * 2


def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    cloud, _ = made(Forever(), agreed='["acme"]')
    assert run(cloud.specs()) == ()


def test_a_page_from_nowhere_asks_nobody() -> None:
    cloud, transport = made(origin="http://plain.example")
    run(cloud.look())
    assert (cloud.offer, cloud.host, transport.calls) == (None, "", [])


def test_the_token_goes_to_this_server_only() -> None:
    cloud = offered()
    assert (cloud.key_for(f"{ORIGIN}/v1"), cloud.has_token) == ("", False)
    cloud.set_token(" secret ")
    assert (cloud.key_for(f"{ORIGIN}/v1"), cloud.has_token) == ("secret", True)
    assert cloud.key_for("http://localhost:8080/v1") is None
    with pytest.raises(Refused):
        cloud.set_token("two words")


# ---- what is shown ----


def test_above_the_composer_it_says_who_reads() -> None:
    cloud = offered()
    assert reader(Ready(*cloud.described()), EN) == "Your messages go to Acme AI"
    assert reader(Ready(*cloud.described()), ES) == "Tus mensajes van a Acme AI"
    assert reader(Ready(MODEL, WASM), EN) == reader(Checking(), EN) == ""


def test_before_it_is_used_it_says_where_words_go() -> None:
    asked = confirm("candil.example", "<Acme>", EN, token=False)
    assert "sent to candil.example and from there to &lt;Acme&gt;." in asked
    assert "cloud-token" not in asked
    assert 'id="cloud-token" type="password"' in confirm("candil.example", "Acme", EN, token=True)


def test_the_section_says_how_it_stands() -> None:
    cloud, _ = made()
    assert section(cloud, Checking(), EN) == ""
    cloud = offered(token=True)
    off = section(cloud, Ready(MODEL, WASM), EN)
    assert 'data-cloud="off"' in off
    assert 'data-action="cloud-off"' not in off
    assert EN.text("cloud.token.kept") not in off
    cloud.switch(True)
    cloud.set_token("secret")
    idle = section(cloud, Ready(MODEL, WASM), EN)
    assert 'data-cloud="idle"' in idle
    assert EN.text("cloud.token.kept") in idle
    assert "secret" not in idle
    on = section(cloud, Ready(*cloud.described()), EN)
    assert 'data-cloud="on"' in on
    assert 'data-action="cloud-off"' in on
    assert 'data-action="cloud"' not in on
    assert "cloud-form" not in section(offered(), Checking(), EN)
