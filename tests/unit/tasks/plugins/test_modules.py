"""A file of the user's, and the task in it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from pyapp.errors import PluginError, PluginFailed, PluginRefused
from pyapp.tasks.plugins import modules
from tests.unit.run import run

NO_JSON = "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"


def load(name: str, data: bytes, folder: Path, install: Any = None) -> Any:
    return run(modules.load(name, data, folder, install))


def refused(*given: Any) -> dict[str, object]:
    with pytest.raises(PluginError) as caught:
        load(*given)
    return {"is": type(caught.value), **caught.value.details}


def test_the_task_of_a_module(tmp_path: Path) -> None:
    source = b"from dataclasses import dataclass\n@dataclass\nclass Task:\n    name: str\nTASK = Task('x')\n"
    assert load("x.py", source, tmp_path).name == "x"


@pytest.mark.parametrize(
    ("source", "details"),
    [
        ("x = 1", {"is": PluginRefused, "why": "no_task", "what": ""}),
        ("import not_here", {"is": PluginRefused, "why": "missing_module", "what": "not_here"}),
        ("raise ModuleNotFoundError('odd')", {"is": PluginRefused, "why": "missing_module", "what": "odd"}),
        ("\n1 / 0", {"is": PluginFailed, "error": "ZeroDivisionError: division by zero", "at": "x.py:2"}),
        ("exit_ = 1\nraise SystemExit(3)", {"is": PluginFailed, "error": "SystemExit: 3", "at": "x.py:2"}),
        ("import json\njson.loads('')", {"is": PluginFailed, "error": NO_JSON, "at": "x.py:2"}),
        ("x = = 1\n", {"is": PluginFailed, "error": "SyntaxError: invalid syntax", "at": "x.py:1"}),
    ],
)
def test_a_module_that_is_none(source: str, details: dict[str, object], tmp_path: Path) -> None:
    assert refused("x.py", source.encode(), tmp_path) == details


def test_a_failure_outside_of_the_file_has_no_place_in_it(tmp_path: Path) -> None:
    assert modules.details_of(ValueError("a\nb" * 500), tmp_path)["at"] == ""
    assert len(modules.details_of(ValueError("x" * 500), tmp_path)["error"]) == modules.LONGEST_LINE


def wheel(folder: Path, name: str, source: str, entry: str = "", needs: str = "") -> bytes:
    path = folder / "made.zip"
    with zipfile.ZipFile(path, "w") as files:
        files.writestr(f"{name}/__init__.py", source)
        requires = f"Requires-Dist: {needs}\nRequires-Dist: extra-thing; extra == 'all'\n" if needs else ""
        files.writestr(f"{name}-1.dist-info/METADATA", METADATA.format(name=name) + requires)
        if entry:
            files.writestr(f"{name}-1.dist-info/entry_points.txt", f"[other]\nx = y\n[candil.tasks]\ntask = {entry}\n")
    return path.read_bytes()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What micropip does with a wheel of pure Python."""
    packages = tmp_path / "packages"
    monkeypatch.syspath_prepend(str(packages))

    async def unpack(path: Path) -> None:
        zipfile.ZipFile(path).extractall(packages)

    return unpack


@pytest.mark.parametrize(
    ("name", "source", "entry"),
    [("cards_a", "TASK = 'mine'", ""), ("cards_b", "class T:\n    mine = 'mine'", "cards_b:T.mine")],
)
def test_the_task_of_a_wheel(name: str, source: str, entry: str, install: Any, tmp_path: Path) -> None:
    data = wheel(tmp_path, name, source, entry)
    assert load(f"{name}-1-py3-none-any.whl", data, tmp_path, install) == "mine"


def test_a_wheel_without_a_task(install: Any, tmp_path: Path) -> None:
    data = wheel(tmp_path, "cards_c", "")
    details = {"is": PluginRefused, "why": "no_task", "what": "cards_c"}
    assert refused("cards_c-1-py3-none-any.whl", data, tmp_path, install) == details


async def refuse(_path: Path) -> None:
    raise ValueError("cannot")


def test_a_wheel_that_needs_what_is_not_there(tmp_path: Path) -> None:
    data = wheel(tmp_path, "cards_d", "", needs="numpy-not-here>=1")
    details = {"is": PluginRefused, "why": "wheel_needs", "what": "numpy-not-here"}
    assert refused("cards_d-1-py3-none-any.whl", data, tmp_path, refuse) == details


@pytest.mark.parametrize("data", [b"no zip", None])
def test_a_wheel_that_is_none(data: bytes | None, tmp_path: Path) -> None:
    details = {"is": PluginRefused, "why": "wheel_unusable", "what": "ValueError: cannot"}
    given = wheel(tmp_path, "cards_e", "") if data is None else data
    assert refused("cards_e-1-py3-none-any.whl", given, tmp_path, refuse) == details
    (tmp_path / "empty.zip").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert refused("e-1-py3-none-any.whl", (tmp_path / "empty.zip").read_bytes(), tmp_path, refuse) == details
