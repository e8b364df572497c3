"""Foundry Local listens on another port at every start; its own command says which."""

from __future__ import annotations

import re
import subprocess


def address() -> str | None:
    """None where it is not installed or does not run."""
    try:
        ran = subprocess.run(["foundry", "service", "status"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"http://(?:127\.0\.0\.1|localhost):\d+", ran.stdout)
    return f"{found[0]}/v1" if found else None
