"""What is asked for before a task begins: what was typed becomes what is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyapp.engine import Json
from pyapp.errors import BadInput
from pyapp.tasks.task import Field, Given

Typed = Mapping[str, Json]  # by the field's name: str, of a check bool, of a file {"name", "pages"} or None

LONGEST_LINE = 1_000  # characters, where a field says nothing else
LONGEST_TEXT = 2_000_000


def defaults(fields: Sequence[Field]) -> Typed:
    return {field.name: _default(field) for field in fields}


def given(fields: Sequence[Field], typed: Typed) -> Given:
    """Raises BadInput for the first field that cannot be taken."""
    return {field.name: _READ[field.kind](field, typed.get(field.name, _default(field))) for field in fields}


def _default(field: Field) -> Json:
    match field.kind:
        case "file":
            return None
        case "check":
            return bool(field.default)
        case "choice":
            return field.default or field.options[0]
        case _:
            return str(field.default)


def _text(field: Field, value: Json) -> str:
    text = str(value or "")
    text = text if field.kind == "text" else " ".join(text.split())
    most = field.most or (LONGEST_TEXT if field.kind == "text" else LONGEST_LINE)
    if field.required and not text.strip():
        raise _bad(field, "required")
    if len(text) > most:
        raise _bad(field, "long", most=most, length=len(text))
    return text


def _number(field: Field, value: Json) -> int | None:
    try:
        number = int(str(value).strip())
    except ValueError:
        if field.required or str(value).strip():
            raise _number_wrong(field) from None
        return None
    low = field.least is not None and number < field.least
    if low or (field.most is not None and number > field.most):
        raise _number_wrong(field)
    return number


def _number_wrong(field: Field) -> BadInput:
    if field.least is None or field.most is None:
        return _bad(field, "number")
    return _bad(field, "between", least=field.least, most=field.most)


def _choice(field: Field, value: Json) -> str:
    if value not in field.options:
        raise _bad(field, "required")
    return str(value)


def _check(_field: Field, value: Json) -> bool:
    return bool(value)


def _file(field: Field, value: Json) -> Json:
    if field.required and not value:
        raise _bad(field, "file")
    return value


def _bad(field: Field, why: str, **values: Json) -> BadInput:
    return BadInput(field=field.name, why=f"tasks.wrong.{why}", **values)


_READ: Mapping[str, Callable[[Field, Any], Json]] = {
    "line": _text,
    "text": _text,
    "number": _number,
    "choice": _choice,
    "check": _check,
    "file": _file,
}
