"""What of a JSON value a schema does not allow. The schema is one that `subset.check` has let through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyapp.engine import Json
from pyapp.structured import formats, pattern
from pyapp.structured.pointer import Place, found, pointer, steps


@dataclass(frozen=True, slots=True)
class Fault:
    place: Place  # in the value
    wanted: str  # in English, for the model that is to mend it

    @property
    def pointer(self) -> str:
        return pointer(self.place)


def first_fault(schema: Json, value: Json, root: Json = None) -> Fault | None:
    return next(faults(schema, value, root), None)


def faults(schema: Json, value: Json, root: Json = None) -> Iterator[Fault]:
    """In the order of the value; what nests in something of the wrong type is not looked at.

    `root` is the schema that references lead into, when `schema` is a part of it.
    """
    yield from _Reader(schema if root is None else root).faults(schema, value, ())


def type_of(value: Json) -> str:
    """An integer is a number without a fraction, however it is written; true is none."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def is_of(value: Json, types: str | list[str]) -> bool:
    actual = type_of(value)
    return any(
        actual == t or (t == "number" and actual == "integer") for t in ([types] if isinstance(types, str) else types)
    )


def canonical(value: Json) -> str:
    """Equal for what JSON Schema calls equal: 1 and 1.0, objects in any order; not 1 and true."""
    return json.dumps(_canonical(value), sort_keys=True)


def _canonical(value: Json) -> Json:
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_canonical(item) for item in value]
        case dict():
            return {name: _canonical(member) for name, member in value.items()}
        case _:
            return value


class _Reader:
    def __init__(self, root: Json) -> None:
        self._root = root
        self._known: dict[tuple[int, Place], Fault | None] = {}

    def faults(self, schema: Json, value: Json, at: Place) -> Iterator[Fault]:
        if isinstance(schema, bool):
            if not schema:
                yield Fault(at, "must not be there")
            return
        if "type" in schema and not is_of(value, schema["type"]):
            types = schema["type"]
            yield Fault(at, f"must be of type {types if isinstance(types, str) else ' or '.join(types)}")
            return
        for keyword, check in self._general.items():
            if keyword in schema:
                yield from check(self, schema[keyword], value, at)
        match value:
            case str():
                yield from _of_text(schema, value, at)
            case bool() | None:
                pass
            case int() | float():
                yield from _of_number(schema, value, at)
            case list():
                yield from self._of_list(schema, value, at)
            case _:
                yield from self._of_object(schema, value, at)

    def _ref(self, target: str, value: Json, at: Place) -> Iterator[Fault]:
        yield from self.faults(found(self._root, steps(target) or []), value, at)

    def _const(self, wanted: Json, value: Json, at: Place) -> Iterator[Fault]:
        yield from self._enum([wanted], value, at)

    def _enum(self, allowed: list[Json], value: Json, at: Place) -> Iterator[Fault]:
        if canonical(value) not in map(canonical, allowed):
            yield Fault(at, "must be " + " or ".join(json.dumps(v, ensure_ascii=False) for v in allowed[:20]))

    def _all_of(self, schemas: list[Json], value: Json, at: Place) -> Iterator[Fault]:
        for schema in schemas:
            yield from self.faults(schema, value, at)

    def _any_of(self, schemas: list[Json], value: Json, at: Place) -> Iterator[Fault]:
        wrong = [fault for schema in schemas if (fault := self._first(schema, value, at))]
        if len(wrong) == len(schemas):
            yield max(wrong, key=lambda fault: len(fault.place))

    def _one_of(self, schemas: list[Json], value: Json, at: Place) -> Iterator[Fault]:
        yield from self._any_of(schemas, value, at)
        if sum(self._first(schema, value, at) is None for schema in schemas) > 1:
            yield Fault(at, "must be of exactly one of the kinds")

    def _first(self, schema: Json, value: Json, at: Place) -> Fault | None:
        """Looked for once: branches in branches would multiply."""
        key = (id(schema), at)
        if key not in self._known:
            self._known[key] = next(self.faults(schema, value, at), None)
        return self._known[key]

    _general: Mapping[str, Callable[[_Reader, Any, Json, Place], Iterator[Fault]]] = {
        "$ref": _ref,
        "const": _const,
        "enum": _enum,
        "allOf": _all_of,
        "anyOf": _any_of,
        "oneOf": _one_of,
    }

    def _of_list(self, schema: Json, value: list[Json], at: Place) -> Iterator[Fault]:
        if len(value) < schema.get("minItems", 0):
            yield Fault(at, f"must have at least {schema['minItems']} items")
        if "maxItems" in schema and len(value) > schema["maxItems"]:
            yield Fault(at, f"must have at most {schema['maxItems']} items")
        first = schema.get("prefixItems", [])
        for index, item in enumerate(value):
            of_item = first[index] if index < len(first) else schema.get("items", True)
            yield from self.faults(of_item, item, (*at, index))

    def _of_object(self, schema: Json, value: dict[str, Json], at: Place) -> Iterator[Fault]:
        for name in schema.get("required", []):
            if name not in value:
                yield Fault(at, f"must have {json.dumps(name, ensure_ascii=False)}")
        named = schema.get("properties", {})
        for name, member in value.items():
            of_member = named[name] if name in named else schema.get("additionalProperties", True)
            yield from self.faults(of_member, member, (*at, name))


def _of_text(schema: Json, value: str, at: Place) -> Iterator[Fault]:
    if len(value) < schema.get("minLength", 0):
        yield Fault(at, f"must have at least {schema['minLength']} characters")
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield Fault(at, f"must have at most {schema['maxLength']} characters")
    if "pattern" in schema and not pattern.matcher(schema["pattern"]).matches(value):
        yield Fault(at, f"must match {schema['pattern']}")
    if "format" in schema and not formats.is_one(schema["format"], value):
        yield Fault(at, f"must be a valid {schema['format']}")


def _of_number(schema: Json, value: float, at: Place) -> Iterator[Fault]:
    if "minimum" in schema and value < schema["minimum"]:
        yield Fault(at, f"must be at least {schema['minimum']}")
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield Fault(at, f"must be more than {schema['exclusiveMinimum']}")
    if "maximum" in schema and value > schema["maximum"]:
        yield Fault(at, f"must be at most {schema['maximum']}")
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        yield Fault(at, f"must be less than {schema['exclusiveMaximum']}")
