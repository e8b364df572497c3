"""What the relay and the file server cost: `python -m bench.relay [--minutes 5] [--most]`.

An upstream that speaks at a given rate, the server as a process, and the clients here, all on this machine. Every
token carries the moment it was sent, so its delay is measured and not inferred; what counts is what the relay adds to
the same measured without it, in one run. The bars: first token p50 <= 3 ms, p99 <= 10 ms later at one client; 100
streams at 50 tokens/s without an error, memory within 5 MB, p99 of a token <= 50 ms over direct; a file of 200 MB on
one connection at a quarter of nginx's throughput or more; the site in no more bytes than from nginx.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.server.process import running_server
from tests.server.rig import GENEROUS
from tools.build.layout import ROOT

TOKENS_PER_S = 50
BUILT = ROOT / "build" / "site"
FILE_BYTES = 200 << 20
RANGE_BYTES = 8 << 20
NANOSECONDS = re.compile(rb"@(\d+)@")


# ---- the upstream ----


def serve_upstream(port: int) -> None:
    """One token a 1/rate second, `max_tokens` of them; rate and number are in the prompt: "50 100"."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head.lower())
                body = await reader.readexactly(int(length[1])) if length else b""
                await (speak(writer, body) if body else list_models(writer))

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1024)
        await server.serve_forever()

    asyncio.run(main())


async def list_models(writer: asyncio.StreamWriter) -> None:
    body = b'{"object":"list","data":[{"id":"tiny"}]}'
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()


async def speak(writer: asyncio.StreamWriter, body: bytes) -> None:
    rate, tokens = map(int, json.loads(body)["messages"][-1]["content"].split())
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    begun = time.monotonic()
    for number in range(tokens):
        if rate:
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        delta = {"content": f"@{time.monotonic_ns()}@"}
        send(writer, json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}))
        await writer.drain()
    send(writer, '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}')
    send(writer, "[DONE]")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def send(writer: asyncio.StreamWriter, data: str) -> None:
    event = f"data: {data}\n\n".encode()
    writer.write(b"%x\r\n%b\r\n" % (len(event), event))


@contextlib.contextmanager
def upstream() -> Iterator[int]:
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=serve_upstream, args=(port,), daemon=True)
    process.start()
    wait_for(port)
    try:
        yield port
    finally:
        process.terminate()
        process.join()


# ---- the clients ----


@dataclass
class Heard:
    first_ms: list[float] = field(default_factory=list)  # request -> first token
    token_ms: list[float] = field(default_factory=list)  # each token: sent -> here
    failed: int = 0


