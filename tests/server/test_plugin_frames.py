"""The documents that the user's own tasks run in: what the server adds to what they say themselves."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from server.app import create_app
from server.files import Site
from server.headers import FRAMES, HEADERS
from tests.server.client import ask

SITE = Path(__file__).parents[2] / "site"
DOCUMENTS = {path: (SITE / path.lstrip("/")).read_text("utf-8") for path in FRAMES}
POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]+)"')


def policy(text: str) -> dict[str, str]:
    return dict(part.split(" ", 1) for part in text.split("; "))


def said(path: str) -> dict[str, str]:
    found = POLICY.search(DOCUMENTS[path])
    assert found
    return policy(found[1])


@pytest.mark.parametrize("path", FRAMES)
def test_a_frame_has_an_origin_of_its_own_and_every_other_header(path: str) -> None:
    headers = ask(create_app(Site((SITE,), {})), path).headers
    sent = policy(headers["content-security-policy"])
    assert sent["sandbox"] == "allow-scripts"  # not allow-same-origin: no storage of the site's
    assert sent["frame-ancestors"] == "'self'"
    for name in HEADERS.keys() - {"Content-Security-Policy"}:
        assert headers[name] == HEADERS[name]


@pytest.mark.parametrize("path", FRAMES)
def test_its_one_script_is_the_one_it_allows(path: str) -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", DOCUMENTS[path], re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert said(path)["script-src"] == f"'sha256-{digest}' 'wasm-unsafe-eval' blob:"


def test_only_the_network_is_different() -> None:
    alone, online = said("/plugins/alone.html"), said("/plugins/online.html")
    assert alone.pop("connect-src") == "'none'"
    assert online.pop("connect-src") == "https: http://localhost:* http://127.0.0.1:*"
    assert alone == online
    assert alone["default-src"] == "'none'"
    assert policy(FRAMES["/plugins/alone.html"])["connect-src"] == "'none'"


def test_the_page_may_hold_only_frames_of_its_own() -> None:
    assert policy(HEADERS["Content-Security-Policy"])["frame-src"] == "'self'"
