"""Who may use the relay: programs, and pages of this server or of the sites its operator named.

A browser tells where a request comes from (Origin, Sec-Fetch-Site); programs tell neither. Another site's page can
send nothing that gets through: JSON and X-Candil force a preflight, which only named origins pass.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response

from server.config import Settings
from server.errors import ApiError

MARK = "x-candil"  # a header no form and no plain request can carry


def check_origin(headers: Headers, settings: Settings) -> None:
    """Raises ApiError."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and not is_allowed(origin, headers, settings):
        raise ApiError("origin_not_allowed")
    if origin not in settings.cors_origins and site not in (None, "same-origin", "none"):
        raise ApiError("origin_not_allowed")
    if (origin is not None or site == "same-origin") and headers.get(MARK) != "1":
        raise ApiError("header_missing")


def is_allowed(origin: str, headers: Headers, settings: Settings) -> bool:
    """The host was compared before (Guard); behind a proxy the scheme may be another."""
    try:
        return origin in settings.cors_origins or urlsplit(origin).netloc == headers.get("host", "").lower() != ""
    except ValueError:
        return False


def check_token(headers: Headers, settings: Settings) -> None:
    """Raises ApiError."""
    if settings.access_token and not has_bearer(headers, settings.access_token.reveal()):
        raise ApiError("unauthorized")


def has_bearer(headers: Headers, token: str) -> bool:
    scheme, _, sent = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and secrets.compare_digest(sent.strip().encode(), token.encode())


def check_json(headers: Headers) -> None:
    """Raises ApiError."""
    kind, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.replace(" ", "").lower()
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8", 'charset="utf-8"'):
        raise ApiError("not_json")


def preflight(headers: Headers, settings: Settings) -> Response:
    """Raises ApiError."""
    if headers.get("origin") not in settings.cors_origins:
        raise ApiError("origin_not_allowed")
    allowed = {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "authorization, content-type, x-candil",
        "Access-Control-Max-Age": "600",
    }
    return Response(status_code=204, headers=allowed)
