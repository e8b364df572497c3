"""The address of a model server and its key, as a person types them. Parsed once; everything after uses the parts.

Stricter than a browser on purpose: whatever two parsers could read differently (RFC 3986 and WHATWG disagree about
backslashes, 0x7f.1 and user:password@) is refused, so that the host that is shown is the host that is asked.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

Reason = Literal["empty", "form", "scheme", "credentials", "query", "port", "host", "plain_http", "key"]
Place = Literal["this_computer", "network", "internet"]

_FORM = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*)://)?([^/]*)(/.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?")
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")  # a browser reads such a host as an IPv4 address
_PATH = re.compile(r"/?(?:[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*/?)?")
_ENDPOINT = re.compile(r"/(?:chat/completions|completions|models)$")
_LOCAL_NAMES = (".local", ".internal", ".home.arpa")  # no such name is ever a public one
_PRIVATE = tuple(
    ipaddress.ip_network(block)
    for block in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
        "fe80::/10",
    )
)

DEFAULT_PATH = "/v1"


class Refused(ValueError):
    """What was typed cannot be used; `reason` is the key of the sentence that says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Address:
    """`path` begins with a slash and does not end with one; it is what "/models" is appended to."""

    scheme: Literal["http", "https"]
    host: str  # as in a URL: an IPv6 address in brackets
    port: int | None  # None: the scheme's own
    path: str

    def __str__(self) -> str:
        return self.url("")

    def url(self, endpoint: str) -> str:
        """`endpoint` begins with a slash."""
        return f"{self.origin}{self.path}{endpoint}"

    def beside(self, endpoint: str) -> str:
        """As `url`, for what servers answer outside /v1."""
        return f"{self.origin}{self.path.removesuffix(DEFAULT_PATH)}{endpoint}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.shown}"

    @property
    def shown(self) -> str:
        """The host as people know it: with its port where there is one."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def place(self) -> Place:
        return _place(self.host)


def parse(text: str) -> Address:
    """The address in `text`. Without a scheme it is http on this computer and in this network, else https; without a
    path it is /v1. Raises Refused."""
    text = text.strip()
    if not text:
        raise Refused("empty")
    if not text.isascii() or not text.isprintable() or re.search(r"[\s\\<>\"^`{|}%]", text):
        raise Refused("form")
    if "?" in text or "#" in text:
        raise Refused("query")
    found = _FORM.fullmatch(text)
    assert found  # every part of it may be empty
    scheme, authority, path = found[1], found[2], found[3] or ""
    host, port = _host_and_port(authority)
    scheme = (scheme or ("https" if _place(host) == "internet" else "http")).lower()
    if scheme not in ("http", "https"):
        raise Refused("scheme")
    if scheme == "http" and _place(host) == "internet":
        raise Refused("plain_http")
    return Address("https" if scheme == "https" else "http", host, port, _path(path))


def parse_key(text: str) -> str:
    """A key as it may stand in a header: one line of printable ASCII, "" for none. Raises Refused."""
    key = text.strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Refused("key")
    return key


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise Refused("credentials")
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise Refused("host")
    port = int(found[2]) if found[2] else None
    if port is not None and not 0 < port < 65536:
        raise Refused("port")
    return _host(found[1].lower()), port


def _host(host: str) -> str:
    try:
        if host.startswith("["):
            return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
        if _NUMERIC_END.fullmatch(host):
            return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise Refused("host") from None
    if not _NAME.fullmatch(host) or len(host) > 253:
        raise Refused("host")
    return host.removesuffix(".")


def _path(path: str) -> str:
    if not _PATH.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
        raise Refused("form")
    return _ENDPOINT.sub("", path.rstrip("/")) or DEFAULT_PATH


def _place(host: str) -> Place:
    if host == "localhost" or host.endswith(".localhost"):
        return "this_computer"
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return "network" if host.endswith(_LOCAL_NAMES) else "internet"
    if address.is_loopback:
        return "this_computer"
    return "network" if any(address in block for block in _PRIVATE) else "internet"
