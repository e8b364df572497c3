"""Values between the page and a task of the user's own, as JSON, by the types of their dataclasses.

A dataclass is an object that says its name in "is". Reading is strict, because what is read may have been made by
anybody: no member too few or too many, no other type, nothing that the page could not draw.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pyapp.engine import Json
from pyapp.tasks.blocks import Choice, Heading, Question, Table
from pyapp.tasks.task import Export, Field, Step

T = TypeVar("T")

MOST_ITEMS = 10_000  # of one list or object
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MIME = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,100}", re.ASCII)


class Fault(ValueError):
    """What is wrong, and where: a sentence for the task's author."""


def to_json(value: object) -> Json:
    """Raises Fault for what has no JSON form."""
    if is_dataclass(value) and not isinstance(value, type):
        members = {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
        return {"is": type(value).__name__, **members}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {str(key): to_json(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json(each) for each in value]
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    raise Fault(f"{value!r:.80} is not a JSON value")


def read(kind: type[T], value: Json, where: str = "it") -> T:
    """`value` as a `kind`. Raises Fault."""
    return _read(kind, value, where)  # type: ignore[no-any-return]


def read_all(kind: object, value: Json, where: str) -> tuple[Any, ...]:
    """A list of `kind`, which may be a union. Raises Fault."""
    if not isinstance(value, list):
        raise Fault(f"{where} must be a list")
    if len(value) > MOST_ITEMS:
        raise Fault(f"{where} has more than {MOST_ITEMS} items")
    return tuple(_read(kind, each, f"{where}[{index}]") for index, each in enumerate(value))


def _read(kind: Any, value: Json, where: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin is Literal:
        if value not in arguments:
            raise Fault(f"{where} must be one of {', '.join(map(str, arguments))}, not {value!r:.80}")
        return value
    if origin in (Union, UnionType):
        return _either(arguments, value, where)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(arguments[1], value, where)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return read_all(arguments[0], value, where)
    if is_dataclass(kind):
        return _dataclass(kind, value, where)
    return _scalar(kind, value, where)


def _either(kinds: tuple[Any, ...], value: Json, where: str) -> Any:
    if Any in kinds:
        return value
    named = {kind.__name__: kind for kind in kinds if isinstance(kind, type) and is_dataclass(kind)}
    if not named or (len(named) < len(kinds) and not isinstance(value, dict)):
        plain = [kind for kind in kinds if kind not in named.values()]
        return _read(next((each for each in plain if _fits(each, value)), plain[0]), value, where)
    if not isinstance(value, dict) or value.get("is") not in named:
        raise Fault(f"{where} must be one of {', '.join(named)}")
    return _dataclass(named[value["is"]], value, where)


def _mapping(kind: Any, value: Json, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Fault(f"{where} must be a dict")
    if len(value) > MOST_ITEMS:
        raise Fault(f"{where} has more than {MOST_ITEMS} members")
    return {key: _read(kind, each, f"{where}[{key!r:.80}]") for key, each in value.items()}


def _dataclass(kind: Any, value: Json, where: str) -> Any:
    if not isinstance(value, dict) or value.get("is") != kind.__name__:
        raise Fault(f"{where} must be a {kind.__name__}")
    hints = get_type_hints(kind)
    unknown = value.keys() - hints.keys() - {"is"}
    needed = {field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING}
    if wrong := sorted(unknown | (needed - value.keys())):
        raise Fault(f"{where}, a {kind.__name__}, must have exactly its members: {', '.join(wrong):.200}")
    read = {name: _read(hints[name], each, f"{where}.{name}") for name, each in value.items() if name != "is"}
    made = kind(**read)
    for what in CHECKS.get(kind, _nothing)(made):
        raise Fault(f"{where}{what}")
    return made


def _fits(kind: Any, value: Json) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _scalar(kind: Any, value: Json, where: str) -> Any:
    if kind is bytes and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise Fault(f"{where} is not base64: {error}") from error
    if kind is bytes or not _fits(kind, value):
        names = {str: "a text", int: "a whole number", float: "a number", bool: "True or False", NoneType: "None"}
        raise Fault(f"{where} must be {names.get(kind, 'base64')}, not {value!r:.80}")
    return value


# ---- what types do not say ----


def _nothing(_made: Any) -> Iterator[str]:
    return iter(())


def _heading(made: Heading) -> Iterator[str]:
    if not 3 <= made.level <= 6:
        yield f".level must be 3 to 6, not {made.level}"


def _table(made: Table) -> Iterator[str]:
    for index, row in enumerate(made.rows):
        if len(row) != len(made.columns):
            yield f".rows[{index}] has {len(row)} cells for {len(made.columns)} columns"


def _question(made: Question) -> Iterator[str]:
    for name, option in (("right", made.right), ("chosen", made.chosen)):
        if option is not None and not 0 <= option < len(made.options):
            yield f".{name} must be the index of one of the {len(made.options)} options, not {option}"


def _choice(made: Choice) -> Iterator[str]:
    if made.chosen not in made.options:
        yield f".chosen must be one of its options, not {made.chosen!r:.80}"


def _field(made: Field) -> Iterator[str]:
    if not NAME.fullmatch(made.name):
        yield f".name must be a short name in small letters, not {made.name!r:.80}"
    if made.kind == "choice" and made.default not in made.options:
        yield ".default must be one of its options"


def _step(made: Step) -> Iterator[str]:
    if made.fraction is not None and not 0 <= made.fraction <= 1:
        yield f".fraction must be in 0 to 1, not {made.fraction}"


def _export(made: Export) -> Iterator[str]:
    if not _MIME.fullmatch(made.type):
        yield f".type must be a MIME type, not {made.type!r:.80}"
    if not made.name.strip():
        yield ".name must not be empty"


CHECKS: dict[type, Callable[[Any], Iterator[str]]] = {
    Heading: _heading,
    Table: _table,
    Question: _question,
    Choice: _choice,
    Field: _field,
    Step: _step,
    Export: _export,
}
