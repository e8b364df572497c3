"""What clients get from the relay when all is well, and what it lets go of when they leave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from contextlib import AbstractAsyncContextManager

import httpx2
import pytest

from tests.server.peers import DONE, Peer, Reply, delta, event, finish, says
from tests.server.rig import QUESTION, Rig, rig, until

pytestmark = pytest.mark.anyio


async def test_a_stream_is_openais_and_every_field_is_ours() -> None:
    extra = {"system_fingerprint": "x", "service_tier": "y", "x_groq": {"id": "z"}}
    odd = event({"id": "theirs", "choices": [{"delta": {"role": "tool", "content": "Be"}}]} | extra)
    first = Reply([odd, *says("cause.").steps])
    async with rig(Peer([first])) as relay:
        heard = await relay.chat()
    assert heard.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert heard.headers["cache-control"] == "no-store"
    assert heard.text == "Because."
    keys = {"id", "object", "created", "model", "provider", "choices"}
    assert all(set(chunk) == keys for chunk in heard.chunks)
    assert len({chunk["id"] for chunk in heard.chunks}) == 1
    assert heard.chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "Be"}
    assert heard.chunks[0]["object"] == "chat.completion.chunk"
    assert heard.chunks[-1]["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]


async def test_usage_comes_when_it_is_asked_for() -> None:
    async with rig(Peer([says("x")])) as relay:
        assert not any("usage" in chunk for chunk in (await relay.chat()).chunks)
        last = (await relay.chat(stream_options={"include_usage": True})).chunks[-1]
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


async def test_a_whole_answer() -> None:
    thinking = event({"choices": [{"delta": {"reasoning": "hm"}}]})
    async with rig(Peer([Reply([thinking, delta("Because."), finish("length"), DONE])])) as relay:
        heard = await relay.chat(stream=False)
    answer = json.loads(heard.body)
    assert answer["object"] == "chat.completion"
    assert (answer["provider"], answer["model"]) == ("p1", "tiny")
    message = {"role": "assistant", "content": "Because.", "reasoning_content": "hm"}
    assert answer["choices"] == [{"index": 0, "message": message, "finish_reason": "length"}]


async def test_a_server_that_does_not_stream_is_read_too() -> None:
    body = {"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}]}
    async with rig(Peer([Reply([json.dumps(body).encode()], content_type="application/json")])) as relay:
        assert (await relay.chat()).text == "whole"


async def test_the_request_that_goes_on() -> None:
    peer = Peer([says("x")])
    parts = [{"type": "text", "text": "Wh"}, {"type": "text", "text": "y?"}]
    async with rig(peer, P1_API_KEY="k", TEMPERATURE="0.3", MAX_TOKENS="64") as relay:
        await relay.chat([{"role": "user", "content": parts}], max_tokens=5000, top_p=0.5, user="somebody", n=1)
        await relay.chat(max_completion_tokens=5, temperature=0)
    assert peer.asked[0] == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "Why?"}],
        "max_tokens": 64,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.3,
        "top_p": 0.5,
    }
    assert (peer.asked[1]["max_tokens"], peer.asked[1]["temperature"]) == (5, 0)
    assert peer.headers[0]["authorization"] == "Bearer k"
    assert {"cookie", "x-forwarded-for", "origin", "referer"}.isdisjoint(peer.headers[0])


async def test_words_arrive_when_they_are_said() -> None:
    """Not when the answer is complete: a second between them stays one."""
    peer = Peer([Reply([delta("one"), 0.4, delta("two"), finish(), DONE])])
    async with rig(peer) as relay, stream_of(relay) as response:
        arrived = [time.monotonic() async for line in response.aiter_lines() if '"content"' in line]
    assert arrived[1] - arrived[0] > 0.3


async def test_a_silence_is_filled_with_comments() -> None:
    peer = Peer([Reply([0.35, delta("x"), 0.25, finish(), DONE])])
    async with rig(peer, HEARTBEAT_S="0.1") as relay:
        heard = await relay.chat()
    assert heard.body.count(": ping\n\n") >= 4
    assert heard.body.startswith(": ping")
    assert (heard.text, heard.is_done) == ("x", True)


async def test_after_a_comment_a_failure_is_an_event() -> None:
    async with rig(Peer([Reply([0.3, "reset"])]), HEARTBEAT_S="0.1") as relay:
        heard = await relay.chat()
    assert heard.status == 200
    assert heard.error
    assert heard.error == heard.error | {"code": "upstream_failed", "partial": False}


def stream_of(relay: Rig) -> AbstractAsyncContextManager[httpx2.Response]:
    return relay.client.stream("POST", "/v1/chat/completions", json={"messages": QUESTION, "stream": True})


@pytest.mark.flaky(reruns=2)
async def test_who_leaves_is_let_go_of_at_once() -> None:
    """200 clients leave at random points, also before the first word; the provider sees it within 100 ms."""
    words = [step for _ in range(100) for step in (delta("word "), 0.005)]
    peer = Peer([Reply([0.03, *words])])
    chance = random.Random(7)
    delays = []
    async with rig(peer, HEARTBEAT_S="0.02") as relay:
        await relay.client.aclose()
        tasks = len(asyncio.all_tasks())
        for _ in range(200):
            left = await leave(relay, peer, chance.uniform(0, 0.1))
            await until(lambda: peer.open == 0)
            delays.append(peer.left_at[-1] - left)
        assert len(peer.left_at) == len(peer.asked) == 200
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
    assert sorted(delays)[197] < 0.1


async def leave(relay: Rig, peer: Peer, after_s: float) -> float:
    """Asks, and goes some time after the provider was asked; when that was."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    body = json.dumps({"messages": QUESTION, "stream": True}).encode()
    head = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    writer.write(f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n\r\n".encode() + body)
    await until(lambda: peer.open == 1)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(after_s):
            await reader.read(-1)
    writer.transport.abort()
    return asyncio.get_running_loop().time()


async def test_health_asks_every_provider_once_a_minute() -> None:
    well, ill = Peer([says("x")]), Peer([Reply([b"{}"], 401)])
    async with rig(well, ill) as relay:
        assert (await relay.client.get("/api/health")).json() == {"ok": True}
        assert well.asked == []
        for _ in range(3):
            found = (await relay.client.get("/api/health?providers=1")).json()["providers"]
        assert [(p["name"], p["code"]) for p in found] == [("p1", "ok"), ("p2", "key_refused")]
        assert (len(well.asked), len(ill.asked)) == (1, 1)
        assert well.asked[0]["max_tokens"] == 1


async def test_config_says_who_will_read_it_and_no_secret() -> None:
    async with rig(Peer([says("x")]), P1_API_KEY="canary", P1_PRICE="0.5", ACCESS_TOKEN="canary") as relay:
        text = (await relay.client.get("/api/config")).text
    cloud = json.loads(text)["cloud"]
    assert cloud["token_required"] is True
    assert cloud["providers"][0]["title"] == "Company 1"
    assert cloud["providers"][0]["price"] == 0.5
    assert cloud["limits"]["max_messages"] == 50
    assert "canary" not in text
    assert "127.0.0.1" not in text


async def test_metrics_for_who_has_the_token() -> None:
    async with rig(Peer([says("x")]), METRICS_TOKEN="t") as relay:
        await relay.chat()
        await relay.chat(model="gpt-9")
        assert (await relay.client.get("/metrics")).status_code == 401
        text = (await relay.client.get("/metrics", headers={"authorization": "Bearer t"})).text
    assert 'candil_answers_total{provider="p1"} 1' in text
    assert 'candil_refusals_total{code="model_not_found"} 1' in text
    assert 'candil_tokens_total{direction="out"} 3' in text
