"""Schemas of every kind that is supported, drawn by Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pyapp.errors import SchemaUnsupported
from pyapp.structured import subset

NAMES = st.sampled_from(("a", "b", "ab", "name", 'say "so"', "a\\b", "ñandú", "日"))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(("", "yes", "no", "ü", 'a "b"')))
PATTERNS = st.sampled_from((r"^[a-z]{2,4}$", r"\d", "^a|b$", r"^(\w+-)*x?$", r'^["\\]$', "^[^a]*$", r"^\s?\S$", "^é+$"))


def limits(low: str, high: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """One bound, both in the right order, or none."""
    both = st.tuples(values, values).map(sorted).map(lambda pair: {low: pair[0], high: pair[1]})
    return st.one_of(st.just({}), both, values.map(lambda v: {low: v}), values.map(lambda v: {high: v}))


whole = limits("minimum", "maximum", st.integers(-1200, 1200)).map(lambda bounds: {"type": "integer", **bounds})
real = limits("minimum", "maximum", st.integers(-4000, 4000).map(lambda n: n / 1000)).map(
    lambda bounds: {"type": "number", **bounds}
)
texts = limits("minLength", "maxLength", st.integers(0, 12)).map(lambda bounds: {"type": "string", **bounds})
patterns = PATTERNS.map(lambda pattern: {"type": "string", "pattern": pattern, "maxLength": 9})
formats = st.sampled_from(("date", "time", "date-time", "email", "uuid", "ipv4", "uri")).map(
    lambda name: {"type": "string", "format": name}
)
values = st.lists(st.one_of(SCALARS, st.lists(SCALARS, max_size=2)), min_size=1, max_size=4).map(lambda v: {"enum": v})
scalars = st.one_of(
    whole, real, texts, patterns, formats, values, st.sampled_from(({"type": "boolean"}, {"type": "null"}, True, {}))
)


def lists(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    sizes = limits("minItems", "maxItems", st.integers(0, 3))
    rows = st.fixed_dictionaries({}, optional={"prefixItems": st.lists(inner, min_size=1, max_size=2), "items": inner})
    return st.tuples(sizes, rows).map(lambda both: {"type": "array", **both[0], **both[1]})


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> Any:
    properties = draw(st.dictionaries(NAMES, inner, max_size=3))
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if draw(st.booleans()):
        schema["additionalProperties"] = draw(st.one_of(st.booleans(), inner))
    schema["required"] = [name for name in properties if draw(st.booleans())]
    return schema


def unions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches})


trees = st.recursive(scalars, lambda inner: st.one_of(lists(inner), objects(inner), unions(inner)), max_leaves=6)


@st.composite
def _recursive(draw: st.DrawFn) -> Any:
    """With a definition that may lead to itself."""
    node = {"type": "object", "properties": {"of": draw(trees), "next": {"$ref": "#/$defs/node"}}, "required": ["of"]}
    return {"$defs": {"node": node}, "type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2}


schemas = st.one_of(trees, _recursive())


def is_supported(schema: Any) -> bool:
    """Some of these contradict themselves: a union of bounds, a pattern that leaves too little."""
    try:
        subset.check(schema)
    except SchemaUnsupported:
        return False
    return True


json_values = st.recursive(
    st.one_of(SCALARS, st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False), st.integers()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
    max_leaves=12,
)
