"""A document out of an answer that is nearly one, by what is certain and nothing else.

Fences and words around it, commas too many and what was cut off are seen to by reading (`partial.Growth`). Then a value
is turned into what its schema asks for where only one thing can be meant: "3" where a number is wanted, "Yes" for
one of "yes" and "no". A member that must not be there goes; a text without a pattern that is too long is cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from pyapp.engine import Json
from pyapp.structured.faults import Fault, first_fault, is_of
from pyapp.structured.partial import Growth
from pyapp.structured.pointer import found, steps

MOST_STARTS = 8  # brackets in the words before a document
LONGEST_SCALAR = 400  # characters
NO_DOCUMENT = Fault((), "must be one JSON document")

_START = re.compile(r"[\[{]")
_NUMERAL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,14})?")
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}


def mended(schema: Json, text: str, *, cut: bool) -> tuple[Json, Fault | None]:
    """The document that is in `text` and None; or None and what is wrong with the likeliest. `cut`: it has no end."""
    likeliest: Fault | None = None
    for value in _candidates(text, cut):
        document = coerced(schema, value)
        fault = first_fault(schema, document)
        if fault is None:
            return document, None
        likeliest = likeliest or fault
    return None, likeliest or NO_DOCUMENT


def _candidates(text: str, cut: bool) -> Iterator[Json]:
    growth = Growth()
    growth.feed(text)
    if not growth.complete and not cut:
        yield from _scalar(text)
    yield from growth.values()
    for start in islice(_START.finditer(text), 1, MOST_STARTS):
        growth = Growth()
        growth.feed(text[start.start() :])
        yield from growth.values()


def _scalar(text: str) -> Iterator[Json]:
    """Where the whole answer is a number or a word."""
    bare = text.strip("` \n").removeprefix("json").strip()
    with suppress(ValueError):
        if len(bare) < LONGEST_SCALAR and bare[:1] not in ("[", "{"):
            yield json.loads(bare)


def coerced(schema: Json, value: Json) -> Json:
    """`value`, or what it was certainly meant to be."""
    return _Coercion(schema).of(schema, value)


class _Coercion:
    def __init__(self, root: Json) -> None:
        self._root = root
        self._known: dict[tuple[int, int], Json] = {}

    def of(self, schema: Json, value: Json) -> Json:
        """Looked for once: branches in branches would multiply."""
        key = (id(schema), id(value))
        if key not in self._known:
            self._known[key] = self._of(schema, value)
        return self._known[key]

    def _of(self, schema: Json, value: Json) -> Json:
        if isinstance(schema, bool):
            return value
        if "$ref" in schema:
            return self.of(found(self._root, steps(schema["$ref"]) or []), value)
        for union in ("anyOf", "oneOf", "allOf"):
            if union in schema:
                return self._of_union(schema[union], value)
        if "const" in schema or "enum" in schema:
            return _one_of(schema.get("enum", [schema.get("const")]), value)
        return self._inside(schema, _typed(schema, value))

    def _of_union(self, branches: list[Json], value: Json) -> Json:
        """Of the first branch that takes it."""
        for branch in branches:
            meant = self.of(branch, value)
            if first_fault(branch, meant, self._root) is None:
                return meant
        return value

    def _inside(self, schema: Json, value: Json) -> Json:
        match value:
            case str():
                return _text(schema, value)
            case list():
                return [self.of(_of_item(schema, index), item) for index, item in enumerate(value)]
            case dict():
                return {
                    name: self.of(_of_member(schema, name), member)
                    for name, member in value.items()
                    if _may_stay(schema, name, member)
                }
            case _:
                return value


def _of_item(schema: Json, index: int) -> Json:
    first = schema.get("prefixItems", [])
    return first[index] if index < len(first) else schema.get("items", True)


def _of_member(schema: Json, name: str) -> Json:
    named = schema.get("properties", {})
    return named[name] if name in named else schema.get("additionalProperties", True)


def _may_stay(schema: Json, name: str, member: Json) -> bool:
    """What must not be there goes, and a null for what may be missing."""
    wanted = _of_member(schema, name)
    if wanted is False or name in schema.get("required", []):
        return wanted is not False
    return member is not None or not isinstance(wanted, dict) or is_of(None, wanted.get("type", "null"))


def _one_of(allowed: list[Json], value: Json) -> Json:
    if value in allowed:
        return value
    meant = [one for one in allowed if _likeness(one) == _likeness(value)]
    return meant[0] if len(meant) == 1 else value


def _likeness(value: Json) -> str:
    return (value if isinstance(value, str) else json.dumps(value)).strip(" \n.,;:!\"'").casefold()


def _typed(schema: Json, value: Json) -> Json:
    """A scalar of the type that is wanted, where it is only written as another."""
    wanted = schema.get("type", [])
    if not wanted or is_of(value, wanted) or isinstance(value, list | dict):
        return value
    if not isinstance(value, str):
        return json.dumps(value) if value is not None and is_of("", wanted) else value
    bare = value.strip()
    meant = _WORDS.get(bare.casefold(), json.loads(bare) if _NUMERAL.fullmatch(bare) else value)
    return meant if is_of(meant, wanted) else value


def _text(schema: Json, text: str) -> str:
    if "pattern" in schema or "format" in schema:
        return text if first_fault(schema, text) is None else text.strip()
    most = schema.get("maxLength", len(text))
    if len(text) <= most:
        return text
    words = text[: int(most) + 1].rpartition(" ")[0].rstrip()
    return words if len(words) > most / 2 else text[: int(most)]
