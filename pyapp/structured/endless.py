"""A $ref that leads back to itself before anything is written, or so that no document ever ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from itertools import chain
from typing import Any

Json = Any
Defs = Mapping[str, Json]


def name_of(ref: Json) -> str:
    name: str = ref["$ref"].removeprefix("#/$defs/")
    return name


def endless(root: Json, defs: Defs) -> Json | None:
    """The $ref (the object itself) that closes the circle, of schemas in normal form."""
    ending = _ending(defs)
    unending = {name: defs[name] for name in defs if name not in ending}
    return _circle(root, defs, _at_once) or _circle(root, unending, lambda schema: _needed(schema, ending))


def _at_once(schema: Json) -> Iterator[Json]:
    """The $refs that may stand where the schema stands."""
    if "$ref" in schema:
        yield schema
    for branch in schema.get("anyOf", ()):
        yield from _at_once(branch)


def _needed(schema: Json, ending: Set[str]) -> Iterator[Json]:
    """The $refs to what is not in `ending` without which there is no document."""
    if "$ref" in schema:
        if name_of(schema) not in ending:
            yield schema
    elif "anyOf" in schema:
        needed = [list(_needed(branch, ending)) for branch in schema["anyOf"]]
        yield from chain.from_iterable(needed if all(needed) else ())
    else:
        for inner in _members(schema):
            yield from _needed(inner, ending)


def _members(schema: Json) -> Iterator[Json]:
    """What every document of it has in it."""
    for name in schema.get("required", ()):
        yield schema["properties"][name]
    least = schema.get("minItems", 0)
    first = schema.get("prefixItems", [])
    yield from first[:least]
    if least > len(first):
        yield schema["items"]


def _ending(defs: Defs) -> set[str]:
    """Names of what has a document that ends."""
    ending: set[str] = set()
    before = -1
    while before != len(ending):
        before = len(ending)
        for name in defs.keys() - ending:
            if not any(_needed(defs[name], ending)):
                ending.add(name)
    return ending


def _circle(root: Json, defs: Defs, refs: Callable[[Json], Iterator[Json]]) -> Json | None:
    """Depth first, without recursion: a chain may be long."""
    done: set[str] = set()
    for start, schema in [("", root), *defs.items()]:
        way = {start: iter(()) if start in done else refs(schema)}
        while way:
            name = next(reversed(way))
            ref = next(way[name], None)
            if ref is None:
                del way[name]
                done.add(name)
            elif name_of(ref) in way:
                return ref
            elif name_of(ref) not in done:
                way[name_of(ref)] = refs(defs[name_of(ref)])
    return None
