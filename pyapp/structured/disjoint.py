"""Whether no value can be of two branches of a oneOf, in normal form. What cannot be seen easily is not so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from pyapp.structured.endless import name_of
from pyapp.structured.faults import canonical, type_of

Json = Any
Defs = Mapping[str, Json]

DEEPEST = 3  # a discriminator is not far down
MOST_KINDS = 100  # of a branch that is a union itself


def are_disjoint(branches: Sequence[Json], defs: Defs) -> bool:
    return all(_apart(a, b, defs, 0) for a, b in combinations(branches, 2))


def _apart(a: Json, b: Json, defs: Defs, depth: int) -> bool:
    kinds_a, kinds_b = list(_kinds(a, defs)), list(_kinds(b, defs))
    if depth > DEEPEST or max(len(kinds_a), len(kinds_b)) > MOST_KINDS:
        return False
    return all(_are_apart(x, y, defs, depth) for x in kinds_a for y in kinds_b)


def _kinds(schema: Json, defs: Defs) -> Iterator[Json]:
    """What it is a union of."""
    waiting, seen = [schema], set()
    while waiting:
        schema = waiting.pop()
        if "$ref" in schema:
            if name_of(schema) not in seen:
                seen.add(name_of(schema))
                waiting.append(defs[name_of(schema)])
        elif "anyOf" in schema:
            waiting.extend(schema["anyOf"])
        else:
            yield schema


def _are_apart(a: Json, b: Json, defs: Defs, depth: int) -> bool:
    if _types(a).isdisjoint(_types(b)):
        return True
    if "enum" in a and "enum" in b:
        return set(map(canonical, a["enum"])).isdisjoint(map(canonical, b["enum"]))
    if a.get("type") == b.get("type") == "object":
        return (_needs_another(a, b) and _needs_another(b, a)) or _differ_in_one(a, b, defs, depth)
    return False


def _types(schema: Json) -> set[str]:
    types = {type_of(value) for value in schema["enum"]} if "enum" in schema else {schema["type"]}
    return {"number" if name == "integer" else name for name in types}


def _needs_another(a: Json, b: Json) -> bool:
    """Something must be in `a` that is never written into a `b`."""
    return b["additionalProperties"] is False and any(name not in b["properties"] for name in a["required"])


def _differ_in_one(a: Json, b: Json, defs: Defs, depth: int) -> bool:
    return any(
        _apart(a["properties"][name], b["properties"][name], defs, depth + 1)
        for name in a["required"]
        if name in b["required"]
    )
