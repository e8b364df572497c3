"""Every response, whatever its status, is as restricted as the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from starlette.types import ASGIApp

from server.app import create_app
from server.config import Settings
from server.files import Site
from server.headers import HEADERS, STRICT_TRANSPORT
from tests.server.client import ask
from tests.server.conftest import FOLDER

WEIGHTS = f"/{FOLDER}/model.onnx"
CASES: dict[str, tuple[int, Callable[[ASGIApp], httpx2.Response]]] = {
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
    "description": (200, lambda app: ask(app, "/api/openapi.json")),
    "no metrics": (404, lambda app: ask(app, "/metrics")),
    "models without a relay": (404, lambda app: ask(app, "/v1/models")),
    "chat without a relay": (404, lambda app: ask(app, "/v1/chat/completions", "POST")),
    "wrong method of chat": (405, lambda app: ask(app, "/v1/chat/completions")),
}


@pytest.mark.parametrize("case", CASES)
def test_security_headers_are_on_every_response(app: ASGIApp, case: str) -> None:
    status, request = CASES[case]
    response = request(app)
    assert response.status_code == status
    for name, value in HEADERS.items():
        assert response.headers.get_list(name) == [value]
    assert "cache-control" in response.headers


def test_security_headers_are_on_a_failure_of_ours(folder: Path) -> None:
    def broken() -> bytes:
        raise ZeroDivisionError

    app = create_app(Site((folder,), {"broken.js": broken}))
    response = ask(app, "/broken.js")
    assert response.status_code == 500
    assert response.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert response.headers["cache-control"] == "no-store"


def test_the_policy_allows_neither_inline_nor_foreign_scripts() -> None:
    policy = HEADERS["Content-Security-Policy"]
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    # Models come from hubs, words from the visitor's own model server; what a page may run or show comes from here.
    assert "http" not in policy.replace(directives["connect-src"], "")
    assert " http: " not in policy
    assert " https: " not in policy


def test_other_model_servers_are_named_by_whoever_runs_the_site(folder: Path) -> None:
    origins = ("https://models.example.org", "http://192.168.1.5:8080")
    app = create_app(Site((folder,), {}), Settings(model_servers=origins))
    policy = ask(app, "/a.js").headers["content-security-policy"]
    assert f"https://*.hf.co http://localhost:* http://127.0.0.1:* {' '.join(origins)}; style-src" in policy


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


def test_strict_transport_only_where_https_is_spoken(app: ASGIApp) -> None:
    assert "strict-transport-security" not in ask(app, "/").headers
    assert ask(app, "/", scheme="https").headers["strict-transport-security"] == STRICT_TRANSPORT


def test_the_observatory_would_give_an_a_plus(app: ASGIApp) -> None:
    """MDN HTTP Observatory's rules as far as they concern a site without cookies and foreign scripts: base 100."""
    headers = ask(app, "/", scheme="https").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    score = 100
    score += 10 if policy["default-src"] == "'none'" and "unsafe-" not in policy["style-src"] else 0
    score -= 20 if "'unsafe-inline'" in policy["script-src"] or "'unsafe-eval'" in policy["script-src"].split() else 0
    score += 5 if policy["frame-ancestors"] == "'none'" else -20
    score += 5 if headers["referrer-policy"] in ("no-referrer", "same-origin") else -5
    score += 10 if headers["cross-origin-resource-policy"] in ("same-origin", "same-site") else 0
    score -= 0 if headers["x-content-type-options"] == "nosniff" else 5
    score -= 0 if int(headers["strict-transport-security"].split("=")[1].split(";")[0]) >= 15_768_000 else 20
    score -= 50 if headers.get("access-control-allow-origin") == "*" else 0
    assert score >= 130


def test_the_api_of_a_server_without_a_relay_says_so(app: ASGIApp) -> None:
    error = ask(app, "/v1/chat/completions", "POST").json()["error"]
    assert error["code"] == "no_cloud"
    assert ask(app, "/v1/nothing").json()["error"]["code"] == "not_found"
    assert ask(app, "/v1/models", "PUT").json()["error"]["code"] == "method_not_allowed"
