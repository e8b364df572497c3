"""Build products by the hash of what they are made from, so that nothing is made twice."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(*parts: str | bytes) -> str:
    """sha256 over `parts`, each preceded by its length: ("ab", "c") and ("a", "bc") differ."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(f"{len(data)}:".encode() + data)
    return total.hexdigest()


def digest_files(paths: Iterable[Path], root: Path) -> str:
    """One hash over the names (relative to `root`) and contents of `paths`, in the order of their names."""
    return digest(*(part for p in sorted(paths) for part in (p.relative_to(root).as_posix(), p.read_bytes())))


class Cache:
    """Files named by the hash of their inputs. A file is there whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, name: str, key: str, make: Callable[[Path], None]) -> Path:
        """The file `<key>-<name>`; `make` writes it to the path it is given when it is not there yet."""
        path = self.root / f"{key[:32]}-{name}"
        if not path.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.root) as folder:
                made = Path(folder) / name
                make(made)
                made.replace(path)
        return path

    def write(self, name: str, data: bytes) -> Path:
        """The file holding exactly `data`."""

        def write(path: Path) -> None:
            path.write_bytes(data)

        return self.file(name, digest(data), write)
