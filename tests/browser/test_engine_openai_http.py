"""The engine for servers against a real one: llama.cpp with the embedded model, asked by the page's own fetch under the
page's own policy. Only Python is outside."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from jsonschema import Draft202012Validator

from bench.llama_server import LlamaServer
from pyapp.engine import GenerateRequest, Message, TextDelta
from pyapp.engines.openai_http import OpenAiHttp
from pyapp.errors import KeyRefused, ServerError, ServerUnreachable
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.servers.address import parse
from pyapp.servers.served import described, models_of
from tests.browser.aside import aside, entered
from tests.browser.conftest import Site
from tests.browser.page_transport import PageTransport, page_transport
from tests.contract.engine import CONTRACT, GREEDY, QUESTION, Check, answer, load, refused
from tests.schemas.corpus import obj, text, whole
from tools.embedded_model import embedded_gguf

pytestmark = pytest.mark.real_model

KEY = "sk-of-the-test"
Loaded = tuple[OpenAiHttp, ModelSpec, Variant]


@pytest.fixture(scope="module")
def server() -> Iterator[LlamaServer]:
    server = LlamaServer(embedded_gguf(), KEY)
    yield server
    server.kill()


def engine_over(transport: PageTransport, key: str) -> OpenAiHttp:
    return OpenAiHttp(transport, lambda _base_url: key, seed=lambda: 1, now_ms=lambda: 1000 * time.monotonic())


@asynccontextmanager
async def loaded(site: Site, server: LlamaServer) -> AsyncIterator[tuple[PageTransport, Loaded]]:
    async with page_transport(site.url) as (_, transport):
        address = parse(server.url)
        model, variant = described(address, (await models_of(transport, address, KEY))[0])
        engine = engine_over(transport, KEY)
        await load(engine, model, variant)
        yield transport, (engine, model, variant)


@pytest.fixture(scope="module")
def page(site: Site, server: LlamaServer) -> Iterator[tuple[PageTransport, Loaded]]:
    with entered(loaded(site, server)) as page:
        yield page


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_the_contract_holds(page: tuple[PageTransport, Loaded], check: Check) -> None:
    aside(check)(*page[1])  # type: ignore[arg-type]


def test_the_window_is_the_one_it_was_started_with(page: tuple[PageTransport, Loaded], server: LlamaServer) -> None:
    _, (_, model, _) = page
    assert model.context_tokens == server.window
    assert model.title == "SmolLM2-135M-Instruct.Q4_1.gguf"


def test_an_answer_is_continued_where_it_ends(page: tuple[PageTransport, Loaded]) -> None:
    async def work(engine: OpenAiHttp) -> None:
        whole, _ = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=8))
        first, _ = await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=4))
        begun = (*QUESTION, Message("assistant", first))
        rest, _ = await answer(engine, GenerateRequest(begun, GREEDY, max_new_tokens=4, continue_last=True))
        assert first + rest == whole

    aside(work)(page[1][0])


def test_an_answer_keeps_to_a_schema(page: tuple[PageTransport, Loaded]) -> None:
    schema = obj(wet=whole(1, 9), why=text(20))

    async def work(engine: OpenAiHttp) -> None:
        said, finished = await answer(engine, GenerateRequest(QUESTION, max_new_tokens=80, schema=schema))
        assert finished.reason == "stop"
        assert Draft202012Validator(schema).is_valid(json.loads(said))

    aside(work)(page[1][0])


def test_stopping_frees_the_server(page: tuple[PageTransport, Loaded], server: LlamaServer) -> None:
    async def work(engine: OpenAiHttp) -> None:
        stream = engine.generate(GenerateRequest(QUESTION, GREEDY, max_new_tokens=900))
        assert isinstance(await anext(stream), TextDelta)
        assert await asyncio.to_thread(server.busy)
        await stream.aclose()
        end = time.monotonic() + 10  # it looks for the connection between two tokens
        while await asyncio.to_thread(server.busy):
            assert time.monotonic() < end, "it goes on for nobody"
            await asyncio.sleep(0.1)

    aside(work)(page[1][0])


def test_a_wrong_key_is_said_to_be_one(page: tuple[PageTransport, Loaded]) -> None:
    async def work() -> None:
        transport, (_, model, variant) = page
        with refused(KeyRefused):
            await load(engine_over(transport, "sk-wrong"), model, variant)

    aside(work)()


def test_a_server_that_dies_while_it_answers(page: tuple[PageTransport, Loaded], server: LlamaServer) -> None:
    """It is started again, and the engine needs nothing for it."""

    async def work(engine: OpenAiHttp) -> None:
        stream = engine.generate(GenerateRequest(QUESTION, GREEDY, max_new_tokens=900))
        assert isinstance(await anext(stream), TextDelta)
        server.kill()
        with refused(ServerError):
            async for _ in stream:
                pass
        with refused(ServerUnreachable):
            await answer(engine, GenerateRequest(QUESTION))
        await asyncio.to_thread(server.start)
        await answer(engine, GenerateRequest(QUESTION, GREEDY, max_new_tokens=2))

    aside(work)(page[1][0])


def test_a_server_the_policy_does_not_name_is_not_reached(page: tuple[PageTransport, Loaded]) -> None:
    async def work() -> None:
        with refused(ServerUnreachable):
            await models_of(page[0], parse("https://example.org"), "")

    aside(work)()
