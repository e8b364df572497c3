"""Runs a Python module in the pinned Pyodide under Node; see pyodide_node.mjs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.build.layout import ROOT

SCRIPT = Path(__file__).with_suffix(".mjs")


def command(module: str, argv: Sequence[str], path: Sequence[Path] = (ROOT,), stdlib: Path | None = None) -> list[str]:
    """The command line; its exit status is the module's. `path` goes to the front of sys.path."""
    job = {"mount": str(ROOT), "path": [str(p) for p in path], "module": module, "argv": list(argv)}
    if stdlib is not None:
        job["stdlib"] = str(stdlib)
    return ["node", str(SCRIPT), json.dumps(job)]


def run(module: str, argv: Sequence[str], stdlib: Path | None = None) -> None:
    """Runs `module` to its end. Raises CalledProcessError when it fails; what it printed is on our stderr."""
    subprocess.run(command(module, argv, stdlib=stdlib), check=True, stdin=subprocess.DEVNULL)
