"""What a person without the right tools is told, and what counts as installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import setup


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    return tmp_path


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would have been run."""
    ran: list[list[str]] = []
    monkeypatch.setattr(setup, "run", lambda command, _failure: ran.append(command))
    return ran


def test_a_python_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"^Candil needs Python 3\.11 or newer; python3 here is "):
        setup.check_versions()


def test_no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(SystemExit, match=r"^Candil needs Node 20 or newer, with npm"):
        setup.check_versions()


def test_a_node_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    answer = subprocess.CompletedProcess([], 0, stdout="v18.19.0\n")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_options: answer)
    with pytest.raises(SystemExit, match=r"node here is v18\.19\.0"):
        setup.check_versions()


def test_no_module_venv(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = subprocess.CompletedProcess([], 1, stdout="", stderr="ensurepip is not available")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_options: answer)
    (project / ".venv" / "bin").mkdir(parents=True)
    with pytest.raises(SystemExit, match="apt-get install python3-venv"):
        setup.make_venv()
    assert not (project / ".venv").exists()


def test_python_packages_are_installed_once_per_lock(project: Path, commands: list[list[str]]) -> None:
    lock = project / "requirements" / "run.txt"
    lock.parent.mkdir()
    (project / ".venv").mkdir()
    for text, installs in (("a==1", 1), ("a==1", 1), ("a==2", 2)):
        lock.write_text(text)
        setup.install_python("run")
        assert len(commands) == installs
    assert "--require-hashes" in commands[0]


LOCKED = {"": {}, "node_modules/a": {"version": "1"}, "node_modules/b-win32": {"version": "1", "optional": True}}


@pytest.mark.parametrize(
    ("there", "installed"),
    [
        ({"node_modules/a": {"version": "1"}}, True),
        ({"node_modules/a": {"version": "1"}, "node_modules/b-win32": {"version": "1", "optional": True}}, True),
        ({"node_modules/a": {"version": "2"}}, False),
        ({"node_modules/a": {"version": "1"}, "node_modules/c": {"version": "1"}}, False),
        ({}, False),
        (None, False),
    ],
)
def test_node_packages_are_installed_when_they_differ_from_the_lock(
    project: Path, commands: list[list[str]], there: dict[str, object] | None, installed: bool
) -> None:
    (project / "package-lock.json").write_text(json.dumps({"packages": LOCKED}))
    (project / "node_modules").mkdir()
    if there is not None:
        (project / "node_modules" / ".package-lock.json").write_text(json.dumps({"packages": there}))
    setup.install_node()
    assert commands == [] if installed else commands[0][:3] == ["npm", "ci", "--ignore-scripts"]


@pytest.mark.parametrize(
    ("user", "expected"), [(0, "installed"), (1000, f"As root: {setup.INSTALL} chromium")], ids=["root", "other"]
)
def test_no_chromium(commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, user: int, expected: str) -> None:
    only_apt: Callable[[str], str | None] = {"apt-get": "/bin/apt-get"}.get
    monkeypatch.setattr(shutil, "which", only_apt)
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(setup, "CHROMIUM", Path("/no/chromium"))
    if expected == "installed":
        setup.check_programs()
        assert commands == [
            ["sh", "-c", f"{setup.INSTALL} {name}"] for name in ("chromium chromium-headless-shell", "redis-server")
        ]
    else:
        with pytest.raises(SystemExit) as exit:
            setup.check_programs()
        assert expected in str(exit.value)
