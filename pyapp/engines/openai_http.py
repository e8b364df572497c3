"""The engine that is no engine of ours: a server that speaks OpenAI's protocol answers, and the words go to it.

What differs between servers, and what is done about it:

- Sampling. temperature, top_p, seed, stop and max_tokens are everybody's. top_k, min_p and a repetition penalty are
  not OpenAI's; services refuse unknown fields, so they are sent only to servers that say they are llama.cpp, vLLM or
  LM Studio, in the names those have for them.
- Counting. llama.cpp counts exactly (/apply-template, then /tokenize). Elsewhere the count is an estimate from the
  bytes, which the figures of every answer correct.
- Schemas. llama.cpp gets our grammar. vLLM and LM Studio hold answers to a schema too; of others it is not known, and
  one that refuses to hear of it is asked for JSON, and then for nothing.
- Continuing an answer. The messages end with the assistant's, which llama.cpp, Ollama and LM Studio continue; vLLM is
  told so. A service that begins a new answer instead cannot be kept from it.
- The KV cache, templates and the queue are the server's.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

from pyapp.engine import (
    AnsweredBy,
    Finished,
    GenerateEvent,
    GenerateRequest,
    Json,
    Message,
    Progress,
    Sampling,
    Transport,
    Usage,
    wire,
)
from pyapp.engines.context import fit
from pyapp.engines.no_scores import NoScores
from pyapp.errors import (
    CandilError,
    ContextOverflow,
    EmptyPrompt,
    EngineFailed,
    ModelMissing,
    NotAModelServer,
    NotLoaded,
    RequestRejected,
    ServerError,
    ServerSilent,
)
from pyapp.models.manifest import ModelSpec, ServerSource, Variant
from pyapp.models.strict_json import strangers
from pyapp.openai.chat_stream import ChatEvent, ChatStream, Ended, TokenUsage
from pyapp.openai.response_format import ResponseFormat, described_by
from pyapp.servers import address as addresses
from pyapp.servers.address import Address
from pyapp.servers.call import Request, opened, read
from pyapp.servers.relay import as_cloud_error
from pyapp.servers.served import BYTES_PER_TOKEN, ENGINE, LLAMA_CPP, LM_STUDIO, VLLM, models_of
from pyapp.structured.grammar import grammar

FIRST_WORD_S = 300.0  # a server may have to load the model and to read a long conversation on a processor
IDLE_S = 60.0  # between two words; the comments that keep a connection open are no words
COUNT_S = 15.0
MOST_CHARACTERS_PER_TOKEN = 64  # beyond max_new_tokens of these, the server does not keep to the limit
TOKENS_PER_MESSAGE = 4

Key = Callable[[str], str]  # base URL -> key
Answering = AnsweredBy | ChatEvent


class OpenAiHttp(NoScores):
    """Implements pyapp.engine.Engine for models whose source is a ServerSource.

    `now_ms` is a clock for the figures, `seed` gives the seed of a request that has none.
    """

    name = ENGINE

    def __init__(
        self, transport: Transport, key_for: Key, *, seed: Callable[[], int], now_ms: Callable[[], float]
    ) -> None:
        self._transport = transport
        self._key_for = key_for
        self._seed = seed
        self._now_ms = now_ms
        self._server: _Server | None = None

    @property
    def constrains(self) -> bool:
        return self._server is not None and self._server.constrains

    async def load(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        if self._server is not None and self._server.model == model:
            return
        self._server = None
        server = _Server(self._transport, model, self._key_for)
        yield Progress("session")
        with server.errors():
            await server.greet()
        self._server = server

    async def count(self, messages: Sequence[Message]) -> int:
        return await self._loaded().count(messages)

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        if not request.messages or not request.messages[-1].text.strip():
            raise EmptyPrompt()
        server = self._loaded()
        prompt_tokens = await server.count(request.messages)
        room = fit(prompt_tokens, server.model.context_tokens, request.max_new_tokens)
        figures = _Figures(self._now_ms, prompt_tokens)
        payload = self._payload(server, request, room)
        try:
            with server.errors():
                async with aclosing(_in_time(server.answer(payload, request.schema, request.continue_last))) as events:
                    async for event in _at_most(events, room):
                        if isinstance(event, Ended) and event.usage:
                            server.learn(request.messages, event.usage)
                        yield figures.saw(event)
        except ContextOverflow as error:
            window = server.model.context_tokens
            counts = {"prompt_tokens": max(prompt_tokens, window), "context_tokens": window} | error.details
            raise ContextOverflow(error.message, **counts) from None

    async def unload(self) -> None:
        self._server = None  # the memory is the server's

    def _loaded(self) -> _Server:
        if self._server is None:
            raise NotLoaded()
        return self._server

    def _payload(self, server: _Server, request: GenerateRequest, room: int) -> Json:
        sampling = request.sampling
        payload: dict[str, Json] = {
            "model": server.source.model,
            "messages": wire(request.messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": room,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": self._seed() if sampling.seed is None else sampling.seed,
        }
        if request.stop:
            payload["stop"] = list(request.stop)
        if request.continue_last and server.owned_by == VLLM:
            payload |= {"continue_final_message": True, "add_generation_prompt": False}
        extensions = _EXTENSIONS.get(server.owned_by)
        return payload if extensions is None else payload | extensions(sampling)


class _Server:
    """One model on one server."""

    def __init__(self, transport: Transport, model: ModelSpec, key_for: Key) -> None:
        if not isinstance(model.source, ServerSource):
            raise EngineFailed(f"{model.id} is on no server")
        self.model = model
        self.source = model.source
        self.owned_by = ""
        self._transport = transport
        self._address: Address = addresses.parse(model.source.base_url)
        self._key_for = key_for
        self._counts = False  # it has an endpoint that does
        self._format = ResponseFormat()
        self._scale = 1.0  # what the last answer made of our estimate

    @property
    def _key(self) -> str:
        """As it is now: another one may have been entered."""
        return self._key_for(self.source.base_url)

    @property
    def _relay(self) -> bool:
        return bool(self.source.companies)

    @property
    def constrains(self) -> bool:
        return self.owned_by == LLAMA_CPP or (self.owned_by in (VLLM, LM_STUDIO) and self._format.takes_schemas)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Of a relay the errors say what that means for the user."""
        try:
            yield
        except CandilError as error:
            raise (as_cloud_error(error) if self._relay else error) from None

    async def greet(self) -> None:
        """Raises ServerError: it must answer, and have the model."""
        listed = await models_of(self._transport, self._address, self._key, relay=self._relay)
        models = {model.id: model for model in listed}
        if self.source.model not in models:
            raise ModelMissing("not in the server's list", status=None)
        self.owned_by = models[self.source.model].owned_by
        self._counts = self.owned_by == LLAMA_CPP

    async def count(self, messages: Sequence[Message]) -> int:
        if self._counts:
            try:
                return await self._counted(messages)
            except ServerError as error:
                self._counts = error.retryable  # else it is an old one, or only its /v1 is let through
        return math.ceil(self._scale * _estimate(messages))

    def learn(self, messages: Sequence[Message], usage: TokenUsage) -> None:
        """Makes later estimates what this one should have been."""
        if usage.prompt_tokens > 0 and not self._counts:
            self._scale = usage.prompt_tokens / _estimate(messages)

    async def answer(self, payload: Json, schema: Json | None, may_be_empty: bool) -> AsyncGenerator[Answering, None]:
        """Events until Ended. Raises ServerError, ContextOverflow."""
        if schema is not None and self.owned_by == LLAMA_CPP:
            payload, schema = payload | {"grammar": grammar(schema)}, None
        wanted = None if schema is None else described_by(schema)
        while True:
            member = self._format.member(wanted)
            try:
                async with aclosing(self._answer(payload | member, may_be_empty)) as events:
                    async for event in events:
                        yield event
                return
            except RequestRejected as error:
                if not self._format.learns(error, member):
                    raise

    async def _answer(self, payload: Json, may_be_empty: bool) -> AsyncGenerator[Answering, None]:
        request = Request(self._address.url("/chat/completions"), self._key, payload, self._relay)
        named = not self._relay
        stream = ChatStream(may_be_empty=may_be_empty)
        async with opened(self._transport, request) as response:
            await response.must_be_ok()
            async for chunk in response.chunks:
                for event in stream.feed(chunk):
                    if not named and stream.answered_by:
                        named = True
                        yield self._by(*stream.answered_by)
                    yield event
                if stream.done:
                    break
            for event in stream.end():
                yield event

    def _by(self, provider: str, model: str) -> AnsweredBy:
        titles = {company.name: company.title for company in self.source.companies}
        return AnsweredBy(titles.get(provider, provider), model)

    async def _counted(self, messages: Sequence[Message]) -> int:
        prompt = await self._ask("/apply-template", {"messages": wire(messages)}, "prompt", str)
        asked = {"content": prompt, "add_special": True, "parse_special": True}
        return len(await self._ask("/tokenize", asked, "tokens", list))

    async def _ask(self, endpoint: str, body: Json, member: str, kind: type[Any]) -> Any:
        """That member of the answer. Raises NotAModelServer when it is none of its kind."""
        answer = await read(self._transport, Request(self._address.beside(endpoint), self._key, body), COUNT_S)
        try:
            found = strangers(answer)[member]
        except (ValueError, LookupError, TypeError):
            found = None
        if not isinstance(found, kind):
            raise NotAModelServer(f"{endpoint} gave no {member}", reason="not_json")
        return found


