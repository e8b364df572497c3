"""Asks the server's application directly, without a socket."""

from __future__ import annotations

import anyio
import httpx2
from starlette.types import ASGIApp


def ask(
    app: ASGIApp,
    path: str,
    method: str = "GET",
    *,
    host: str = "localhost:8000",
    content: bytes = b"",
    scheme: str = "http",
    **headers: str,
) -> httpx2.Response:
    """The answer as it is on the wire: `headers` are named with underscores, the body is not decoded."""
    sent = {"accept-encoding": "identity", "host": host} | {n.replace("_", "-"): v for n, v in headers.items()}
    url = httpx2.URL(f"{scheme}://localhost:8000").copy_with(raw_path=path.encode())  # as it is, dots and all

    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            httpx2.AsyncClient(transport=transport) as client,
            client.stream(method, url, headers=sent, content=content) as response,
        ):
            body = b"".join([chunk async for chunk in response.aiter_raw()])
            return httpx2.Response(response.status_code, headers=undecodable(response.headers), content=body)

    return anyio.run(send)


def undecodable(headers: httpx2.Headers) -> list[tuple[str, str]]:
    """Without Content-Encoding under its own name: the body stays as it came."""
    return [("x-content-encoding" if n == "content-encoding" else n, v) for n, v in headers.items()]