async def listen(port: int, rate: int, tokens: int, answers: int, heard: Heard) -> None:
    """`answers` streams one after the other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    question = [{"role": "user", "content": f"{rate} {tokens}"}]
    body = json.dumps({"messages": question, "stream": True, "max_tokens": 1000, "model": "auto"}).encode()
    head = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    for _ in range(answers):
        asked = time.monotonic()
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\n" + head.encode() + body)
        found = 0
        with contextlib.suppress(asyncio.IncompleteReadError):
            while (line := await reader.readuntil(b"\n")) != b"0\r\n":
                if sent := NANOSECONDS.search(line):
                    now = time.monotonic_ns()
                    heard.token_ms.append((now - int(sent[1])) / 1e6)
                    if not found:
                        heard.first_ms.append(1000 * (time.monotonic() - asked))
                    found += 1
            await reader.readuntil(b"\n")
        heard.failed += found != tokens
    writer.close()


def streams(port: int, number: int, seconds: float) -> Heard:
    """`number` at a time, each answer of ten seconds or less, for as long as that."""
    heard = Heard()
    answers = max(1, round(seconds / 10))
    tokens = int(TOKENS_PER_S * seconds / answers)

    async def all_of_them() -> None:
        async def one(place: int) -> None:
            await asyncio.sleep(place / number)
            await listen(port, TOKENS_PER_S, tokens, answers, heard)

        await asyncio.gather(*map(one, range(number)))

    asyncio.run(all_of_them())
    return heard


def first_tokens(ports: dict[str, int], rounds: int) -> dict[str, Heard]:
    """One client, by turns direct and through the relay."""
    heard = {name: Heard() for name in ports}
    for _ in range(rounds):
        for name, port in ports.items():
            asyncio.run(listen(port, 0, 1, 20, heard[name]))
    return heard


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


# ---- files ----


def throughput(port: int, ranges: bool) -> float:
    """MB/s of the file on one connection."""
    parts = range(0, FILE_BYTES, RANGE_BYTES) if ranges else [0]
    buffer = memoryview(bytearray(1 << 20))
    begun = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as client:
        for first in parts:
            asked = f"Range: bytes={first}-{first + RANGE_BYTES - 1}\r\n" if ranges else ""
            client.sendall(f"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n{asked}\r\n".encode())
            left = (RANGE_BYTES if ranges else FILE_BYTES) + head_bytes(client)
            while left:
                left -= client.recv_into(buffer, min(left, len(buffer)))
    return FILE_BYTES / 1e6 / (time.perf_counter() - begun)


def head_bytes(client: socket.socket) -> int:
    """Reads the response's head; minus what was read beyond it."""
    read = b""
    while b"\r\n\r\n" not in read:
        read += client.recv(4096)
    return -(len(read) - read.index(b"\r\n\r\n") - 4)


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[int]:
    program = shutil.which("nginx")
    if program is None:
        sys.exit("This table compares with nginx (Debian: apt-get install nginx-light).")
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log; worker_processes 1; events {{}} "
        f"http {{ access_log off; sendfile on; gzip_static on; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}"
    )
    folder.chmod(0o755)
    with subprocess.Popen([program, "-c", str(config), "-p", str(folder)], stderr=subprocess.DEVNULL) as process:
        wait_for(port)
        try:
            yield port
        finally:
            process.terminate()


def shell_bytes(port: int, names: list[str]) -> int:
    """What a browser that takes every coding gets of `names`, by Content-Length."""
    total = 0
    for name in names:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/{name}", method="HEAD")
        request.add_header("Accept-Encoding", "gzip, br, zstd")
        with urllib.request.urlopen(request, timeout=10) as response:
            total += int(response.headers["Content-Length"])
    return total


# ---- the rest ----


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port}")


