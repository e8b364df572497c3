"""The page's Python: byte code that runs, all of it."""

from __future__ import annotations

import json
import marshal
import subprocess
import zipfile
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from tools.build import archive, compile_zip, pyodide_node
from tools.build.cache import Cache
from tools.build.layout import BuildError, Sources

SOURCES = Sources()
CACHE = Cache(SOURCES.cache / "build")


@pytest.fixture(scope="module")
def library() -> Path:
    return archive.standard_library(SOURCES, CACHE)


@pytest.fixture(scope="module")
def app() -> Path:
    return archive.compiled(CACHE, "app.zip", archive.app_source(SOURCES), "/lib/app.zip")


def test_every_module_that_stayed_in_the_standard_library_imports(library: Path) -> None:
    command = pyodide_node.command("tests.tools.import_all", [str(library)], stdlib=library)
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout) == {}


@pytest.mark.parametrize("name", ["library", "app"])
def test_archives_hold_stored_unchecked_byte_code_only(name: str, request: pytest.FixtureRequest) -> None:
    with zipfile.ZipFile(request.getfixturevalue(name)) as files:
        for info in files.infolist():
            assert info.filename.endswith(".pyc")
            assert info.compress_type == zipfile.ZIP_STORED
            flags = files.read(info)[4:8]
            assert int.from_bytes(flags, "little") == 0b01  # PEP 552: hash-based, not checked


def test_the_app_is_there_with_its_wheels(app: Path) -> None:
    names = zipfile.ZipFile(app).namelist()
    assert {"pyapp/browser/app.pyc", "markdown_it/main.pyc", "mdurl/__init__.pyc", "pyscript/__init__.pyc"} <= set(
        names
    )
    assert not any("__pycache__" in name or "/cli/" in name for name in names)


@pytest.mark.parametrize(
    ("name", "used"),
    [
        *(("asyncio/base_events.py", True), ("encodings/cp437.py", True), ("codeop.py", True), ("tarfile.py", True)),
        *(("encodings/big5.py", False), ("unittest/mock.py", False), ("pdb.py", False), ("tomllib/mypy.ini", False)),
    ],
)
def test_what_goes_into_the_page(name: str, used: bool) -> None:
    assert archive.is_used(name) is used


def test_the_same_files_make_the_same_bytes() -> None:
    files = [("b.py", b"2"), ("a.py", b"1")]
    assert archive.pack(files) == archive.pack(reversed(files))


def test_byte_code_names_where_it_will_be(tmp_path: Path) -> None:
    (tmp_path / "in.zip").write_bytes(archive.pack([("m.py", b"x = 1")]))
    compile_zip.compile_zip(str(tmp_path / "in.zip"), "/lib/m.zip", str(tmp_path / "out.zip"))
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        code = marshal.loads(made.read("m.pyc")[16:])
    assert isinstance(code, CodeType)
    assert code.co_filename == "/lib/m.zip/m.py"


DOCUMENTED = b'''"""A module."""
from __future__ import annotations
class C:
    """A class."""
    async def f(self):
        """A function of nothing else."""
    def g(self):
        """Another."""
        return 1 / 0
'''


@pytest.mark.parametrize(
    ("name", "module", "function"), [("m.py", None, None), ("pyodide/m.py", "A module.", "A function of nothing else.")]
)
def test_docstrings_stay_behind_and_lines_stay(
    tmp_path: Path, name: str, module: str | None, function: str | None
) -> None:
    (tmp_path / "in.zip").write_bytes(archive.pack([(name, DOCUMENTED)]))
    compile_zip.compile_zip(str(tmp_path / "in.zip"), "/lib/m.zip", str(tmp_path / "out.zip"))
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        code = marshal.loads(made.read(name + "c")[16:])
    scope: dict[str, Any] = {"__name__": "m"}
    exec(code, scope)
    assert (scope.get("__doc__"), scope["C"].f.__doc__, scope["C"].__doc__) == (module, function, "A class.")
    with pytest.raises(ZeroDivisionError) as raised:
        scope["C"]().g()
    assert raised.traceback[-1].lineno == 8  # counted from 0


def test_a_wheel_that_is_not_installed() -> None:
    with pytest.raises(BuildError, match="no_such_package is not installed: run `make setup`"):
        archive.wheel("no_such_package")


def test_runtime_names_the_pinned_pyodide() -> None:
    lock = json.loads((SOURCES.node_modules / "pyodide" / "pyodide-lock.json").read_text("utf-8"))
    runtime = (SOURCES.site / "runtime.mjs").read_text("utf-8")
    for key, value in lock["info"].items():
        assert f'{key}: "{value}"' in runtime
