"""What a task says of itself, and what its author is told to change."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from pyapp.routing.needs import Needs
from pyapp.tasks.plugins.described import Described, describe, read
from pyapp.tasks.plugins.wire import Fault, to_json
from pyapp.tasks.task import Field

STRINGS = {"x.title": "X", "x.about": "It", "x.topic": "Topic", "x.topic.a": "A", "x.export.csv": "CSV"}
GOOD = Described(
    "x", {"en": STRINGS}, (Field("topic", "choice", options=("a",), default="a"),), ("csv",), {}, Needs("chat")
)


class Bare:
    name = "x"
    strings: Any = MappingProxyType({})
    fields = (Field("topic", "line", default="the sea"),)
    exports = ()
    schema: Any = True

    def needs(self, given: Any) -> Needs:
        return Needs("chat", words=len(given["topic"].split()))

    check = title = run = act = view = export = needs


def test_a_task_is_described_by_its_members() -> None:
    assert describe(Bare()) == Described("x", {}, Bare.fields, (), True, Needs("chat", words=2))  # type: ignore[arg-type]


@pytest.mark.parametrize("member", ["schema", "run"])
def test_what_a_task_lacks_is_named(member: str) -> None:
    members = {name: value for name, value in vars(Bare).items() if name != member}
    with pytest.raises(Fault, match=f"TASK has no (method )?'{member}'"):
        describe(type("Lacking", (), members)())


def test_a_description_comes_back_as_it_was() -> None:
    assert read(to_json(GOOD)) == GOOD


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "My Task"}, "TASK.name must be a short name in small letters such as 'flash_cards', not 'My Task'"),
        ({"fields": [*GOOD.fields, *GOOD.fields]}, "TASK.fields must have different names"),
        ({"exports": ("../x",)}, r"TASK.exports must be short names in small letters, not '../x'"),
        ({"schema": []}, "TASK.schema must be a JSON Schema"),
        ({"schema": {"items": {"type": "text"}}}, "TASK.schema has 'type' at '#/items/type', which is not supported"),
        ({"strings": {}}, "must have at least one language"),
        ({"strings": {"en": {"x.title": "X"}}}, r"TASK.strings\['en'\] has no 'x.about'"),
        ({"strings": {"en": STRINGS, "es": STRINGS | {"x.more": "Y"}}}, r"TASK.strings\['en'\] has no 'x.more'"),
        (
            {"strings": {"en": STRINGS | {"error.x": "Y"}}},
            "every key of TASK.strings must begin with 'x.', unlike 'error",
        ),
        ({"strings": {"en": STRINGS | {"x.more": "{n:>999999999}"}}}, r"in TASK.strings\['x.more'\] braces are only"),
        ({"needs": Needs("gardening")}, "TASK.needs.kind must be one of chat, "),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_is_named(changes: Any, message: str) -> None:
    with pytest.raises(Fault, match=message):
        read(to_json(replace(GOOD, **changes)))