class Process:
    """The one that listens on a port of this machine."""

    def __init__(self, port: int) -> None:
        listening = f" 0100007F:{port:04X} 00000000:0000 0A"
        rows = Path("/proc/net/tcp").read_text().splitlines()
        socket_name = f"socket:[{next(row.split()[9] for row in rows if listening in row)}]"
        self._folder = next(p for p in Path("/proc").glob("[0-9]*") if has_open(p, socket_name))

    @property
    def memory_mb(self) -> float:
        return int((self._folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def processor_ms(self) -> float:
        user, system = (self._folder / "stat").read_text().rpartition(")")[2].split()[11:13]
        return 1000 * (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def has_open(process: Path, name: str) -> bool:
    try:
        return any(str(link.readlink()) == name for link in (process / "fd").iterdir())
    except OSError:  # it has ended, or is not ours
        return False


def row(what: str, direct: str, ours: str, result: str, bar: str) -> None:
    print(f"| {what} | {direct} | {ours} | {result} | {bar} |", flush=True)


def measure_first_tokens(ports: dict[str, int], rounds: int) -> None:
    first_tokens(ports, 2)  # warm
    process = Process(ports["relay"])
    before_ms = process.processor_ms
    heard = first_tokens(ports, rounds)
    answer_ms = (process.processor_ms - before_ms) / len(heard["relay"].first_ms)
    for share, bar in ((0.5, 3), (0.99, 10)):
        direct, ours = (percentile(heard[name].first_ms, share) for name in ("direct", "relay"))
        what = f"first token, one client, p{share * 100:.0f}"
        row(what, f"{direct:.1f} ms", f"{ours:.1f} ms", f"+{ours - direct:.1f} ms", f"+{bar} ms")
    row("… processor time of an answer of one token", "", f"{answer_ms:.1f} ms", "", "")


def measure_streams(ports: dict[str, int], number: int, seconds: float) -> float:
    """The p99 of a token's delay, relay over direct, in ms."""
    direct = streams(ports["direct"], number, min(seconds, 20))
    streams(ports["relay"], number, 2)
    process = Process(ports["relay"])
    memory_mb, processor_ms = process.memory_mb, process.processor_ms
    ours = streams(ports["relay"], number, seconds)
    grown_mb = process.memory_mb - memory_mb
    token_us = 1000 * (process.processor_ms - processor_ms) / max(1, len(ours.token_ms))
    theirs_ms, ours_ms = (percentile(heard.token_ms, 0.99) for heard in (direct, ours))
    what = f"{number} streams at {TOKENS_PER_S} tokens/s, {seconds:.0f} s: a token's delay, p99"
    row(what, f"{theirs_ms:.1f} ms", f"{ours_ms:.1f} ms", f"+{ours_ms - theirs_ms:.1f} ms", "+50 ms")
    row("… failed streams, memory", str(direct.failed), str(ours.failed), f"{grown_mb:+.1f} MB", "0, ±5 MB")
    row("… processor time of a token", "", f"{token_us:.0f} µs", "", "")
    return ours_ms - theirs_ms if not ours.failed else float("inf")


def measure_files(ours: int, theirs: int, rounds: int = 7) -> None:
    for ranges in (False, True):
        throughput(ours, ranges)
        throughput(theirs, ranges)
        pairs = [(throughput(theirs, ranges), throughput(ours, ranges)) for _ in range(rounds)]
        nginx_mb, our_mb = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(ours / theirs for theirs, ours in pairs)
        what = f"200 MB {'in ranges of 8 MB' if ranges else 'in one piece'} (direct: nginx)"
        row(what, f"{nginx_mb:.0f} MB/s", f"{our_mb:.0f} MB/s", f"{ratio:.2f}×", "0.25×")


def measure_shell(ours: int, theirs: int, folder: Path) -> None:
    names = [str(path.relative_to(folder))[: -len(".gz")] for path in folder.rglob("*.gz")]
    nginx_mb, our_mb = (shell_bytes(port, names) / 1e6 for port in (theirs, ours))
    what = f"the site's {len(names)} compressible files (direct: nginx, gzip_static)"
    row(what, f"{nginx_mb:.2f} MB", f"{our_mb:.2f} MB", f"{our_mb / nginx_mb:.2f}×", "1×")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.relay", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1 / 6, help="of the streams; the bar says 5")
    parser.add_argument("--most", action="store_true", help="more and more streams, until a token waits 50 ms")
    parser.add_argument("--rounds", type=int, default=25, help="of 20 first tokens each")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shutil.copytree(BUILT, folder, ignore=shutil.ignore_patterns("models"), dirs_exist_ok=True)
        with (folder / "large.bin").open("wb") as file:
            file.truncate(FILE_BYTES)
        direct = stack.enter_context(upstream())
        environment = GENEROUS | {
            "SITE_DIR": str(folder),
            "CLOUD_ENABLED": "1",
            "BASE_URL": f"http://127.0.0.1:{direct}/v1",
            "LOG_LEVEL": "warning",
            **{f"{prefix}TOKENS_PER_DAY": "1000000000" for prefix in ("", "TOTAL_")},
        }
        url = stack.enter_context(running_server(environment))
        ports = {"direct": direct, "relay": int(url.rstrip("/").rpartition(":")[2])}
        print("| | direct | Candil | | bar |")
        print("|---|--:|--:|--:|--:|")
        measure_first_tokens(ports, arguments.rounds)
        added = measure_streams(ports, 100, 60 * arguments.minutes)
        number = 100
        while arguments.most and added <= 50:
            number += 50
            added = measure_streams(ports, number, 10)
        theirs = stack.enter_context(nginx(folder))
        measure_files(ports["relay"], theirs)
        measure_shell(ports["relay"], theirs, folder)


if __name__ == "__main__":
    main()
