"""In the worker: the user's file as a module, and the task in it.

A wheel names its task as the entry point "task" of the group "candil.tasks"; without one it is `TASK` in the package
that is called as the wheel is.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from importlib import metadata
from pathlib import Path
from site import getsitepackages
from traceback import extract_tb, format_exception_only
from types import ModuleType
from typing import Any

from pyapp.errors import PluginError, PluginFailed, PluginRefused

MODULE = "task_of_your_own"
GROUP, ENTRY = "candil.tasks", "task"
LONGEST_LINE = 300
_REQUIREMENT = re.compile(r"^Requires-Dist:\s*([\w.-]+)(?!.*extra\s*==)", re.MULTILINE)

Install = Callable[[Path], Awaitable[None]]


async def load(name: str, data: bytes, folder: Path, install: Install) -> Any:
    """The TASK in a file. `install` puts a wheel where Python finds it. Raises PluginError."""
    path = folder / name
    path.write_bytes(data)
    try:
        if name.endswith(".whl"):
            return await _of_wheel(path, install)
        return _task(_module(path))
    except PluginError:
        raise
    except ModuleNotFoundError as error:
        raise PluginRefused(why="missing_module", what=error.name or str(error)) from error
    except BaseException as error:  # its module may exit or recurse as well
        raise PluginFailed(**details_of(error, folder)) from error


def details_of(error: BaseException, folder: Path) -> dict[str, str]:
    """The details of PluginFailed: what was raised, and the last line of the user's own that it came through."""
    return {"error": _last_line(error), "at": next(_places(error, folder), "")}


def _last_line(error: BaseException) -> str:
    return format_exception_only(error)[-1].strip()[:LONGEST_LINE]


def _places(error: BaseException, folder: Path) -> Iterator[str]:
    lines = [(frame.filename, frame.lineno) for frame in extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        lines.append((error.filename, error.lineno))
    homes = (folder, *map(Path, getsitepackages()))  # a wheel goes to the latter, in the worker nothing else does
    for name, line in reversed(lines):
        if any(Path(name).is_relative_to(home) for home in homes):
            yield f"{Path(name).name}:{line}"


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


async def _of_wheel(path: Path, install: Install) -> Any:
    try:
        await install(path)
    except Exception as error:
        missing = ", ".join(_missing(path))
        if missing:
            raise PluginRefused(why="wheel_needs", what=missing) from error
        raise PluginRefused(
            why="wheel_unusable", what=format_exception_only(error)[-1].strip()[:LONGEST_LINE]
        ) from error
    importlib.invalidate_caches()
    package = path.name.split("-", 1)[0]
    entries = metadata.distribution(package).entry_points
    for entry in entries:
        if (entry.group, entry.name) == (GROUP, ENTRY):
            return entry.load()
    return _task(importlib.import_module(package))


def _missing(path: Path) -> list[str]:
    """What a wheel needs and is not here."""
    try:
        with zipfile.ZipFile(path) as wheel:
            name = next(each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
            needed = _REQUIREMENT.findall(wheel.read(name).decode("utf-8", "replace"))
    except (zipfile.BadZipFile, StopIteration):
        return []
    here = {found.metadata["Name"].lower() for found in metadata.distributions()}
    return [each for each in needed if each.lower() not in here]


def _task(module: ModuleType) -> Any:
    if not hasattr(module, "TASK"):
        raise PluginRefused(why="no_task", what=module.__name__ if module.__name__ != MODULE else "")
    return module.TASK
