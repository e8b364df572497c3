"""Runs inside Pyodide: a zip of Python source in, the same zip of byte code out.

    python -m tools.build.compile_zip SOURCE.zip LOCATION OUT.zip

The byte code carries the hash of its source and is never checked against it (PEP 552, "unchecked"): there is no
source in the page to check it with, and a time stamp would make every build differ.

Docstrings of modules and functions stay behind, as under `python -OO`: nobody reads them in a page, and they are a
twentieth of what a first visit fetches. Those of classes stay: a dataclass without one makes one, slowly, at each start.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
import zipfile
from collections.abc import Callable
from importlib import _bootstrap_external
from types import CodeType

hash_pyc: Callable[[CodeType, bytes, bool], bytes] = _bootstrap_external._code_to_hash_pyc  # type: ignore[attr-defined]  # its only writer


SHOWN = ("_pyodide/", "pyodide/")  # whose docstrings Pyodide itself reads


def leave_docstrings(tree: ast.Module) -> None:
    """Takes them out. Lines stay where they are: tracebacks name them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
            text = node.body.pop(0)
            if not node.body and not isinstance(node, ast.Module):
                node.body.append(ast.copy_location(ast.Pass(), text))


def byte_code(source: bytes, filename: str, *, documented: bool) -> bytes:
    tree = ast.parse(source, filename)
    if not documented:
        leave_docstrings(tree)
    code = compile(tree, filename, "exec", dont_inherit=True)
    return bytes(hash_pyc(code, importlib.util.source_hash(source), False))


def compile_zip(source: str, location: str, out: str) -> None:
    with zipfile.ZipFile(source) as files, zipfile.ZipFile(out, "w") as archive:
        for name in files.namelist():
            made = byte_code(files.read(name), f"{location}/{name}", documented=name.startswith(SHOWN))
            archive.writestr(zipfile.ZipInfo(name + "c"), made)


if __name__ == "__main__":
    compile_zip(*sys.argv[1:])
