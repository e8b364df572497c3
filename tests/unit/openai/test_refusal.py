"""Statuses and bodies that servers refuse with, as their own sources and documentation have them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.errors import (
    CandilError,
    ContextOverflow,
    KeyRefused,
    ModelMissing,
    NotAModelServer,
    RequestRejected,
    ServerOverloaded,
)
from pyapp.openai.refusal import refusal, retry_after_s

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HTML = "<html><title>502 Bad Gateway</title></html>"


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message} | more}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("", type="exceed_context_size_error", n_prompt_tokens=9, n_ctx=8), ContextOverflow),
        (400, error("", code="context_length_exceeded"), ContextOverflow),
        (400, {"object": "error", "message": "This model's maximum context length is 10 tokens."}, ContextOverflow),
        (413, error("prompt is too long"), ContextOverflow),
        (500, error("the request exceeds the available context size"), ContextOverflow),
        (401, error("Invalid API Key", type="authentication_error"), KeyRefused),
        (403, HTML, KeyRefused),
        (404, error("model 'x' not found, try pulling it first", type="not_found_error"), ModelMissing),
        (404, "", ModelMissing),
        (400, error("No models loaded. Please load a model in the developer page."), ModelMissing),
        (400, error("Model not loaded"), ModelMissing),
        (400, error("", code="model_decommissioned"), ModelMissing),
        (404, {"detail": "Not Found"}, NotAModelServer),
        (404, error("File Not Found", code=404), NotAModelServer),
        (404, HTML, NotAModelServer),
        (302, "", NotAModelServer),
        (400, HTML, NotAModelServer),
        (429, error("Rate limit: context window of your plan"), ServerOverloaded),
        (503, error("Loading model", type="unavailable_error", code=503), ServerOverloaded),
        (502, HTML, ServerOverloaded),
        (408, None, ServerOverloaded),
        (400, error("temperature", type="invalid_request_error"), RequestRejected),
        (402, error("You have exceeded your monthly included credits"), RequestRejected),
        (422, [error("x")], RequestRejected),
        (400, 7, RequestRejected),
        (400, "[" * 100_000, RequestRejected),
    ],
)
def test_refusals(status: int, body: Any, kind: type[CandilError]) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    assert type(refusal(status, text)) is kind
    assert type(refusal(status, text.encode())) is kind


@pytest.mark.parametrize(
    ("message", "prompt", "context"),
    [
        (
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
            "(4000 in the messages, 1000 in the completion).",
            4000,
            4096,
        ),
        ("maximum context length is 4096 tokens. However, your messages resulted in 4200 tokens.", 4200, 4096),
        ("maximum context length is 8 tokens and your prompt contains at least 9 input tokens", 9, 8),
        ("the request (59 tokens) exceeds the available context size (32 tokens)", 59, 32),
    ],
)
def test_how_much_too_long(message: str, prompt: int, context: int) -> None:
    assert refusal(400, json.dumps(error(message))).details == {"prompt_tokens": prompt, "context_tokens": context}


def test_how_much_too_long_is_not_made_up() -> None:
    assert refusal(400, json.dumps(error("prompt is too long"))).details == {}


def test_a_busy_server_says_when_to_come_back() -> None:
    headers = {"retry-after": "7"}
    assert refusal(429, "", headers).details == {"status": 429, "retry_after_s": 7}
    assert refusal(503, "").details == {"status": 503, "retry_after_s": None}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("2.5", 2.5),
        ("99999", 3600),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 12:00:30 -0000", 30),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-3", None),
        ("nan", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


@given(st.text())
def test_no_header_breaks_it(value: str) -> None:
    seconds = retry_after_s(value, NOW)
    assert seconds is None or 0 <= seconds <= 3600


@given(st.integers(300, 599), st.binary() | st.text().map(lambda said: json.dumps(error(said, type=said)).encode()))
def test_every_body_is_a_typed_error(status: int, body: bytes) -> None:
    assert isinstance(refusal(status, body), CandilError)


def test_only_an_identifier_of_the_server_is_kept() -> None:
    assert refusal(400, json.dumps(error("my secret", code="bad_param"))).details["reason"] == "bad_param"
    said = refusal(400, json.dumps(error("my secret", code="my secret", type="my secret!")))
    assert "secret" not in f"{said.message} {said.details}"


@pytest.mark.parametrize(
    "message",
    [
        "'response_format.type' must be 'text'",
        "Invalid schema for response_format 'document': 'required' is required",
        "json_schema is not supported by this model",
        "This model does not support structured outputs",
    ],
)
def test_a_server_that_cannot_answer_by_a_schema_is_told_apart(message: str) -> None:
    found = refusal(400, json.dumps(error(message, type="invalid_request_error")))
    assert found.details == {"status": 400, "reason": "response_format"}
