from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import brotli
import pytest
import zstandard
from starlette.types import ASGIApp

from server.app import create_app
from server.config import Settings
from server.files import Site

PAGE = b"<!doctype html><title>t</title>" * 40
WEIGHTS = bytes(range(256)) * 40
FOLDER = "models/tiny/0123456789ab"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small site with a file of each kind."""
    site = tmp_path / "site"
    (site / FOLDER).mkdir(parents=True)
    (site / "index.html").write_bytes(PAGE)
    (site / "index.html.br").write_bytes(brotli.compress(PAGE))
    (site / "index.html.zst").write_bytes(zstandard.compress(PAGE))
    (site / "index.html.gz").write_bytes(gzip.compress(PAGE))
    (site / FOLDER / "model.onnx").write_bytes(WEIGHTS)
    for name in ("a.js", "a.mjs", "a.css", "a.json", "a.wasm", "a.webmanifest", "a.svg", "a.zip", "a.gguf", "LICENSE"):
        (site / name).write_bytes(b"x")
    (site / "empty.bin").touch()
    (site / ".hidden").write_bytes(b"secret")
    (tmp_path / "outside.txt").write_bytes(b"secret")
    (site / "escape").symlink_to(tmp_path / "outside.txt")
    return site


@pytest.fixture
def app(folder: Path) -> ASGIApp:
    return create_app(Site((folder,), {}), Settings(public_host=("candil.example",)))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    make_certificate(*files)
    return files


def make_certificate(certificate: Path, key: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
