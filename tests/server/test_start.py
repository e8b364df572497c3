"""What a person sees who starts it."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import urllib.request
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

import static_server
from server.app import create_app
from server.headers import STRICT_TRANSPORT
from server.sites import development
from tests.server.client import ask
from tests.server.process import running_server

SCRIPT = Path(static_server.__file__)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site that counts as built."""
    (tmp_path / "stdlib.zip").write_bytes(b"x")
    (tmp_path / "index.html").write_bytes(b"<title>Candil</title>")
    return tmp_path


def start(site: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    env = os.environ | {"SITE_DIR": str(site)} | environment
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_it_says_where_it_is_and_answers_there(site: Path) -> None:
    with running_server({"SITE_DIR": str(site)}) as url:
        with urllib.request.urlopen(url, timeout=10) as response:
            assert b"Candil" in response.read()
        assert url.startswith("http://127.0.0.1:")


def test_several_processes_answer_at_one_address(site: Path) -> None:
    with running_server({"SITE_DIR": str(site), "WORKERS": "2"}) as url:
        for _ in range(20):
            with urllib.request.urlopen(url, timeout=10) as response:
                assert b"Candil" in response.read()


def test_https_with_a_certificate(site: Path, certificate: tuple[Path, Path]) -> None:
    files = {"TLS_CERT_FILE": str(certificate[0]), "TLS_KEY_FILE": str(certificate[1])}
    trusting = ssl.create_default_context(cafile=certificate[0])
    with running_server({"SITE_DIR": str(site)} | files) as url:
        with urllib.request.urlopen(url.replace("127.0.0.1", "localhost"), timeout=10, context=trusting) as response:
            assert response.headers["Strict-Transport-Security"] == STRICT_TRANSPORT
        assert url.startswith("https://")


def test_behind_a_proxy_its_word_counts_only_if_it_is_named(site: Path) -> None:
    def strict(**environment: str) -> str | None:
        with running_server({"SITE_DIR": str(site)} | environment) as url:
            request = urllib.request.Request(url, headers={"X-Forwarded-Proto": "https"})
            with urllib.request.urlopen(request, timeout=10) as response:
                return str(response.headers.get("Strict-Transport-Security", ""))

    assert strict() == ""
    assert strict(FORWARDED_ALLOW_IPS="127.0.0.1") == STRICT_TRANSPORT


def test_a_port_in_use(site: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = start(site, PORT=str(port))
    assert ended.returncode == 1
    assert f"Port {port} is in use; choose another: PORT={port + 1}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_host_that_is_not_here(site: Path) -> None:
    ended = start(site, HOST="no.such.host.invalid", PORT="0")
    assert "cannot listen on no.such.host.invalid" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_value_stops_the_start(site: Path) -> None:
    ended = start(site, PORT="http")
    assert ended.stderr == "Candil does not start: PORT is not a whole number from 0 to 65535: http\n"
    assert ended.returncode == 1


def test_a_site_that_is_not_built(site: Path) -> None:
    (site / "stdlib.zip").unlink()
    assert start(site, PORT="0").stderr == "The site is not built yet: run `make run`.\n"


def test_check_shows_everything_but_secrets(site: Path) -> None:
    shown = start(site, "--check", CLOUD_ENABLED="1", GROQ_API_KEY="gsk_canary", ACCESS_TOKEN="canary-token").stdout
    assert "PORT=8000" in shown
    assert "ACCESS_TOKEN=(set)" in shown
    assert "Provider 1: groq (Groq) at https://api.groq.com/openai/v1, with a key" in shown
    assert "canary" not in shown


def test_development_serves_the_sources() -> None:
    app = create_app(development())
    page = ask(app, "/")
    assert "from pyapp.browser.app import main; main()" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert ask(app, "/boot.js").content == (SCRIPT.parent / "site" / "boot.js").read_bytes()
    assert ask(app, "/boot.js").headers["cache-control"] == "no-store"
    with zipfile.ZipFile(BytesIO(ask(app, "/app.zip").content)) as archive:
        assert archive.read("pyapp/errors.py") == (SCRIPT.parent / "pyapp" / "errors.py").read_bytes()
        assert "markdown_it/main.py" in archive.namelist()
    assert b"unregister" in ask(app, "/sw.js").content
