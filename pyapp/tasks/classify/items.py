"""What is to be labelled: the lines of a text, or the cells of one column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pyapp.errors import BadInput
from pyapp.tasks.classify.tables import Table, read_table
from pyapp.tasks.task import Given

MOST_ITEMS = 20_000


@dataclass(frozen=True, slots=True)
class Items:
    """`texts` are in the order they came. One may be empty where it is a cell of `table`: every row is kept."""

    texts: Sequence[str]
    table: Table | None = None


def items_of(given: Given) -> Items:
    """Raises BadInput."""
    typed, file = given.get("text", ""), given.get("file")
    if typed.strip() and file:
        raise BadInput(field="file", why="classify.bad.both")
    if not file:
        items = _lines(typed)
    elif file["name"].lower().endswith((".csv", ".tsv")):
        items = _cells("\n".join(file["pages"]), given.get("column", "").strip(), given.get("named", True))
    else:
        items = _lines("\n".join(file["pages"]))
    field = "file" if file else "text"
    if not any(items.texts):
        raise BadInput(field=field, why="classify.bad.nothing")
    if len(items.texts) > MOST_ITEMS:
        raise BadInput(field=field, why="classify.bad.items_many", most=MOST_ITEMS)
    return items


# Each view asks for the items of the same text again.
@lru_cache(maxsize=1)
def _lines(text: str) -> Items:
    return Items([line.strip() for line in text.splitlines() if line.strip()])


@lru_cache(maxsize=1)
def _cells(text: str, column: str, named: bool) -> Items:
    table = read_table(text, named=named)
    if not table.rows:
        return Items([], table)
    at = table.column(column)
    return Items([row[at].strip() for row in table.rows], table)
