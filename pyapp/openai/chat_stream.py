"""One answer of POST /chat/completions, from its bytes. Every way in which servers end, fail or pretend has an outcome:
the deltas and one Ended, or the deltas that came and an exception. An answer without a word is never a success.

| what servers do                                             | who                          | here                    |
|-------------------------------------------------------------|------------------------------|-------------------------|
| `data: {"error": …}`                                        | OpenAI, vLLM, llama.cpp      | the typed error         |
| `event: error`                                              | Groq                         | the typed error         |
| empty delta, `error`, finish_reason "error"                 | OpenRouter                   | the typed error         |
| `error: {…}`, a field of that name, then `[DONE]`           | old llama.cpp, bitnet.cpp    | the typed error         |
| `x_groq: {error}` on a chunk with text                      | Groq                         | the text, then an error |
| a correct stream without content                            | LM Studio, prompt too long   | EmptyAnswer             |
| the end without finish_reason and `[DONE]`                  | Ollama's runner dies         | AnswerBroken            |
| comments, empty data, CRLF, a cut character, no last line   | many                         | none of it is noticed   |
| a JSON object instead of a stream                           | servers without streaming    | the same answer or error|
| HTML                                                        | proxies, another program     | NotAModelServer         |
| usage in its own chunk, on the last one, in `x_groq`        | OpenAI, llama.cpp, Groq      | Ended.usage             |
| finish_reason "eos", "tool_calls", anything                 | Together, …                  | "stop"                  |
| `reasoning`, `reasoning_content`, `<think>`                 | Groq, llama.cpp, models      | ReasoningDelta          |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyapp.engine import FinishReason, ReasoningDelta, TextDelta
from pyapp.errors import AnswerBroken, EmptyAnswer, NotAModelServer
from pyapp.models.strict_json import strangers
from pyapp.openai.refusal import broken, stream_error
from pyapp.openai.sse import MAX_EVENT_BYTES, ServerEvent, SseDecoder
from pyapp.openai.thoughts import Thoughts

LONGEST_NAME = 200

_CUT = frozenset({"length", "max_tokens", "model_length"})
_FAILED = frozenset({"error", "content_filter"})  # what came before is not the answer


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """As the server counts; cached_tokens is 0 where it does not tell."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    reason: FinishReason
    usage: TokenUsage | None  # None: the server did not say


ChatEvent = TextDelta | ReasoningDelta | Ended


