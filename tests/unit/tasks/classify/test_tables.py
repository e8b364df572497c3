"""CSV as people have it, and CSV that a spreadsheet opens without harm."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.errors import BadInput
from pyapp.tasks.classify.tables import ONE_COLUMN, SEPARATORS, Table, harmless, read_table, write_table


def test_columns_and_rows() -> None:
    table = read_table('id,text\r\n1,"a ""b"", c"\r\n\r\n2,"two\nlines"\r\n', named=True)
    assert table == Table(["id", "text"], [["1", 'a "b", c'], ["2", "two\nlines"]], ",")


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a;b\n1,5;2", ";"),
        ("a\tb\n1, 2\t3", "\t"),
        ("a|b\n1|2", "|"),
        ('"a;b;c;d",e\n1,2', ","),
        ("sep=;\na,x;b\n1;2", ";"),
        ("\ufeffa;b\n1;2", ";"),
        ("\ufeffSEP=|\r\na|b\r\n1|2", "|"),
    ],
)
def test_what_is_between_columns_is_found(text: str, separator: str) -> None:
    table = read_table(text, named=True)
    assert table.separator == separator
    assert [len(row) for row in [table.columns, *table.rows]] == [2, 2]


def test_a_table_of_one_column_may_have_any_marks() -> None:
    assert read_table("text\nyes, and no; both\n", named=True) == Table(["text"], [["yes, and no; both"]], ONE_COLUMN)


def test_without_names_columns_are_numbered_and_rows_are_filled() -> None:
    assert read_table("a,b\nc\nd,e,f\n", named=False) == Table(
        ["1", "2", "3"], [["a", "b", ""], ["c", "", ""], ["d", "e", "f"]], ","
    )


@pytest.mark.parametrize("named", [True, False])
def test_nothing_is_a_table_without_rows(named: bool) -> None:
    assert not read_table("", named=named).rows
    assert not read_table("\n \n".replace(" ", ""), named=named).rows


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,b\n1,2\n3,"open\n4,5\n6,7', 3),
        ('a,b\n"x\ny",1\n"z" tail,2\n', 4),
        ('sep=,\na,b\n"open', 3),
        ('"' + "long " * 50_000, 1),
    ],
)
def test_broken_quotes_are_told_with_the_line_their_row_begins_in(text: str, line: int) -> None:
    with pytest.raises(BadInput) as caught:
        read_table(text, named=True)
    assert caught.value.details == {"field": "file", "why": "classify.bad.quotes", "line": line}


TABLE = Table(["Id", "Text", "2"], [["1", "long words", ""], ["2", "x", "y"]], ",")


@pytest.mark.parametrize(("wanted", "at"), [("", 1), ("text", 1), ("ID", 0), ("2", 2), ("1", 0), ("3", 2)])
def test_a_column_by_its_name_or_number(wanted: str, at: int) -> None:
    assert TABLE.column(wanted) == at


@pytest.mark.parametrize("wanted", ["0", "4", "-1", "texts", "²"])
def test_a_column_that_is_missing_is_told_with_those_there_are(wanted: str) -> None:
    with pytest.raises(BadInput) as caught:
        TABLE.column(wanted)
    assert caught.value.details == {"field": "column", "why": "classify.bad.column", "columns": "Id, Text, 2"}


def test_what_is_written_is_rfc_4180() -> None:
    written = write_table(["a", "b"], [["x,y", 'say "hi"'], ["two\nlines", ""]], ",")
    assert written == b'\xef\xbb\xbfa,b\r\n"x,y","say ""hi"""\r\n"two\nlines",\r\n'
    assert write_table(["a", "b"], [["x,y", "z"]], ONE_COLUMN) == b'\xef\xbb\xbfa,b\r\n"x,y",z\r\n'


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(1)", "＝1", "-1+1", "+"]
)
def test_a_cell_that_a_spreadsheet_would_compute_is_text(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "1", "-1", "+34600123123", "-1.234,50", "a=b", "'=1"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell


CELL = st.text(st.characters(exclude_characters="\0\x1f\ufeff", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), min_size=1, max_size=6), st.sampled_from(SEPARATORS))
def test_what_is_written_reads_as_what_it_was(rows: list[list[str]], separator: str) -> None:
    """By the standard library's reader, and, where the separator can be seen, by ours."""
    width = max(map(len, rows))
    rows = [row + ["x"] * (width - len(row)) for row in rows]
    text = write_table([f"column {n}" for n in range(width)], rows, separator).decode("utf-8-sig")
    expected = [[harmless(cell) for cell in row] for row in rows]
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))[1:] == expected
    assert read_table(text, named=True).rows == expected


@given(st.text(alphabet='ab",;\n\r\t|', max_size=40), st.booleans())
def test_any_text_is_a_table_or_is_refused(text: str, named: bool) -> None:
    try:
        table = read_table(text, named=named)
    except BadInput as error:
        line = error.details["line"]
    else:
        line = 1
        assert all(len(row) == len(table.columns) for row in table.rows)
    assert isinstance(line, int)
    assert 1 <= line <= len(text) + 1
