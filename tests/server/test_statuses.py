"""Every status the relay has, with every header: a page of an attacker gets nothing to work with from any of them."""

from __future__ import annotations

import json

import pytest

from server.headers import HEADERS
from tests.server.peers import Peer, refuses, says
from tests.server.rig import QUESTION, Rig, rig

pytestmark = pytest.mark.anyio
CHAT = "/v1/chat/completions"
ASKED = {"messages": QUESTION}
JSON = {"content-type": "application/json"}
FRIEND = "https://friend.example"
PREFLIGHT = {"origin": FRIEND, "access-control-request-method": "POST"}

CASES: dict[str, tuple[int, str, str, object, dict[str, str]]] = {
    "an answer": (200, "POST", CHAT, ASKED, {}),
    "a stream": (200, "POST", CHAT, ASKED | {"stream": True}, {}),
    "models": (200, "GET", "/v1/models", None, {}),
    "health": (200, "GET", "/api/health", None, {}),
    "health of providers": (200, "GET", "/api/health?providers=1", None, {}),
    "config": (200, "GET", "/api/config", None, {}),
    "description": (200, "GET", "/api/openapi.json", None, {}),
    "metrics": (200, "GET", "/metrics", None, {"authorization": "Bearer m"}),
    "preflight": (204, "OPTIONS", CHAT, None, PREFLIGHT),
    "no JSON": (400, "POST", CHAT, b"{", {}),
    "invalid": (400, "POST", CHAT, {}, {}),
    "another host": (400, "POST", CHAT, ASKED, {"host": "evil.test"}),
    "metrics without the token": (401, "GET", "/metrics", None, {}),
    "another origin": (403, "POST", CHAT, ASKED, {"origin": "https://evil.test"}),
    "preflight of another": (403, "OPTIONS", CHAT, None, PREFLIGHT | {"origin": "https://evil.test"}),
    "an unknown model": (404, "POST", CHAT, ASKED | {"model": "x"}, {}),
    "nothing there": (404, "GET", "/v1/nothing", None, {}),
    "another method": (405, "DELETE", CHAT, None, {}),
    "too large": (413, "POST", CHAT, b" " * 70_000, {}),
    "a form": (415, "POST", CHAT, b"a=b", {"content-type": "application/x-www-form-urlencoded"}),
    "too many headers": (431, "GET", "/", None, {f"x-{n}": "y" for n in range(300)}),
}


async def test_every_header_is_on_every_status() -> None:
    async with rig(Peer([says("x")]), CORS_ORIGINS=FRIEND, METRICS_TOKEN="m") as relay:
        for case, (status, method, path, body, headers) in CASES.items():
            await check(relay, case, status, (method, path, body, headers))


async def test_also_when_budgets_or_providers_fail() -> None:
    post: tuple[str, str, object, dict[str, str]] = ("POST", CHAT, ASKED, {})
    async with rig(Peer([refuses(500)])) as relay:
        await check(relay, "a provider fails", 502, post)
    async with rig(Peer([refuses(429)])) as relay:
        await check(relay, "everybody is full", 503, post)
    async with rig(Peer([says("x")]), REQUESTS_PER_DAY="1") as relay:
        await check(relay, "the first", 200, post)
        await check(relay, "one too many", 429, post)


async def check(relay: Rig, case: str, status: int, asked: tuple[str, str, object, dict[str, str]]) -> None:
    method, path, body, headers = asked
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    response = await relay.client.request(method, path, content=content, headers=JSON | headers)
    assert response.status_code == status, case
    for name, value in HEADERS.items():
        assert response.headers.get_list(name) == [value], case
    assert response.headers["cache-control"] == "no-store", case
    assert "set-cookie" not in response.headers
    assert "server" not in response.headers
    if status == 429:
        assert int(response.headers["retry-after"]) > 0
