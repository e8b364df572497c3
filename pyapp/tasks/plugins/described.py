"""What a task says of itself before anything is asked of it: kept with it, so that the list needs no worker."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyapp.engine import Json
from pyapp.errors import SchemaUnsupported
from pyapp.routing.needs import Needs
from pyapp.structured.subset import check
from pyapp.tasks.fields import defaults
from pyapp.tasks.plugins import wire
from pyapp.tasks.plugins.wire import NAME, Fault
from pyapp.tasks.task import Field, Strings, Task

_NAMED = re.compile(r"{([a-z_]+)}")
_ODD = re.compile(r"[{}]")


def names(sentence: str) -> set[str]:
    """The values that a sentence names."""
    return set(_NAMED.findall(sentence))


def with_english(strings: Strings) -> Strings:
    """Where a task has no English, its first language stands for it: whoever speaks none of its languages gets that."""
    return {"en": next(iter(strings.values())), **strings}


@dataclass(frozen=True, slots=True)
class Described:
    """`needs` is what the task says for a form that is not filled in."""

    name: str
    strings: Strings
    fields: Sequence[Field]
    exports: Sequence[str]
    schema: Json
    needs: Needs


def describe(task: Task) -> Described:
    """Raises Fault where the task lacks something."""
    for member in ("name", "strings", "fields", "exports", "schema"):
        if not hasattr(task, member):
            raise Fault(f"TASK has no {member!r}")
    for method in ("needs", "check", "title", "run", "act", "view", "export"):
        if not callable(getattr(task, method, None)):
            raise Fault(f"TASK has no method {method!r}")
    needs = task.needs(defaults(task.fields))
    return Described(task.name, task.strings, task.fields, task.exports, task.schema, needs)


def read(value: Json) -> Described:
    """Raises Fault."""
    found = wire.read(Described, value, "TASK")
    for what in _faults(found):
        raise Fault(what)
    return found


def _faults(found: Described) -> Iterator[str]:
    if not NAME.fullmatch(found.name):
        yield f"TASK.name must be a short name in small letters such as 'flash_cards', not {found.name!r:.80}"
    names = [field.name for field in found.fields]
    if len(set(names)) < len(names):
        yield "TASK.fields must have different names"
    for kind in found.exports:
        if not NAME.fullmatch(kind):
            yield f"TASK.exports must be short names in small letters, not {kind!r:.80}"
    yield from _schema(found.schema)
    if not found.strings:
        yield "TASK.strings must have at least one language, such as 'en'"
    yield from _missing_strings(found)
    for key, sentence in (each for sentences in found.strings.values() for each in sentences.items()):
        if _ODD.search(_NAMED.sub("", sentence)):
            yield f"in TASK.strings[{key!r:.80}] braces are only for {{names}} of values"


def _schema(schema: Json) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield "TASK.schema must be a JSON Schema, a dict"
    else:
        try:
            check(schema)
        except SchemaUnsupported as error:
            keyword, pointer = error.details["keyword"], error.details["pointer"]
            yield f"TASK.schema has {keyword!r} at '#{pointer}', which is not supported"


def _missing_strings(found: Described) -> Iterator[str]:
    wanted = set(_keys(found))
    everywhere = wanted.union(*found.strings.values())
    for language, sentences in found.strings.items():
        for key in sorted(everywhere - sentences.keys()):
            yield f"TASK.strings[{language!r:.20}] has no {key!r:.80}"
    for key in sorted(everywhere):
        if not key.startswith(f"{found.name}."):
            yield f"every key of TASK.strings must begin with {found.name + '.'!r}, unlike {key!r:.80}"


def _keys(found: Described) -> Iterator[str]:
    """The sentences that the page asks for by themselves."""
    yield from (f"{found.name}.title", f"{found.name}.about")
    yield from (f"{found.name}.export.{kind}" for kind in found.exports)
    for field in found.fields:
        yield f"{found.name}.{field.name}"
        yield from (f"{found.name}.{field.name}.{option}" for option in field.options)
