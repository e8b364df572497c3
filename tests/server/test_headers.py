"""Every response, whatever its status, is as restricted as the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

import static_server
from tests.server.client import ask
from tests.server.conftest import FOLDER

WEIGHTS = f"/{FOLDER}/model.onnx"
CASES: dict[str, tuple[int, Callable[[ASGIApp], httpx.Response]]] = {
    "page": (200, lambda app: ask(app, "/")),
    "page in brotli": (200, lambda app: ask(app, "/", accept_encoding="br")),
    "script": (200, lambda app: ask(app, "/a.js")),
    "worker's wasm": (200, lambda app: ask(app, "/a.wasm")),
    "head": (200, lambda app: ask(app, "/a.js", "HEAD")),
    "range": (206, lambda app: ask(app, WEIGHTS, range="bytes=0-3")),
    "unchanged": (304, lambda app: ask(app, "/a.js", if_none_match=ask(app, "/a.js").headers["etag"])),
    "other host": (400, lambda app: ask(app, "/", host="evil.test")),
    "missing": (404, lambda app: ask(app, "/nothing.js")),
    "missing api": (404, lambda app: ask(app, "/api/nothing")),
    "wrong method": (405, lambda app: ask(app, "/", "POST")),
    "wrong method of api": (405, lambda app: ask(app, "/api/config", "DELETE")),
    "range outside": (416, lambda app: ask(app, WEIGHTS, range="bytes=99999999-")),
    "health": (200, lambda app: ask(app, "/api/health")),
    "config": (200, lambda app: ask(app, "/api/config")),
}


@pytest.mark.parametrize("case", CASES)
def test_security_headers_are_on_every_response(app: ASGIApp, case: str) -> None:
    status, request = CASES[case]
    response = request(app)
    assert response.status_code == status
    for name, value in static_server.HEADERS.items():
        assert response.headers.get_list(name) == [value]
    assert "cache-control" in response.headers


def test_security_headers_are_on_a_failure_of_ours(folder: Path) -> None:
    def broken() -> bytes:
        raise ZeroDivisionError

    app = static_server.create_app(static_server.Site((folder,), {"broken.js": broken}))
    response = ask(app, "/broken.js")
    assert response.status_code == 500
    assert response.headers["content-security-policy"] == static_server.HEADERS["Content-Security-Policy"]
    assert response.headers["cache-control"] == "no-store"


def test_the_policy_allows_neither_inline_nor_foreign_scripts() -> None:
    policy = static_server.HEADERS["Content-Security-Policy"]
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    # Models come from hubs; what a page may run or show comes from here.
    # Models come from hubs or from servers on the visitor's computer; what a page may run or show comes from here.
    hubs = "https://huggingface.co https://*.huggingface.co https://*.hf.co"
    assert directives.pop("connect-src") == f"'self' {hubs} http://localhost:* http://127.0.0.1:*"
    assert "http" not in str(directives)


def test_other_model_servers_are_named_by_whoever_runs_the_site(folder: Path) -> None:
    origins = "https://models.example.org http://192.168.1.5:8080"
    app = static_server.create_app(static_server.Site((folder,), {}), model_servers=origins)
    policy = ask(app, "/a.js").headers["content-security-policy"]
    assert f"https://*.hf.co http://localhost:* http://127.0.0.1:* {origins}; style-src" in policy


@pytest.mark.parametrize(
    "wrong", ["*", "https:", "https://a;script-src", "'unsafe-eval'", "https://a/path", "a.example"]
)
def test_what_is_no_origin_is_no_model_server(folder: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="MODEL_SERVERS"):
        static_server.create_app(static_server.Site((folder,), {}), model_servers=wrong)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:81", "[::1]:8000", "[::1]", "Candil.Example"]
)
def test_own_names(app: ASGIApp, host: str) -> None:
    assert ask(app, "/", host=host).status_code == 200


@pytest.mark.parametrize("host", ["evil.test", "localhost.evil.test", "localhost:80:80", "127.0.0.1.nip.io", "::1", ""])
def test_other_names_are_refused(app: ASGIApp, host: str) -> None:
    assert ask(app, "/", host=host).status_code == 400


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "no-cache"),
        ("/a.js", "no-cache"),
        (f"/{FOLDER}/model.onnx", "public, max-age=31536000, immutable"),
        ("/api/config", "no-store"),
        ("/nothing", "no-store"),
    ],
)
def test_only_versioned_paths_are_kept_for_ever(app: ASGIApp, path: str, expected: str) -> None:
    assert ask(app, path).headers["cache-control"] == expected


def test_config_says_there_is_no_cloud(app: ASGIApp) -> None:
    assert ask(app, "/api/config").json() == {"cloud": None}
