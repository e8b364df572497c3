"""Where something stands in a JSON document: RFC 6901."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from pyapp.engine import Json

Place = tuple[str | int, ...]


def pointer(place: Sequence[str | int]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)


def steps(fragment: str) -> list[str] | None:
    """Of "#/a/b" the names; None of what is no pointer into the same document."""
    if fragment != "#" and not fragment.startswith("#/"):
        return None
    return [unquote(step).replace("~1", "/").replace("~0", "~") for step in fragment.split("/")[1:]]


def found(document: Json, names: Sequence[str]) -> Json:
    """Raises KeyError when there is nothing there."""
    for name in names:
        if isinstance(document, dict) and name in document:
            document = document[name]
        elif isinstance(document, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(document):
            document = document[int(name)]
        else:
            raise KeyError(name)
    return document
