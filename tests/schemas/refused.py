"""What must be refused before anything runs: (schema, the keyword that is named, the pointer to where it stands)."""

from __future__ import annotations

from typing import Any

from tests.schemas.corpus import arr, obj, ref

Refusal = tuple[Any, str, str]


def deep(levels: int) -> Any:
    schema: Any = {"type": "integer"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


NO_SCHEMA: tuple[Refusal, ...] = (
    ([], "", ""),
    ("string", "", ""),
    (1, "", ""),
    (None, "", ""),
    (False, "false", ""),
    (obj(a=7), "", "/properties/a"),
    (obj(a=False), "false", "/properties/a"),
)

CYCLES: tuple[Refusal, ...] = (
    ({"$ref": "#"}, "$ref", "/$ref"),
    ({"$defs": {"a": ref("a")}, "$ref": "#/$defs/a"}, "$ref", "/$defs/a/$ref"),
    ({"$defs": {"a": ref("b"), "b": ref("a")}} | obj(x=ref("a")), "$ref", "/$defs/b/$ref"),
    ({"anyOf": [{"$ref": "#"}, {"type": "null"}]}, "$ref", "/anyOf/0/$ref"),
    ({"allOf": [{"$ref": "#"}]}, "$ref", "/allOf/0/$ref"),
    (obj(me={"$ref": "#"}), "$ref", "/properties/me/$ref"),  # every document of it is endless
    (arr({"$ref": "#"}, 1, 2), "$ref", "/items/$ref"),
    ({"anyOf": [obj(a={"$ref": "#"}), obj(b={"$ref": "#"})]}, "$ref", "/anyOf/0/properties/a/$ref"),
    (
        {"$defs": {"a": obj(b=ref("b")), "b": obj(a=ref("a"))}, "$ref": "#/$defs/a"},
        "$ref",
        "/$defs/b/properties/a/$ref",
    ),
)

REFERENCES: tuple[Refusal, ...] = (
    ({"$ref": "https://example.org/person.json"}, "$ref", "/$ref"),
    ({"$ref": "person.json#/a"}, "$ref", "/$ref"),
    ({"$ref": "#person"}, "$ref", "/$ref"),
    ({"$ref": "#/$defs/nobody"}, "$ref", "/$ref"),
    ({"$ref": 7}, "$ref", "/$ref"),
    ({"$ref": "#/$defs/a", "$defs": {"a": True}, "maxLength": 3}, "$ref", "/$ref"),
    ({"$ref": "#/title", "title": "no schema"}, "$ref", "/$ref"),
    ({"$dynamicRef": "#a"}, "$dynamicRef", "/$dynamicRef"),
    ({"$recursiveRef": "#"}, "$recursiveRef", "/$recursiveRef"),
    ({"$anchor": "a"}, "$anchor", "/$anchor"),
    (obj(a={"$id": "https://example.org/a"}), "$id", "/properties/a/$id"),
)

CONTRADICTIONS: tuple[Refusal, ...] = (
    ({"type": "integer", "minimum": 5, "maximum": 4}, "minimum", "/minimum"),
    ({"type": "number", "minimum": 1, "exclusiveMaximum": 1}, "minimum", "/minimum"),
    ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, "exclusiveMinimum", "/exclusiveMinimum"),
    ({"type": "integer", "minimum": 1.2, "maximum": 1.8}, "minimum", "/minimum"),
    ({"type": "string", "minLength": 3, "maxLength": 2}, "minLength", "/minLength"),
    ({"type": "array", "minItems": 3, "maxItems": 2}, "minItems", "/minItems"),
    ({"type": "array", "prefixItems": [True], "items": False, "minItems": 2}, "minItems", "/minItems"),
    ({"type": "object", "properties": {"a": False}, "required": ["a"]}, "false", "/properties/a"),
    ({"type": "object", "required": ["a"], "additionalProperties": False}, "required", "/required/0"),
    ({"type": "object", "properties": {"a": True, "b": False}}, "false", "/properties/b"),
    ({"enum": []}, "enum", "/enum"),
    ({"enum": [1, 2], "type": "string"}, "enum", "/enum"),
    ({"const": 1, "enum": [2, 3]}, "const", "/const"),
    ({"const": "abc", "type": "integer"}, "const", "/const"),
    ({"const": "abc", "maxLength": 2}, "const", "/const"),
    ({"enum": ["abc"], "pattern": "^x"}, "enum", "/enum"),
    ({"anyOf": []}, "anyOf", "/anyOf"),
    ({"anyOf": [False, True]}, "false", "/anyOf/0"),
    ({"type": []}, "type", "/type"),
    ({"type": "string", "pattern": "^a{3}$", "maxLength": 2}, "maxLength", "/maxLength"),
    ({"type": "string", "pattern": "^a?$", "minLength": 2}, "minLength", "/minLength"),
)

