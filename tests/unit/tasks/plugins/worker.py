"""The seam to the workers of the user's own tasks, with the worker's Python in this very process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pyapp.errors import CandilError
from pyapp.tasks.plugins import modules
from pyapp.tasks.plugins.guest import Guest, PluginFile
from pyapp.tasks.plugins.host import Host
from pyapp.tasks.plugins.task import PluginTask
from pyapp.views.language import Language

EXAMPLE = (Path(__file__).parents[4] / "examples" / "flash_cards.py").read_text("utf-8")
NOTES = {"notes": "The sea is salt.\n\nThe moon is far."}


async def no_wheels(_path: Path) -> None:
    raise ValueError("there is no micropip here")


@dataclass
class InProcess:
    """A Transport. `change` may alter or drop (None) what the worker says; `deaf`: it hears nothing more."""

    folder: Path
    change: Callable[[str], str | None] = lambda text: text
    install: Callable[[Path], Any] = no_wheels
    boots: bool = True
    error: CandilError | None = None
    deaf: bool = False
    options: list[Any] = field(default_factory=list)
    ended: int = 0
    host: Host | None = None

    async def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        if op == "plugins.post":
            if self.host and not self.deaf:
                self.host.receive(payload["message"])
            return
        self.options.append(payload)
        if self.error:
            raise self.error
        said: asyncio.Queue[str] = asyncio.Queue()
        load = partial(modules.load, folder=self.folder, install=self.install)
        self.host = Host(said.put_nowait, load, lambda code, own: Language(code, own=own), lambda: 7, self.folder)
        try:
            if self.boots:
                yield {"started": True}
            while True:
                changed = self.change(await said.get())
                if changed is not None:
                    yield {"message": changed}
        finally:
            self.ended += 1
            self.host = None


def own(body: str, method: str = "run") -> str:
    """The example with another method, `run` or one that has the next method behind it."""
    begin = EXAMPLE.index(f"    async def {method}(")
    begin = EXAMPLE.index("\n", begin) + 1
    end = EXAMPLE.index("\n    async def " if method != "export" else "\n\n\ndef ", begin)
    return EXAMPLE[:begin] + "".join(f"        {line}\n" for line in body.splitlines()) + EXAMPLE[end:]


def guest(transport: Any, source: str = EXAMPLE, name: str = "mine.py") -> Guest:
    return Guest(transport, given(PluginFile(name, source.encode())))


def given(file: PluginFile) -> Callable[[], Awaitable[PluginFile]]:
    async def read() -> PluginFile:
        return file

    return read


async def task(transport: Any, source: str = EXAMPLE) -> PluginTask:
    its = guest(transport, source)
    return PluginTask(await its.describe(), its)


def said(message: str) -> Any:
    return json.loads(message)
