"""Runs inside Pyodide: a zip of Python source in, the same zip of byte code out.

    python -m tools.build.compile_zip SOURCE.zip LOCATION OUT.zip

The byte code carries the hash of its source and is never checked against it (PEP 552, "unchecked"): there is no
source in the page to check it with, and a time stamp would make every build differ.
"""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from collections.abc import Callable
from importlib import _bootstrap_external
from types import CodeType

hash_pyc: Callable[[CodeType, bytes, bool], bytes] = _bootstrap_external._code_to_hash_pyc  # type: ignore[attr-defined]  # its only writer


def byte_code(source: bytes, filename: str) -> bytes:
    code = compile(source, filename, "exec", dont_inherit=True)
    return bytes(hash_pyc(code, importlib.util.source_hash(source), False))


def compile_zip(source: str, location: str, out: str) -> None:
    with zipfile.ZipFile(source) as files, zipfile.ZipFile(out, "w") as archive:
        for name in files.namelist():
            archive.writestr(zipfile.ZipInfo(name + "c"), byte_code(files.read(name), f"{location}/{name}"))


if __name__ == "__main__":
    compile_zip(*sys.argv[1:])
