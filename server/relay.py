"""The API: chats to whom the operator chose, and what a page may know of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from pyapp.engine import ReasoningDelta, TextDelta
from pyapp.openai.chat_stream import ChatEvent, Ended
from server import gate, openapi
from server.asked import ANY_MODEL, CHARS_PER_TOKEN, ChatRequest, RequestReader, read_body
from server.catalog import Catalog
from server.config import Settings
from server.errors import ApiError
from server.failover import Chosen, Router
from server.limits import Admission, Limits
from server.logs import log
from server.metrics import Metrics
from server.probe import Probe
from server.stream import Answer, EventStream

Events = AsyncGenerator[Chosen | ChatEvent, None]


@dataclass(frozen=True, slots=True)
class Relay:
    """Everything one process relays with."""

    settings: Settings
    router: Router
    catalog: Catalog
    limits: Limits
    metrics: Metrics
    probe: Probe


class ChatCompletions:
    """POST /v1/chat/completions."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._reader = RequestReader(relay.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        settings, headers = self._relay.settings, request.headers
        if request.method == "OPTIONS":
            await gate.preflight(headers, settings)(scope, receive, send)
            return
        gate.check_origin(headers, settings)
        gate.check_token(headers, settings)
        gate.check_json(headers)
        asked = self._reader.read(await read_body(request, settings.max_body_bytes))
        await while_connected(receive, self._admit(request, asked, send))

    async def _admit(self, request: Request, asked: ChatRequest, send: Send) -> None:
        address = request.client.host if request.client else ""
        most = asked.prompt_tokens + asked.max_tokens
        async with (
            self._relay.limits.admitted(address, most) as admission,
            aclosing(self._relay.router.answer(asked)) as events,
        ):
            answering = Answering(asked, admission, self._relay.metrics)
            if asked.stream:
                await answering.stream(events, EventStream(send, self._relay.settings.heartbeat_s))
            else:
                await (await answering.whole(events))(request.scope, request.receive, send)


