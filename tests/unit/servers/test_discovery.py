"""Looking for servers: all at once, each with a time limit, and nothing is asked that was not listed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from pyapp.errors import EngineFailed, KeyRefused, NotAModelServer
from pyapp.openai.models import ServedModel
from pyapp.servers.address import parse
from pyapp.servers.call import MAX_BODY_BYTES, Request, read
from pyapp.servers.discovery import PLACES, PROBE_S, Finding, Found, Troubled, Unreachable, look, places
from pyapp.servers.served import described, models_of
from tests.unit.run import VirtualTimeLoop, run
from tests.unit.servers.scripted_server import ScriptedServers, as_json
from tests.unit.transport import Forever

MODELS = as_json({"data": [{"id": "m"}]})


def url(program: str, endpoint: str = "/models") -> str:
    return "GET " + next(place for place in PLACES if place.program == program).address.url(endpoint)


def found(servers: ScriptedServers) -> tuple[dict[str, Finding], float]:
    """What is where, and how long it took."""

    async def work() -> tuple[dict[str, Finding], float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        found: dict[str, Finding] = {place.program: finding async for place, finding in look(servers, PLACES)}
        return found, loop.time()

    return run(work())


def test_every_outcome_at_once() -> None:
    servers = ScriptedServers(
        {
            url("lm_studio"): MODELS,
            url("ollama"): as_json({"object": "list", "data": None}),
            url("vllm"): as_json({"error": "no key"}, 401),
            url("llama_cpp"): lambda _: [Forever()],
        }
    )
    findings, took = found(servers)
    assert findings["lm_studio"] == Found((ServedModel("m"),))
    assert findings["ollama"] == Found(())
    assert findings["llama_cpp"] == findings["foundry"] == Unreachable()
    assert isinstance(findings["vllm"], Troubled)
    assert isinstance(findings["vllm"].error, KeyRefused)
    assert took == pytest.approx(PROBE_S)  # not the sum
    assert sorted(servers.asked()) == sorted(url(place.program) for place in PLACES)


def test_closing_it_ends_all_the_asking() -> None:
    servers = ScriptedServers({url("lm_studio"): MODELS, url("vllm"): lambda _: [Forever()]})

    async def work() -> None:
        async with aclosing(look(servers, PLACES)) as findings:
            await anext(findings)

    run(work())
    assert servers.closed == [url("vllm").removeprefix("GET ")]


def test_the_page_does_not_look_at_where_it_came_from() -> None:
    assert [place.program for place in places("http://localhost:8000")] == [
        "lm_studio",
        "ollama",
        "llama_cpp",
        "foundry",
    ]
    assert len(places("https://candil.example")) == len(PLACES)


# ---- what a server says of its models ----

BASE = "http://localhost:8080"


def models(answers: dict[str, Any]) -> list[ServedModel]:
    servers = ScriptedServers({f"GET {BASE}{path}": as_json(answer) for path, answer in answers.items()})
    return run(models_of(servers, parse(BASE), ""))


@pytest.mark.parametrize(
    ("props", "window"),
    [
        ({"default_generation_settings": {"n_ctx": 512}}, 512),
        ({"default_generation_settings": {"n_ctx": "x"}}, 4096),
        ({"default_generation_settings": 3}, 4096),
        ([], 4096),
    ],
)
def test_llama_cpp_says_its_window_in_its_properties(props: Any, window: int) -> None:
    row = {"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx_train": 4096}}
    assert models({"/v1/models": {"data": [row]}, "/props": props})[0].context_tokens == window


def test_lm_studio_says_its_windows_in_its_own_list() -> None:
    rows = [{"id": name, "owned_by": "organization_owner"} for name in "abc"]
    own = {"data": [{"id": "a", "loaded_context_length": 8192, "max_context_length": 131072}, {"id": "b"}]}
    answers = {"/v1/models": {"data": rows}, "/api/v0/models": own}
    assert [model.context_tokens for model in models(answers)] == [8192, None, None]
    for nothing in ({}, {"/api/v0/models": 3}):
        assert models({"/v1/models": {"data": rows}, **nothing})[0].context_tokens is None


def test_a_model_on_a_server_has_a_name_and_a_window() -> None:
    spec, variant = described(parse(BASE), ServedModel("C:\\models\\Smol.gguf"))
    assert (spec.title, spec.context_tokens, variant.bytes) == ("Smol.gguf", 4096, 0)
    assert described(parse(BASE), ServedModel("org/name", 9))[0].title == "org/name"


# ---- one exchange ----


def test_a_body_has_an_end() -> None:
    servers = ScriptedServers({f"GET {BASE}/x": lambda _: [200, *[b"x" * 1_000_000] * 9]})
    with pytest.raises(NotAModelServer) as caught:
        run(read(servers, Request(f"{BASE}/x"), 1))
    assert caught.value.details["limit_bytes"] == MAX_BODY_BYTES


def test_an_exchange_that_gives_nothing_is_a_bug_of_ours() -> None:
    with pytest.raises(EngineFailed):
        run(read(ScriptedServers({f"GET {BASE}/x": lambda _: []}), Request(f"{BASE}/x"), 1))


def test_neither_key_nor_words_are_in_a_repr() -> None:
    assert repr(Request("http://x", "sk-1", {"messages": "secret"})) == "Request('http://x')"
