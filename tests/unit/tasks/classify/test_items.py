"""What is to be labelled: lines, and cells of a column."""

from __future__ import annotations

from typing import Any

import pytest

from pyapp.errors import BadInput
from pyapp.tasks.classify.items import MOST_ITEMS, items_of


def file(name: str, *pages: str) -> dict[str, Any]:
    return {"name": name, "pages": list(pages)}


def test_lines_of_a_text() -> None:
    items = items_of({"text": " one \n\n \ntwo\r\nthree: a; b\n"})
    assert items.texts == ["one", "two", "three: a; b"]
    assert items.table is None


def test_lines_of_a_file() -> None:
    assert items_of({"text": " \n", "file": file("notes.txt", "one\ntwo", "three")}).texts == ["one", "two", "three"]


def test_cells_of_a_column_and_the_row_without_one() -> None:
    given = {"file": file("T.CSV", "id;text\n1; a \n2\n3;c"), "column": " text "}
    items = items_of(given)
    assert items.texts == ["a", "", "c"]
    assert items.table is not None
    assert items.table.rows == [["1", " a "], ["2", ""], ["3", "c"]]
    assert items_of({**given, "column": "1"}).texts == ["1", "2", "3"]
    assert items_of({**given, "column": "2", "named": False}).texts == ["text", "a", "", "c"]
    assert items_of({"file": file("t.tsv", "a\tb\nlonger\tx")}).texts == ["longer"]


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({}, "text", "nothing"),
        ({"text": " \n\t"}, "text", "nothing"),
        ({"file": file("a.txt", "\n")}, "file", "nothing"),
        ({"file": file("a.csv", "text")}, "file", "nothing"),
        ({"file": file("a.csv", "")}, "file", "nothing"),
        ({"file": file("a.csv", "id,text\n1, \n2,"), "column": "text"}, "file", "nothing"),
        ({"text": "a", "file": file("a.txt", "b")}, "file", "both"),
        ({"text": "a\n" * (MOST_ITEMS + 1)}, "text", "items_many"),
        ({"file": file("a.csv", "text\n" + "a\n" * (MOST_ITEMS + 1))}, "file", "items_many"),
        ({"file": file("a.csv", "id,text\n1,a"), "column": "body"}, "column", "column"),
        ({"file": file("a.csv", 'id,text\n1,"a')}, "file", "quotes"),
    ],
)
def test_what_cannot_be_labelled(given: dict[str, Any], field: str, why: str) -> None:
    with pytest.raises(BadInput) as caught:
        items_of(given)
    assert caught.value.details["field"] == field
    assert caught.value.details["why"] == f"classify.bad.{why}"


def test_as_many_as_there_may_be() -> None:
    assert len(items_of({"text": "a\n" * MOST_ITEMS}).texts) == MOST_ITEMS
