"""A bare page around the site's own files, for tests of one engine: a local server and its headers, nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Page

from tools.build import wllama

ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / "node_modules"

# The site's own policy (server/headers.py), so that nothing works here that would not work there.
POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'"
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".wasm": "application/wasm",
}
PAGE = b'<!doctype html><title>bare</title><script type="module" src="/bare_page.js"></script>'

SITE: Mapping[str, Path] = {
    "/vendor/transformers/": NODE_MODULES / "@huggingface/transformers/dist",
    "/vendor/onnxruntime/": NODE_MODULES / "onnxruntime-web/dist",
    "/bare_page.js": Path(__file__).parent / "bare_page.js",
    "/": ROOT / "site",
}


def wllama_files(made: Path) -> dict[str, Path]:
    """What the site has of wllama, by its address; `made` is a folder for what the build makes."""
    package = NODE_MODULES / "@wllama/wllama"
    files = {f"/vendor/wllama/{Path(n).name}": package / n for n in ("esm/index.min.js", "esm/wasm/wllama.wasm")}
    for name, code in wllama.workers(package):
        files[f"/{name}"] = made / Path(name).name
        files[f"/{name}"].write_bytes(code)
    return {**files, "/vendor/jinja/": NODE_MODULES / "@huggingface/jinja/dist"}


Told = dict[str, Any]
Call = Callable[..., Told]


def opened(chromium: Browser, url: str, engine: str) -> Page:
    """A bare page with one engine's worker."""
    page = chromium.new_page()
    page.set_default_timeout(300_000)
    page.goto(url)
    page.wait_for_selector("html[data-ready]", state="attached")
    page.evaluate("(engine) => start(`/engines/${engine}.js`)", engine)
    return page


def caller(page: Page, engine: str) -> Call:
    def call(verb: str, payload: object, **options: object) -> Told:
        told: Told = page.evaluate(
            "([op, payload, options]) => call(op, payload, options)", [f"{engine}.{verb}", payload, options]
        )
        return told

    return call


@contextmanager
def serving(extra: Mapping[str, Path], page: bytes = PAGE, policy: str = POLICY) -> Iterator[tuple[str, list[str]]]:
    """Serves the site's files and `extra` (URL prefix -> folder or file); gives the address and the paths asked for."""
    mounts = {**extra, **SITE}
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            asked.append(path)
            file = None if path == "/" else _find(mounts, path)
            if path != "/" and file is None:
                self._answer(404, "text/plain", b"")
            elif file is None:
                self._answer(200, "text/html", page)
            else:
                self._answer(200, TYPES.get(file.suffix, "application/octet-stream"), file.read_bytes())

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            headers = {"Content-Security-Policy": policy, "Content-Type": kind, "Content-Length": str(len(body))}
            for name, value in {**HEADERS, **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _find(mounts: Mapping[str, Path], path: str) -> Path | None:
    for prefix, target in mounts.items():
        if path.startswith(prefix):
            file = target / path[len(prefix) :] if path != prefix else target
            if file.is_file() and ".." not in path:
                return file
    return None