class Answering:
    """One answer on its way to one client."""

    def __init__(self, asked: ChatRequest, admission: Admission, metrics: Metrics) -> None:
        self._asked = asked
        self._admission = admission
        self._metrics = metrics
        self._answer = Answer(f"chatcmpl-{secrets.token_hex(12)}", int(time.time()))
        self._begun = time.monotonic()
        self._first_ms: float | None = None
        self._chars = 0

    async def stream(self, events: Events, stream: EventStream) -> None:
        """Raises ApiError while there is no word of the response."""
        try:
            async with stream.beating():
                async for event in events:
                    await self._forward(event, stream)
        except ApiError as error:
            self._refused(error)
            if not stream.is_started:
                raise
            await stream.event(error.body(partial=self._chars > 0), name="error")
            await stream.end(done=False)
        finally:
            self._settle_early()

    async def _forward(self, event: Chosen | ChatEvent, stream: EventStream) -> None:
        match event:
            case Chosen():
                self._chosen(event)
            case TextDelta() | ReasoningDelta():
                self._said(event)
                await stream.event(self._answer.delta(event))
            case Ended():
                self._ended(event)
                await stream.event(self._answer.finish(event))
                if self._asked.include_usage and event.usage:
                    await stream.event(self._answer.usage(event.usage))
                await stream.end(done=True)

    async def whole(self, events: Events) -> Response:
        content, reasoning, ended = [], [], Ended("stop", None)
        try:
            async for event in events:
                match event:
                    case Chosen():
                        self._chosen(event)
                    case TextDelta(text):
                        self._said(event)
                        content.append(text)
                    case ReasoningDelta(text):
                        self._said(event)
                        reasoning.append(text)
                    case Ended():
                        ended = event
                        self._ended(event)
        except ApiError as error:
            self._refused(error)
            raise
        finally:
            self._settle_early()
        return JSONResponse(self._answer.whole("".join(content), "".join(reasoning), ended))

    def _chosen(self, chosen: Chosen) -> None:
        self._answer.provider, self._answer.model = chosen.provider.name, chosen.model

    def _said(self, event: TextDelta | ReasoningDelta) -> None:
        if self._first_ms is None:
            self._first_ms = 1000 * (time.monotonic() - self._begun)
        self._chars += len(event.text)

    def _settle_early(self) -> None:
        """What it cost, where the provider did not get to say: as much as was read and written."""
        if not self._admission.is_settled:
            self._admission.settle(self._asked.prompt_tokens + self._chars // CHARS_PER_TOKEN)

    def _ended(self, ended: Ended) -> None:
        usage = ended.usage
        if usage:
            self._admission.settle(usage.prompt_tokens + usage.completion_tokens)
            self._metrics.count("candil_tokens_total", usage.prompt_tokens, direction="in")
            self._metrics.count("candil_tokens_total", usage.completion_tokens, direction="out")
        self._metrics.count("candil_answers_total", provider=self._answer.provider)
        log(
            logging.INFO,
            "answered",
            provider=self._answer.provider,
            model=self._answer.model,
            reason=ended.reason,
            first_ms=round(self._first_ms or 0, 1),
            ms=round(1000 * (time.monotonic() - self._begun), 1),
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
        )

    def _refused(self, error: ApiError) -> None:
        if not self._chars:
            self._admission.settle(0)
        log(logging.INFO, "not answered", code=error.code, provider=self._answer.provider or None)


async def while_connected(receive: Receive, work: Awaitable[None]) -> None:
    """Cancels `work` at once when the client leaves, also while there is nothing to send."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    working, leaving = asyncio.ensure_future(work), asyncio.create_task(gone())
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


class Endpoints:
    """What is asked with GET."""

    def __init__(self, settings: Settings, relay: Relay | None) -> None:
        self._settings = settings
        self._relay = relay
        self._document = openapi.document(settings)

    async def health(self, request: Request) -> Response:
        """Whether this runs; `providers=1` asks each provider for one token, at most once a minute."""
        wanted = request.query_params.getlist("providers") or ["0"]
        if wanted not in (["0"], ["1"]):
            raise ApiError("invalid_request", "providers is neither 0 nor 1.", param="providers")
        if wanted == ["0"] or self._relay is None:
            return JSONResponse({"ok": True})
        gate.check_origin(request.headers, self._settings)
        gate.check_token(request.headers, self._settings)
        return JSONResponse({"ok": True, "providers": await self._relay.probe.all()})

    async def config(self, _: Request) -> Response:
        """What a page may know; `cloud` is null: this server relays to nobody."""
        if self._relay is None:
            return JSONResponse({"cloud": None})
        s = self._settings
        providers = [
            {"name": p.name, "title": p.title, "price": p.price, "models": list(self._relay.catalog.known(p))}
            for p in s.upstreams
        ]
        limits = {
            "max_messages": s.max_messages,
            "max_message_chars": s.max_message_chars,
            "max_total_chars": s.max_total_chars,
            "max_tokens": s.max_tokens,
        }
        return JSONResponse(
            {"cloud": {"providers": providers, "limits": limits, "token_required": s.access_token is not None}}
        )

    async def models(self, request: Request) -> Response:
        if self._relay is None:
            raise ApiError("no_cloud")
        gate.check_origin(request.headers, self._settings)
        gate.check_token(request.headers, self._settings)
        rows = [(ANY_MODEL, "candil")]
        for provider in self._settings.upstreams:
            rows += [(f"{provider.name}/{model}", provider.name) for model in self._relay.catalog.known(provider)]
        data = [{"id": ident, "object": "model", "created": 0, "owned_by": owner} for ident, owner in rows]
        return JSONResponse({"object": "list", "data": data})

    async def openapi(self, _: Request) -> Response:
        return JSONResponse(self._document)

    async def metrics(self, request: Request) -> Response:
        token = self._settings.metrics_token
        if token is None or self._relay is None:
            raise ApiError("not_found")
        if not gate.has_bearer(request.headers, token.reveal()):
            raise ApiError("unauthorized")
        return PlainTextResponse(self._relay.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def no_cloud(_: Request) -> Response:
    raise ApiError("no_cloud")


@contextlib.asynccontextmanager
async def background(work: Awaitable[None]) -> AsyncGenerator[None, None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
