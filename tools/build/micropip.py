"""micropip, which installs a user's wheel in the page: the wheel that requirements/micropip.txt pins, as byte code."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from tools.build import archive
from tools.build.cache import Cache, sha256
from tools.build.layout import ROOT, BuildError
from tools.embedded_model import fetch_wheel

REQUIREMENT = ROOT / "requirements" / "micropip.txt"
PYTHON = "3.14"  # Pyodide's, which may be newer than the build's


def packed(cache: Cache) -> Path:
    """Raises BuildError when it cannot be fetched."""
    source = cache.file("micropip-source.zip", sha256(REQUIREMENT)[:32], _fetch)
    return archive.compiled(cache, "micropip.zip", source.read_bytes(), "/lib/micropip.zip")


def _fetch(path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        try:
            wheel = fetch_wheel(Path(folder), REQUIREMENT, ["--python-version", PYTHON])
        except RuntimeError as error:
            raise BuildError(str(error)) from error
        with zipfile.ZipFile(wheel) as files:
            path.write_bytes(archive.pack((n, files.read(n)) for n in files.namelist() if n.endswith(".py")))