class _Figures:
    """Makes of a server's Ended the Finished that engines end with: its counts, our clock."""

    def __init__(self, now_ms: Callable[[], float], prompt_tokens: int) -> None:
        self._now_ms = now_ms
        self._prompt_tokens = prompt_tokens
        self._pieces = 0
        self._began = self._first = self._last = now_ms()

    def saw(self, event: Answering) -> GenerateEvent:
        if isinstance(event, AnsweredBy):
            return event
        if isinstance(event, Ended):
            return Finished(event.reason, self._usage(event.usage))
        self._last = self._now_ms()
        self._first = self._first if self._pieces else self._last
        self._pieces += 1
        return event

    def _usage(self, told: TokenUsage | None) -> Usage:
        """Where the server does not count, a piece is taken for a token: most send them one by one."""
        counts = told or TokenUsage(self._prompt_tokens, self._pieces)
        return Usage(
            prompt_tokens=counts.prompt_tokens,
            cached_tokens=counts.cached_tokens,
            new_tokens=counts.completion_tokens,
            prefill_ms=self._first - self._began,
            decode_ms=self._last - self._first,
        )


async def _in_time(events: AsyncGenerator[Answering, None]) -> AsyncGenerator[Answering, None]:
    """The same events; ServerSilent when one does not come. What keeps a connection open is no event."""
    seconds = FIRST_WORD_S
    async with aclosing(events):
        while True:
            try:
                async with asyncio.timeout(seconds):
                    event = await anext(events, None)
            except TimeoutError:
                raise ServerSilent(f"nothing within {seconds:g} s", seconds=seconds) from None
            if event is None:
                return
            yield event
            seconds = IDLE_S


