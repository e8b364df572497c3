"""The server as a process of its own, as an operator starts it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import static_server

SCRIPT = Path(static_server.__file__)


@contextlib.contextmanager
def running_server(environment: Mapping[str, str], log: Path | None = None) -> Iterator[str]:
    """Its address, once it listens; PORT is a free one. What it logs goes to `log`."""
    command = [sys.executable, str(SCRIPT)]
    env = os.environ | {"PORT": "0", "PYTHONUNBUFFERED": "1"} | dict(environment)
    with contextlib.ExitStack() as stack:
        errors = stack.enter_context(log.open("w")) if log else None
        server = stack.enter_context(
            subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=errors, text=True)
        )
        assert server.stdout
        try:
            said = server.stdout.readline().split()
            assert said, "the server did not start"
            yield said[-1]
        finally:
            server.terminate()
            server.wait(30)
