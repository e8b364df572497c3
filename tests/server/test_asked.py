"""What is refused before anybody is asked: where a request comes from, what it is, what is in it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.asked import RequestReader
from server.config import Settings
from server.errors import ApiError
from tests.server.peers import Peer, says
from tests.server.rig import QUESTION, Rig, rig

pytestmark = pytest.mark.anyio
ASKED = json.dumps({"messages": QUESTION}).encode()
MARKED = {"x_candil": "1"}
OWN = "http://127.0.0.1:{port}"
THEIRS = "https://friend.example"


async def code(relay: Rig, body: Any = ASKED, **headers: str) -> tuple[int, str]:
    filled = {name: value.format(port=relay.port) for name, value in headers.items()}
    heard = await relay.post(body, **filled)
    return heard.status, heard.error["code"] if heard.error else "ok"


async def test_where_requests_may_come_from() -> None:
    forbidden = (403, "origin_not_allowed")
    async with rig(Peer([says("x")])) as relay:
        assert await code(relay) == (200, "ok")  # a program
        assert await code(relay, origin=OWN, sec_fetch_site="same-origin", **MARKED) == (200, "ok")
        assert await code(relay, sec_fetch_site="none") == (200, "ok")
        for origin in (
            "null",
            "https://evil.test",
            "http://127.0.0.1:1",
            "http://127.0.0.1",
            "file://",
            "",
            "http://[",
            "{port}",
        ):
            assert await code(relay, origin=origin, **MARKED) == forbidden
        for site in ("cross-site", "same-site", "nonsense"):
            assert await code(relay, sec_fetch_site=site, **MARKED) == forbidden
        assert await code(relay, origin=OWN, sec_fetch_site="cross-site", **MARKED) == forbidden
        assert await code(relay, origin=OWN) == (403, "header_missing")
        assert await code(relay, sec_fetch_site="same-origin", x_candil="0") == (403, "header_missing")
        response = await relay.client.get("/v1/models", headers={"origin": "https://evil.test"})
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers


async def test_named_sites_and_nobody_else_get_cors() -> None:
    async with rig(Peer([says("x")]), CORS_ORIGINS=THEIRS) as relay:
        heard = await relay.post(ASKED, origin=THEIRS, sec_fetch_site="cross-site", **MARKED)
        assert (heard.status, heard.headers["access-control-allow-origin"]) == (200, THEIRS)
        assert heard.headers["vary"] == "Origin"
        assert await code(relay, origin="https://evil.test", **MARKED) == (403, "origin_not_allowed")
        allowed = await preflight(relay, THEIRS)
        assert allowed.status_code == 204
        assert "x-candil" in allowed.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in allowed.headers
        refused = await preflight(relay, "https://evil.test")
        assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (403, False)
    async with rig(Peer([says("x")])) as relay:
        assert (await preflight(relay, THEIRS)).status_code == 405


async def preflight(relay: Rig, origin: str) -> Any:
    headers = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "x-candil"}
    return await relay.client.options("/v1/chat/completions", headers=headers)


NOT_JSON = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/json")


@pytest.mark.parametrize("kind", [*NOT_JSON, "application/jsonx", "application/json; charset=utf-16"])
async def test_only_json_gets_in(kind: str) -> None:
    async with rig(Peer([says("x")])) as relay:
        assert await code(relay, content_type=kind) == (415, "not_json")
        assert await code(relay, content_type="Application/JSON; charset=UTF-8") == (200, "ok")


async def test_other_names_are_refused_here_too() -> None:
    async with rig(Peer([says("x")])) as relay:
        response = await relay.client.post("/v1/chat/completions", content=ASKED, headers={"host": "evil.test"})
        assert response.status_code == 400


async def test_the_access_token() -> None:
    async with rig(Peer([says("x")]), ACCESS_TOKEN="s3cret") as relay:
        for authorization in ("", "Bearer", "Bearer wrong", "Basic s3cret", "Bearer s3cret2"):
            assert await code(relay, authorization=authorization) == (401, "unauthorized")
        assert await code(relay, authorization="bearer s3cret") == (200, "ok")
        assert (await relay.client.get("/v1/models")).status_code == 401
        assert (await relay.client.get("/api/health?providers=1")).status_code == 401


async def test_too_large_is_told_without_reading_it(tmp_path: Path) -> None:
    padded = json.dumps({"messages": QUESTION}).encode().ljust(65536)
    async with rig(Peer([says("x")])) as relay:
        assert await code(relay, padded) == (200, "ok")
        assert await code(relay, padded + b" ") == (413, "body_too_large")

        async def pieces() -> Any:
            for _ in range(70):
                yield b" " * 1000

        headers = {"content-type": "application/json"}
        response = await relay.client.post("/v1/chat/completions", content=pieces(), headers=headers)
        assert response.status_code == 413


def message(**more: Any) -> dict[str, Any]:
    return {"role": "user", "content": "Why?"} | more


WRONG: dict[str, tuple[Any, str, str | None]] = {
    "no JSON": (b"{", "invalid_json", None),
    "empty": (b"", "invalid_json", None),
    "invalid UTF-8": (b'{"messages":[{"role":"user","content":"\xff"}]}', "invalid_json", None),
    "UTF-16": (ASKED.decode().encode("utf-16"), "invalid_json", None),
    "half a surrogate pair": (b'{"messages":[{"role":"user","content":"\\ud800"}]}', "invalid_json", None),
    "NaN temperature": (b'{"temperature":NaN,' + ASKED[1:], "invalid_json", None),
    "Infinity": (b'{"top_p":-Infinity,' + ASKED[1:], "invalid_json", None),
    "a number beyond floats": (b'{"temperature":1e999,' + ASKED[1:], "invalid_request", "temperature"),
    "a number of 5000 digits": (b'{"seed":' + b"9" * 5000 + b"," + ASKED[1:], "invalid_json", None),
    "deep nesting": (b"[" * 60_000, "invalid_json", None),
    "an array": ([], "invalid_request", None),
    "null": (None, "invalid_request", None),
    "no messages": ({}, "invalid_request", None),
    "empty messages": ({"messages": []}, "invalid_request", "messages"),
    "51 messages": ({"messages": [message()] * 51}, "invalid_request", "messages"),
    "role tool": ({"messages": [message(role="tool")]}, "invalid_request", "messages[0].role"),
    "role developer": ({"messages": [message(role="developer")]}, "invalid_request", "messages[0].role"),
    "content null": ({"messages": [message(content=None)]}, "invalid_request", "messages[0].content"),
    "content a number": ({"messages": [message(content=1)]}, "invalid_request", "messages[0].content"),
    "an image": (
        {"messages": [message(content=[{"type": "image_url", "image_url": {"url": "http://127.0.0.1"}}])]},
        "invalid_request",
        "messages[0].content[0].type",
    ),
    "a message with more": ({"messages": [message(name="x")]}, "invalid_request", "messages[0]"),
    "a message too long": ({"messages": [message(content="x" * 16_001)]}, "invalid_request", "messages[0].content"),
    "all too long": ({"messages": [message(content="x" * 12_000)] * 3}, "too_long", "messages"),
    "stream a string": ({"messages": QUESTION, "stream": "true"}, "invalid_request", "stream"),
    "stream a number": ({"messages": QUESTION, "stream": 1}, "invalid_request", "stream"),
    "temperature a string": ({"messages": QUESTION, "temperature": "1"}, "invalid_request", "temperature"),
    "temperature a flag": ({"messages": QUESTION, "temperature": True}, "invalid_request", "temperature"),
    "temperature 3": ({"messages": QUESTION, "temperature": 3}, "invalid_request", "temperature"),
    "top_p 0": ({"messages": QUESTION, "top_p": 0}, "invalid_request", "top_p"),
    "max_tokens 0": ({"messages": QUESTION, "max_tokens": 0}, "invalid_request", "max_tokens"),
    "max_tokens 1.5": ({"messages": QUESTION, "max_tokens": 1.5}, "invalid_request", "max_tokens"),
    "n 2": ({"messages": QUESTION, "n": 2}, "invalid_request", "n"),
    "five stops": ({"messages": QUESTION, "stop": list("abcde")}, "invalid_request", "stop"),
    "tools": ({"messages": QUESTION, "tools": []}, "invalid_request", None),
    "an unknown format": (
        {"messages": QUESTION, "response_format": {"type": "grammar"}},
        "invalid_request",
        "response_format.type",
    ),
    "a schema that is none": (
        {"messages": QUESTION, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": "y"}}},
        "invalid_request",
        "response_format.json_schema.schema",
    ),
    "a schema too long": (
        {
            "messages": QUESTION,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"enum": ["x" * 16_000]}},
            },
        },
        "too_long",
        "response_format",
    ),
    "a base URL": ({"messages": QUESTION, "base_url": "http://169.254.169.254/"}, "invalid_request", None),
    "a model that is a URL": ({"messages": QUESTION, "model": "http://169.254.169.254/"}, "model_not_found", None),
    "a model that is a path": ({"messages": QUESTION, "model": "../../admin"}, "model_not_found", None),
}


async def test_what_is_wrong_is_typed_and_reaches_nobody() -> None:
    peer = Peer([says("x")])
    async with rig(peer) as relay:
        for case, (body, expected, param) in WRONG.items():
            heard = await relay.post(body)
            assert heard.error is not None, case
            assert (heard.error["code"], heard.error["param"]) == (expected, param), case
            assert heard.error["type"] == "invalid_request_error"
            assert heard.status in (400, 404)
        assert peer.asked == []


async def test_the_field_that_is_not_known_is_named_and_a_text_is_not() -> None:
    async with rig(Peer([says("x")])) as relay:
        heard = await relay.post({"messages": QUESTION, "tools": [], "canary in a key": 1})
        assert heard.error is not None
        assert "tools" in heard.error["message"]
        assert "canary" not in heard.body


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=8), LEAVES, max_size=3)
KNOWN = ("model", "messages", "stream", "stream_options", "max_tokens", "temperature", "top_p", "seed", "stop", "n")
OBJECTS = st.dictionaries(st.sampled_from(KNOWN), VALUES, max_size=5)
READER = RequestReader(Settings())


@given(st.binary(max_size=60) | OBJECTS.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(ApiError):
        READER.read(body)
