from __future__ import annotations

from pathlib import Path

import brotli
import pytest
from starlette.types import ASGIApp

import static_server

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
    return static_server.create_app(static_server.Site((folder,), {}), public_host="candil.example")
