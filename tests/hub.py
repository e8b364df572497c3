"""A model hub on this machine, in a thread, that misbehaves on command.

It also serves what a bare test page needs: the site's store modules, a page and the vendored hash.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pyapp.models.manifest import ManifestFile
from tests.unit.models.made import file
from tests.unit.models.made_hub import SMALL_BYTES, MadeHub

ROOT = Path(__file__).resolve().parents[1]
PIECE = 64 << 10
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Content-Range",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

# Workers in other browsers. Modules run in the order of their imports; awaiting one would lose messages.
OTHER_BROWSERS = {
    "no_opfs": "delete StorageManager.prototype.getDirectory;",
    "read_only": "FileSystemFileHandle.prototype.createSyncAccessHandle = () => Promise.reject(new Error('no'));",
    # Safari before 26 writes only through sync handles; move() is young everywhere.
    "old_opfs": "delete FileSystemFileHandle.prototype.createWritable; delete FileSystemFileHandle.prototype.move;"
    "if ('move' in FileSystemFileHandle.prototype) throw new Error('move is still there');",
}


@dataclass(frozen=True)
class Asked:
    """One request for a file."""

    path: str
    first: int
    last: int
    headers: dict[str, str]
    at_s: float

    @property
    def bytes(self) -> int:
        return self.last - self.first + 1


@dataclass
class Body:
    """What would be sent; a fault changes it."""

    status: int
    headers: dict[str, str]
    content: bytes
    cut_after: int | None = None  # the connection breaks
    stall_after: int | None = None  # nothing more comes


Fault = Callable[[Body], Body]


@dataclass
class Hub:
    """Files by path. `faults[path]` are used up, one per request; `always[path]` stays."""

    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    always: dict[str, Fault] = field(default_factory=dict)
    before: Callable[[Asked], None] = lambda asked: None
    bytes_per_s: float | None = None  # for each connection
    ranges: bool = True
    repos: dict[str, MadeHub] = field(default_factory=dict)
    gated: dict[str, str] = field(default_factory=dict)  # by repository: the token that is let in
    api_faults: list[Response] = field(default_factory=list)  # used up by the next questions about a repository
    asked: list[Asked] = field(default_factory=list)
    active: int = 0
    most_active: int = 0
    port: int = 0

    # ---- running ----

    def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(self._app(), log_level="critical", lifespan="off", timeout_graceful_shutdown=0)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)

    def stop(self) -> None:
        """Breaks every connection; the port refuses until `start`."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)

    def reset(self) -> None:
        self.repos.clear()
        self.gated.clear()
        self.api_faults.clear()
        for forgotten in (self.files, self.etags, self.redirects, self.faults, self.always, self.asked):
            forgotten.clear()
        self.before, self.bytes_per_s, self.ranges = lambda asked: None, None, True
        self.active = self.most_active = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # ---- what it has ----

    def put(self, path: str, content: bytes) -> ManifestFile:
        """Offers `content` at /model/<path>."""
        made = file(path, content)
        self.files[path] = content
        self.etags[path] = f'"{made.sha256[:16]}"'
        return made

    def publish(self, repo: str, files: dict[str, bytes]) -> MadeHub:
        """A repository as huggingface.co has them: large files come from another origin."""
        made = self.repos[repo] = MadeHub(files, self.origin, repo)
        for path, content in files.items():
            self.put(f"{repo}/{path}", content)
        return made

    # ---- what it says ----

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(
                    "/", lambda _request: HTMLResponse("<!doctype html><link rel=icon href=data:,><title>bare</title>")
                ),
                Route("/model/{path:path}", self._file, methods=["GET", "OPTIONS"]),
                Route("/api/models/{owner}/{name}/revision/{revision}", self._about),
                Route("/{owner}/{name}/resolve/{revision}/{path:path}", self._resolve),
                Route("/others/{browser}.js", other_browser),
                Route("/lacks/{browser}.js", lacks),
                Mount("/store", StaticFiles(directory=ROOT / "site" / "store")),
                Route("/worker.js", lambda _request: script((ROOT / "site" / "worker.js").read_text())),
                Mount("/vendor/noble-hashes", StaticFiles(directory=ROOT / "node_modules" / "@noble" / "hashes")),
            ]
        )

    async def _file(self, request: Request) -> Response:
        path = request.path_params["path"]
        if path in self.redirects:
            return RedirectResponse(self.redirects[path], headers=CORS)
        if path not in self.files:
            return Response(status_code=404, headers=CORS)
        first, last = self._range(path, request.headers)
        asked = Asked(path, first, last, dict(request.headers), time.monotonic())
        self.asked.append(asked)
        self.before(asked)
        body = self._answer(path, request.headers)
        if self.faults.get(path):
            body = self.faults[path].pop(0)(body)
        if path in self.always:
            body = self.always[path](body)
        return StreamingResponse(self._send(body), body.status, headers=body.headers)

    async def _about(self, request: Request) -> Response:
        if self.api_faults:
            return self.api_faults.pop(0)
        made = self.repos.get("{owner}/{name}".format(**request.path_params))
        if made is None:  # huggingface.co does not tell strangers what does not exist
            return Response("Invalid username or password.", 401, headers=CORS)
        return Response(json.dumps(made.listing), media_type="application/json", headers=CORS)

    async def _resolve(self, request: Request) -> Response:
        repo = "{owner}/{name}".format(**request.path_params)
        path, made = request.path_params["path"], self.repos.get(repo)
        if made is None or path not in made.files or request.path_params["revision"] != made.revision:
            return Response("Entry not found", 404, headers=CORS)
        if repo in self.gated and request.headers.get("authorization") != f"Bearer {self.gated[repo]}":
            return Response("Access is restricted", 403 if "authorization" in request.headers else 401, headers=CORS)
        # Other host name, other origin. Small files stay on the hub's own.
        host = f"http://localhost:{self.port}" if len(made.files[path]) > SMALL_BYTES else ""
        return RedirectResponse(f"{host}/model/{repo}/{path}", 302, headers=CORS)

    def _range(self, path: str, headers: Any) -> tuple[int, int]:
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", headers.get("range", ""))
        size = len(self.files[path])
        return (int(match[1]), min(int(match[2]), size - 1)) if match else (0, size - 1)

    def _answer(self, path: str, headers: Any) -> Body:
        content, etag = self.files[path], self.etags[path]
        common = {"Content-Type": "application/octet-stream", "ETag": etag} | CORS
        if not self.ranges or headers.get("if-range", etag) != etag:
            return Body(200, common | {"Content-Length": str(len(content))}, content)
        first, last = self._range(path, headers)
        part = content[first : last + 1]
        ranged = {"Content-Length": str(len(part)), "Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return Body(206, common | ranged, part)

    async def _send(self, body: Body) -> AsyncIterator[bytes]:
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        try:
            for at in range(0, len(body.content), PIECE):
                piece = body.content[at : at + PIECE]
                for limit, act in ((body.cut_after, self._break), (body.stall_after, self._hang)):
                    if limit is not None and at + len(piece) > limit:
                        yield piece[: max(0, limit - at)]
                        await act()
                yield piece
                if self.bytes_per_s:
                    await asyncio.sleep(len(piece) / self.bytes_per_s)
        finally:
            self.active -= 1

    async def _break(self) -> None:
        raise ConnectionAbortedError("on command")

    async def _hang(self) -> None:
        await asyncio.sleep(3600)


def script(text: str) -> Response:
    return Response(text, media_type="text/javascript")


def other_browser(request: Request) -> Response:
    """The store worker where something is missing."""
    return script(f'import "/lacks/{request.path_params["browser"]}.js"; import "/store/store.js";')


def lacks(request: Request) -> Response:
    return script(OTHER_BROWSERS[request.path_params["browser"]])


# ---- faults ----


def status(code: int, **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _body: Body(code, CORS | named | {"Content-Type": "text/plain"}, b"no")


def web_page(_body: Body) -> Body:
    return Body(200, CORS | {"Content-Type": "text/html; charset=utf-8"}, b"<!doctype html><title>Log in</title>")


def flipped(at: int) -> Fault:
    """One bit of the part is wrong."""

    def fault(body: Body) -> Body:
        body.content = body.content[:at] + bytes([body.content[at] ^ 1]) + body.content[at + 1 :]
        return body

    return fault


def truncated(after: int) -> Fault:
    """A body that ends early and says nothing of it."""

    def fault(body: Body) -> Body:
        del body.headers["Content-Length"]
        body.content = body.content[:after]
        return body

    return fault


def cut(after: int) -> Fault:
    def fault(body: Body) -> Body:
        body.cut_after = after
        return body

    return fault


def stalled(after: int) -> Fault:
    def fault(body: Body) -> Body:
        body.stall_after = after
        return body

    return fault


def well(body: Body) -> Body:
    return body


def running() -> Iterator[Hub]:
    """For a fixture: a hub that is stopped afterwards."""
    hub = Hub()
    hub.start()
    yield hub
    hub.stop()
