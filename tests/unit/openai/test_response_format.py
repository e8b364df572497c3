"""Servers are asked for as much as they take."""

from __future__ import annotations

import pytest

from pyapp.errors import CandilError, RequestRejected, ServerOverloaded
from pyapp.openai.response_format import REFUSED, ResponseFormat, described_by

WANTED = described_by({"type": "object"})
ANY_JSON = {"type": "json_object"}
NOT_THAT = RequestRejected("", status=400, reason=REFUSED)


def test_what_is_refused_is_not_asked_again() -> None:
    of = ResponseFormat()
    for left in (WANTED, ANY_JSON):
        member = of.member(WANTED)
        assert member == {"response_format": left}
        assert of.learns(NOT_THAT, member)
        assert not of.takes_schemas
    assert of.member(WANTED) == {}
    assert not of.learns(NOT_THAT, {})


def test_nothing_wanted_is_nothing_said() -> None:
    assert ResponseFormat().member(None) == {}


def test_what_is_no_schema_is_not_replaced() -> None:
    of = ResponseFormat()
    assert of.learns(NOT_THAT, of.member({"type": "text"}))
    assert of.member({"type": "text"}) == {}
    assert of.takes_schemas


@pytest.mark.parametrize(
    "error", [RequestRejected("", status=400, reason="other"), ServerOverloaded("", status=503, retry_after_s=None)]
)
def test_other_failures_say_nothing_of_it(error: CandilError) -> None:
    of = ResponseFormat()
    assert not of.learns(error, of.member(WANTED))
    assert of.takes_schemas
