"""An engine that is asked as the settings say, and only what fits its model's window: the one place where that is done.

It stands between whoever asks and an engine, and is one itself.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from pyapp.engine import (
    Engine,
    Finished,
    GenerateEvent,
    GenerateRequest,
    Message,
    Progress,
    Sampling,
    TextDelta,
)
from pyapp.errors import EmptyPrompt, NotLoaded
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.settings.context_plan import SUMMARY_TOKENS, Limits, Meter, Turn, plan
from pyapp.settings.settings import Overflow

LONGEST_TOKEN = 16  # characters on average at most: a text that is longer need not be counted
SUMMARIES = 8  # kept; of chats and branches that were asked last

Exchange = tuple[Message, ...]  # a question with what was answered to it
Covered = tuple[Exchange, ...]  # what a summary is of

_NEXT = Message("user", "?")  # what follows an exchange while it is counted


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the settings say of a request."""

    sampling: Sampling = field(default_factory=Sampling)
    max_new_tokens: int = 1024
    instructions: str = ""
    context_tokens: int | None = None  # None: the model's
    history_messages: int | None = None
    overflow: Overflow = "trim"

    def limits(self, model: ModelSpec) -> Limits:
        window = min(model.context_tokens, self.context_tokens or model.context_tokens)
        return Limits(window, self.max_new_tokens, self.overflow, self.history_messages)


@dataclass(frozen=True, slots=True)
class Words:
    """What a model is told when it summarises, in the user's language."""

    instruction: str
    heading: str  # above the summary
    user: str
    assistant: str


