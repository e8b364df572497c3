"""Files: whole, in ranges, compressed at build time, unchanged since last time."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from server.encodings import CODINGS, SUFFIXES, preferred

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
        if path.endswith(SUFFIXES) or "\\" in path or "\0" in path or any(part.startswith(".") for part in parts):
            return None
        candidates = [folder.joinpath(*parts) for folder in self.folders]
        inside = (p for p, f in zip(candidates, self.folders, strict=True) if p.resolve().is_relative_to(f.resolve()))
        return next((p for p in inside if p.is_file()), None)


async def file_response(request: Request, path: Path, headers: dict[str, str]) -> Response:
    """200, 206, 304 or 416 for a file. A range is of the file's own bytes, never of a compressed variant."""
    headers["Content-Type"] = TYPES.get(path.suffix, BINARY)
    headers["Accept-Ranges"] = "bytes"
    variants = compressed(path)
    if variants:
        headers["Vary"] = "Accept-Encoding"
        coding = preferred(request.headers.get("accept-encoding", ""), variants)
        if coding and "range" not in request.headers:
            headers["Content-Encoding"] = coding
            path = variants[coding]
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


def compressed(path: Path) -> dict[str, Path]:
    """The variants the build made of a file, by coding."""
    named = {coding: path.with_name(path.name + suffix) for coding, suffix in CODINGS.items()}
    return {coding: variant for coding, variant in named.items() if variant.is_file()}


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


def hash_all(site: Site) -> None:
    """At start, so that nobody's first download waits for it."""
    for folder in site.folders:
        for path in folder.rglob("*"):
            if path.is_file():
                etag(path)


def is_known(if_none_match: str, tag: str) -> bool:
    tags = [t.strip().removeprefix("W/") for t in if_none_match.split(",")]
    return tag in tags or tags == ["*"]


def requested_range(headers: Headers, tag: str, size: int) -> range | None:
    """The bytes asked for; None for all of them, an empty range for none that exist (416).

    What is not one well-formed byte range is ignored (RFC 9110, 14.2), and so is a range of another version.
    """
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", headers.get("range", "").replace(" ", ""), re.ASCII)
    if match is None or headers.get("if-range", tag) != tag:
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size) if last else None
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1) if last else size)
