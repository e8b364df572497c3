"""CSV as people have it, in; CSV that a spreadsheet opens without harm, out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pyapp.errors import BadInput

SEPARATORS = ",;\t|"
ONE_COLUMN = "\x1f"  # a separator that no text has: the commas of a file with one column are not between columns
_ANNOUNCED = re.compile(r"\ufeff?sep=(.)\r?\n", re.IGNORECASE)  # what Excel puts first for itself
# A spreadsheet computes a cell that begins so (https://owasp.org/www-community/attacks/CSV_Injection); a number it only
# shows.
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` are all as long as `columns`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    separator: str

    def column(self, wanted: str) -> int:
        """The index of a column by its name or its number from 1; of the one with the longest texts for "".

        Raises BadInput.
        """
        if not wanted:
            return max(range(len(self.columns)), key=lambda at: sum(len(row[at]) for row in self.rows))
        names = [name.casefold() for name in self.columns]
        if wanted.casefold() in names:
            return names.index(wanted.casefold())
        if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
            return int(wanted) - 1
        raise BadInput(field="column", why="classify.bad.column", columns=", ".join(self.columns))


def read_table(text: str, *, named: bool) -> Table:
    """`named`: the first row has the names of the columns. Raises BadInput with the line where the quotes break."""
    text = text.removeprefix("\ufeff")
    separator, skipped = _separator(text)
    lines = io.StringIO(text, newline="")  # not splitlines: of its many ends a table has two
    rows = [row for row in _records(islice(lines, skipped, None), separator, skipped) if row]
    width = max((len(row) for row in rows), default=0)
    filled = [row + [""] * (width - len(row)) for row in rows]
    if named and filled:
        return Table(filled[0], filled[1:], separator)
    return Table([str(number) for number in range(1, width + 1)], filled, separator)


def _separator(text: str) -> tuple[str, int]:
    """What is between columns, and how many lines only say so."""
    announced = _ANNOUNCED.match(text)
    if announced:
        return announced.group(1), 1
    first = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    most = max(SEPARATORS, key=first.count)
    return (most if most in first else ONE_COLUMN), 0


def _records(lines: Iterable[str], separator: str, skipped: int) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        first = skipped + reader.line_num + 1
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadInput(field="file", why="classify.bad.quotes", line=first) from error


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]], separator: str) -> bytes:
    """RFC 4180, but for `separator`. In UTF-8 with a mark, without which Excel takes it for another encoding."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter="," if separator == ONE_COLUMN else separator, lineterminator="\r\n")
    writer.writerows([harmless(cell) for cell in row] for row in [columns, *rows])
    return out.getvalue().encode("utf-8-sig")


def harmless(cell: str) -> str:
    """As text, where a spreadsheet would compute it."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell
