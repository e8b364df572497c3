"""Sentences with labels, from a package of npm: 1 000 each of Amazon, IMDb and Yelp, half of them positive.

They are UCI's "Sentiment Labelled Sentences" (Kotzias et al., KDD 2015), which sentiment 5.0.2 (MIT) has among its
tests. The archive is fetched once and checked; nothing of it is in this repository.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.embedded_model import CACHE

PACKAGE = "sentiment@5.0.2"
SHA256 = "89302eb03d2005d03b214fe65814bb48adb7d3c42c8ca80bdee6a3ecb7e4480f"
LABELS = ("negative", "positive")  # by the number in the file


def sentences(source: str) -> Sequence[tuple[str, str]]:
    """Text and label of each; `source` is amazon, imdb or yelp."""
    with tarfile.open(_archive()) as archive:
        member = archive.extractfile(f"package/test/fixtures/{source}.json")
        assert member is not None
        entries = json.load(member)
    return [(entry["text"].strip(), LABELS[entry["class"]]) for entry in entries if entry.get("text")]


def _archive() -> Path:
    target = CACHE / f"sentences-{SHA256[:16]}.tgz"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            (archive,) = Path(folder).glob("*.tgz")
            if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
                raise RuntimeError(f"{PACKAGE} is not the archive this was made for")
            archive.replace(target)
    return target
