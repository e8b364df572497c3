"""A repository as a hub lists it, made up for tests."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from pyapp.models.manifest import Repository, Variant
from tests.unit.models.made import sha256

HOST = "https://hub.test"
REVISION = "c0ffee" + "0" * 34
SMALL_BYTES = 100  # larger files are kept as Git LFS keeps them


@dataclass
class MadeHub:
    """`listing` may be changed before it is served."""

    files: dict[str, bytes]
    host: str = HOST
    repo: str = "org/tiny"
    revision: str = REVISION
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listing: Any = {"sha": self.revision, "siblings": [self._listed(path) for path in self.files]}

    def _listed(self, path: str) -> dict[str, Any]:
        content = self.files[path]
        entry: dict[str, Any] = {"rfilename": path, "size": len(content)}
        if len(content) > SMALL_BYTES:
            return entry | {"blobId": "0" * 40, "lfs": {"sha256": sha256(content), "size": len(content)}}
        return entry | {"blobId": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()}

    def texts(self) -> dict[str, str]:
        """By address: the listing, and the small files."""
        about = f"{self.host}/api/models/{self.repo}/revision/main?blobs=true"
        small = {path: content.decode() for path, content in self.files.items() if len(content) <= SMALL_BYTES}
        return {about: json.dumps(self.listing)} | {self.url(path): text for path, text in small.items()}

    def url(self, path: str) -> str:
        return f"{self.host}/{self.repo}/resolve/{self.revision}/{path}"

    async def read(self, url: str) -> str:
        self.asked.append(url)
        return self.texts()[url]


def unpinned(*wants: str, name: str = "wasm", host: str = HOST, repo: str = "org/tiny") -> Variant:
    return Variant(name, "transformers_js", "wasm", "int8", (), (), None, Repository(host, repo, wants, 1000))
