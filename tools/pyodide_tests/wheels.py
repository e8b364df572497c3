"""Hypothesis for Pyodide: it has a compiled part, and PyPI has that for Pyodide's Python (PEP 783).

The version and the hashes are those of requirements/dev.txt: pip refuses any other file.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools.build.cache import Cache, digest
from tools.build.layout import ROOT, BuildError

LOCK = ROOT / "requirements" / "dev.txt"


def locked(package: str) -> str:
    """The lock's requirement for `package`, hashes included."""
    match = re.search(rf"^{package}==(?:.*\\\n)*.*", LOCK.read_text("utf-8"), re.MULTILINE)
    if match is None:
        raise BuildError(f"{package} is not in {LOCK}.")
    return match[0]


def platform() -> list[str]:
    """pip's options for the pinned Pyodide's Python and ABI."""
    lock = json.loads((ROOT / "node_modules" / "pyodide" / "pyodide-lock.json").read_text("utf-8"))
    python = ".".join(lock["info"]["python"].split(".")[:2])
    abi = f"cp{python.replace('.', '')}"
    tag = f"pyemscripten_{lock['info']['abi_version']}_wasm32"
    return ["--implementation", "cp", "--python-version", python, "--abi", abi, "--platform", tag]


def unpacked(package: str, cache: Path) -> Path:
    """A folder to import `package` from inside Pyodide; downloaded once per locked version."""
    requirement, options = locked(package), platform()
    key = digest(requirement, *options)

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            wanted = Path(scratch) / "requirement.txt"
            wanted.write_text(requirement)
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            only = ["--only-binary", ":all:", "--require-hashes", "--requirement", str(wanted), "--dest", scratch]
            subprocess.run([*pip, *only, *options], check=True)
            with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
                wheel.extractall(folder)

    return Cache(cache / "pyodide_tests").file(package, key, make)
