"""Which schemas may be asked for: what every engine can hold an answer to, and what we can check. docs/structured.md.

`check` refuses before anything runs and names the keyword. `normalised` gives the same schema as engines get it: fewer
documents, never others, in few forms: `$ref` into the root's `$defs`, `enum`, `anyOf`, or one `type` with its bounds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from pyapp.engine import Json
from pyapp.errors import SchemaUnsupported
from pyapp.structured import formats, numerals, pattern
from pyapp.structured.disjoint import are_disjoint
from pyapp.structured.endless import endless
from pyapp.structured.faults import canonical, first_fault
from pyapp.structured.keywords import (
    ALLOWED,
    ASSERTIONS,
    DEEPEST,
    FREE_ITEMS,
    FREE_TEXT,
    IMPLIED,
    KEYWORDS,
    LONGEST_TEXT,
    LONGEST_VALUES,
    MOST_BRANCHES,
    MOST_ITEMS,
    MOST_MEMBERS,
    MOST_SCHEMAS,
    SCALARS,
    UNIONS,
    UNSUPPORTED,
    is_plain,
)
from pyapp.structured.narrowing import fitted, is_writable
from pyapp.structured.pointer import Place, found, pointer, steps


def check(schema: Json) -> None:
    """Raises SchemaUnsupported: a keyword (or "false", or "" for what is no schema) and where it stands."""
    normalised(schema)


def normalised(schema: Json) -> Json:
    """As engines get it. The same as it is, when it comes from here. Raises SchemaUnsupported."""
    return _Normal(schema).document()


class _Normal:
    def __init__(self, root: Json) -> None:
        self._root = root
        self._count = 0
        self._names: dict[tuple[str, ...], str] = {}  # where a $ref leads -> its name in $defs
        self._waiting: list[tuple[str, ...]] = []
        self._defs: dict[str, Json] = {}
        self._places: dict[int, Place] = {}  # of the $refs that are written, by their id
        self._unions: list[tuple[list[Json], Place]] = []  # of oneOf

    def document(self) -> Json:
        root = self._schema(self._root, (), "")
        while self._waiting:
            target = self._waiting.pop()
            schema = self._schema(self._target(target), target, "$ref") if target else root
            self._defs[self._names[target]] = schema
        circle = endless(root, self._defs)
        if circle is not None:
            _refuse("$ref", self._places[id(circle)], ())
        for branches, at in self._unions:
            if not are_disjoint(branches, self._defs):
                _refuse("oneOf", at)
        if () in self._names:
            root = {"$ref": "#/$defs/" + self._names[()]}
        return {**root, "$defs": self._defs} if self._defs else root

    # One schema

    def _schema(self, schema: Json, at: Place, keyword: str) -> Json:
        """What `schema`, which `keyword` has led to, is in normal form."""
        self._counted(at, keyword)
        if schema is True:
            schema = {}
        if schema is False:
            _refuse("false", at, ())
        if not isinstance(schema, dict):
            _refuse("", at, ())
        self._keywords(schema, at)
        if "$ref" in schema:
            return self._ref(schema, at)
        if "const" in schema or "enum" in schema:
            return self._values(schema, at)
        unions = [union for union in UNIONS if union in schema]
        if unions:
            return self._union(schema, unions[0], at)
        return self._typed(schema, at)

    def _counted(self, at: Place, keyword: str) -> None:
        self._count += 1
        if len(at) >= DEEPEST or self._count > MOST_SCHEMAS:
            _refuse(keyword, at, ())

    def _keywords(self, schema: dict[str, Any], at: Place) -> None:
        for keyword in UNSUPPORTED:
            if keyword in schema:
                _refuse(keyword, at)
        if "$id" in schema and at:
            _refuse("$id", at)
        for keyword in ("$defs", "definitions", "properties"):
            if keyword in schema:
                self._members(schema[keyword], keyword, at, dict)
        for keyword, reader in ALLOWED.items():
            if keyword in schema and not reader(schema[keyword]):
                _refuse(keyword, at)

    def _members(self, value: Json, keyword: str, at: Place, kind: type[dict[str, Json] | list[Json]]) -> None:
        if not isinstance(value, kind) or len(value) > MOST_MEMBERS:
            _refuse(keyword, at)

    # $ref

    def _ref(self, schema: dict[str, Any], at: Place) -> Json:
        target = steps(schema["$ref"]) if isinstance(schema["$ref"], str) else None
        if target is None or ASSERTIONS & schema.keys() or len(self._names) > MOST_MEMBERS:
            _refuse("$ref", at)
        try:
            self._target(target)
        except KeyError:
            _refuse("$ref", at)
        ref = {"$ref": "#/$defs/" + self._name(tuple(target))}
        self._places[id(ref)] = (*at, "$ref")
        return ref

    def _target(self, target: Sequence[str]) -> Json:
        schema = found(self._root, target)
        if not isinstance(schema, dict | bool):
            raise KeyError("no schema")
        return schema

    def _name(self, target: tuple[str, ...]) -> str:
        if target not in self._names:
            last = target[-1] if target else "root"
            plain = last.isascii() and last.isidentifier() and len(last) < 40 and last not in self._names.values()
            self._names[target] = last if plain else f"ref-{len(self._names)}"
            self._waiting.append(target)
        return self._names[target]

    # const, enum

    def _values(self, schema: dict[str, Any], at: Place) -> Json:
        keyword = "const" if "const" in schema else "enum"
        values = [schema["const"]] if keyword == "const" else schema["enum"]
        self._members(values, keyword, at, list)
        if not all(map(is_plain, values)) or len(json.dumps(values)) > LONGEST_VALUES:
            _refuse(keyword, at)
        for other in (*UNIONS, *KEYWORDS["object"], *KEYWORDS["array"]):
            if other in schema:
                _refuse(other, at)
        self._typed(schema, at)
        bounds = {k: v for k, v in schema.items() if k != keyword}
        allowed = {canonical(v): v for v in values if first_fault(bounds, v) is None}
        if not allowed:
            _refuse(keyword, at)
        return {"enum": list(allowed.values())}

    # anyOf, oneOf, allOf

    def _union(self, schema: dict[str, Any], keyword: str, at: Place) -> Json:
        branches = schema[keyword]
        others = {k: v for k, v in schema.items() if k in ASSERTIONS and k != keyword}
        for other in UNIONS:
            if other in others:
                _refuse(other, at)
        self._members(branches, keyword, at, list)
        if not 0 < len(branches) <= (1 if keyword == "allOf" else MOST_BRANCHES):
            _refuse(keyword, at)
        normal = [
            self._schema(self._with(others, branch, keyword, at), (*at, keyword, index), keyword)
            for index, branch in enumerate(branches)
        ]
        if keyword == "oneOf":
            self._unions.append((normal, at))
        return normal[0] if len(normal) == 1 else {"anyOf": normal}

    def _with(self, others: dict[str, Any], branch: Json, keyword: str, at: Place) -> Json:
        """A branch and what stands beside the union, as one schema, where that is only to put them together."""
        if not others or isinstance(branch, bool):
            return branch if branch is not True else others
        mixed = ({"properties", "additionalProperties"}, {"prefixItems", "items"})
        keys = set(branch) if isinstance(branch, dict) else set()
        apart = any(others.keys() & pair and keys & pair for pair in mixed)
        if others.keys() & keys or apart or "$ref" in keys or not isinstance(branch, dict):
            _refuse(keyword, at)
        return {**others, **branch}

    # One type, or several

    def _typed(self, schema: dict[str, Any], at: Place) -> Json:
        types = self._types(schema, at)
        normal = [_BY_TYPE[kind](self, schema, at) for kind in types]
        return normal[0] if len(normal) == 1 else {"anyOf": normal}

    def _types(self, schema: dict[str, Any], at: Place) -> list[str]:
        if "type" not in schema:
            implied = [kind for kind in IMPLIED if any(keyword in schema for keyword in KEYWORDS[kind])]
            return implied or list(SCALARS)
        given = schema["type"]
        types = [given] if isinstance(given, str) else given
        if not isinstance(types, list) or not types or not all(isinstance(t, str) and t in KEYWORDS for t in types):
            _refuse("type", at)
        return [t for t in dict.fromkeys(types) if t != "integer" or "number" not in types]

    def _object(self, schema: dict[str, Any], at: Place) -> Json:
        named = {
            name: self._schema(member, (*at, "properties", name), "properties")
            for name, member in schema.get("properties", {}).items()
        }
        more: Json = schema.get("additionalProperties", True)
        required = list(dict.fromkeys(schema.get("required", [])))
        for index, name in enumerate(required):
            if name not in named:
                if more is False:
                    _refuse("required", at, ("required", index))
                named[name] = self._schema(more, (*at, "additionalProperties"), "additionalProperties")
        others: Json = False
        if more is not False and (more is not True or not named):
            others = self._schema(more, (*at, "additionalProperties"), "additionalProperties")
        return {"type": "object", "properties": named, "required": required, "additionalProperties": others}

    def _array(self, schema: dict[str, Any], at: Place) -> Json:
        first = [
            self._schema(item, (*at, "prefixItems", index), "prefixItems")
            for index, item in enumerate(schema.get("prefixItems", []))
        ]
        rest = schema.get("items", True)
        least, most = int(schema.get("minItems", 0)), schema.get("maxItems")
        if rest is False:
            most = min(len(first), len(first) if most is None else most)
        most = max(least, FREE_ITEMS, len(first)) if most is None else min(int(most), MOST_ITEMS)
        if least > min(most, MOST_ITEMS):
            _refuse("minItems", at)
        normal = {"type": "array", "minItems": least, "maxItems": most}
        if first:
            normal["prefixItems"] = first
        if most > len(first):
            normal["items"] = self._schema(rest, (*at, "items"), "items")
        elif first:
            normal["items"] = False
        return normal

    def _string(self, schema: dict[str, Any], at: Place) -> Json:
        least = int(schema.get("minLength", 0))
        most = int(schema.get("maxLength", max(least, FREE_TEXT)))
        if least > min(most, FREE_TEXT):
            _refuse("minLength", at)
        bounds = {"minLength": least} if least else {}
        normal = {"type": "string", **bounds, "maxLength": min(most, LONGEST_TEXT)}
        if "format" in schema and ("pattern" in schema or schema["format"] not in formats.PATTERNS):
            _refuse("format", at)
        for keyword in ("pattern", "format"):
            if keyword in schema:
                normal[keyword] = schema[keyword]
                self._fitting(schema[keyword], keyword, least, most, at)
        return normal

    def _fitting(self, what: str, keyword: str, least: int, most: int, at: Place) -> None:
        node = pattern.parsed(what if keyword == "pattern" else formats.PATTERNS[what])
        if not is_writable(node):
            _refuse(keyword, at)
        if fitted(node, least, LONGEST_TEXT) is None:
            _refuse("minLength", at)
        if fitted(node, least, most) is None:
            _refuse("maxLength", at)

    def _number(self, schema: dict[str, Any], at: Place) -> Json:
        bounds = {keyword: schema[keyword] for keyword in KEYWORDS["number"] if keyword in schema}
        if bounds and not numerals.real_range(bounds):
            _refuse(next(iter(bounds)), at)
        return {"type": "number", **bounds}

    def _integer(self, schema: dict[str, Any], at: Place) -> Json:
        bounds = {keyword: schema[keyword] for keyword in KEYWORDS["integer"] if keyword in schema}
        low, high = numerals.whole_range(bounds)
        if low > high:
            _refuse(next(iter(bounds)), at)
        return {"type": "integer"} | ({"minimum": low, "maximum": high} if bounds else {})


_BY_TYPE: Mapping[str, Callable[[_Normal, dict[str, Any], Place], Json]] = {
    "object": _Normal._object,
    "array": _Normal._array,
    "string": _Normal._string,
    "number": _Normal._number,
    "integer": _Normal._integer,
    "boolean": lambda _normal, _schema, _at: {"type": "boolean"},
    "null": lambda _normal, _schema, _at: {"type": "null"},
}


def _refuse(keyword: str, at: Place, more: Place | None = None) -> NoReturn:
    raise SchemaUnsupported(keyword=keyword, pointer=pointer((*at, *((keyword,) if more is None else more))))
