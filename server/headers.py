"""What surrounds every request: the names this server goes by, and the headers on every response."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Model servers on the visitor's own computer, asked only when the page's user says so. CSP has no form for [::1].
LOOPBACK = "http://localhost:* http://127.0.0.1:*"

# On every response whatever its status: a worker that comes without a CSP is not restricted by the page's.
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "worker-src 'self'",
            # Hubs of the catalog, asked only when somebody downloads from them; they answer from changing hosts.
            f"connect-src 'self' https://huggingface.co https://*.huggingface.co https://*.hf.co {LOOPBACK}",
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
            *(f"{name}=()" for name in ("bluetooth", "payment", "display-capture")),
            *(f"{name}=(self)" for name in ("cross-origin-isolated", "clipboard-write", "language-model")),
            # A model server of the visitor's own; the browser asks them before the page may reach it.
            *(f"{name}=(self)" for name in ("local-network-access", "local-network", "loopback-network")),
        )
    ),
}

STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"  # only where HTTPS is spoken
MAX_HEADERS = 200  # browsers send twenty
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """Around everything: only the names this server goes by (DNS rebinding), and HEADERS on every response."""

    def __init__(
        self,
        app: ASGIApp,
        names: Iterable[str] = (),
        cors_origins: Collection[str] = (),
        model_servers: Iterable[str] = (),
    ) -> None:
        self.app = app
        self.headers = with_model_servers(model_servers)
        self.names = frozenset((*LOCAL_NAMES, *(name.lower() for name in names)))
        self.cors_origins = cors_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                harden(headers, scope["scheme"], self.headers)
                if self.cors_origins and scope["path"].startswith(("/v1/", "/api/")):
                    self.let_read(headers, Headers(scope=scope).get("origin", ""))
            await send(message)

        if scope["type"] != "http":
            await self.app(scope, receive, guarded)
        elif len(scope["headers"]) > MAX_HEADERS:
            await Response("Too many headers", status_code=431, media_type="text/plain")(scope, receive, guarded)
        elif host_name(Headers(scope=scope).get("host", "")) not in self.names:
            await Response("Unknown host", status_code=400, media_type="text/plain")(scope, receive, guarded)
        else:
            await self.app(scope, receive, guarded)

    def let_read(self, headers: MutableHeaders, origin: str) -> None:
        """What lets the page of a named site read the answer; nothing for everybody else."""
        headers.add_vary_header("Origin")
        if origin in self.cors_origins:
            headers["Access-Control-Allow-Origin"] = origin


def with_model_servers(origins: Iterable[str]) -> Mapping[str, str]:
    """HEADERS with a policy that also lets the page connect to `origins`."""
    policy = HEADERS["Content-Security-Policy"].replace(LOOPBACK, " ".join((LOOPBACK, *origins)))
    return HEADERS | {"Content-Security-Policy": policy}


def harden(headers: MutableHeaders, scheme: str, hardening: Mapping[str, str] = HEADERS) -> None:
    headers.setdefault("Cache-Control", "no-store")
    for name, value in hardening.items():
        headers[name] = value
    if scheme == "https":
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT


def host_name(host: str) -> str:
    """The Host header without its port: "[::1]:8000" -> "[::1]"."""
    return re.sub(r":\d*$", "", host).lower()
