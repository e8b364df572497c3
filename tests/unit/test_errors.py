"""One tree, one code each, the same codes on both sides of the seam."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pyapp import errors
from pyapp.errors import BY_CODE, CandilError, EngineFailed, QuotaExceeded, ServerBusy, from_wire

PROTOCOL = Path(__file__).resolve().parents[2] / "site" / "protocol.d.ts"


def classes() -> list[type[CandilError]]:
    return [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, CandilError)]


def test_javascript_knows_the_same_codes() -> None:
    declared = re.search(r"type ErrorCode =([^;]+);", PROTOCOL.read_text("utf-8"))
    assert declared
    assert set(re.findall(r'"(\w+)"', declared[1])) == set(BY_CODE)


def test_every_leaf_has_a_code_of_its_own() -> None:
    leaves = [c for c in classes() if not c.__subclasses__()]
    assert sorted(c.code for c in leaves) == sorted(BY_CODE)
    assert all(BY_CODE[c.code] is c for c in leaves)


def test_a_parents_code_is_one_of_its_childrens() -> None:
    for parent in classes():
        if parent is not CandilError and parent.__subclasses__():
            assert issubclass(BY_CODE[parent.code], parent)


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = re.findall(r"\+- (\w+)", errors.__doc__ or "")
    assert set(drawn) | {"CandilError"} == {c.__name__ for c in classes()}


def test_an_error_from_the_wire() -> None:
    error = from_wire("server_busy", "status 429", {"status": 429, "retry_after_s": 3})
    assert type(error) is ServerBusy
    assert (error.message, error.details["retry_after_s"], error.retryable) == ("status 429", 3, True)
    assert type(from_wire("quota_exceeded", "")) is QuotaExceeded
    assert from_wire("quota_exceeded", "").details == {}


@pytest.mark.parametrize("code", ["", "unheard_of"])
def test_an_unknown_code_is_an_engine_that_failed(code: str) -> None:
    assert type(from_wire(code, "what it said")) is EngineFailed


def test_an_error_without_words_says_its_code() -> None:
    assert str(QuotaExceeded(bytes_needed=5)) == "quota_exceeded"
