"""The application: the files, the API, and what surrounds them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from server import relay, upstream
from server.breaker import Breaker
from server.catalog import Catalog
from server.config import Settings
from server.errors import ApiError
from server.failover import Router
from server.files import Site
from server.headers import Guard
from server.limits import Limits
from server.logs import log
from server.metrics import Metrics
from server.probe import Probe
from server.relay import ChatCompletions, Endpoints, Relay
from server.store import MemoryStore, RedisStore, Store, StoreUnavailable

DEFAULTS = Settings()  # files for this machine, and no relay
NOT_FOUND = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>404 · Candil</title>
<h1>Nothing here</h1><p>This address does not exist. <a href="/">To Candil</a></p>
<p lang="es">Aquí no hay nada: esta dirección no existe. <a href="/">Ir a Candil</a></p></html>
"""


def create_app(site: Site, settings: Settings = DEFAULTS) -> ASGIApp:
    serving = Serving(settings)
    endpoints = Endpoints(settings, serving.relay)
    chat = ChatCompletions(serving.relay) if serving.relay else relay.no_cloud
    api = [
        Route("/health", endpoints.health),
        Route("/config", endpoints.config),
        Route("/openapi.json", endpoints.openapi),
    ]
    methods = ["POST", *(["OPTIONS"] if settings.cors_origins else [])]
    v1 = [Route("/models", endpoints.models), Route("/chat/completions", chat, methods=methods)]
    routes = [
        Mount("/api", routes=api),
        Mount("/v1", routes=v1),
        Route("/metrics", endpoints.metrics),
        Route("/{path:path}", site.answer, methods=["GET"]),
    ]
    handlers = {
        HTTPException: on_http_error,
        ApiError: serving.on_api_error,
        StoreUnavailable: on_no_store,
        Exception: on_failure,
    }
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=serving.lifespan)
    return Guard(app, settings.public_host, settings.cors_origins, settings.model_servers)


class Serving:
    """One process: what it relays with, from its start to its end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.relay: Relay | None = None
        if settings.upstreams:
            self._http = upstream.client(settings)
            self._store: Store = RedisStore.at(settings.redis_url.reveal()) if settings.redis_url else MemoryStore()
            self.relay = self._relay()

    def _relay(self) -> Relay:
        s = self._settings
        metrics = Metrics()
        catalog = Catalog(self._http, s.upstreams)
        asks = upstream.Upstream(self._http, s)
        router = Router(s, asks, catalog, Breaker(self._store, s.breaker_failures, s.breaker_open_s), metrics)
        probe = Probe(s.upstreams, asks, catalog)
        return Relay(s, router, catalog, Limits(s, self._store), metrics, probe)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncGenerator[None, None]:
        if self.relay is None:
            yield
            return
        async with self._http, relay.background(self.relay.catalog.keep()):
            yield
        await self._store.close()

    async def on_api_error(self, _: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        if self.relay:
            self.relay.metrics.count("candil_refusals_total", code=error.code)
        return error.response()


async def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.url.path.startswith(("/v1/", "/api/")):
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
        response: Response = ApiError(code).response()
    elif error.status_code == 404:
        response = HTMLResponse(NOT_FOUND, status_code=404)
    else:
        response = Response(error.detail, error.status_code, media_type="text/plain")
    response.headers.update(error.headers or {})
    return response


async def on_no_store(_: Request, error: Exception) -> Response:
    log(logging.ERROR, "store unavailable", kind=str(error))
    return ApiError("store_unavailable").response()


async def on_failure(request: Request, _: Exception) -> Response:
    if request.url.path.startswith(("/v1/", "/api/")):
        return ApiError("internal").response()
    return Response("Internal Server Error", 500, media_type="text/plain")
