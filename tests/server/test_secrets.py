"""A key and a prompt that nobody may ever see again: not in logs at their loudest, metrics, answers or the site."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server import config
from tests.server.process import running_server

KEY, PROMPT = "gsk_canary0123456789", "the prompt that is a canary"
ANSWERS: dict[str, tuple[int, bytes]] = {
    "well": (200, b'data: {"choices":[{"delta":{"content":"ok"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'),
    "refuses": (400, json.dumps({"error": {"message": f"{KEY} {PROMPT}"}}).encode()),
    "fails": (500, f"<b>{KEY} {PROMPT}</b>".encode()),
    "breaks": (200, b'data: {"choices":[{"delta":{"content":"ok"}}]}\n\n' + f"data: {PROMPT}\n\n".encode()),
}


class Echoing(BaseHTTPRequestHandler):
    """A provider that says back what it was told; the path chooses how."""

    def do_POST(self) -> None:
        assert KEY in self.headers["Authorization"]
        assert PROMPT in self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, body = ANSWERS[self.path.split("/")[1]]
        self.send_response(status)
        self.send_header("X-Request-Id", KEY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echoing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_no_canary_comes_out(tmp_path: Path, echo: str) -> None:
    (tmp_path / "stdlib.zip").write_bytes(b"x")
    said = []
    for number, kind in enumerate(ANSWERS):
        log = tmp_path / f"{number}.log"
        environment = {
            "SITE_DIR": str(tmp_path),
            "LOG_LEVEL": "debug",
            "CLOUD_ENABLED": "1",
            "PROVIDERS": "mine",
            "MINE_BASE_URL": f"{echo}/{kind}/v1",
            "MINE_MODELS": "tiny",
            "MINE_API_KEY": KEY,
            "METRICS_TOKEN": "token",
        }
        with running_server(environment, log) as url, httpx2.Client(base_url=url, trust_env=False) as client:
            said += [str(r.headers) + r.text for r in conversation(client)]
        logged = log.read_text()
        assert '"event": ' in logged
        said.append(logged)
        assert all(json.loads(line) for line in logged.splitlines())
    for text in said:
        assert KEY not in text
        assert "canary" not in text


def conversation(client: httpx2.Client) -> list[httpx2.Response]:
    messages = [{"role": "user", "content": PROMPT}]
    path = "/v1/chat/completions"
    return [
        client.post(path, json={"messages": messages, "stream": True}),
        client.post(path, json={"messages": messages}),
        client.post(path, json={"messages": messages, "stream": PROMPT}),
        client.post(path, json={"messages": [{"role": PROMPT, "content": PROMPT}]}),
        client.post(path, json={"messages": messages, PROMPT: 1}),
        client.post(path, json={"messages": messages, "model": PROMPT}),
        client.post(path, content=PROMPT, headers={"content-type": "application/json"}),
        client.post(f"{path}?{KEY}", json={"messages": messages}, headers={"origin": f"https://{KEY}"}),
        client.get("/api/config"),
        client.get("/api/openapi.json"),
        client.get("/v1/models"),
        client.get("/metrics", headers={"authorization": "Bearer token"}),
        client.get("/nothing"),
    ]


def test_the_page_has_no_place_for_a_key() -> None:
    """Keys are the server's: no source of the page names one, and the build reads none from the environment."""
    names = [variable.name for variable in config.variables() if variable.secret]
    sources = [p for folder in ("site", "pyapp", "tools/build") for p in (config.ROOT / folder).rglob("*")]
    for path in (p for p in sources if p.suffix in (".py", ".js", ".html", ".css")):
        text = path.read_text("utf-8")
        assert not [name for name in names if name in text], path
