"""Files that go with a message: text in any of the ways it is written, and nothing else."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.chat.attach import LARGEST_FILE_BYTES, attachment
from pyapp.chat.tree import Attachment
from pyapp.errors import FileTooLarge, NotText


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_however_it_is_written(encoding: str) -> None:
    assert attachment("a.txt", "El niño\r\ncome".encode(encoding)) == Attachment("a.txt", "El niño\ncome")


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0", b"\xff\xfe\x00", b"%PDF\x81\x8d\xff\0"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(NotText) as caught:
        attachment("b.png", data)
    assert caught.value.details == {"name": "b.png"}


def test_a_file_beyond_every_window_is_refused() -> None:
    assert len(attachment("a.txt", b"a" * LARGEST_FILE_BYTES).text) == LARGEST_FILE_BYTES
    with pytest.raises(FileTooLarge):
        attachment("a.txt", b"a" * (LARGEST_FILE_BYTES + 1))


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    with suppress(NotText):
        assert "\0" not in attachment("a", data).text
