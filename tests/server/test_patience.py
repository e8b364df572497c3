"""Clients that mean ill or are very slow: they cost little, are let go of in time, and others do not notice."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import time
from pathlib import Path

import pytest

from server.config import load
from server.headers import HEADERS
from tests.server.peers import Peer, Reply, delta, says
from tests.server.rig import Rig, rig, serving, until

pytestmark = pytest.mark.anyio
IMPATIENT = {"HEADER_TIMEOUT_S": "1", "BODY_TIMEOUT_S": "1.5", "SEND_TIMEOUT_S": "1"}
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """More than sockets hold in their buffers."""
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(64 << 20)
    (tmp_path / "index.html").write_text("<title>Candil</title>")
    return tmp_path


async def closed_after(relay: Rig, *pieces: bytes, every_s: float = 0.0) -> tuple[float, bytes]:
    """Seconds until the server closes, and what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    begun = time.monotonic()

    async def send() -> None:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(every_s)

    sending = asyncio.create_task(send())
    said = b""
    with contextlib.suppress(ConnectionError):
        said = await asyncio.wait_for(reader.read(-1), 20)
    sending.cancel()
    writer.close()
    return time.monotonic() - begun, said


async def test_requests_that_never_come_are_not_waited_for() -> None:
    async with rig(Peer([says("x")]), **IMPATIENT) as relay:
        ended = await asyncio.gather(
            closed_after(relay),
            closed_after(relay, b"GET / HTTP/1.1\r\nHost: 127"),
            closed_after(relay, *[b"G", b"E", b"T", b" ", *[b"/"] * 100], every_s=0.1),
        )
        assert all(0.9 <= seconds < 2 for seconds, _ in ended)
        half_a_body = closed_after(relay, POST + b"Content-Length: 1000\r\n\r\n{")
        dripping = closed_after(relay, POST + b"Content-Length: 1000\r\n\r\n", *[b" "] * 100, every_s=0.1)
        assert all(1.4 <= seconds < 2.5 for seconds, _ in await asyncio.gather(half_a_body, dripping))


async def test_an_answer_may_take_longer_than_a_request() -> None:
    peer = Peer([Reply([step for _ in range(20) for step in (delta("x"), 0.1)] + list(says("y").steps))])
    async with rig(peer, **IMPATIENT) as relay:
        assert (await relay.chat()).text == "x" * 20 + "y"
        assert (await relay.chat()).is_done  # the connection lives on


TEN_THOUSAND = b"".join(b"X-%d: y\r\n" % n for n in range(10_000))


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        + b"".join(b"X-%d: y\r\n" % n for n in range(10_000))
        + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_told_so_with_every_header(request_head: bytes) -> None:
    async with rig(Peer([says("x")])) as relay:
        seconds, said = await closed_after(relay, request_head)
    assert seconds < 2
    if said:  # a reset may overtake it while a client is still sending
        assert said.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 "))
        assert all(f"{name}: {value}".lower().encode() in said.lower() for name, value in HEADERS.items())
    else:
        assert len(request_head) > 60_000


async def test_a_body_of_a_gigabyte_is_refused_and_not_kept() -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    before = memory_bytes()
    async with rig(Peer([says("x")])) as relay:
        told = await closed_after(relay, POST + b"Content-Length: 1073741824\r\n\r\n", *[b"x" * 65536] * 2000)
        dripped = await closed_after(relay, POST + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 16_384)
    for seconds, said in (told, dripped):
        assert seconds < 5
        assert not said or said.startswith(b"HTTP/1.1 413 ")
    assert memory_bytes() - before < 80 << 20


async def test_slow_readers_are_left(large: Path) -> None:
    async with serving(load(IMPATIENT), large) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=8192)
        writer.write(b"GET /large.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(2.5)
        got = 0
        with contextlib.suppress(ConnectionError):
            while piece := await asyncio.wait_for(reader.read(1 << 20), 5):
                got += len(piece)
        writer.close()
    assert got < 32 << 20  # what was in buffers, and no more


@pytest.mark.flaky(reruns=2)  # a second is long, except on a machine that has other work
async def test_a_good_request_among_bad_ones(large: Path) -> None:
    """200 connections that say nothing, 50 that do not read: the page still comes within a second."""
    before = memory_bytes()
    async with serving(load(IMPATIENT | {"HEADER_TIMEOUT_S": "4", "SEND_TIMEOUT_S": "4"}), large) as site:
        silent = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(200)]
        deaf = [await asyncio.open_connection("127.0.0.1", site.port, limit=8192) for _ in range(50)]
        for _, writer in deaf:
            writer.write(b"GET /large.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        slowest = 0.0
        for _ in range(20):
            begun = time.monotonic()
            assert (await site.client.get("/")).status_code == 200
            slowest = max(slowest, time.monotonic() - begun)
        assert slowest < 1
        await until(lambda: all(reader.at_eof() or reader.exception() for reader, _ in silent), 8)
        for _, writer in (*silent, *deaf):
            writer.transport.abort()
    assert memory_bytes() - before < 120 << 20


def memory_bytes() -> int:
    """The most this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


async def test_no_word_waits_for_an_acknowledgement() -> None:
    """Nagle's algorithm is off on what the server accepts, also from a socket that does not say that it is TCP."""
    async with rig(Peer([says("x")])) as relay:
        await relay.chat()
        accepted = [connection.transport.get_extra_info("socket") for connection in relay.connections]
        assert accepted
        assert all(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for taken in accepted)
