"""The relay on a real socket, its providers beside it, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from server.app import create_app
from server.config import Settings, load
from server.files import Site, hash_all
from server.running import uvicorn_config
from tests.server.peers import Peer

BUDGETS = ("REQUESTS_PER_MINUTE", "REQUESTS_PER_DAY", "TOKENS_PER_DAY")
GENEROUS = {prefix + name: "1000000" for prefix in ("", "TOTAL_") for name in BUDGETS}
GENEROUS |= {"CONCURRENT_PER_CLIENT": "1000", "CONCURRENT_TOTAL": "1000"}
QUESTION = [{"role": "user", "content": "Why?"}]


@dataclass
class Heard:
    """A stream as a client reads it."""

    status: int
    headers: httpx2.Headers
    body: str
    chunks: list[dict[str, Any]] = field(default_factory=list)
    error: dict[str, Any] | None = None
    is_done: bool = False

    @property
    def text(self) -> str:
        return "".join(c["choices"][0]["delta"].get("content", "") for c in self.chunks if c["choices"])

    @property
    def providers(self) -> set[str]:
        return {chunk["provider"] for chunk in self.chunks}


@dataclass
class Rig:
    client: httpx2.AsyncClient
    origin: str
    port: int
    connections: set[Any]  # the server's side of each, as uvicorn keeps them

    async def chat(self, messages: Any = QUESTION, *, stream: bool = True, **more: Any) -> Heard:
        return await self.post({"messages": messages, "stream": stream} | more)

    async def post(self, body: Any, **headers: str) -> Heard:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json"} | {n.replace("_", "-"): v for n, v in headers.items()}
        response = await self.client.post("/v1/chat/completions", content=content, headers=sent)
        return heard(response)


def heard(response: httpx2.Response) -> Heard:
    found = Heard(response.status_code, response.headers, response.text)
    if "text/event-stream" not in response.headers["content-type"]:
        answer = response.json()
        found.error = answer.get("error")
        return found
    for block in response.text.split("\n\n"):
        data = "".join(line[6:] for line in block.splitlines() if line.startswith("data: "))
        if data == "[DONE]":
            found.is_done = True
        elif data and block.startswith("event: error\n"):
            found.error = json.loads(data)["error"]
        elif data:
            found.chunks.append(json.loads(data))
    return found


@contextlib.asynccontextmanager
async def rig(*peers: Peer, **environment: str) -> AsyncIterator[Rig]:
    """Peers are the providers p1, p2, ..., in this order."""
    async with contextlib.AsyncExitStack() as stack:
        env = {"CLOUD_ENABLED": "1"} | GENEROUS
        for number, peer in enumerate(peers, 1):
            await peer.start()
            stack.push_async_callback(peer.stop)
            env |= {f"P{number}_BASE_URL": peer.base_url, f"P{number}_TITLE": f"Company {number}"}
        env["PROVIDERS"] = ",".join(f"p{number}" for number in range(1, len(peers) + 1))
        yield await stack.enter_async_context(serving(load(env | environment)))


@contextlib.asynccontextmanager
async def serving(settings: Settings, folder: Path = Path("/nonexistent")) -> AsyncIterator[Rig]:
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    port = listening.getsockname()[1]
    site = Site((folder,), {})
    hash_all(site)
    app = create_app(site, settings)
    config = uvicorn_config(settings, app)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve([listening]))
    await until(lambda: server.started)
    origin = f"http://127.0.0.1:{port}"
    try:
        async with httpx2.AsyncClient(base_url=origin, timeout=30, trust_env=False) as client:
            yield Rig(client, origin, port, server.server_state.connections)
    finally:
        server.should_exit = server.force_exit = True
        await running
        await server.lifespan.shutdown()  # a forced exit leaves it out, and its task would end in another test


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 -- whatever is waited for belongs to others
            await asyncio.sleep(0.002)
