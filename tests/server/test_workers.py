"""Four processes with Redis admit together what one would."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.server.peers import Peer, says
from tests.server.process import running_server
from tests.server.redis_server import redis_server
from tests.server.rig import GENEROUS, QUESTION, rig

pytestmark = pytest.mark.anyio
ALLOWED, ASKED = 200, 260


@pytest.fixture
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


async def test_limits_are_exact_over_four_processes(tmp_path: Path, redis_url: str) -> None:
    (tmp_path / "stdlib.zip").write_bytes(b"x")
    peer = Peer([says("x", usage={"prompt_tokens": 1, "completion_tokens": 1})])
    await peer.start()
    environment = GENEROUS | {
        "SITE_DIR": str(tmp_path),
        "WORKERS": "4",
        "REDIS_URL": redis_url,
        "CLOUD_ENABLED": "1",
        "PROVIDERS": "mine",
        "MINE_BASE_URL": peer.base_url,
        "MINE_MODELS": "tiny",
        "REQUESTS_PER_DAY": str(ALLOWED),
    }
    server = running_server(environment)
    url = await asyncio.to_thread(server.__enter__)
    try:
        statuses = await ask_all(url)
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)
        await peer.stop()
    assert statuses == {200: ALLOWED, 429: ASKED - ALLOWED}
    assert len(peer.asked) == ALLOWED


async def ask_all(url: str) -> Counter[int]:
    """Each by a connection of its own, so that all processes get some."""
    at_once = asyncio.Semaphore(16)
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:

        async def ask() -> int:
            async with at_once:
                body, alone = {"messages": QUESTION}, {"Connection": "close"}
                return (await client.post("/v1/chat/completions", json=body, headers=alone)).status_code

        return Counter(await asyncio.gather(*(ask() for _ in range(ASKED))))


async def test_without_redis_nobody_is_admitted() -> None:
    peer = Peer([says("x")])
    async with rig(peer, REDIS_URL="redis://127.0.0.1:9/0") as relay:
        heard = await relay.chat()
        assert (heard.status, heard.error and heard.error["code"]) == (503, "store_unavailable")
        assert (await relay.client.get("/api/config")).status_code == 200
    assert peer.asked == []
