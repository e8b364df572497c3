"""One HTTP exchange with a model server, over the page's op "page.fetch_stream". Time limits are kept here.

A browser tells a page nothing about why a request failed: no server, no permission to read the answer (CORS), a
certificate, a blocked address are one and the same to it, and so one error here, ServerUnreachable.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pyapp.engine import Json, Transport
from pyapp.errors import AnswerBroken, EngineFailed, NetworkFailed, NotAModelServer, ServerSilent, ServerUnreachable
from pyapp.openai.refusal import refusal

MAX_BODY_BYTES = 4 << 20  # of an answer that is read as a whole


@dataclass(frozen=True, slots=True)
class Request:
    """`body` is JSON, None for a GET. `key` goes into one header and nowhere else. `relay`: it goes to that of this
    page's server, which wants a mark that no other site's page can set."""

    url: str
    key: str = ""
    body: Json = None
    relay: bool = False

    def __repr__(self) -> str:
        return f"Request({self.url!r})"  # the words and the key are nobody's business

    def wire(self) -> Json:
        headers = {"accept": "text/event-stream, application/json"}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        if self.relay:
            headers["x-candil"] = "1"
        if self.body is not None:
            headers["content-type"] = "application/json"
        return {
            "url": self.url,
            "method": "GET" if self.body is None else "POST",
            "headers": headers,
            "body": None if self.body is None else json.dumps(self.body),
        }


@dataclass(frozen=True, slots=True)
class Response:
    """Its head, and its bytes, to be read once. Reading raises AnswerBroken when the connection breaks."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncGenerator[bytes, None]

    async def whole(self) -> bytes:
        """Raises NotAModelServer when it does not end."""
        body = bytearray()
        async for chunk in self.chunks:
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise NotAModelServer("the answer is too long", reason="too_long", limit_bytes=MAX_BODY_BYTES)
        return bytes(body)

    async def must_be_ok(self) -> None:
        """Raises what the server meant when its status is not 200."""
        if self.status != 200:
            raise refusal(self.status, await self.whole(), self.headers)


@asynccontextmanager
async def opened(transport: Transport, request: Request) -> AsyncIterator[Response]:
    """The answer, from its first byte on; what is not read is not waited for. Raises ServerUnreachable."""
    async with aclosing(_values(transport, request)) as values:
        head = await anext(values, None)
        if head is None:
            raise EngineFailed("the exchange ended before it began")
        async with aclosing(_chunks(values)) as chunks:
            yield Response(head["status"], head["headers"], chunks)


async def read(transport: Transport, request: Request, seconds: float) -> bytes:
    """The whole body of an answer with status 200. Raises ServerError, ContextOverflow."""
    try:
        async with asyncio.timeout(seconds), opened(transport, request) as response:
            await response.must_be_ok()
            return await response.whole()
    except TimeoutError:
        raise ServerSilent(f"nothing within {seconds:g} s", seconds=seconds) from None


async def _values(transport: Transport, request: Request) -> AsyncGenerator[Any, None]:
    begun = False
    try:
        async with aclosing(transport.stream("page.fetch_stream", request.wire())) as values:
            async for value in values:
                yield value
                begun = True
    except NetworkFailed:
        if begun:
            raise AnswerBroken("the connection broke", reason="connection") from None
        raise ServerUnreachable("no answer", host=urlsplit(request.url).netloc) from None


async def _chunks(values: AsyncGenerator[Any, None]) -> AsyncGenerator[bytes, None]:
    async for value in values:
        yield base64.b64decode(value["bytes"])
