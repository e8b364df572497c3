"""The formats that are understood: what a grammar lets through, and what is one.

The patterns are narrower than the standards (no leap day, no quoted mail address): everything they let through is right
wherever it is checked, and a document that an engine made without a grammar is judged by `is_one`.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
import uuid
from collections.abc import Callable
from contextlib import suppress

LONG, SHORT = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])", "(0[469]|11)-(0[1-9]|[12][0-9]|30)"
DAY = f"[12][0-9]{{3}}-({LONG}|{SHORT}|02-(0[1-9]|1[0-9]|2[0-8]))"
HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
LABEL = "[a-z0-9]{1,20}"

PATTERNS = {
    "date": f"^{DAY}$",
    "time": f"^{HOUR}$",
    "date-time": f"^{DAY}T{HOUR}$",
    "email": f"^[a-z0-9]{{1,20}}([._-]{LABEL}){{0,2}}@({LABEL}\\.){{1,2}}[a-z]{{2,6}}$",
    "uuid": "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    "ipv4": f"^({BYTE}\\.){{3}}{BYTE}$",
    "uri": f"^https?://({LABEL}\\.){{1,2}}[a-z]{{2,6}}(/[A-Za-z0-9_-]{{1,20}}){{0,4}}/?$",
}

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII)
_MAIL = re.compile(r"[^\s@\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#$&-;=?-Z\[\]_a-z~%]*")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def is_one(name: str, text: str) -> bool:
    return _CHECKS[name](text)


def _is_day(text: str) -> bool:
    with suppress(ValueError):
        return bool(_DAY.fullmatch(text) and datetime.date.fromisoformat(text))
    return False


def _is_moment(text: str) -> bool:
    day, letter, hour = text[:10], text[10:11], text[11:]
    return _is_day(day) and letter in ("T", "t") and bool(_TIME.fullmatch(hour))


def _is_uuid(text: str) -> bool:
    with suppress(ValueError):
        return str(uuid.UUID(text)) == text.lower()
    return False


def _is_ipv4(text: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.IPv4Address(text))
    return False


_CHECKS: dict[str, Callable[[str], bool]] = {
    "date": _is_day,
    "time": lambda text: bool(_TIME.fullmatch(text)),
    "date-time": _is_moment,
    "email": lambda text: bool(_MAIL.fullmatch(text)),
    "uuid": _is_uuid,
    "ipv4": _is_ipv4,
    "uri": lambda text: bool(_URI.fullmatch(text)),
}