PATTERNS: tuple[Refusal, ...] = tuple(
    ({"type": "string", "pattern": pattern}, "pattern", "/pattern")
    for pattern in (
        "(",
        "[a",
        "a**",
        "*",
        "a{2,1}",
        "\\",
        "[z-a]",
        "(?=a)b",
        "(?!a)b",
        "(?<=a)b",
        "(?<!a)b",
        r"(a)\1",
        r"(?<n>a)\k<n>",
        r"\bword\b",
        r"\p{L}",
        "(a$)b",
        "a{1,100000}",
        "((a{100}){100}){100}",
        "x)",
        "(" * 100 + ")" * 100,
        "a" * 20_000,
        7,
    )
)

KEYWORDS: tuple[Refusal, ...] = tuple(
    ({"type": kind, keyword: value}, keyword, f"/{keyword}")
    for kind, keyword, value in (
        ("array", "uniqueItems", True),
        ("array", "contains", {"type": "integer"}),
        ("array", "minContains", 1),
        ("array", "maxContains", 1),
        ("array", "unevaluatedItems", False),
        ("array", "additionalItems", False),
        ("object", "patternProperties", {"^a": True}),
        ("object", "propertyNames", {"maxLength": 3}),
        ("object", "minProperties", 1),
        ("object", "maxProperties", 3),
        ("object", "dependentSchemas", {"a": True}),
        ("object", "dependentRequired", {"a": ["b"]}),
        ("object", "dependencies", {"a": ["b"]}),
        ("object", "unevaluatedProperties", False),
        ("integer", "multipleOf", 2),
        ("integer", "not", {"const": 0}),
        ("integer", "if", {"minimum": 0}),
        ("integer", "then", {"minimum": 0}),
        ("integer", "else", {"minimum": 0}),
        ("string", "format", "iri-reference"),
        ("string", "format", "made-up"),
        ("integer", "allOf", [{"minimum": 0}, {"maximum": 3}]),
        ("integer", "oneOf", [{"minimum": 0}, {"maximum": 3}]),
    )
)

COMBINATIONS: tuple[Refusal, ...] = (
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "oneOf", "/oneOf"),
    ({"oneOf": [obj(a={"type": "string"}), obj(a={"type": "string"})]}, "oneOf", "/oneOf"),
    ({"oneOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]}, "oneOf", "/oneOf"),
    ({"anyOf": [{"type": "integer"}], "oneOf": [{"type": "integer"}]}, "oneOf", "/oneOf"),
    ({"type": "string", "pattern": "^a", "format": "date"}, "format", "/format"),
    (obj(**{'a"b': True}) | {"properties": {"ok": {"not": {}}}}, "not", "/properties/ok/not"),
    (
        obj(a={"type": "array", "items": {"type": "integer", "multipleOf": 5}}),
        "multipleOf",
        "/properties/a/items/multipleOf",
    ),
)

WRONG_VALUES: tuple[Refusal, ...] = tuple(
    ({"type": kind, keyword: value}, keyword, f"/{keyword}")
    for kind, keyword, value in (
        ("integer", "minimum", "1"),
        ("integer", "minimum", True),
        ("integer", "exclusiveMaximum", True),  # draft 4
        ("string", "maxLength", -1),
        ("string", "minLength", 1.5),
        ("string", "format", 3),
        ("array", "items", [True]),  # draft 7
        ("array", "items", "x"),
        ("array", "prefixItems", {}),
        ("array", "prefixItems", []),
        ("array", "minItems", None),
        ("object", "properties", []),
        ("object", "required", "a"),
        ("object", "required", [1]),
        ("object", "additionalProperties", "no"),
        ("string", "enum", "abc"),
        ("string", "anyOf", {}),
        ("string", "$defs", []),
    )
)

WRONG: tuple[Refusal, ...] = (
    ({"type": "text"}, "type", "/type"),
    ({"type": 3}, "type", "/type"),
    ({"type": ["string", "text"]}, "type", "/type"),
    ({"type": "integer", "minimum": float("inf")}, "minimum", "/minimum"),
    ({"const": float("nan")}, "const", "/const"),
)

BOMBS: tuple[Refusal, ...] = (
    ({"enum": [f"value {n}" for n in range(10_000)]}, "enum", "/enum"),
    ({"enum": ["x" * 100_000]}, "enum", "/enum"),
    ({"const": "x" * 100_000}, "const", "/const"),
    ({"type": "array", "minItems": 10**9}, "minItems", "/minItems"),
    ({"type": "string", "minLength": 10**9}, "minLength", "/minLength"),
    (obj(**{f"p{n}": True for n in range(5_000)}), "properties", "/properties"),
    ({"anyOf": [{"const": n} for n in range(5_000)]}, "anyOf", "/anyOf"),
    (deep(5_000), "items", "/items" * 64),
    ({"$defs": {f"d{n}": {"type": "string", "maxLength": n} for n in range(5_000)}, "type": "null"}, "$defs", "/$defs"),
)


REFUSALS: tuple[Refusal, ...] = (
    *NO_SCHEMA,
    *CYCLES,
    *REFERENCES,
    *CONTRADICTIONS,
    *PATTERNS,
    *KEYWORDS,
    *COMBINATIONS,
    *WRONG_VALUES,
    *WRONG,
    *BOMBS,
)
