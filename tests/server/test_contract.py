"""The served description against the server: requests made from it, good and bad, and every answer as described."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests.server.peers import Peer, says
from tests.server.rig import rig

GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
SMALL = {"MAX_MESSAGE_CHARS": "60", "MAX_MESSAGES": "4"}  # so that the limits are met, and made quickly
SEEN: Counter[int] = Counter()


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A relay with one provider, in a thread: what makes the requests is not asynchronous."""
    started, stop, found = threading.Event(), threading.Event(), []

    async def serve() -> None:
        async with rig(Peer([says("Because.")]), **SMALL) as relay:
            found.append(relay.origin)
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(20)
    yield found[0]
    stop.set()
    thread.join(20)


@pytest.mark.parametrize(
    ("method", "path", "mode", "cases"),
    [
        ("POST", "/v1/chat/completions", GOOD, 480),
        ("POST", "/v1/chat/completions", BAD, 480),
        ("GET", "/api/health", GOOD, 20),
        ("GET", "/api/health", BAD, 100),
        ("GET", "/api/config", GOOD, 1),
        ("GET", "/v1/models", GOOD, 1),
    ],
)
def test_every_answer_is_as_described(origin: str, method: str, path: str, mode: GenerationMode, cases: int) -> None:
    operation = schemathesis.openapi.from_url(f"{origin}/api/openapi.json")[path][method]

    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=cases, database=None, suppress_health_check=list(HealthCheck))
    def check(case: schemathesis.Case[Any]) -> None:
        response = case.call()
        SEEN[response.status_code] += 1
        too_large = response.status_code == 413  # a refusal too, which schemathesis does not count as one
        case.validate_response(response, excluded_checks=[negative_data_rejection] if too_large else [])

    check()


def test_it_was_many_and_none_failed_here() -> None:
    assert SEEN.total() > 1000
    assert not any(status >= 500 for status in SEEN)
