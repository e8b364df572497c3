"""What servers really send, one answer for each dialect: (name, bytes, what is said before it ends, how it ends)."""

from __future__ import annotations

import json
from typing import Any

from pyapp.engine import ReasoningDelta, TextDelta
from pyapp.errors import (
    AnswerBroken,
    CandilError,
    ContextOverflow,
    EmptyAnswer,
    KeyRefused,
    ModelMissing,
    NotAModelServer,
    RequestRejected,
    ServerOverloaded,
)
from pyapp.openai.chat_stream import Ended, TokenUsage

Outcome = Ended | type[CandilError]
Dialect = tuple[str, bytes, list[TextDelta | ReasoningDelta], Outcome]


def data(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def chunk(text: str | None = None, finish: str | None = None, **more: Any) -> bytes:
    delta = {} if text is None else {"content": text}
    return data({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | more)


ROLE = data({"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}]})
DONE = b"data: [DONE]\n\n"
HEL = chunk("Hel")
LO = chunk("lo")
HELLO: list[TextDelta | ReasoningDelta] = [TextDelta("Hel"), TextDelta("lo")]
USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
SAID = Ended("stop", None)
COUNTED = Ended("stop", TokenUsage(7, 2))
OOPS = {"message": "the runner died", "type": "server_error", "param": None, "code": None}
OVERFLOW = {
    "code": 400,
    "message": "the request exceeds the available context size, try increasing it",
    "type": "exceed_context_size_error",
    "n_prompt_tokens": 5000,
    "n_ctx": 4096,
}
OLD_LLAMA_CPP = b'error: {"code":400,"message":"no slot","type":"invalid_request_error"}\n\n' + DONE
WHOLE = {"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}], "usage": USAGE}


def think(key: str) -> bytes:
    deltas = [{key: "hm"}, {key: "m", "content": ""}, {"content": "Hello"}]
    return b"".join(data({"choices": [{"delta": delta}]}) for delta in deltas) + chunk(finish="stop") + DONE


THOUGHT: list[TextDelta | ReasoningDelta] = [ReasoningDelta("hm"), ReasoningDelta("m"), TextDelta("Hello")]

DIALECTS: list[Dialect] = [
    ("a plain answer", ROLE + HEL + LO + chunk(finish="stop") + DONE, HELLO, SAID),
    # 1: an error object in data
    ("vLLM: error in the middle", HEL + data({"error": OOPS}) + DONE, HELLO[:1], AnswerBroken),
    ("llama.cpp: error first", data({"error": OVERFLOW}), [], ContextOverflow),
    ("Foundry: error first, no [DONE]", data({"error": OOPS}), [], AnswerBroken),
    ("a status inside the error", data({"error": {"code": 503, "message": "busy"}}), [], ServerOverloaded),
    ("an error that is a sentence", data({"error": "model 'x' not found"}), [], ModelMissing),
    ("a refused key inside the stream", data({"error": {"code": 401, "message": "no"}}), [], KeyRefused),
    ("overflow after the first word", HEL + data({"error": OVERFLOW}), HELLO[:1], AnswerBroken),
    # 2: event: error
    ("Groq: event error", HEL + b"event: error\n" + data({"error": OOPS}), HELLO[:1], AnswerBroken),
    ("event error, bare object", b"event: error\n" + data(OVERFLOW), [], ContextOverflow),
    ("event error, no JSON", b"event: error\ndata: kaputt\n\n" + DONE, [], AnswerBroken),
    # 3: OpenRouter
    (
        "OpenRouter: error beside finish_reason error",
        HEL + chunk("", "error", error={"code": 502, "message": "Provider disconnected"}),
        HELLO[:1],
        AnswerBroken,
    ),
    ("finish_reason error alone", HEL + chunk(finish="error") + DONE, HELLO[:1], AnswerBroken),
    ("OpenRouter: error without choices", data({"choices": [], "error": {"code": 429}}), [], ServerOverloaded),
    # 4: a field named error
    ("bitnet.cpp: error field, then [DONE]", OLD_LLAMA_CPP, [], RequestRejected),
    ("bitnet.cpp: error field in the middle", HEL + OLD_LLAMA_CPP, HELLO[:1], AnswerBroken),
    # 5: x_groq.error
    (
        "Groq: an error string on a chunk with text",
        HEL + chunk("lo", "stop", x_groq={"error": "over capacity"}) + DONE,
        HELLO,
        AnswerBroken,
    ),
    # 6: nothing at all
    ("LM Studio: no content", ROLE + chunk(finish="stop") + DONE, [], EmptyAnswer),
    ("only [DONE]", DONE, [], EmptyAnswer),
    # 7: it just ends
    ("Ollama: the runner died", HEL + LO, HELLO, AnswerBroken),
    ("an empty body", b"", [], AnswerBroken),
    ("the end in the middle of an event", HEL + b'data: {"choices":[{"del', HELLO[:1], AnswerBroken),
    # 8: what is allowed and rarely done
    (
        "comments, empty data, CRLF, retry and id, a BOM, no last line",
        b"\xef\xbb\xbf: OPENROUTER PROCESSING\r\n\r\ndata:\r\n\r\nid: 1\r\nretry: 5\r\n"
        + (HEL + LO + chunk(finish="stop")).replace(b"\n", b"\r\n")
        + b": ping\r\n\r\ndata: [DONE]",
        HELLO,
        SAID,
    ),
    ("CR only", (HEL + LO + DONE).replace(b"\n", b"\r"), HELLO, SAID),
    ("data over several lines", b'data: {"choices":\ndata:[{"delta":{"content":"Hel"}}]}\n\n' + LO + DONE, HELLO, SAID),
    ("characters of four bytes", chunk("a🪔ñ") + DONE, [TextDelta("a🪔ñ")], SAID),
    (
        "half a surrogate pair",
        b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n' + DONE,
        [TextDelta("�")],
        SAID,
    ),
    # 9: not a stream
    ("a whole answer in JSON", json.dumps(WHOLE).encode(), [TextDelta("Hello")], COUNTED),
    ("an error in JSON with 200", json.dumps({"error": OVERFLOW}, indent=1).encode(), [], ContextOverflow),
    ("half a JSON", json.dumps(WHOLE).encode()[:-9], [], NotAModelServer),
    ("a JSON list", b"[1]", [], AnswerBroken),
    ("JSON of another kind", b'{"detail": "what?"}', [], AnswerBroken),
    ("a whole answer in one event", data(WHOLE) + DONE, [TextDelta("Hello")], COUNTED),
    ("HTML", b"\n <!doctype html><title>login</title>", [], NotAModelServer),
    # 10: usage
    (
        "OpenAI: usage in its own chunk",
        HEL + LO + chunk(finish="stop") + data({"choices": [], "usage": USAGE}) + DONE,
        HELLO,
        COUNTED,
    ),
    (
        "llama.cpp: usage on the last chunk, cached in timings",
        HEL + LO + chunk(finish="stop", usage=USAGE, timings={"cache_n": 5}) + DONE,
        HELLO,
        Ended("stop", TokenUsage(7, 2, 5)),
    ),
    ("Groq: usage in x_groq", HEL + LO + chunk(finish="stop", x_groq={"usage": USAGE}) + DONE, HELLO, COUNTED),
    (
        "cached tokens in the details",
        HEL + LO + chunk(finish="stop", usage=USAGE | {"prompt_tokens_details": {"cached_tokens": 3}}),
        HELLO,
        Ended("stop", TokenUsage(7, 2, 3)),
    ),
    ("usage that is null or nonsense", HEL + LO + chunk(finish="stop", usage={"prompt_tokens": "7"}), HELLO, SAID),
    # 11: finish_reason
    ("length", HEL + LO + chunk(finish="length") + DONE, HELLO, Ended("length", None)),
    ("max_tokens", HEL + LO + chunk(finish="MAX_TOKENS") + DONE, HELLO, Ended("length", None)),
    ("eos", HEL + LO + chunk(finish="eos") + DONE, HELLO, SAID),
    ("tool_calls", HEL + LO + chunk(finish="tool_calls") + DONE, HELLO, SAID),
    ("never heard of", HEL + LO + chunk(finish="because") + DONE, HELLO, SAID),
    ("a finish_reason that is no string", HEL + LO + data({"choices": [{"finish_reason": 3}]}), HELLO, SAID),
    ("content_filter", HEL + chunk(finish="content_filter") + DONE, HELLO[:1], AnswerBroken),
    ("[DONE] without finish_reason", HEL + LO + DONE, HELLO, SAID),
    ("finish_reason without [DONE]", HEL + LO + chunk(finish="stop"), HELLO, SAID),
    ("what comes after [DONE]", HEL + LO + DONE + HEL + data({"error": OOPS}), HELLO, SAID),
    # 12: reasoning
    ("llama.cpp: reasoning_content", think("reasoning_content"), THOUGHT, SAID),
    ("Groq: reasoning", think("reasoning"), THOUGHT, SAID),
    (
        "<think> cut anywhere",
        chunk("\n<th") + chunk("ink>hm") + chunk("</thi") + chunk("nk>Hel") + chunk("lo") + DONE,
        [ReasoningDelta("hm"), *HELLO],
        SAID,
    ),
    ("<think> without an end", chunk("<think>hm</th") + DONE, [ReasoningDelta("hm"), ReasoningDelta("</th")], SAID),
    ("only the beginning of a tag", chunk(" <th") + DONE, [TextDelta(" <th")], SAID),
    ("another tag", chunk("<table>") + DONE, [TextDelta("<table>")], SAID),
    (
        "thoughts and no answer",
        data({"choices": [{"delta": {"reasoning": "hm"}}]}) + DONE,
        [ReasoningDelta("hm")],
        SAID,
    ),
    # and what nobody should send
    ("no JSON", HEL + b"data: kaputt\n\n" + DONE, HELLO[:1], AnswerBroken),
    ("JSON too deep", b"data: " + b"[" * 200_000 + b"\n\n", [], AnswerBroken),
    (
        "text instead of choices",
        data({"choices": "x"}) + data({"choices": ["x"]}) + data({"choices": [{}]}),
        [],
        AnswerBroken,
    ),
    ("a list of parts", data({"choices": [{"delta": {"content": [{"text": "Hel"}, 3]}}]}) + LO + DONE, HELLO, SAID),
]
