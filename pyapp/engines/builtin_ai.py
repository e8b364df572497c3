"""The engine that asks the browser's own model, Gemini Nano in Chrome, by the Prompt API (site/engines/builtin_ai.js).

What the API cannot do is done here where it can be: stop strings and the limit of new tokens cut the stream, and a
session whose answer was cut or stopped is given up, for it holds what the conversation does not. A seed it cannot be
given, nor by today's specification a temperature. It does not tell its tokens: what the browser hands over in one
piece counts as one, which is how Chrome streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from pyapp.engine import (
    Finished,
    FinishReason,
    GenerateEvent,
    GenerateRequest,
    Json,
    Limit,
    Message,
    Progress,
    Sampling,
    TextDelta,
    Transport,
    Usage,
    values,
    wire,
)
from pyapp.engines.browser_sessions import Said, Session, Sessions
from pyapp.engines.context import fit
from pyapp.engines.no_scores import NoScores
from pyapp.engines.stop_strings import StopStrings
from pyapp.errors import ContextOverflow, EmptyPrompt, EngineUnavailable, NotLoaded, RequestError
from pyapp.models.manifest import ModelSpec, Variant

SPOKEN = ("de", "en", "es", "fr", "ja")  # all that Chrome accepts as a declaration


def declared(languages: Sequence[str]) -> list[str]:
    """What is declared to the browser for a user of `languages` (BCP 47, best first): theirs, and English for what they
    paste."""
    own = [tag.lower().split("-")[0] for tag in languages]
    return list(dict.fromkeys([*(code for code in own if code in SPOKEN), "en"]))


@dataclass(frozen=True, slots=True)
class _Loaded:
    of: tuple[ModelSpec, Variant]
    sessions: Sessions
    empty: Session
    context_tokens: int
    most: Json  # of temperature and top-k; None: pages may not choose them


class BuiltinAi(NoScores):
    """Implements pyapp.engine.Engine. `languages`: the user's; `now_ms`: a clock that only goes forward."""

    name = "builtin_ai"
    constrains = True
    cannot: frozenset[Limit] = frozenset({"seed"})

    def __init__(
        self, transport: Transport, *, languages: Callable[[], Sequence[str]], now_ms: Callable[[], float]
    ) -> None:
        self._transport = transport
        self._languages = languages
        self._now_ms = now_ms
        self._loaded: _Loaded | None = None
        self._turn = asyncio.Lock()  # sessions are one request's at a time

    async def load(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        if self._loaded and self._loaded.of == (model, variant):
            return
        await self.unload()
        yield Progress("reading")
        languages = declared(self._languages())
        probe = (await values(self._transport, "builtin_ai.probe", {"languages": languages}))[-1]
        if (availability := probe["availability"]) in ("missing", "unavailable"):
            raise EngineUnavailable(availability, model=model.id, reasons=[f"browser_model_{availability}"])
        sessions = Sessions(self._transport, languages)
        async with aclosing(sessions.create(())) as steps:
            async for step in steps:
                if isinstance(step, float | int):
                    yield Progress("reading", step)
                else:
                    empty, window = step
                    await sessions.keep(empty)
                    context_tokens = min(model.context_tokens, window)
                    self._loaded = _Loaded((model, variant), sessions, empty, context_tokens, probe["sampling"])

    async def count(self, messages: Sequence[Message]) -> int:
        loaded = self._model()
        try:
            return await loaded.sessions.count(loaded.empty, wire(messages))
        except Exception as error:
            await self._failed(error)
            raise

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        if not request.messages or not request.messages[-1].text.strip():
            raise EmptyPrompt()
        began = self._now_ms()
        async with self._turn:
            loaded = self._model()
            try:
                tokens = await loaded.sessions.count(loaded.empty, wire(request.messages))
                answer = _Answer(request, tokens, fit(tokens, loaded.context_tokens, request.max_new_tokens), began)
                async with aclosing(self._events(loaded, request, answer)) as events:
                    async for event in events:
                        yield event
            except Exception as error:
                await self._failed(error)
                raise

    async def unload(self) -> None:
        if self._loaded is not None:
            sessions, self._loaded = self._loaded.sessions, None
            await sessions.keep()

    def _model(self) -> _Loaded:
        if self._loaded is None:
            raise NotLoaded()
        return self._loaded

    async def _events(
        self, loaded: _Loaded, request: GenerateRequest, answer: _Answer
    ) -> AsyncGenerator[GenerateEvent, None]:
        sessions, conversation = loaded.sessions, wire(request.messages)
        before = conversation[: -2 if request.continue_last else -1]
        keep = [loaded.empty]
        try:
            base, held = await sessions.holding(before, _sampling(request.sampling, loaded.most))
            keep.append(base)
            work = await sessions.copy(base)
            payload = {"id": work.id, "messages": _asked(request), "schema": request.schema}
            async with aclosing(self._transport.stream("builtin_ai.generate", payload)) as pieces:
                async for piece in pieces:
                    if shown := answer.push(piece, self._now_ms()):
                        yield TextDelta(shown)
                    if answer.reason:
                        break
            if rest := answer.stops.flush():
                yield TextDelta(rest)
            if answer.reason is None:
                keep.append(replace(work, said=_said(request, answer.text)))
            cached = await sessions.count(loaded.empty, conversation[:held]) if held else 0
            yield answer.finished(cached, loaded.context_tokens, self._now_ms())
        finally:
            await sessions.keep(*{session.id: session for session in keep}.values())

    async def _failed(self, error: Exception) -> None:
        if not isinstance(error, RequestError):
            await self.unload()


class _Answer:
    """The answer as it comes: what is shown of it, and why it ends here; None while the browser has not ended it."""

    def __init__(self, request: GenerateRequest, prompt_tokens: int, room: int, began_ms: float) -> None:
        self.stops = StopStrings(request.stop)
        self.text = ""  # all of it, shown or not
        self.reason: FinishReason | None = None
        self._prompt_tokens = prompt_tokens
        self._room = room
        self._pieces = 0
        self._began_ms = self._first_ms = began_ms

    def push(self, piece: Json, now_ms: float) -> str:
        """What of `piece` is shown. Raises ContextOverflow where the window was full before the first word."""
        if "overflowed" in piece:
            self.reason = "length"
            return ""
        self._first_ms = self._first_ms if self._pieces else now_ms
        self._pieces += 1
        self.text += piece["piece"]
        shown = self.stops.push(piece["piece"])
        if self.stops.stopped or self._pieces >= self._room:
            self.reason = "stop" if self.stops.stopped else "length"
        return shown

    def finished(self, cached_tokens: int, context_tokens: int, now_ms: float) -> Finished:
        if not self._pieces and self.reason == "length":
            raise ContextOverflow(prompt_tokens=self._prompt_tokens, context_tokens=context_tokens)
        first_ms = self._first_ms if self._pieces else now_ms
        usage = Usage(
            prompt_tokens=self._prompt_tokens,
            cached_tokens=min(cached_tokens, self._prompt_tokens - 1),
            new_tokens=self._pieces,
            prefill_ms=first_ms - self._began_ms,
            decode_ms=now_ms - first_ms,
        )
        return Finished(self.reason or "stop", usage)


def _asked(request: GenerateRequest) -> list[dict[str, Any]]:
    """What the session does not hold yet."""
    messages = wire(request.messages)
    if not request.continue_last:
        return [dict(messages[-1])]
    return [*map(dict, messages[-2:-1]), {**messages[-1], "prefix": True}]


def _said(request: GenerateRequest, answer: str) -> Said:
    messages = wire(request.messages)
    if not request.continue_last:
        return [*messages, {"role": "assistant", "content": answer}]
    return [*messages[:-1], {**messages[-1], "content": messages[-1]["content"] + answer}]


def _sampling(wished: Sampling, most: Json) -> Json:
    if most is None:
        return None
    top_k = min(wished.top_k or most["max_top_k"], most["max_top_k"])
    return {"temperature": min(wished.temperature, most["max_temperature"]), "top_k": top_k}
