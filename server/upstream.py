"""One try at one provider: the request that is sent, and its answer as events, with patience that ends."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import httpx2

from pyapp.engine import ReasoningDelta, TextDelta
from pyapp.errors import AnswerBroken, CandilError, NotAModelServer, ServerOverloaded, ServerSilent, ServerUnreachable
from pyapp.openai.chat_stream import ChatEvent, ChatStream
from pyapp.openai.refusal import refusal
from pyapp.openai.response_format import ResponseFormat
from server.asked import ChatRequest
from server.catalog import authorization
from server.config import Settings
from server.providers import Provider

MAX_REFUSAL_BYTES = 64 << 10
MAX_ANSWER_BYTES = 16 << 20  # on the wire; one that never ends is no answer
DURATION = re.compile(
    r"(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?", re.ASCII
)
DRAIN_S = 0.2  # for the end of a response after [DONE]: then its connection serves the next request


def client(settings: Settings) -> httpx2.AsyncClient:
    """No proxy or .netrc of the environment, no redirects: the key goes where the operator said and nowhere else."""
    timeout = httpx2.Timeout(None, connect=settings.connect_timeout_s, write=5.0, pool=2.0)
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=30.0)
    return httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=timeout, limits=limits)


class Upstream:
    def __init__(self, http: httpx2.AsyncClient, settings: Settings) -> None:
        self._http = http
        self._settings = settings
        self._formats: dict[str, ResponseFormat] = {}  # by provider

    async def answer(self, provider: Provider, model: str, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """Deltas, then one Ended. Closing the generator closes the connection. Raises CandilError."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        ends = begun + self._settings.total_timeout_s
        first_s = self._first_token_s(provider)
        try:
            async with asyncio.timeout_at(min(ends, begun + first_s)):
                response = await self._send(provider, model, request)
        except TimeoutError:
            raise ServerSilent("no answer", seconds=first_s) from None
        except httpx2.HTTPError as error:
            raise ServerUnreachable(type(error).__name__) from None
        try:
            async with aclosing(self._read(response, begun + first_s, ends)) as events:
                async for event in events:
                    yield event
        finally:
            await response.aclose()

    def _first_token_s(self, provider: Provider) -> float:
        s = self._settings
        return s.local_first_token_timeout_s if provider.is_local else s.first_token_timeout_s

    async def _send(self, provider: Provider, model: str, request: ChatRequest) -> httpx2.Response:
        """With status 200, its body unread."""
        formats = self._formats.setdefault(provider.name, ResponseFormat())
        while True:
            member = formats.member(request.response_format)
            try:
                return await self._post(provider, payload(model, request) | member)
            except CandilError as error:
                if not formats.learns(error, member):
                    raise

    async def _post(self, provider: Provider, asked: dict[str, Any]) -> httpx2.Response:
        url, headers = f"{provider.base_url}/chat/completions", authorization(provider)
        sent = self._http.build_request("POST", url, json=asked, headers=headers)
        response = await self._http.send(sent, stream=True)
        if response.status_code == 200:
            return response
        try:
            body = b""
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_REFUSAL_BYTES:
                    break
            raise refused(response.status_code, body[:MAX_REFUSAL_BYTES], response.headers)
        finally:
            await response.aclose()

    async def _read(
        self, response: httpx2.Response, first_word_by: float, ends: float
    ) -> AsyncGenerator[ChatEvent, None]:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise NotAModelServer("compressed though not asked to be", reason="encoding")
        loop, stream, size, spoke = asyncio.get_running_loop(), ChatStream(), 0, False
        chunks = response.aiter_raw()
        while not stream.done:
            by = min(ends, loop.time() + self._settings.idle_timeout_s, ends if spoke else first_word_by)
            chunk = await next_chunk(chunks, by)
            if chunk is None:
                break
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise AnswerBroken("an answer without end", reason="too_long")
            for event in stream.feed(chunk):
                spoke = spoke or isinstance(event, TextDelta | ReasoningDelta)
                yield event
        for event in stream.end():
            yield event
        with contextlib.suppress(CandilError):
            await next_chunk(chunks, loop.time() + DRAIN_S)


async def next_chunk(chunks: AsyncGenerator[bytes, None] | Any, by: float) -> bytes | None:
    """None at the end. Raises ServerSilent after `by`, AnswerBroken when the connection breaks."""
    try:
        async with asyncio.timeout_at(by):
            return await anext(chunks, None)
    except TimeoutError:
        raise ServerSilent("it went silent", seconds=0.0) from None
    except httpx2.HTTPError:
        raise AnswerBroken("the connection broke", reason="cut") from None


def payload(model: str, request: ChatRequest) -> dict[str, Any]:
    """Always a stream, whatever the client wants: one way to read answers, and one that can be stopped."""
    body: dict[str, Any] = {
        "model": model,
        "messages": list(request.messages),
        "max_tokens": request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        **(request.options or {}),
    }
    if "gpt-oss" in model:  # it thinks before it speaks; here that is waiting
        body["reasoning_effort"] = "low"
    return body


def refused(status: int, body: bytes, headers: Mapping[str, str]) -> CandilError:
    error = refusal(status, body, headers)
    if isinstance(error, ServerOverloaded) and error.details.get("retry_after_s") is None:
        error.details["retry_after_s"] = reset_s(headers)
    return error


def reset_s(headers: Mapping[str, str]) -> float | None:
    """Until the budget that is used up is full again: x-ratelimit-reset-requests and -tokens, as "2m59.56s"."""
    spent = [kind for kind in ("requests", "tokens") if headers.get(f"x-ratelimit-remaining-{kind}") == "0"]
    waits = [seconds(headers.get(f"x-ratelimit-reset-{kind}", "")) for kind in spent]
    return max((wait for wait in waits if wait is not None), default=None)


def seconds(duration: str) -> float | None:
    match = DURATION.fullmatch(duration.strip())
    if match is None or not duration.strip():
        return None
    hours, minutes, whole, thousandths = (float(part) if part else 0.0 for part in match.groups())
    return 3600 * hours + 60 * minutes + whole + thousandths / 1000
