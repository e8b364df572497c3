"""Every dialect and every misbehaviour over real HTTP, read by the page's fetch under the page's policy."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from pyapp.engine import Finished, GenerateEvent, GenerateRequest
from pyapp.engines import openai_http
from pyapp.engines.openai_http import OpenAiHttp
from pyapp.errors import AnswerBroken, CandilError, NotAModelServer, ServerOverloaded, ServerSilent, ServerUnreachable
from pyapp.openai.chat_stream import Ended
from pyapp.openai.models import ServedModel
from pyapp.servers.address import parse
from pyapp.servers.served import described
from tests.browser.aside import entered, wait
from tests.browser.conftest import Site
from tests.browser.page_transport import PageTransport, page_transport
from tests.browser.peers import Peers, peers
from tests.contract.engine import QUESTION, load
from tests.unit.openai.dialects import DIALECTS


@pytest.fixture(scope="module")
def served() -> Iterator[Peers]:
    with peers() as server:
        yield server


@asynccontextmanager
async def transport_of(site: Site) -> AsyncIterator[PageTransport]:
    async with page_transport(site.url) as (_, transport):
        yield transport


@pytest.fixture(scope="module")
def page(site: Site) -> Iterator[PageTransport]:
    with entered(transport_of(site)) as page:
        yield page


def ask(page: PageTransport, url: str) -> tuple[list[GenerateEvent], CandilError | None]:
    events: list[GenerateEvent] = []

    async def work() -> CandilError | None:
        engine = OpenAiHttp(page, lambda _: "sk-1", seed=lambda: 1, now_ms=lambda: 1000 * time.monotonic())
        await load(engine, *described(parse(url), ServedModel("m", 4096)))
        try:
            async for event in engine.generate(GenerateRequest(QUESTION, max_new_tokens=100)):
                events.append(event)
        except CandilError as error:
            return error
        return None

    return events, wait(work())


@pytest.mark.parametrize("number", range(len(DIALECTS)), ids=[dialect[0] for dialect in DIALECTS])
def test_dialect(page: PageTransport, served: Peers, number: int) -> None:
    _, _, deltas, ends = DIALECTS[number]
    events, error = ask(page, served.url(str(number)))
    if isinstance(ends, Ended):
        assert error is None
        assert isinstance(events[-1], Finished)
        assert (events[:-1], events[-1].reason) == (deltas, ends.reason)
    else:
        assert (events, type(error)) == (deltas, ends)


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("silent", ServerSilent),
        ("html", ServerOverloaded),
        ("page", NotAModelServer),
        ("elsewhere", NotAModelServer),
        ("heavy", NotAModelServer),
        ("private", ServerUnreachable),
    ],
)
def test_misbehaviour(
    page: PageTransport, served: Peers, case: str, kind: type[CandilError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_http, "FIRST_WORD_S", 5.0)
    events, error = ask(page, served.url(case))
    assert (events, type(error)) == ([], kind)
    if case == "elsewhere":
        assert served.asked[-1] == "elsewhere"  # the words were not sent on


def test_a_connection_that_breaks_keeps_the_words(page: PageTransport, served: Peers) -> None:
    events, error = ask(page, served.url("broken"))
    assert (len(events), type(error)) == (1, AnswerBroken)


def test_a_stream_without_end_is_cut_and_closed(page: PageTransport, served: Peers) -> None:
    events, error = ask(page, served.url("endless"))
    assert error is None
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "length"
    assert served.ended.wait(10)
