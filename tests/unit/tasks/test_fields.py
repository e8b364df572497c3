"""What is typed into a form becomes what a task is given, or is told to be wrong where it is."""

from __future__ import annotations

from typing import Any

import pytest

from pyapp.errors import BadInput
from pyapp.tasks.fields import LONGEST_LINE, defaults, given
from pyapp.tasks.task import Field
from tests.unit.tasks.scripted_task import ScriptedTask

FILE = {"name": "a.txt", "pages": ["One."]}
LINE = Field("x", "line", required=True)
TEXT = Field("x", "text", most=10)
NUMBER = Field("x", "number", least=1, most=5)
LOOSE = Field("x", "number", required=True, least=1)
CHOICE = Field("x", "choice", options=("a", "b"))


def test_a_form_begins_with_its_defaults() -> None:
    values = defaults(ScriptedTask.fields)
    assert values == {
        "topic": "",
        "notes": "",
        "parts": "3",
        "style": "plain",
        "level": "b1",
        "careful": False,
        "source": None,
    }
    assert defaults([CHOICE]) == {"x": "a"}


def test_a_whole_form() -> None:
    typed = {"topic": "  Lamps \n and shades ", "parts": " 12 ", "careful": "on", "source": FILE}
    assert given(ScriptedTask.fields, typed) == {
        "topic": "Lamps and shades",
        "notes": "",
        "parts": 12,
        "style": "plain",
        "level": "b1",
        "careful": True,
        "source": FILE,
    }


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [
        (TEXT, " a\n b ", " a\n b "),
        (TEXT, None, ""),
        (NUMBER, "", None),
        (NUMBER, "5", 5),
        (LOOSE, "700", 700),
        (CHOICE, "b", "b"),
        (Field("x", "file"), None, None),
        (Field("x", "check"), False, False),
    ],
)
def test_taken(field: Field, value: Any, taken: Any) -> None:
    assert given([field], {"x": value}) == {"x": taken}


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        (LINE, " ", "required"),
        (LINE, "x" * (LONGEST_LINE + 1), "long"),
        (TEXT, "x" * 11, "long"),
        (NUMBER, "six", "between"),
        (NUMBER, "6", "between"),
        (NUMBER, "0", "between"),
        (LOOSE, "0", "number"),
        (LOOSE, "", "number"),
        (CHOICE, "c", "required"),
        (Field("x", "file", required=True), None, "file"),
    ],
)
def test_refused(field: Field, value: Any, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        given([field], {"x": value})
    assert (refused.value.details["field"], refused.value.details["why"]) == ("x", f"tasks.wrong.{why}")
