"""Reads small texts from a hub over HTTP: patient where it is busy, plain about what it refuses."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPMessage
from typing import IO
from urllib.parse import urlsplit

from pyapp.errors import AccessDenied, DownloadError, FileMissing, NetworkFailed, ServerBusy, ServerRefused
from pyapp.models.policy import Policy

TIMEOUT_S = 60
# Nobody waits at a screen: a hub that asks for ten minutes gets them.
PATIENT = Policy(longest_retry_after_s=600.0)


class HubReader:
    """A pyapp.models.pinning.Read. `token` goes to the origin that is asked and to no other, wherever it redirects."""

    def __init__(
        self, token: str | None = None, *, policy: Policy = PATIENT, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._opener = urllib.request.build_opener(_SameOriginToken(token))
        self._token = token
        self._policy = policy
        self._sleep = sleep

    async def __call__(self, url: str) -> str:
        return await asyncio.to_thread(self._read, url)

    def _read(self, url: str) -> str:
        failures = 0
        while True:
            try:
                return self._attempt(url)
            except DownloadError as error:
                failures += 1
                wait_s = self._policy.delay_s(error, failures, chance=0.5)
                if wait_s is None:
                    raise
                self._sleep(wait_s)

    def _attempt(self, url: str) -> str:
        request = urllib.request.Request(url, headers={"User-Agent": "candil-pin"})
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                content: bytes = answer.read()
        except urllib.error.HTTPError as error:
            with error:  # it is the answer, and open
                raise refusal(error.code, error.headers) from error
        except OSError as error:
            raise NetworkFailed(str(error)) from error
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise ServerRefused("the file is not text, and the hub names no sha256 for it") from error


class _SameOriginToken(urllib.request.HTTPRedirectHandler):
    def __init__(self, token: str | None) -> None:
        self._token = token

    def redirect_request(  # noqa: PLR0917 the library's signature
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        follow = super().redirect_request(req, fp, code, msg, headers, newurl)
        if follow and self._token and _origin(newurl) == _origin(req.full_url):
            follow.add_unredirected_header("Authorization", f"Bearer {self._token}")
        return follow


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def refusal(status: int, headers: Message) -> DownloadError:
    """As site/store/response.js reads a status."""
    if status in (404, 410):
        return FileMissing(f"status {status}", status=status)
    if status in (401, 403):
        return AccessDenied(f"status {status}", status=status)
    if status in (408, 425, 429) or status >= 500:
        return ServerBusy(f"status {status}", status=status, retry_after_s=_retry_after(headers["Retry-After"]))
    return ServerRefused(f"status {status}", status=status)


def _retry_after(value: str | None) -> float | None:
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
