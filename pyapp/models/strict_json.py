"""A JSON value that knows where it stands, so that a wrong one can be named in one sentence.

Numbers follow JSON Schema: 1.0 is an integer, true is not. Patterns must match the whole string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from pyapp.errors import ManifestError

MAX_INTEGER = 2**53 - 1  # the largest JavaScript counts exactly


DEEPEST = 32  # levels; in Pyodide a few thousand overflow the browser's stack, which no `except` survives
# Possessive, and a string without an end reaches to the end of the text: linear in time and memory, whatever the text.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def loads(text: str) -> Node:
    """The document in `text`. Raises ManifestError when it is not JSON, or nested deeper than any catalog."""
    if deepest(text) > DEEPEST:
        raise ManifestError(f"The manifest is not JSON that is nested at most {DEEPEST} levels deep")
    try:
        return Node(json.loads(text, parse_constant=_no_constant), "$")
    except ValueError as error:
        raise ManifestError(f"The manifest is not JSON: {error}") from error


def strangers(text: str | bytes | bytearray) -> Any:
    """The JSON value in what a stranger's server sent. Raises ValueError, also when it is nested too deep."""
    text = text if isinstance(text, str) else text.decode("utf-8", "replace")
    if text.count("[") + text.count("{") > DEEPEST and deepest(text) > DEEPEST:
        raise ValueError("nested too deep")
    return json.loads(text)


def deepest(text: str) -> int:
    """Levels of lists and objects in a JSON text; at most DEEPEST + 1 are counted."""
    depth = most = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        most = max(most, depth)
        if most > DEEPEST:
            break
    return most


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True, slots=True)
class Node:
    value: object
    path: str  # JSONPath, such as $.models[0].id

    def wrong(self, what: str) -> ManifestError:
        return ManifestError(f"{self.path} {what}", path=self.path)

    def _object(self) -> dict[str, object]:
        if not isinstance(self.value, dict):
            raise self.wrong("must be an object")
        return self.value

    def has(self, key: str) -> bool:
        return key in self._object()

    def at(self, key: str) -> Node:
        """The member `key`, which must be there."""
        members = self._object()
        if key not in members:
            raise self.wrong(f"has no {key!r}")
        return Node(members[key], f"{self.path}.{key}")

    def members(self) -> Iterator[tuple[str, Node]]:
        for key, value in self._object().items():
            yield key, Node(value, f"{self.path}.{key}")

    def items(self, *, least: int = 0) -> list[Node]:
        if not isinstance(self.value, list):
            raise self.wrong("must be a list")
        if len(self.value) < least:
            raise self.wrong(f"must have at least {least} entry")
        return [Node(value, f"{self.path}[{index}]") for index, value in enumerate(self.value)]

    def text(self, pattern: re.Pattern[str] | None = None, what: str = "") -> str:
        """A string that is not empty; one that matches `pattern`, which `what` says in words."""
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong("must be a string that is not empty")
        if pattern is not None and not pattern.fullmatch(self.value):
            raise self.wrong(f"must be {what}, not {self.value[:80]!r}")
        return self.value

    def one_of(self, allowed: Collection[str]) -> str:
        if not isinstance(self.value, str) or self.value not in allowed:
            raise self.wrong(f"must be one of {', '.join(sorted(allowed))}, not {str(self.value)[:80]!r}")
        return self.value

    def integer(self, *, least: int) -> int:
        value = self.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong("must be an integer")
        if not least <= value <= MAX_INTEGER:
            raise self.wrong(f"must be at least {least} and at most {MAX_INTEGER}, not {value}")
        return value

    def boolean(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong("must be true or false")
        return self.value
