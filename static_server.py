"""Serves Candil: `python static_server.py` what was built, with --dev the sources (an edit is a reload).

From the environment: HOST (127.0.0.1), PORT (8000; 0 takes a free one), PUBLIC_HOST (one more name to answer to).
It keeps no log of what is asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import functools
import hashlib
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

import uvicorn
from anyio import to_thread
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROOT = Path(__file__).resolve().parent

# On every response whatever its status: a worker that comes without a CSP is not restricted by the page's.
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "worker-src 'self'",
            # Hubs of the catalog, which answer from changing hosts, and addresses the user gives: a model file from any
            # host, or a server of theirs on this machine.
            "connect-src 'self' https: http://localhost:* http://127.0.0.1:*",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "manifest-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",  # with the next one: threads in WebAssembly
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": ", ".join(
        (
            *(f"{name}=()" for name in ("camera", "microphone", "geolocation", "usb", "serial", "hid")),
            "payment=()",
            "display-capture=()",
            *(f"{name}=(self)" for name in ("cross-origin-isolated", "clipboard-write", "language-model")),
        )
    ),
}

# The operating system's table is not asked: with nosniff a wrong type is fatal for modules, workers and wasm.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
BINARY = "application/octet-stream"  # weights: .onnx, .onnx_data, .gguf, and whatever else
VERSIONED = re.compile(r"models/[^/]+/[0-9a-f]{12,}/")
CHUNK_BYTES = 256 * 1024

NOT_FOUND = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>404 · Candil</title>
<h1>Nothing here</h1><p>This address does not exist. <a href="/">To Candil</a></p>
<p lang="es">Aquí no hay nada: esta dirección no existe. <a href="/">Ir a Candil</a></p></html>
"""

# In development there is no service worker; one that an earlier visit left behind removes itself.
NO_SERVICE_WORKER = b"""self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) await caches.delete(name);
  await self.registration.unregister();
  for (const client of await self.clients.matchAll({ type: "window" })) client.navigate(client.url);
})()));
"""


class Guard:
    """Around everything: only the names this server goes by (DNS rebinding), and HEADERS on every response."""

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self.app = app
        self.names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers.setdefault("Cache-Control", "no-store")
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        if scope["type"] == "http" and host_name(Headers(scope=scope).get("host", "")) not in self.names:
            await Response("Unknown host", status_code=400, media_type="text/plain")(scope, receive, guarded)
        else:
            await self.app(scope, receive, guarded)


def host_name(host: str) -> str:
    """The Host header without its port: "[::1]:8000" -> "[::1]"."""
    return re.sub(r":\d*$", "", host).lower()


@dataclass(frozen=True, slots=True)
class Site:
    """Files below `folders`, the first that has one, under their paths; `generated` comes before any file."""

    folders: tuple[Path, ...]
    generated: dict[str, Callable[[], bytes]]
    dev: bool = False

    async def answer(self, request: Request) -> Response:
        path = unquote(request.scope["raw_path"].decode("latin-1")).lstrip("/") or "index.html"
        if path in self.generated:
            body = await to_thread.run_sync(self.generated[path])
            return Response(body, media_type=TYPES[Path(path).suffix])
        found = self.find(path)
        if found is None:
            raise HTTPException(404)
        cache_control = "public, max-age=31536000, immutable" if VERSIONED.match(path) else "no-cache"
        return await file_response(request, found, {"Cache-Control": "no-store" if self.dev else cache_control})

    def find(self, path: str) -> Path | None:
        parts = path.split("/")
        if path.endswith(".br") or "\\" in path or "\0" in path or any(part.startswith(".") for part in parts):
            return None
        candidates = [folder.joinpath(*parts) for folder in self.folders]
        inside = (p for p, f in zip(candidates, self.folders, strict=True) if p.resolve().is_relative_to(f.resolve()))
        return next((p for p in inside if p.is_file()), None)


async def file_response(request: Request, path: Path, headers: dict[str, str]) -> Response:
    """200, 206, 304 or 416 for a file. A range is of the file's own bytes, never of its brotli variant."""
    headers["Content-Type"] = TYPES.get(path.suffix, BINARY)
    headers["Accept-Ranges"] = "bytes"
    variant = path.with_name(path.name + ".br")
    if variant.is_file():
        headers["Vary"] = "Accept-Encoding"
        if "range" not in request.headers and takes_brotli(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "br"
            path = variant
    headers["ETag"] = await to_thread.run_sync(etag, path)
    if is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers={k: v for k, v in headers.items() if k != "Content-Type"})
    size = path.stat().st_size
    wanted = requested_range(request.headers, headers["ETag"], size)
    if wanted is None:
        return body_response(request, path, range(size), 200, headers)
    if not wanted:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    return body_response(request, path, wanted, 206, headers)


