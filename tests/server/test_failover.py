"""Who answers when who does not, and that nobody ever gets two models' words in one answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.server.peers import DONE, Peer, Reply, Step, delta, event, finish, refuses, says
from tests.server.rig import Rig, rig, until

pytestmark = pytest.mark.anyio
QUICK = {"FIRST_TOKEN_TIMEOUT_S": "0.3", "LOCAL_FIRST_TOKEN_TIMEOUT_S": "0.3", "IDLE_TIMEOUT_S": "0.3"}

# What the first provider does; whether it is asked again by the very next request; how often it was asked then.
BEFORE_THE_FIRST_WORD: dict[str, tuple[Reply, int]] = {
    "hangs before the status": (Reply(["hang"], silent=True), 2),
    "hangs before the first token": (Reply([b": ping\n\n", 0.1, b": ping\n\n", 0.1, b": ping\n\n", "hang"]), 2),
    "closes at once": (Reply(silent=True), 2),
    "resets at once": (Reply(["reset"], silent=True), 2),
    "408": (refuses(408), 1 + 1),
    "429 with Retry-After": (refuses(429, Retry_After="30"), 1),
    "429 with a reset": (refuses(429, x_ratelimit_remaining_tokens="0", x_ratelimit_reset_tokens="2m59.5s"), 1),
    "429 without a word": (refuses(429), 1),
    "498": (refuses(498), 1),
    "500": (refuses(500, {"error": {"message": "boom"}}), 2),
    "502": (refuses(502), 2),
    "503": (refuses(503), 2),
    "504": (refuses(504), 2),
    "529": (refuses(529), 2),
    "402": (refuses(402, {"error": "You have exceeded your monthly included credits"}), 1),
    "401": (refuses(401, {"error": {"message": "Invalid API key gsk_abc"}}), 1),
    "403": (refuses(403), 1),
    "404 model": (refuses(404, {"error": {"code": "model_not_found", "message": "no"}}), 1),
    "model decommissioned": (refuses(400, {"error": {"code": "model_decommissioned", "message": "no"}}), 1),
    "no models loaded": (refuses(400, {"error": {"message": "No models loaded. Please load one."}}), 1),
    "redirect": (refuses(307, Location="http://127.0.0.1:1/v1/chat/completions"), 2),
    "a web page": (Reply([b"<!doctype html><title>Log in</title>"], content_type="text/html"), 2),
    "error event": (Reply([event({"error": {"message": "x", "type": "server_error"}})]), 2),
    "named error event": (Reply([b"event: error\n" + event({"error": {"message": "x"}})]), 2),
    "OpenRouter's error": (Reply([event({"choices": [], "error": {"code": 502, "message": "x"}}), DONE]), 2),
    "old llama.cpp's error": (Reply([b'error: {"code":500,"message":"x"}\n\n', DONE]), 2),
    "no content": (Reply([finish(), DONE]), 2),
    "the end of it": (Reply([event({"choices": [{"delta": {"role": "assistant"}}]})]), 2),
    "10 MB in one event": (Reply([b"data: ", *[b"x" * 100_000] * 100]), 2),
    "compressed": (Reply([b"\x1f\x8b"], headers={"Content-Encoding": "gzip"}), 2),
    "truncated JSON": (Reply([b'data: {"choices": [{"del\n\n']), 2),
}


@pytest.mark.parametrize("case", BEFORE_THE_FIRST_WORD)
async def test_before_the_first_word_the_next_one_answers(case: str) -> None:
    reply, times = BEFORE_THE_FIRST_WORD[case]
    first, second = Peer([reply]), Peer([says("From ", "two.")])
    async with rig(first, second, **QUICK) as relay:
        for _ in range(2):
            heard = await relay.chat()
            assert (heard.status, heard.text, heard.is_done, heard.error) == (200, "From two.", True, None)
            assert heard.providers == {"p2"}
        assert len(first.asked) == times
        assert len(second.asked) == 2


AFTER: dict[str, list[Step]] = {
    "reset": ["reset"],
    "end": [],
    "silence": ["hang"],
    "error event": [event({"error": {"message": "boom"}})],
    "named error event": [b"event: error\n" + event({"error": {"message": "boom"}})],
    "OpenRouter's": [event({"choices": [{"delta": {}, "finish_reason": "error"}], "error": {"code": 502}})],
    "old llama.cpp's": [b'error: {"code":500}\n\n', DONE],
    "Groq's": [event({"x_groq": {"error": "stopped"}, "choices": [{"delta": {"content": "."}}]}), DONE],
    "content filter": [finish("content_filter"), DONE],
    "truncated JSON": [b'data: {"choices": [{"del'],
    "10 MB in one event": [b"data: ", *[b"x" * 100_000] * 100],
}


@pytest.mark.parametrize("case", AFTER)
async def test_after_the_first_word_nobody_else_speaks(case: str) -> None:
    first, second = Peer([Reply([delta("One "), delta("says"), 0.05, *AFTER[case]])]), Peer([says("two")])
    async with rig(first, second, **QUICK) as relay:
        heard = await relay.chat()
    assert heard.status == 200
    assert heard.text.removesuffix(".") == "One says"
    assert heard.error
    assert heard.error == heard.error | {"code": "upstream_interrupted", "partial": True, "retryable": True}
    assert not heard.is_done
    assert second.asked == []


async def test_an_answer_in_one_piece_is_not_glued_either() -> None:
    first, second = Peer([Reply([delta("One"), "reset"])]), Peer([says("two")])
    async with rig(first, second) as relay:
        heard = await relay.chat(stream=False)
    assert (heard.status, heard.error and heard.error["code"]) == (502, "upstream_interrupted")
    assert second.asked == []


NO_ROOM = "context_length_exceeded"
TOLD: dict[str, tuple[Reply, int, str]] = {
    "context": (refuses(400, {"error": {"type": "exceed_context_size_error", "n_ctx": 512}}), 400, NO_ROOM),
    "context by status 413": (refuses(413, {"error": {"code": "context_length_exceeded"}}), 400, NO_ROOM),
    "rejected": (refuses(400, {"error": {"message": "no such parameter"}}), 502, "upstream_rejected"),
    "unprocessable": (refuses(422, {"detail": "no"}), 502, "upstream_rejected"),
}


@pytest.mark.parametrize("case", TOLD)
async def test_what_no_other_provider_would_do_better(case: str) -> None:
    reply, status, code = TOLD[case]
    first, second = Peer([reply]), Peer([says("two")])
    async with rig(first, second) as relay:
        heard = await relay.chat()
    assert (heard.status, heard.error and heard.error["code"]) == (status, code)
    assert second.asked == []


async def test_a_larger_window_may_help() -> None:
    first, second = Peer([TOLD["context"][0]]), Peer([says("two")])
    async with rig(first, second, P1_CONTEXT_TOKENS="512", P2_CONTEXT_TOKENS="8192") as relay:
        assert (await relay.chat()).text == "two"
    assert len(first.asked) == len(second.asked) == 1


async def test_another_model_of_the_same_provider_comes_first() -> None:
    missing = refuses(404, {"error": {"code": "model_not_found"}})
    first, second = Peer([missing, says("older")], models=["new", "old"]), Peer([says("two")])
    async with rig(first, second, P1_MODELS="new,old,never") as relay:
        heard = await relay.chat()
        assert heard.text == "older"
        assert [asked["model"] for asked in first.asked] == ["new", "old"]
        assert heard.chunks[0]["model"] == "old"
    assert second.asked == []


async def test_the_list_of_models_is_asked_again_when_one_is_missing() -> None:
    first = Peer([refuses(404, {"error": {"code": "model_not_found"}}), says("x")], models=["new", "old"])
    async with rig(first, P1_MODELS="new,old") as relay:
        await relay.chat()
        await until(lambda: first.listed == 2)


async def test_only_models_that_the_provider_lists() -> None:
    first = Peer([says("x")], models=["b", "openai/gpt-oss-120b"])
    async with rig(first, P1_MODELS="a,b,openai/gpt-oss-120b:fastest") as relay:
        await until(lambda: first.listed == 1)
        await relay.chat(model="p1/b")  # by then the list is read; before, what is configured counts
        assert await listed(relay) == ["auto", "p1/b", "p1/openai/gpt-oss-120b:fastest"]
        await relay.chat()
        await relay.chat(model="openai/gpt-oss-120b:fastest")
        assert [asked["model"] for asked in first.asked] == ["b", "b", "openai/gpt-oss-120b:fastest"]
        assert first.asked[2]["reasoning_effort"] == "low"


async def listed(relay: Rig) -> list[str]:
    return [model["id"] for model in (await relay.client.get("/v1/models")).json()["data"]]


@pytest.mark.parametrize(
    "listing", [refuses(401), Reply(["reset"], silent=True), Reply([b"<html>"]), Reply([b"x" * (9 << 20)])]
)
async def test_a_provider_that_does_not_list_is_believed(listing: Reply) -> None:
    peer = Peer([says("x")], listing=listing)
    async with rig(peer, P1_MODELS="a") as relay:
        await until(lambda: peer.listed == 1)
        assert (await relay.chat()).text == "x"
        assert await listed(relay) == ["auto", "p1/a"]
    async with rig(Peer([says("x")], listing=listing)) as relay:
        heard = await relay.chat()
        assert (heard.status, heard.error and heard.error["code"]) == (503, "no_provider")


async def test_a_refusal_may_be_of_any_length_and_an_answer_may_not() -> None:
    endless = Reply([b"data: " + b"x" * 8000 + b"\n\n"] * 3000)
    for reply in (Reply([b"x" * (1 << 20)], 500), endless):
        async with rig(Peer([reply]), Peer([says("two")])) as relay:
            assert (await relay.chat()).text == "two"
    comments = Reply([b": " + b"x" * 65_000 + b"\n\n"] * 400 + [delta("late")])
    async with rig(Peer([comments]), Peer([says("two")])) as relay:
        assert (await relay.chat()).text == "two"


async def test_no_more_than_three_tries_and_a_typed_end() -> None:
    peers = [Peer([refuses(500)]) for _ in range(4)]
    async with rig(*peers) as relay:
        heard = await relay.chat()
    assert (heard.status, heard.error and heard.error["code"]) == (502, "upstream_failed")
    assert [len(peer.asked) for peer in peers] == [1, 1, 1, 0]


async def test_no_new_try_when_time_is_up() -> None:
    peers = [Peer([Reply(["hang"], silent=True)]), Peer([says("late")])]
    async with rig(*peers, **QUICK, FAILOVER_BUDGET_S="0.1") as relay:
        heard = await relay.chat()
    assert (heard.status, heard.error and heard.error["code"]) == (504, "upstream_timeout")
    assert peers[1].asked == []


async def test_when_everybody_is_full_the_client_learns_when_to_come_back() -> None:
    async with rig(Peer([refuses(429, Retry_After="17")])) as relay:
        for _ in range(2):
            heard = await relay.chat()
            assert (heard.status, heard.error and heard.error["code"]) == (503, "no_provider")
            assert 15 <= int(heard.headers["retry-after"]) <= 18


async def test_a_provider_that_keeps_failing_rests_and_comes_back() -> None:
    first, second = Peer([refuses(500)]), Peer([says("two")])
    async with rig(first, second, BREAKER_FAILURES="2", BREAKER_OPEN_S="0.2") as relay:
        for _ in range(5):
            await relay.chat()
        assert len(first.asked) == 2  # then it rested
        first.replies = [says("one")]
        await asyncio.sleep(0.3)
        assert (await relay.chat()).text == "one"


async def test_total_time_ends_an_answer_that_never_ends() -> None:
    first = Peer([Reply([step for _ in range(2000) for step in (delta("x"), 0.01)])])
    async with rig(first, TOTAL_TIMEOUT_S="0.5") as relay:
        heard = await relay.chat()
    assert heard.error is not None
    assert heard.error["partial"]
    await until(lambda: first.open == 0)


async def test_an_unknown_model() -> None:
    async with rig(Peer([says("x")])) as relay:
        heard = await relay.chat(model="gpt-9")
        assert (heard.status, heard.error and heard.error["code"]) == (404, "model_not_found")
        assert (await relay.chat(model="p1/tiny")).text == "x"


async def test_nothing_a_provider_says_of_itself_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    secret = {"error": {"message": "key gsk_canary of org_canary", "type": "canary_type", "code": "canary_code"}}
    odd = {"choices": [{"delta": {"content": "ok", "tool_calls": ["canary"]}}], "system_fingerprint": "canary"}
    for reply in (refuses(400, secret), refuses(500, secret), Reply([event(odd), event(secret)])):
        async with rig(Peer([reply])) as relay:
            heard = await relay.chat()
        assert "canary" not in heard.body
        assert "canary" not in str(heard.headers)
    assert "canary" not in caplog.text


def test_the_fixtures_are_json() -> None:
    """A test of a broken provider that is broken by mistake proves nothing."""
    good: Any = json.loads(delta("x")[6:])
    assert good["choices"][0]["delta"]["content"] == "x"
