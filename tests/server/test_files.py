"""Bytes: whole, in ranges, compressed, unchanged."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import ASGIApp

from server.encodings import preferred
from server.files import requested_range
from tests.server.client import ask
from tests.server.conftest import FOLDER, PAGE, WEIGHTS

MODEL = f"/{FOLDER}/model.onnx"
SIZE = len(WEIGHTS)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/a.js", "text/javascript; charset=utf-8"),
        ("/a.mjs", "text/javascript; charset=utf-8"),
        ("/a.css", "text/css; charset=utf-8"),
        ("/a.json", "application/json"),
        ("/a.wasm", "application/wasm"),
        ("/a.webmanifest", "application/manifest+json"),
        ("/a.svg", "image/svg+xml"),
        ("/a.zip", "application/zip"),
        ("/a.gguf", "application/octet-stream"),
        ("/LICENSE", "application/octet-stream"),
    ],
)
def test_types_are_ours(app: ASGIApp, name: str, kind: str) -> None:
    assert ask(app, name).headers["content-type"] == kind


@pytest.mark.parametrize("path", ["/", "/a.js", MODEL, "/empty.bin", "/nothing", "/api/config"])
def test_head_is_get_without_the_body(app: ASGIApp, path: str) -> None:
    get, head = ask(app, path), ask(app, path, "HEAD")
    assert (head.status_code, dict(head.headers)) == (get.status_code, dict(get.headers))
    assert head.content == b""


@pytest.mark.parametrize(
    "path",
    [
        *("/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/%2e%2e%2foutside.txt", "//outside.txt"),
        *("/a/../../outside.txt", "/..\\outside.txt", "/%5c..%5coutside.txt", "/.hidden", "/escape", "/a.js%00.html"),
        *("/index.html.br", "/index.html.gz", "/index.html.zst", "/models", "/models/", "/%ff"),
    ],
)
def test_nothing_but_the_sites_files(app: ASGIApp, path: str) -> None:
    response = ask(app, path)
    assert response.status_code == 404
    assert b"secret" not in response.content


def test_a_missing_page_says_so_in_both_languages(app: ASGIApp) -> None:
    response = ask(app, "/nothing")
    assert "does not exist" in response.text
    assert "no existe" in response.text


# ---- ranges ----


@given(first=st.integers(0, SIZE - 1), length=st.integers(1, SIZE * 2))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_a_range_is_those_bytes(app: ASGIApp, first: int, length: int) -> None:
    last = first + length - 1
    response = ask(app, MODEL, range=f"bytes={first}-{last}")
    assert response.status_code == 206
    assert response.content == WEIGHTS[first : last + 1]
    assert response.headers["content-range"] == f"bytes {first}-{min(last, SIZE - 1)}/{SIZE}"
    assert response.headers["content-length"] == str(len(response.content))


@given(st.integers(1, SIZE * 2))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_a_suffix_is_the_last_bytes(app: ASGIApp, count: int) -> None:
    assert ask(app, MODEL, range=f"bytes=-{count}").content == WEIGHTS[-count:]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_range_header_gets_an_answer(app: ASGIApp, value: str) -> None:
    assert ask(app, MODEL, range=value).status_code in (200, 206, 416)


@pytest.mark.parametrize("value", ["bytes=5-2", "items=0-1", "bytes=", "bytes=a-b", "bytes=0-1,4-5", "bytes=-"])
def test_what_is_not_one_range_is_ignored(value: str) -> None:
    assert requested_range(Headers({"range": value}), "", SIZE) is None


@pytest.mark.parametrize("value", [f"bytes={SIZE}-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_outside(app: ASGIApp, value: str) -> None:
    response = ask(app, MODEL, range=value)
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{SIZE}"


def test_no_range_of_an_empty_file(app: ASGIApp) -> None:
    assert ask(app, "/empty.bin").content == b""
    assert ask(app, "/empty.bin", range="bytes=0-").status_code == 416


def test_if_range_of_this_version_and_of_another(app: ASGIApp) -> None:
    tag = ask(app, MODEL).headers["etag"]
    assert ask(app, MODEL, range="bytes=0-3", if_range=tag).status_code == 206
    other = ask(app, MODEL, range="bytes=0-3", if_range='"other"')
    assert (other.status_code, other.content) == (200, WEIGHTS)
    assert ask(app, MODEL, range="bytes=0-3", if_range=f"W/{tag}").status_code == 200  # strong comparison


def test_a_range_is_of_the_file_even_where_brotli_is_taken(app: ASGIApp) -> None:
    response = ask(app, "/", range="bytes=0-9", accept_encoding="br")
    assert (response.status_code, response.content) == (206, PAGE[:10])
    assert "x-content-encoding" not in response.headers


# ---- versions ----


def test_the_etag_survives_a_touch_and_not_a_change(app: ASGIApp, folder: Path) -> None:
    tag = ask(app, MODEL).headers["etag"]
    os.utime(folder / FOLDER / "model.onnx", (1, 1))
    assert ask(app, MODEL).headers["etag"] == tag
    assert ask(app, MODEL, if_none_match=tag).status_code == 304
    (folder / FOLDER / "model.onnx").write_bytes(WEIGHTS[::-1])
    assert ask(app, MODEL).headers["etag"] != tag
    assert ask(app, MODEL, if_none_match=tag).content == WEIGHTS[::-1]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_if_none_match(app: ASGIApp, form: str) -> None:
    tag = ask(app, "/a.js").headers["etag"]
    response = ask(app, "/a.js", if_none_match=form.format(tag))
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == tag


def test_a_range_of_absurd_length_is_ignored() -> None:
    assert requested_range(Headers({"range": f"bytes=0-{'9' * 5000}"}), "", SIZE) is None


# ---- compressed ----

UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "zstd": zstandard.decompress,
    "gzip": gzip.decompress,
}


@pytest.mark.parametrize("coding", UNPACK)
def test_a_variant_is_the_same_bytes_under_an_etag_of_its_own(app: ASGIApp, coding: str) -> None:
    plain, packed = ask(app, "/"), ask(app, "/", accept_encoding=coding)
    assert packed.headers["x-content-encoding"] == coding
    assert packed.headers["content-length"] == str(len(packed.content))
    assert UNPACK[coding](packed.content) == plain.content == PAGE
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert plain.headers["etag"] != packed.headers["etag"]
    assert packed.headers["content-type"] == plain.headers["content-type"]


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        *(("br", "br"), ("BR", "br"), ("gzip, br;q=0.1", "gzip"), ("*", "br"), ("br;q=1.0, identity;q=0.5", "br")),
        *(("gzip, deflate, br, zstd", "br"), ("gzip, zstd", "zstd"), ("gzip;q=0.5, zstd;q=0.4", "gzip")),
        *(("", ""), ("deflate", ""), ("br;q=0", ""), ("br;q=0.000, *", "zstd"), ("*;q=0", "")),
        *(("identity, br;q=0.5", ""), ("br;q=high", ""), ("brotli", ""), (",;,", "")),
    ],
)
def test_the_most_welcome_coding(accepted: str, chosen: str) -> None:
    assert preferred(accepted, ("br", "zstd", "gzip")) == chosen


def test_only_what_there_is() -> None:
    assert preferred("br, gzip;q=0.1", ("gzip",)) == "gzip"
    assert preferred("br", ("gzip",)) == ""