def body_response(request: Request, path: Path, part: range, status: int, headers: dict[str, str]) -> Response:
    headers["Content-Length"] = str(len(part))
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return PartResponse(path, part, status, headers)


class PartResponse(StreamingResponse):
    """Bytes `part` of a file. The file is closed here, whatever becomes of the client: a generator that nobody
    finishes would leave that to the garbage collector."""

    def __init__(self, path: Path, part: range, status: int, headers: dict[str, str]) -> None:
        super().__init__((), status_code=status, headers=headers)
        self.path = path
        self.part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with await to_thread.run_sync(self.path.open, "rb") as file:
            file.seek(self.part.start)
            self.body_iterator = chunks(file, len(self.part))
            await super().__call__(scope, receive, send)


async def chunks(file: BinaryIO, size: int) -> AsyncIterator[bytes]:
    for left in range(size, 0, -CHUNK_BYTES):
        yield await to_thread.run_sync(file.read, min(CHUNK_BYTES, left))


def etag(path: Path) -> str:
    """Strong, from the content: a deployment of the same bytes, or a touch, does not break a download."""
    status = path.stat()
    return f'"{content_hash(path, status.st_mtime_ns, status.st_size)}"'


@functools.lru_cache(maxsize=4096)
def content_hash(path: Path, _mtime_ns: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_known(if_none_match: str, tag: str) -> bool:
    tags = [t.strip().removeprefix("W/") for t in if_none_match.split(",")]
    return tag in tags or tags == ["*"]


def requested_range(headers: Headers, tag: str, size: int) -> range | None:
    """The bytes asked for; None for all of them, an empty range for none that exist (416).

    What is not one well-formed byte range is ignored (RFC 9110, 14.2), and so is a range of another version.
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("range", "").replace(" ", ""), re.ASCII)
    if match is None or headers.get("if-range", tag) != tag:
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size) if last else None
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1) if last else size)


def takes_brotli(accept_encoding: str) -> bool:
    """Whether br is acceptable and not less welcome than identity (RFC 9110, 12.5.3)."""
    weights = dict(weighted(item) for item in accept_encoding.lower().split(",") if item.strip())
    brotli = weights.get("br", weights.get("*", 0.0))
    return brotli > 0 and brotli >= weights.get("identity", 0.0)


def weighted(item: str) -> tuple[str, float]:
    coding, _, parameters = item.partition(";")
    match = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", parameters)
    return coding.strip(), float(match[1]) if match else float(not parameters.strip())


async def health(_: Request) -> Response:
    return JSONResponse({"ok": True})


async def config(_: Request) -> Response:
    """What this server can do beside serving files; `cloud` is null: it relays to nobody."""
    return JSONResponse({"cloud": None})


async def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return HTMLResponse(NOT_FOUND, status_code=404)
    return Response(error.detail, error.status_code, headers=error.headers, media_type="text/plain")


def create_app(site: Site, public_host: str = "") -> ASGIApp:
    routes = [
        Route("/api/health", health),
        Route("/api/config", config),
        Route("/{path:path}", site.answer, methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: on_http_error})
    names = {"127.0.0.1", "localhost", "[::1]", *filter(None, [public_host.lower()])}
    return Guard(app, names)


def built_site(root: Path = ROOT) -> Site:
    return Site((root / "build" / "site",), {})


def dev_site() -> Site:
    """The sources as they are; page and app are made anew for each request."""
    from tools.build import archive, layout
    from tools.build.site import page

    sources = layout.Sources()
    generated: dict[str, Callable[[], bytes]] = {
        "index.html": lambda: page(sources).encode(),
        "app.zip": lambda: archive.app_source(sources),
        "sw.js": lambda: NO_SERVICE_WORKER,
    }
    return Site((sources.site, ROOT / "build" / "dev"), generated, dev=True)


class Server(uvicorn.Server):
    """Says where it is, once it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or []:
            host, port = listening.getsockname()[:2]
            print(f"Candil is at http://{f'[{host}]' if ':' in host else host}:{port}/", flush=True)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; exits with one sentence when that cannot be."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = f"Port {port} is in use; choose another: PORT={port + 1}" if taken else error.strerror
        sys.exit(f"Candil cannot listen on {host}: {reason}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", action="store_true", help="serve the sources; an edit is a reload")
    site = dev_site() if parser.parse_args().dev else built_site()
    if not (site.folders[-1] / "stdlib.zip").is_file():
        sys.exit(f"The site is not built yet: run `make {'dev' if site.dev else 'run'}`.")
    port = os.environ.get("PORT") or "8000"
    if not port.isdecimal():
        sys.exit(f"PORT is not a number: {port}")
    listening = listen(os.environ.get("HOST") or "127.0.0.1", int(port))
    app = create_app(site, os.environ.get("PUBLIC_HOST", ""))
    settings = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
    with contextlib.suppress(KeyboardInterrupt):
        Server(settings).run([listening])


if __name__ == "__main__":
    main()
