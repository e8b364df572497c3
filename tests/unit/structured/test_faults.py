"""What a schema does not allow: named, with its place."""

from __future__ import annotations

from typing import Any

import pytest

from pyapp.structured.faults import Fault, canonical, faults, first_fault, type_of
from pyapp.structured.formats import PATTERNS, is_one
from pyapp.structured.pointer import found, pointer, steps
from tests.schemas.corpus import arr, obj, ref, text, whole

PAIR = {"prefixItems": [True, {"const": 1}], "items": False}
UUID = "2eb8aa08-aa98-11ea-b4aa-73b441d16380"


@pytest.mark.parametrize(
    ("schema", "value", "wrong"),
    [
        (True, 1, []),
        (False, 1, [("", "must not be there")]),
        ({"type": "string"}, 1, [("", "must be of type string")]),
        ({"type": ["string", "null"]}, 1, [("", "must be of type string or null")]),
        ({"type": "integer"}, 2.0, []),
        ({"type": "integer"}, True, [("", "must be of type integer")]),
        ({"type": "number"}, 2, []),
        ({"const": 1}, True, [("", "must be 1")]),
        ({"const": 1}, 1.0, []),
        ({"enum": ["a", None]}, "b", [("", 'must be "a" or null')]),
        (text(3, 2), "a", [("", "must have at least 2 characters")]),
        (text(3, 2), "🙂🙂🙂🙂", [("", "must have at most 3 characters")]),
        ({"pattern": "^a"}, "b", [("", "must match ^a")]),
        ({"pattern": "^a"}, 7, []),
        ({"format": "date"}, "2023-02-29", [("", "must be a valid date")]),
        (whole(1, 3), 0, [("", "must be at least 1")]),
        (whole(1, 3), 4, [("", "must be at most 3")]),
        ({"exclusiveMinimum": 1}, 1, [("", "must be more than 1")]),
        ({"exclusiveMaximum": 1}, 1, [("", "must be less than 1")]),
        (arr(whole(), 2, 3), [1], [("", "must have at least 2 items")]),
        (arr(whole(), 1, 2), [1, 2, "x"], [("", "must have at most 2 items"), ("/2", "must be of type integer")]),
        (PAIR, [0, 2, 3], [("/1", "must be 1"), ("/2", "must not be there")]),
        (obj(a=True), {"b": 1}, [("", 'must have "a"'), ("/b", "must not be there")]),
        (obj(**{"a/b": obj(c=whole())}), {"a/b": {"c": "x"}}, [("/a~1b/c", "must be of type integer")]),
        ({"additionalProperties": whole()}, {"x": "y"}, [("/x", "must be of type integer")]),
        ({"anyOf": [whole(), obj(a=whole())]}, {"a": "x"}, [("/a", "must be of type integer")]),
        ({"anyOf": [whole(), {"type": "null"}]}, None, []),
        ({"oneOf": [{"minimum": 0}, {"maximum": 5}]}, 3, [("", "must be of exactly one of the kinds")]),
        ({"oneOf": [{"minimum": 0}, {"maximum": -1}]}, 3, []),
        ({"allOf": [{"minimum": 4}]}, 3, [("", "must be at least 4")]),
        ({"$defs": {"n": whole(0, 1)}, "items": ref("n")}, [0, 2], [("/1", "must be at most 1")]),
        ({"properties": {"a": {"$ref": "#"}}, "required": ["b"]}, {"a": {}, "b": 1}, [("/a", 'must have "b"')]),
    ],
)  # fmt: skip
def test_faults(schema: Any, value: Any, wrong: list[tuple[str, str]]) -> None:
    assert [(fault.pointer, fault.wanted) for fault in faults(schema, value)] == wrong


def test_a_part_is_judged_with_the_whole_it_refers_to() -> None:
    assert first_fault(ref("n"), "x", {"$defs": {"n": whole()}}) == Fault((), "must be of type integer")


def test_types_and_equality() -> None:
    values: list[Any] = [None, True, 1, 1.0, 1.5, "a", [], {}]
    assert " ".join(map(type_of, values)) == "null boolean integer integer number string array object"
    assert canonical({"b": [1.0], "a": None}) == canonical({"a": None, "b": [1]})
    assert canonical([1]) != canonical([True])


def test_pointers() -> None:
    assert pointer(("a/b", 0, "c~d")) == "/a~1b/0/c~0d"
    assert steps("#") == []
    assert steps("#/a~1b/%20") == ["a/b", " "]
    assert steps("other.json#/a") is None
    assert found({"a": [{"b": 1}]}, ["a", "0", "b"]) == 1
    for names in (["b"], ["a", "1"], ["a", "x"], ["a", "0", "b", "c"]):
        with pytest.raises(KeyError):
            found({"a": [{"b": 1}]}, names)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("date", ["2024-02-29", "0001-01-01"], ["2023-02-29", "20240101", "2024-W01-1", "2024-1-1", ""]),
        ("time", ["23:59:60Z", "00:00:00.5+01:00"], ["24:00:00Z", "10:00:00", "٠٠:00:00Z"]),
        ("date-time", ["2024-02-29T00:00:00Z", "2024-02-29t00:00:00-23:59"], ["2024-02-29 00:00:00Z", ""]),
        ("email", ["a.b+c@d.example"], ["a", "@b", "a@", "a b@c", "a@b-"]),
        ("uuid", [UUID, UUID.upper()], [UUID.replace("-", ""), "x", f"{{{UUID}}}"]),
        ("ipv4", ["0.0.0.0", "255.1.2.3"], ["256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4.5"]),
        ("uri", ["https://a.example/b?c#d", "mailto:a@b"], ["a.example", "http://a b", "1:x", "http://\\"]),
    ],
)  # fmt: skip
def test_formats(name: str, right: list[str], wrong: list[str]) -> None:
    assert [text for text in right if not is_one(name, text)] == []
    assert [text for text in wrong if is_one(name, text)] == []
    assert name in PATTERNS


def test_branches_in_branches_do_not_multiply() -> None:
    def formula(op: str) -> Any:
        return obj(left={"$ref": "#"}, op={"const": op})

    value: Any = 1
    for _ in range(60):
        value = {"left": value, "op": "+"}
    for union in ("anyOf", "oneOf"):
        assert first_fault({union: [{"const": 1}, formula("-"), formula("+")]}, value) is None
