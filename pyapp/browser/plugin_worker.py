"""The edge of the worker that a task of the user's own lives in: site/plugins/worker.js calls `start` there."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyapp.browser.intl import BrowserFormats
from pyapp.tasks.plugins import modules
from pyapp.tasks.plugins.host import Host
from pyapp.views.language import Language

FOLDER = Path("/home/pyodide/own")
MICROPIP = "/lib/micropip.zip"


def start(send: Any) -> Host:
    """`send` takes a message for the page."""
    FOLDER.mkdir(exist_ok=True)
    load = functools.partial(modules.load, folder=FOLDER, install=install)
    return Host(send, load, say, lambda: int(time.time() * 1000), FOLDER)


def say(code: str, sentences: Mapping[str, str]) -> Language:
    return Language(code, BrowserFormats(code), sentences)


async def install(wheel: Path) -> None:
    sys.path.append(MICROPIP)
    import micropip  # type: ignore[import-not-found]

    await micropip.install(f"emfs:{wheel}")
