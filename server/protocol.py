"""HTTP/1.1 with patience that ends: uvicorn waits for ever for a request and for a reader.

The clock of a request's headers starts with the connection, or with the end of the response before, and is not set
back by bytes that drip in; the body has its own. A writer that cannot go on is given up after a while, so that slow
readers hold no file and no upstream. What the application never sees is answered with its headers all the same.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import h11
import uvicorn
from starlette.datastructures import MutableHeaders
from uvicorn.protocols.http.h11_impl import H11Protocol

from server.headers import harden

LINGER_S = 2.0  # for a client that is still sending what nobody reads, to see the answer before the connection ends


@dataclass(frozen=True, slots=True)
class Patience:
    header_s: float = 10.0
    body_s: float = 30.0
    send_s: float = 30.0


class ServerConfig(uvicorn.Config):
    """uvicorn's, and how patient to be; it travels to worker processes."""

    patience = Patience()


class PatientProtocol(H11Protocol):
    def __init__(self, config: ServerConfig, *others: Any, **named: Any) -> None:
        super().__init__(config, *others, **named)
        self.patience = config.patience
        self.receiving: asyncio.TimerHandle | None = None
        self.sending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does it only where a socket says that it is TCP; one from socket.create_server does not, and then
        # every word would wait 40 ms for the client to acknowledge the word before.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wait_for(self.patience.header_s)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:  # a request's headers are here: its body has its own time, and only once
            self.wait_for(self.patience.body_s if self.conn.their_state is h11.SEND_BODY else None)
        elif self.cycle and self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self.wait_for(None)

    def on_response_complete(self) -> None:
        unread = self.conn.their_state is h11.SEND_BODY
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE:
            self.wait_for(self.timeout_keep_alive + self.patience.header_s)
        elif self.conn.their_state is h11.SEND_BODY:
            self.wait_for(LINGER_S if unread else self.patience.body_s)

    def wait_for(self, seconds: float | None) -> None:
        if self.receiving:
            self.receiving.cancel()
        self.receiving = self.loop.call_later(seconds, self.give_up) if seconds is not None else None

    def pause_writing(self) -> None:
        super().pause_writing()
        self.sending = self.loop.call_later(self.patience.send_s, self.give_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.sending:
            self.sending.cancel()
            self.sending = None

    def give_up(self) -> None:
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.wait_for(None)
        if self.sending:
            self.sending.cancel()

    def send_400_response(self, msg: str) -> None:
        """Headers too long, or not HTTP: the application does not see it, so its headers are put on here."""
        headers = MutableHeaders({"content-type": "text/plain; charset=utf-8", "connection": "close"})
        harden(headers, self.scheme or "http")
        text = b"Not a valid HTTP request"
        events = (h11.Response(status_code=400, headers=headers.raw), h11.Data(data=text), h11.EndOfMessage())
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()