@dataclass
class Tailored:
    """Implements pyapp.engine.Engine. A request with a system message of its own is only fitted, others are made as
    `wishes` says. One with a schema is no chat: it passes as it is, and where it is too long that is told. `on_meter`
    hears how much of the window each chat request takes; it must not raise."""

    engine: Engine
    wishes: Callable[[], Wishes]
    words: Callable[[], Words]
    on_meter: Callable[[Meter], None] = lambda _: None
    name: str = field(init=False)
    _model: ModelSpec | None = None
    _sizes: dict[Exchange, int] = field(default_factory=dict)
    _summaries: dict[Covered, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.engine.name

    @property
    def constrains(self) -> bool:
        return self.engine.constrains

    @property
    def scores(self) -> bool:
        return self.engine.scores

    async def load(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        self._sizes.clear()
        async with aclosing(self.engine.load(model, variant)) as stages:
            async for progress in stages:
                yield progress
        self._model = model

    async def count(self, messages: Sequence[Message]) -> int:
        return await self.engine.count(messages)

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        return await self.engine.score(messages, candidates)

    async def unload(self) -> None:
        self._model = None
        await self.engine.unload()

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        if not request.messages:
            raise EmptyPrompt()
        if request.schema is not None:
            async with aclosing(self.engine.generate(request)) as events:
                async for event in events:
                    yield event
            return
        wished = self._wished(request)
        limits = replace(self.wishes().limits(self._loaded()), max_new_tokens=wished.max_new_tokens)
        fitted = await self._fitted(wished, limits)
        async with aclosing(self.engine.generate(fitted)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    used = event.usage.prompt_tokens + event.usage.new_tokens
                    self.on_meter(Meter(used, limits.window_tokens, _left_out(wished, fitted)))
                yield event

    async def measure(self, messages: Sequence[Message]) -> Meter:
        """How much of the window a conversation takes: at most all of it. Raises EngineError."""
        window = self.wishes().limits(self._loaded()).window_tokens
        used = await self.engine.count(self._wished(GenerateRequest(messages)).messages) if messages else 0
        return Meter(min(used, window), window)

    # ---- what is asked ----

    def _loaded(self) -> ModelSpec:
        if self._model is None:
            raise NotLoaded()
        return self._model

    def _wished(self, request: GenerateRequest) -> GenerateRequest:
        if request.messages[0].role == "system":
            return request
        wishes = self.wishes()
        system = (Message("system", wishes.instructions),) if wishes.instructions else ()
        return replace(
            request,
            messages=(*system, *request.messages),
            sampling=wishes.sampling,
            max_new_tokens=wishes.max_new_tokens,
        )

    async def _fitted(self, request: GenerateRequest, limits: Limits) -> GenerateRequest:
        """Raises ContextOverflow."""
        system, exchanges, question = _parted(request.messages)
        covered, rest = self._covered(exchanges)
        system = self._with_summary(system, self._summaries.get(covered, ""))
        turns, question_tokens = await self._sized(system, rest, question, limits)
        planned = plan(turns, question_tokens, limits)
        if planned.summarise:
            await self._summarise(covered, [rest[at] for at in planned.summarise], limits)
            return await self._fitted(request, limits)
        kept = (message for at in planned.kept for message in rest[at])
        fitted = replace(request, messages=(*system, *kept, *question), max_new_tokens=planned.max_new_tokens)
        self.on_meter(Meter(planned.used_tokens, limits.window_tokens, _left_out(request, fitted)))
        return fitted

    # ---- how large it is ----

    async def _sized(
        self, system: Exchange, exchanges: Sequence[Exchange], question: Exchange, limits: Limits
    ) -> tuple[Sequence[Turn], int]:
        """The turns, and the tokens of what is asked besides. Where all of it fits, no turn is counted by itself."""
        everything = (*system, *(message for exchange in exchanges for message in exchange), *question)
        if limits.history_messages is None:
            total = await self.engine.count(everything)
            if total <= limits.room or limits.overflow == "stop":
                return [_turn(exchange, 0) for exchange in exchanges], total
        question_tokens = await self.engine.count((*system, *question))
        turns: list[Turn] = []
        left = limits.window_tokens - question_tokens
        for exchange in reversed(exchanges):
            turns.append(_turn(exchange, 0))
            if left > 0 or turns[-1].attached:  # older ones go in any case, whatever their size
                turns[-1] = _turn(exchange, await self._size(exchange))
                left -= turns[-1].tokens
        return turns[::-1], question_tokens

    async def _size(self, exchange: Exchange) -> int:
        if exchange not in self._sizes:
            alone = await self.engine.count((_NEXT,))
            self._sizes[exchange] = await self.engine.count((*exchange, _NEXT)) - alone
        return self._sizes[exchange]

    # ---- summaries ----

    def _covered(self, exchanges: Sequence[Exchange]) -> tuple[Covered, Sequence[Exchange]]:
        """Those of which there is a summary, as many as possible, and the others."""
        here = set(exchanges)
        covered = max((each for each in self._summaries if here.issuperset(each)), key=len, default=())
        return covered, [exchange for exchange in exchanges if exchange not in covered]

    def _with_summary(self, system: Exchange, summary: str) -> Exchange:
        if not summary:
            return system
        told = f"{self.words().heading}\n{summary}"
        return (Message("system", "\n\n".join([*(message.text for message in system), told])),)

    async def _summarise(self, covered: Covered, exchanges: Sequence[Exchange], limits: Limits) -> None:
        """Makes one summary of what `covered` has and of `exchanges`."""
        text = before = self._summaries.get(covered, "")
        request = await self._summary_request(before, exchanges, limits.window_tokens - SUMMARY_TOKENS)
        if request is not None:
            async with aclosing(self.engine.generate(request)) as events:
                text = "".join([event.text async for event in events if isinstance(event, TextDelta)]).strip()
        self._summaries.pop(covered, None)
        self._summaries[(*covered, *exchanges)] = text
        if len(self._summaries) > SUMMARIES:
            del self._summaries[next(iter(self._summaries))]

    async def _summary_request(
        self, before: str, exchanges: Sequence[Exchange], most_tokens: int
    ) -> GenerateRequest | None:
        """As many of the latest `exchanges` as fit; None when not even one does."""
        words = self.words()
        names = {"user": words.user, "assistant": words.assistant}
        parts = ["\n\n".join(f"{names[m.role]}: {m.text}" for m in exchange) for exchange in exchanges]
        while parts:
            transcript = "\n\n".join(part for part in (before, *parts) if part)
            messages = (Message("system", words.instruction), Message("user", transcript))
            if len(transcript) <= LONGEST_TOKEN * most_tokens and await self.engine.count(messages) <= most_tokens:
                return GenerateRequest(messages, Sampling(temperature=0), SUMMARY_TOKENS)
            del parts[0]
        return None


def _parted(messages: Sequence[Message]) -> tuple[Exchange, list[Exchange], Exchange]:
    """The system's message, what was said before, and the last question with what is answered to it already."""
    system = tuple(message for message in messages if message.role == "system")
    exchanges: list[Exchange] = []
    for message in messages[len(system) :]:
        if message.role == "user" or not exchanges:
            exchanges.append((message,))
        else:
            exchanges[-1] = (*exchanges[-1], message)
    return system, exchanges[:-1], exchanges[-1] if exchanges else ()


def _left_out(wished: GenerateRequest, fitted: GenerateRequest) -> int:
    said, asked = (sum(m.role != "system" for m in request.messages) for request in (wished, fitted))
    return said - asked


def _turn(exchange: Exchange, tokens: int) -> Turn:
    return Turn(tokens, len(exchange), any(message.attached for message in exchange))
