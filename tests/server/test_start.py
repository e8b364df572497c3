"""What a person sees who starts it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

import static_server
from tests.server.client import ask

SCRIPT = Path(static_server.__file__)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The server in a project of its own, with a built site."""
    (tmp_path / "build" / "site").mkdir(parents=True)
    (tmp_path / "build" / "site" / "stdlib.zip").write_bytes(b"x")
    (tmp_path / "build" / "site" / "index.html").write_bytes(b"<title>Candil</title>")
    return Path(shutil.copy(SCRIPT, tmp_path))


def start(script: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script)]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=30, check=False
    )


def test_it_says_where_it_is_and_answers_there(copy: Path) -> None:
    command = [sys.executable, str(copy)]
    with subprocess.Popen(command, env=os.environ | {"PORT": "0"}, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            url = server.stdout.readline().split()[-1]
            with urllib.request.urlopen(url, timeout=10) as response:
                assert b"Candil" in response.read()
        finally:
            server.terminate()
    assert url.startswith("http://127.0.0.1:")


def test_a_port_in_use(copy: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = start(copy, PORT=str(port))
    assert ended.returncode == 1
    assert f"Port {port} is in use; choose another: PORT={port + 1}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_host_that_is_not_here(copy: Path) -> None:
    ended = start(copy, HOST="no.such.host.invalid", PORT="0")
    assert "cannot listen on no.such.host.invalid" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_none(copy: Path) -> None:
    assert "PORT is not a number: http" in start(copy, PORT="http").stderr


def test_a_site_that_is_not_built(copy: Path) -> None:
    (copy.parent / "build" / "site" / "stdlib.zip").unlink()
    assert start(copy, PORT="0").stderr == "The site is not built yet: run `make run`.\n"


def test_development_serves_the_sources() -> None:
    app = static_server.create_app(static_server.dev_site())
    page = ask(app, "/")
    assert "from pyapp.browser.app import main; main()" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert ask(app, "/boot.js").content == (SCRIPT.parent / "site" / "boot.js").read_bytes()
    assert ask(app, "/boot.js").headers["cache-control"] == "no-store"
    with zipfile.ZipFile(BytesIO(ask(app, "/app.zip").content)) as archive:
        assert archive.read("pyapp/errors.py") == (SCRIPT.parent / "pyapp" / "errors.py").read_bytes()
        assert "markdown_it/main.py" in archive.namelist()
    assert b"unregister" in ask(app, "/sw.js").content
