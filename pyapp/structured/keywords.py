"""The keywords: which there are, what their values may be, how much of them there may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyapp.engine import Json
from pyapp.structured import pattern

DEEPEST = 64  # steps of the pointer to a schema
MOST_SCHEMAS = 2000
MOST_MEMBERS = 500  # names of properties, values of an enum, definitions
MOST_BRANCHES = 100
LONGEST_VALUES = 20_000  # characters of an enum, written as JSON
MOST_ITEMS = 1000
LONGEST_TEXT = 20_000  # characters
FREE_TEXT = 4000  # characters of a string without maxLength
FREE_ITEMS = 100  # of an array without maxItems

# Unknown words are annotations, as the specification has it. These are known, and not supported.
UNSUPPORTED = (
    "$dynamicRef",
    "$recursiveRef",
    "$anchor",
    "$dynamicAnchor",
    "$recursiveAnchor",
    "$vocabulary",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
    "dependencies",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "additionalItems",
    "contains",
    "minContains",
    "maxContains",
    "uniqueItems",
    "multipleOf",
)

KEYWORDS = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "boolean": (),
    "null": (),
}
IMPLIED = ("object", "array", "string", "number")  # the types that a keyword without a type means
UNIONS = ("anyOf", "oneOf", "allOf")
ASSERTIONS = frozenset({"type", "enum", "const", *UNIONS, *(k for keywords in KEYWORDS.values() for k in keywords)})

# What stands for any value: a small model given the choice of everything would nest for ever.
SCALARS = ("string", "number", "boolean", "null")


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e300 < value < 1e300


def _is_count(value: Json) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_schema(value: Json) -> bool:
    return isinstance(value, dict | bool)


def _is_list(value: Json) -> bool:
    return isinstance(value, list) and 0 < len(value) <= MOST_MEMBERS


def _is_pattern(value: Json) -> bool:
    try:
        return isinstance(value, str) and bool(pattern.parsed(value))
    except pattern.NotRegular:
        return False


def _are_names(value: Json) -> bool:
    return isinstance(value, list) and len(value) <= MOST_MEMBERS and all(isinstance(name, str) for name in value)


ALLOWED: Mapping[str, Callable[[Json], bool]] = {
    **dict.fromkeys(KEYWORDS["number"], _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _is_count),
    **dict.fromkeys(("items", "additionalProperties"), _is_schema),
    "prefixItems": _is_list,
    "required": _are_names,
    "pattern": _is_pattern,
    "format": lambda value: isinstance(value, str),
}


def is_plain(value: Json, depth: int = 0) -> bool:
    """JSON that can be written, and not deep."""
    match value:
        case None | bool():
            return True
        case int() | float():
            return _is_number(value)
        case str():
            return value.isprintable() or not any("\ud800" <= character <= "\udfff" for character in value)
        case list():
            return depth < 8 and all(is_plain(item, depth + 1) for item in value)
        case dict():
            return depth < 8 and all(is_plain(n, depth) and is_plain(m, depth + 1) for n, m in value.items())
        case _:
            return False
