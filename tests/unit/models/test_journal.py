"""What a journal says is whole, and how little of a damaged one is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.models.journal import Chunk, Journal, resume
from tests.unit.models.made import file

FILE = file("a", b"x" * 250)
KEPT = Journal(FILE.url, 250, 100, '"1"', frozenset({0, 2}))


def test_the_last_chunk_is_what_is_left() -> None:
    empty = Journal("u", 250, 100)
    assert list(empty.missing()) == [Chunk(0, 0, 100), Chunk(1, 100, 100), Chunk(2, 200, 50)]
    assert (empty.whole_bytes, empty.prefix_bytes) == (0, 0)


def test_the_prefix_ends_at_the_first_gap() -> None:
    assert (KEPT.whole_bytes, KEPT.prefix_bytes) == (150, 100)
    whole = KEPT.having(1, None)
    assert (whole.prefix_bytes, whole.etag) == (250, '"1"')
    assert Journal("u", 10, 10).having(0, '"2"').etag == '"2"'


def test_it_survives_being_written_down() -> None:
    assert resume(json.loads(json.dumps(KEPT.to_wire())), FILE, 250, 64) == KEPT


def test_another_address_of_the_same_bytes_goes_on_without_the_etag() -> None:
    moved = resume(KEPT.to_wire() | {"url": "elsewhere"}, FILE, 250, 64)
    assert (moved.url, moved.etag, moved.whole) == (FILE.url, None, KEPT.whole)


def test_what_lies_beyond_the_end_of_the_file_is_missing() -> None:
    assert resume(KEPT.to_wire(), FILE, 249, 64).whole == {0}


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        [],
        {},
        KEPT.to_wire() | {"total": 251},
        KEPT.to_wire() | {"chunk_bytes": 0},
        KEPT.to_wire() | {"chunk_bytes": "100"},
        KEPT.to_wire() | {"whole": 3},
    ],
)
def test_a_damaged_journal_is_no_journal(damaged: Any) -> None:
    assert resume(damaged, FILE, 250, 64) == Journal(FILE.url, 250, 64)


def test_odd_entries_are_skipped() -> None:
    odd = KEPT.to_wire() | {"whole": [0, -1, 3, "1", None], "etag": 5}
    assert resume(odd, FILE, 250, 64) == Journal(FILE.url, 250, 100, None, frozenset({0}))


@given(total=st.integers(1, 10_000), chunk=st.integers(1, 3000), data=st.data())
def test_whole_and_missing_add_up(total: int, chunk: int, data: st.DataObject) -> None:
    empty = Journal("u", total, chunk)
    whole = data.draw(st.frozensets(st.integers(0, empty.chunks - 1)))
    journal = Journal("u", total, chunk, None, whole)
    missing = list(journal.missing())
    assert journal.whole_bytes + sum(c.length for c in missing) == total
    assert journal.prefix_bytes == (missing[0].offset if missing else total)
    assert all(0 < c.length <= chunk for c in missing)
