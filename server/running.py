"""From settings to a server that listens, in one process or in several."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from server import files, logs, sites
from server.app import create_app
from server.config import Settings, load
from server.protocol import Patience, PatientProtocol, ServerConfig

SHUTDOWN_S = 10  # for answers that are being written when the server is told to stop
BACKLOG = 2048
DEV = "CANDIL_DEV"  # from this process to those it starts


def application() -> ASGIApp:
    """What each process runs; its environment was checked by the one that started it."""
    settings = load(os.environ)
    logs.configure(settings.log_level)
    if os.environ.get(DEV):
        return create_app(sites.development(), settings)
    site = sites.built(settings.site_dir)
    files.hash_all(site)
    return create_app(site, settings)


def run(settings: Settings, *, dev: bool) -> None:
    listening = listen(settings)
    os.environ[DEV] = "1" if dev else ""
    config = uvicorn_config(settings)
    with contextlib.suppress(KeyboardInterrupt):
        if settings.workers > 1:
            say_where(settings, listening)
            Multiprocess(config, sockets=[listening]).run()
        else:
            Server(config, settings).run([listening])


def uvicorn_config(settings: Settings, app: ASGIApp | str = "server.running:application") -> ServerConfig:
    """`app` by its name is made in each process."""
    config = ServerConfig(
        app,
        factory=isinstance(app, str),
        http=PatientProtocol,
        ws="none",
        workers=settings.workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        ssl_certfile=settings.tls_cert_file,
        ssl_keyfile=settings.tls_key_file,
        timeout_graceful_shutdown=SHUTDOWN_S,
        backlog=BACKLOG,
    )
    config.patience = Patience(settings.header_timeout_s, settings.body_timeout_s, settings.send_timeout_s)
    return config


class Server(uvicorn.Server):
    """Says where it is, once it answers."""

    def __init__(self, config: ServerConfig, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or []:
            say_where(self._settings, listening)


def say_where(settings: Settings, listening: socket.socket) -> None:
    host, port = listening.getsockname()[:2]
    print(f"Candil is at {settings.scheme}://{f'[{host}]' if ':' in host else host}:{port}/", flush=True)


def listen(settings: Settings) -> socket.socket:
    """A bound socket; exits with one sentence when that cannot be."""
    host, port = settings.host, settings.port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = f"Port {port} is in use; choose another: PORT={port + 1}" if taken else error.strerror
        sys.exit(f"Candil cannot listen on {host}: {reason}.")
    listening.set_inheritable(True)
    return listening
