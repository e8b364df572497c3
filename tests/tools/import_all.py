"""Runs inside Pyodide: tries to import every module of a zip, and prints {module: error} of those that do not."""

from __future__ import annotations

import importlib
import json
import sys
import warnings
import zipfile


def modules(names: list[str]) -> list[str]:
    """Dotted names of the modules among a zip's files."""
    stems = [name.rpartition(".")[0] for name in names if name.endswith((".py", ".pyc"))]
    return [stem.removesuffix("/__init__").replace("/", ".") for stem in stems]


def failures(names: list[str]) -> dict[str, str]:
    failed = {}
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:  # whatever it is, it is reported
            failed[name] = f"{type(error).__name__}: {error}"
    return failed


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with zipfile.ZipFile(sys.argv[1]) as archive:
        print(json.dumps(failures(modules(archive.namelist()))))
