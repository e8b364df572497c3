"""Where things are: the sources, and what goes where in the built site."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Sources:
    """What a site is built from. Tests build from folders of their own."""

    root: Path = ROOT
    site: Path = ROOT / "site"
    app: Path = ROOT / "pyapp"
    manifest: Path = ROOT / "model_manifest.json"
    node_modules: Path = ROOT / "node_modules"
    cache: Path = ROOT / ".cache"


class BuildError(Exception):
    """One sentence for the person who builds."""
