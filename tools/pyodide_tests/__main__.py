"""Starts the pinned Pyodide under Node and runs pytest in it.

What is pure Python is imported from the virtual environment: its copies serve both Pythons.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from tools.build.layout import ROOT, BuildError, Sources
from tools.build.pyodide_node import command
from tools.pyodide_tests.wheels import unpacked


def main() -> int:
    arguments = sys.argv[1:] or ["tests/unit"]
    try:
        hypothesis = unpacked("hypothesis", Sources().cache)
    except (BuildError, subprocess.CalledProcessError) as error:
        print(f"Hypothesis for Pyodide is not to be had: {error}", file=sys.stderr)
        return 1
    path = [ROOT, hypothesis, Path(sysconfig.get_path("purelib"))]
    return subprocess.run(command("tools.pyodide_tests.inside", arguments, path), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
