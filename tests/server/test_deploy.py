"""What operators copy is about this server: its settings, its files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server import config

ROOT = config.ROOT
NAMES = {name for variable in config.variables() for name in variable.names}
NAMES |= {f"{variable.name}_FILE" for variable in config.variables() if variable.secret}
OTHERS = {"PYTHONDONTWRITEBYTECODE", "CMD", "MINE_BASE_URL", "MINE_MODELS", "MINE_TITLE"}
FILES = ["deploy/Dockerfile", "deploy/compose.yaml", "deploy/candil.service", "docs/hosting.md"]


@pytest.mark.parametrize("name", FILES)
def test_every_setting_that_is_named_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    named = set(re.findall(r"(?:^\s*|[ `])([A-Z][A-Z_]{3,})(?:=|: )", text, re.MULTILINE))
    assert named
    assert named <= NAMES | OTHERS


def test_every_file_that_is_named_exists() -> None:
    for name in [*FILES, "README.md"]:
        folder = (ROOT / name).parent
        for target in re.findall(r"\]\(([^):#]+)\)", (ROOT / name).read_text("utf-8")):
            assert (folder / target).exists(), (name, target)
    copied = re.findall(r"^COPY --from=build /candil/(\S+)", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
    assert all((ROOT / path).exists() for path in copied if not path.startswith("build/"))


def test_a_proxy_replaces_what_a_client_says_of_itself() -> None:
    nginx = Path(ROOT / "deploy/nginx.conf").read_text("utf-8")
    assert "X-Forwarded-For $remote_addr;" in nginx
    assert "proxy_buffering off;" in nginx
    assert "header_up X-Forwarded-For {remote_host}" in Path(ROOT / "deploy/Caddyfile").read_text("utf-8")
