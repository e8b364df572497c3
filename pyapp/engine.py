"""The engine seam: what an engine is asked, what it answers, and how it reaches JavaScript.

Requests are stateless: the whole conversation, oldest first; reusing the KV cache of a common
prefix is an optimisation inside the engine that nobody sees. Abort is cancellation (close the
generator), neither an event nor an error.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pyapp.models.manifest import ModelSpec, Variant

Json = Any  # a JSON value; the wire is checked where it is parsed

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length"]
Limit = Literal["seed"]  # what an engine may declare that it cannot do, in `cannot`


class Transport(Protocol):
    """The one way from Python to JavaScript."""

    def stream(self, op: str, payload: Json) -> AsyncGenerator[Json, None]:
        """Run `op` ("<engine>.<verb>"), yield each JSON value it produces; closing the generator aborts `op`.

        Raises CandilError subclasses (errors.from_wire) and nothing else.
        """
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """A settled message. `text` is plain text: special tokens in it are text, never control tokens."""

    role: Role
    text: str
    attached: bool = False  # there is an attachment in it: it is not forgotten however long the conversation grows


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. The defaults suit a small model, which rambles when it is left more freedom:
    temperature and top-p are those of SmolLM2's model card, the rest llama.cpp's."""

    temperature: float = 0.2  # 0 is greedy
    top_k: int = 40  # 0 keeps all
    top_p: float = 0.9  # 1 keeps all (Holtzman et al., arXiv 1904.09751)
    min_p: float = 0.05  # 0 keeps all (Nguyen et al., arXiv 2407.01082)
    repetition_penalty: float = 1.1  # 1 is none (Keskar et al., arXiv 1909.05858)
    seed: int | None = None  # None: a fresh one per request


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    messages: Sequence[Message]
    sampling: Sampling = field(default_factory=Sampling)
    max_new_tokens: int = 1024
    stop: Sequence[str] = ()  # the answer ends before the first of these
    continue_last: bool = False  # the last message is the assistant's, and the answer goes on where it ends
    schema: Json | None = None  # JSON Schema: the answer is JSON that it describes, as far as the engine `constrains`


@dataclass(frozen=True, slots=True)
class Usage:
    prompt_tokens: int
    cached_tokens: int  # of prompt_tokens, those the KV cache already held
    new_tokens: int
    prefill_ms: float  # request -> first token
    decode_ms: float  # first token -> last token

    @property
    def tokens_per_s(self) -> float:
        """Decode speed; the first token belongs to the prefill. 0.0 when nothing was decoded."""
        return 1000 * (self.new_tokens - 1) / self.decode_ms if self.new_tokens > 1 and self.decode_ms > 0 else 0.0


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class AnsweredBy:
    """Behind a relay: the company that answers and the model it answers with, before the first word of it."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Finished:
    reason: FinishReason
    usage: Usage


GenerateEvent = AnsweredBy | TextDelta | ReasoningDelta | Finished


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a load. `stage` names what is happening, `fraction` is in [0, 1] or None when unknown."""

    stage: Literal["reading", "session", "self_test"]
    fraction: float | None = None


class Engine(Protocol):
    """Runs one model at a time."""

    name: str

    @property
    def constrains(self) -> bool:
        """An answer that ends by itself is what `GenerateRequest.schema` describes; else that is at most asked for."""
        ...

    @property
    def scores(self) -> bool:
        """There is a `score`."""
        ...

    def load(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        """Ready when it ends; the same variant twice is a no-op. Raises EngineError."""
        ...

    async def count(self, messages: Sequence[Message]) -> int:
        """Prompt tokens `messages` would take, the template's own included. Raises EngineError."""
        ...

    def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        """At most one AnsweredBy, deltas, then exactly one Finished. Closing the generator stops the generation.

        Raises RequestError before anything ran, EngineError after.
        """
        ...

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        """For each candidate ln P(the whole answer is exactly that), the token that ends an answer included.

        Raises InvalidRequest without `scores`, otherwise as `generate`.
        """
        ...

    async def unload(self) -> None:
        """Gives the memory back; without a model it is a no-op."""
        ...


def wire(messages: Sequence[Message]) -> list[Mapping[str, str]]:
    """Messages as the JSON every engine's JavaScript takes: OpenAI's names."""
    return [{"role": m.role, "content": m.text} for m in messages]


async def values(transport: Transport, op: str, payload: Json = None) -> list[Json]:
    """Every value of an op that ends by itself. Raises what the op raises."""
    return [value async for value in transport.stream(op, payload or {})]
