"""JSON as model_manifest.json is laid out: what fits on a line is on one, so that a diff shows what has changed."""

from __future__ import annotations

import json

WIDTH = 120


def laid_out(document: object) -> str:
    return _whole(document, "") + "\n"


def _whole(value: object, indent: str) -> str:
    """Opened: each member on a line of its own, or on several."""
    inner = indent + "  "
    match value:
        case dict() if value:
            lines = [f"{inner}{json.dumps(k)}: {_member(v, inner, len(json.dumps(k)) + 2)}" for k, v in value.items()]
            return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
        case list() if value:
            return "[\n" + ",\n".join(inner + _member(item, inner, 0) for item in value) + f"\n{indent}]"
        case _:
            return _line(value)


def _member(value: object, indent: str, before: int) -> str:
    """On one line where it fits, with the comma after it."""
    line = _line(value)
    return line if len(indent) + before + len(line) < WIDTH else _whole(value, indent)


def _line(value: object) -> str:
    match value:
        case dict() if value:
            return "{ " + ", ".join(f"{json.dumps(k)}: {_line(v)}" for k, v in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_line, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
