"""A document that validates, out of an engine that answers in text: ask, show it growing, mend, check, ask again."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol, assert_never

from pyapp.engine import (
    AnsweredBy,
    Finished,
    FinishReason,
    GenerateEvent,
    GenerateRequest,
    ReasoningDelta,
    TextDelta,
    Usage,
)
from pyapp.errors import InvalidRequest, NoDocument
from pyapp.structured.document import Document, DocumentEvent, Growing
from pyapp.structured.faults import Fault
from pyapp.structured.mending import mended
from pyapp.structured.partial import Growth
from pyapp.structured.subset import normalised

ATTEMPTS = 3
TOLD = "Answer with one JSON document and nothing else. It must validate against this JSON Schema:"
AGAIN = "An earlier answer was refused: at {pointer} it {wanted}. Answer again, with the whole document."
CUT = "An earlier answer was too long and was cut off. Answer again, with the whole document, but shorter."


class Answering(Protocol):
    """What is needed of a pyapp.engine.Engine."""

    @property
    def constrains(self) -> bool: ...

    def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]: ...


async def documents(
    engine: Answering, request: GenerateRequest, *, attempts: int = ATTEMPTS
) -> AsyncGenerator[DocumentEvent, None]:
    """`Growing` values, which begin anew with each attempt, then one `Document` that `request.schema` describes.

    Raises SchemaUnsupported and InvalidRequest before anything ran; NoDocument; what the engine raises. Closing the
    generator stops the engine.
    """
    if request.schema is None or request.continue_last or not request.messages:
        raise InvalidRequest("a document needs a schema and a question, and cannot be gone on with")
    asked = _asked(engine, request)
    fault, usage = Fault((), ""), Usage(0, 0, 0, 0.0, 0.0)
    remark = ""
    for attempt in range(1, attempts + 1):
        answer = _Answer()
        async with aclosing(engine.generate(_with(asked, remark))) as events:
            async for event in events:
                for told in answer.heard(event):
                    yield told
        usage = _sum(usage, answer.usage)
        value, wrong = mended(request.schema, answer.text, cut=answer.reason == "length")
        if wrong is None:
            yield Document(value, usage, attempt)
            return
        fault = wrong
        remark = (
            CUT if answer.reason == "length" else AGAIN.format(pointer=fault.pointer or "the root", wanted=fault.wanted)
        )
    raise NoDocument(attempts=attempts, pointer=fault.pointer)


class _Answer:
    """One attempt, as far as it has come."""

    def __init__(self) -> None:
        self.reason: FinishReason = "stop"
        self.usage = Usage(0, 0, 0, 0.0, 0.0)
        self._pieces: list[str] = []
        self._growth = Growth()

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def heard(self, event: GenerateEvent) -> Sequence[DocumentEvent]:
        match event:
            case AnsweredBy():
                return [event]
            case TextDelta(text):
                self._pieces.append(text)
                return [Growing(self._growth.value)] if self._growth.feed(text) else []
            case Finished(reason, usage):
                self.reason, self.usage = reason, usage
                return []
            case ReasoningDelta():
                return []
            case _ as unknown:
                assert_never(unknown)


def _asked(engine: Answering, request: GenerateRequest) -> GenerateRequest:
    """Every engine gets what it can be held to; one that does not constrain is told the schema as it was given, too."""
    asked = replace(request, schema=normalised(request.schema))
    if engine.constrains:
        return asked
    told = f"{TOLD}\n{json.dumps(request.schema, ensure_ascii=False, separators=(',', ':'))}"
    return _with(asked, told)


def _with(request: GenerateRequest, remark: str) -> GenerateRequest:
    """The request with something more at the end of its last message."""
    if not remark:
        return request
    *before, last = request.messages
    messages = [*before, replace(last, text=f"{last.text}\n\n{remark}")]
    return replace(request, messages=messages)


def _sum(a: Usage, b: Usage) -> Usage:
    return Usage(
        a.prompt_tokens + b.prompt_tokens,
        a.cached_tokens + b.cached_tokens,
        a.new_tokens + b.new_tokens,
        a.prefill_ms + b.prefill_ms,
        a.decode_ms + b.decode_ms,
    )
