"""A text ends before the first stop string, however it is cut."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pyapp.engines.stop_strings import StopStrings


def shown(stops: Sequence[str], pieces: Sequence[str]) -> tuple[str, bool]:
    scanner = StopStrings(stops)
    text = "".join(scanner.push(piece) for piece in pieces)
    return text + scanner.flush(), scanner.stopped


@pytest.mark.parametrize(
    ("stops", "text", "left"),
    [
        ((), "all of it", "all of it"),
        (("",), "all of it", "all of it"),
        (("\n\n",), "one\n\ntwo", "one"),
        (("END", "D!"), "the END!", "the "),
        (("aab",), "aaab", "a"),
        (("stop",), "st", "st"),
    ],
)
def test_every_cut_gives_the_same(stops: Sequence[str], text: str, left: str) -> None:
    cuts = [[text], list(text), [text[:2], text[2:]], [text[:-1], text[-1:]]]
    for pieces in cuts:
        assert shown(stops, pieces) == (left, left != text), pieces


def test_only_what_might_become_a_stop_string_is_held_back() -> None:
    scanner = StopStrings(["END"])
    assert [scanner.push(piece) for piece in ("so E", "N", "T", "END", "more")] == ["so ", "", "ENT", "", ""]
