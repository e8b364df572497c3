"""Addresses and keys as people type them: one reading, or a reason."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.servers.address import Refused, parse, parse_key


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("http://localhost:1234/v1", "http://localhost:1234/v1"),
        ("localhost:1234", "http://localhost:1234/v1"),
        (" 127.0.0.1:8080/ ", "http://127.0.0.1:8080/v1"),
        ("http://localhost:1234/v1/chat/completions", "http://localhost:1234/v1"),
        ("http://localhost:1234/v1/models/", "http://localhost:1234/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]/v1"),
        ("192.168.1.5:8000", "http://192.168.1.5:8000/v1"),
        ("nas.local", "http://nas.local/v1"),
        ("http://100.64.0.9:1", "http://100.64.0.9:1/v1"),
        ("HTTPS://API.Groq.com./openai/v1", "https://api.groq.com/openai/v1"),
        ("api.example.org", "https://api.example.org/v1"),
        ("https://8.8.8.8:443/v1", "https://8.8.8.8:443/v1"),
        ("a.localhost", "http://a.localhost/v1"),
    ],
)
def test_what_is_taken(typed: str, address: str) -> None:
    assert str(parse(typed)) == address
    assert parse(str(parse(typed))) == parse(typed)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("http://", "host"),
        ("ftp://localhost", "scheme"),
        ("javascript://localhost", "scheme"),
        ("http://user:secret@localhost", "credentials"),
        ("http://localhost@evil.example", "credentials"),
        ("http://localhost\\@evil.example", "form"),
        ("http://localhost/a b", "form"),
        ("http://localhost/\n", "empty"),
        ("http://local\nhost/", "form"),
        ("http://localhost/%2e%2e", "form"),
        ("http://localhost/../v1", "form"),
        ("http://localhost//v1", "form"),
        ("http://localhost/v1?key=1", "query"),
        ("http://localhost/v1#x", "query"),
        ("http://localhost:0", "port"),
        ("http://localhost:65536", "port"),
        ("http://localhost:port", "host"),
        ("http://api.example.org/v1", "plain_http"),
        ("http://8.8.8.8", "plain_http"),
        ("http://0.0.0.0:8080", "plain_http"),
        ("http://0x7f.1", "host"),
        ("http://127.1", "host"),
        ("http://2130706433", "host"),
        ("http://0177.0.0.1", "host"),
        ("http://[::1", "host"),
        ("http://[::zz]", "host"),
        ("http://[127.0.0.1]", "host"),
        ("http://-a.local", "host"),
        ("http://a..local", "host"),
        ("http://ünicode.local", "form"),
        ("http://" + ".".join(["a" * 60] * 5) + ".local", "host"),
    ],
)
def test_what_is_refused(typed: str, reason: str) -> None:
    if reason == "empty" and typed.strip():
        assert str(parse(typed)) == "http://localhost/v1"  # a line break at the end is what a paste leaves
        return
    with pytest.raises(Refused) as caught:
        parse(typed)
    assert caught.value.reason == reason


@given(st.text(max_size=60) | st.from_regex(r"\A(https?://)?[a-z0-9.@:\[\]/\\%-]{0,30}\Z"))
def test_who_is_shown_is_who_is_asked(typed: str) -> None:
    with suppress(Refused):
        address = parse(typed)
        asked = urlsplit(address.url("/models"))
        assert asked.scheme == address.scheme
        assert asked.netloc == address.shown
        assert asked.username is None
        assert (asked.query, asked.fragment) == ("", "")
        assert asked.scheme == "https" or address.place != "internet"


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("localhost", "this_computer"),
        ("127.8.8.8", "this_computer"),
        ("[::1]", "this_computer"),
        ("10.0.0.1", "network"),
        ("[fd00::1]", "network"),
        ("printer.home.arpa", "network"),
        ("example.org", "internet"),
        ("https://11.0.0.1", "internet"),
    ],
)
def test_where_it_is(typed: str, place: str) -> None:
    assert parse(typed).place == place


def test_its_urls() -> None:
    address = parse("http://localhost:8080/v1")
    assert address.url("/models") == "http://localhost:8080/v1/models"
    assert address.beside("/props") == "http://localhost:8080/props"
    assert parse("http://localhost/openai").beside("/props") == "http://localhost/openai/props"


def test_a_key_is_one_line_of_printable_ascii() -> None:
    assert parse_key("  sk-1_2 \n") == "sk-1_2"
    assert parse_key("") == ""
    for bad in ("sk\n1", "sk 1", "sk\x001", "clé", "sk\r\nHost: evil"):
        with pytest.raises(Refused) as caught:
            parse_key(bad)
        assert caught.value.reason == "key"
        assert bad not in repr(caught.value)
