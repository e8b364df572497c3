"""Model servers that misbehave, over real HTTP on loopback: the path says how. Each has the model "m"."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.unit.openai.dialects import DIALECTS, HEL

PIECE = 7  # bytes that are sent at once: nothing ends where a person would end it


class Peers(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Peer)
        self.asked: list[str] = []
        self.ended = threading.Event()  # an endless answer found nobody listening
        self.closing = threading.Event()

    def url(self, case: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{case}/v1"


class Peer(BaseHTTPRequestHandler):
    server: Peers

    def do_OPTIONS(self) -> None:
        self._head(204, **{"Access-Control-Allow-Headers": "authorization, content-type"})

    def do_GET(self) -> None:
        self._head(200, **{"Content-Type": "application/json"})
        self.wfile.write(b'{"data": [{"id": "m"}]}')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        case = self.path.split("/")[1]
        self.server.asked.append(case)
        with suppress(ConnectionError):
            getattr(self, f"_{case}")() if hasattr(self, f"_{case}") else self._dialect(int(case))

    def _dialect(self, number: int) -> None:
        body = DIALECTS[number][1]
        self._head(200, **{"Content-Type": "text/event-stream"})
        piece = PIECE if len(body) < 10_000 else len(body)
        for start in range(0, len(body), piece):
            self.wfile.write(body[start : start + piece])

    def _silent(self) -> None:
        self.server.closing.wait(30)

    def _html(self) -> None:
        self._head(502, **{"Content-Type": "text/html"})
        self.wfile.write(b"<html><h1>Bad Gateway</h1>")

    def _page(self) -> None:
        self._head(200, **{"Content-Type": "text/html"})
        self.wfile.write(b"<!doctype html><title>Sign in</title>")

    def _elsewhere(self) -> None:
        self._head(307, Location=self.server.url("page") + "/chat/completions")

    def _endless(self) -> None:
        self._head(200, **{"Content-Type": "text/event-stream"})
        try:
            while not self.server.closing.is_set():
                self.wfile.write(HEL)
                time.sleep(0.001)
        except ConnectionError:
            self.server.ended.set()
            raise

    def _heavy(self) -> None:
        self._head(200, **{"Content-Type": "text/event-stream"})
        self.wfile.write(b"data: " + b"x" * 10_000_000 + b"\n\n")

    def _broken(self) -> None:
        """More is announced than comes."""
        self._head(200, **{"Content-Type": "text/event-stream", "Content-Length": "100000"})
        self.wfile.write(HEL)
        time.sleep(1)  # a browser drops what is unread when a connection breaks

    def _private(self) -> None:
        """No page may read it."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(HEL)

    def _head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Access-Control-Allow-Origin": "*", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def peers() -> Iterator[Peers]:
    with Peers() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()
