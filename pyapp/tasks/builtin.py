"""The tasks there are, by name. One that comes with Candil is imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from pyapp.tasks.task import Task

BUILT_IN = ("summarise", "classify", "course")


class Tasks:
    """`on_change` hears that one of the user's own has come or gone; it must not raise."""

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._own: dict[str, Task] = {}

    def all(self) -> Sequence[Task]:
        """Those that come with Candil first."""
        return [*filter(None, map(_built_in, BUILT_IN)), *self._own.values()]

    def find(self, name: str) -> Task | None:
        """None for one of which only runs are left."""
        return self._own.get(name) or _built_in(name)

    def add(self, task: Task) -> None:
        """One of the user's own. A name that comes with Candil stays what it is."""
        if task.name not in BUILT_IN:
            self._own[task.name] = task
            self.on_change()

    def remove(self, name: str) -> None:
        """Its runs stay."""
        self._own.pop(name, None)
        self.on_change()


def _built_in(name: str) -> Task | None:
    module = f"pyapp.tasks.{name}"
    return cast(Task, import_module(module).TASK) if name in BUILT_IN and find_spec(module) else None