async def _at_most(events: AsyncIterator[Answering], tokens: int) -> AsyncGenerator[Answering, None]:
    """The same events; a server that does not end the answer is not heard out."""
    left = tokens * MOST_CHARACTERS_PER_TOKEN
    async for event in events:
        yield event
        if not isinstance(event, Ended | AnsweredBy):
            left -= len(event.text)
            if left < 0:
                yield Ended("length", None)
                return


def _estimate(messages: Sequence[Message]) -> float:
    n_bytes = sum(len(message.text.encode("utf-8", "replace")) for message in messages)
    return n_bytes / BYTES_PER_TOKEN + TOKENS_PER_MESSAGE * (len(messages) + 1)


def _llama_cpp(sampling: Sampling) -> dict[str, Json]:
    return {"top_k": sampling.top_k, "min_p": sampling.min_p, "repeat_penalty": sampling.repetition_penalty}


def _vllm(sampling: Sampling) -> dict[str, Json]:
    keeps_all = -1
    return {
        "top_k": sampling.top_k or keeps_all,
        "min_p": sampling.min_p,
        "repetition_penalty": sampling.repetition_penalty,
    }


def _lm_studio(sampling: Sampling) -> dict[str, Json]:
    return {"top_k": sampling.top_k, "repeat_penalty": sampling.repetition_penalty}


_EXTENSIONS: Mapping[str, Callable[[Sampling], dict[str, Json]]] = {
    LLAMA_CPP: _llama_cpp,
    VLLM: _vllm,
    LM_STUDIO: _lm_studio,
}