class ChatStream:
    """Bytes of a response with status 200 to events. After an exception it is of no more use.

    `may_be_empty`: an answer without content is one, as when a finished message is continued.
    """

    def __init__(self, *, may_be_empty: bool = False, limit: int = MAX_EVENT_BYTES) -> None:
        self.done = False  # "[DONE]" came: there is nothing left to wait for
        self.answered_by: tuple[str, str] | None = None  # provider and model, where chunks name both
        self._may_be_empty = may_be_empty
        self._limit = limit
        self._sse: SseDecoder | None = None  # None: what the body is is not known yet, or it is JSON
        self._json = bytearray()
        self._thoughts = Thoughts()
        self._said_something = False
        self._finish: str | None = None
        self._usage: TokenUsage | None = None

    def feed(self, chunk: bytes) -> Iterator[ChatEvent]:
        """What `chunk` completes. To be read to its end before the next one. Raises EngineError, ContextOverflow."""
        if self._sse is None:
            chunk = self._sniff(chunk)
        if self._sse is not None:
            for event in self._sse.feed(chunk):
                yield from self._event(event)

    def end(self) -> Iterator[ChatEvent]:
        """The response has ended: what was held back, then exactly one Ended. Raises EngineError, ContextOverflow."""
        if self._sse is not None:
            for event in self._sse.end():
                yield from self._event(event)
        elif self._json:
            yield from self._whole()
        for delta in self._thoughts.end():
            yield self._say(delta)
        if not self.done and self._finish is None:
            raise AnswerBroken("the stream ended before the answer did", reason="cut")
        if not self._said_something and not self._may_be_empty:
            raise EmptyAnswer("the server ended the answer without a word")
        yield Ended("length" if self._finish in _CUT else "stop", self._usage)

    def _sniff(self, chunk: bytes) -> bytes:
        """What the first character says about the body: the content type is not always true. The bytes for the SSE."""
        if not self._json:
            chunk = chunk.lstrip(b" \r\n\t")
        if not chunk:
            return b""
        self._json += chunk
        if self._json[:1] == b"<":
            raise NotAModelServer("HTML with status 200", reason="html")
        if self._json[:1] not in b"{[":
            self._sse = SseDecoder(self._limit)
            return bytes(self._json)
        if len(self._json) > self._limit:
            raise NotAModelServer("the answer is too long", reason="event_too_long", limit_bytes=self._limit)
        return b""

    def _whole(self) -> Iterator[ChatEvent]:
        """An answer that was not streamed."""
        try:
            body = strangers(self._json)
        except ValueError:
            raise NotAModelServer("what came is neither a stream nor JSON", reason="not_json") from None
        yield from self._object(body)

    def _event(self, event: ServerEvent) -> Iterator[ChatEvent]:
        data = event.data.strip()
        if self.done:
            return
        if event.error:
            raise self._failed(_loads(event.error))
        if event.name == "error":
            found = _loads(data)
            raise self._failed(found.get("error") or found if isinstance(found, Mapping) else found)
        if data == "[DONE]":
            self.done = True
        elif data:
            yield from self._object(_loads(data))

    def _object(self, chunk: Any) -> Iterator[ChatEvent]:
        if not isinstance(chunk, Mapping):
            raise AnswerBroken("something in the stream is not a JSON object", reason="not_json")
        if (provider := _text(chunk.get("provider"))) and (model := _text(chunk.get("model"))):
            self.answered_by = provider[:LONGEST_NAME], model[:LONGEST_NAME]
        choice = _first(chunk.get("choices"))
        part = _mapping(choice.get("delta" if "delta" in choice else "message"))
        for delta in self._deltas(part):
            yield self._say(delta)
        groq = _mapping(chunk.get("x_groq"))
        self._usage = _usage(chunk) or _usage(groq) or self._usage
        if error := chunk.get("error") or groq.get("error"):
            raise self._failed(error)
        if finish := choice.get("finish_reason"):
            self._finish = str(finish).lower()
            if self._finish in _FAILED:
                raise AnswerBroken("the answer was broken off", reason=self._finish)

    def _deltas(self, part: Mapping[str, Any]) -> Iterator[TextDelta | ReasoningDelta]:
        thought = _text(part.get("reasoning_content")) or _text(part.get("reasoning"))
        if thought:
            yield ReasoningDelta(thought)
        if text := _text(part.get("content")):
            yield from self._thoughts.feed(text)

    def _say(self, delta: TextDelta | ReasoningDelta) -> TextDelta | ReasoningDelta:
        self._said_something = True
        return delta

    def _failed(self, error: Any) -> Exception:
        """A request that is refused leaves nothing behind; that is only true before the first word."""
        return broken(error) if self._said_something else stream_error(error)


def _loads(text: str) -> Any:
    """None when it is no JSON."""
    try:
        return strangers(text)
    except ValueError:
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _first(choices: Any) -> Mapping[str, Any]:
    """We ask for one answer, so others are not looked at."""
    return _mapping(choices[0]) if isinstance(choices, list) and choices else {}


def _text(value: Any) -> str:
    """A string, or the text of a list of parts. Half of a surrogate pair, which JSON can hold, is no character."""
    if isinstance(value, list):
        value = "".join(_text(_mapping(part).get("text")) for part in value)
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _usage(chunk: Mapping[str, Any]) -> TokenUsage | None:
    usage = _mapping(chunk.get("usage"))
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    cached = _mapping(usage.get("prompt_tokens_details")).get("cached_tokens")
    if not isinstance(cached, int):  # llama.cpp tells it among its timings
        cached = _mapping(chunk.get("timings")).get("cache_n")
    return TokenUsage(prompt, completion, cached if isinstance(cached, int) else 0)
