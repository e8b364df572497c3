"""Addresses in model output: which of them become links, and what the reader is told about them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

LINK_SCHEMES = ("http", "https", "mailto")

# Names in the only spelling that every parser of addresses reads alike: browsers decode %41, split at some other
# characters, and take 0x7f.1 for 127.0.0.1; the host that is shown would not be the one they go to.
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.IGNORECASE)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)

_BARE = re.compile(r"(?<![\w/@.:-])https?://\w[^\s<>]*", re.IGNORECASE)
_AFTER = "?!.,:;*_~'\"”’»`|。，、；：！？」』）"  # ends a sentence rather than an address


def host_of(url: str) -> str:
    """What the reader should know before following `url`: its host, or the address of a mailto."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "mailto" else parts.hostname or ""


def is_safe_link(url: str) -> bool:
    """True for an absolute address with one of LINK_SCHEMES and somewhere to go."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "mailto":
            return bool(parts.path)
        return parts.scheme in LINK_SCHEMES and _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # such as "http://[" or "http://a.test:99999": not an address
        return False


def _is_host(host: str) -> bool:
    if ":" in host:
        return not {".", "%"} & set(host) and str(IPv6Address(host)) == host
    if _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]):
        return str(IPv4Address(host)) == host
    return bool(_NAME.fullmatch(host))


def trimmed(url: str) -> str:
    """Without the punctuation that belongs to the sentence around it (GFM, 6.9)."""
    while url:
        if url[-1] in _AFTER or (url[-1] == ")" and url.count(")") > url.count("(")):
            url = url[:-1]
        else:
            break
    return url


def link_bare_addresses(children: list[Token], md: MarkdownIt) -> list[Token]:
    """Inline tokens in which http(s) addresses that stand in the text, outside of any link, are links."""
    linked: list[Token] = []
    depth = 0
    for token in children:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type == "text" and depth == 0 and "://" in token.content:
            linked += _split(token.content, md)
        else:
            linked.append(token)
    return linked


def _split(text: str, md: MarkdownIt) -> list[Token]:
    tokens: list[Token] = []
    done = 0
    for match in _BARE.finditer(text):
        url = trimmed(match[0])
        href = md.normalizeLink(url)
        if not md.validateLink(href):
            continue
        tokens += [
            Token("text", "", 0, content=text[done : match.start()]),
            Token("link_open", "a", 1, attrs={"href": href}),
            Token("text", "", 0, content=url),
            Token("link_close", "a", -1),
        ]
        done = match.start() + len(url)
    return [*tokens, Token("text", "", 0, content=text[done:])]
