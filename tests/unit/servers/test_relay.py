"""Every failure of the relay has a sentence of its own; the engine marks what it sends there and says who answered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pyapp.engine import AnsweredBy, Finished, GenerateRequest, TextDelta
from pyapp.engines.openai_http import OpenAiHttp
from pyapp.errors import (
    CandilError,
    CloudBusy,
    CloudError,
    CloudFailed,
    CloudInterrupted,
    CloudSpent,
    CloudTokenRefused,
    CloudTooLong,
    CloudUnreachable,
    ContextOverflow,
    NetworkFailed,
    ServerOverloaded,
    ServerSilent,
)
from pyapp.models.manifest import Company, ModelSpec, ServerSource, Variant
from pyapp.openai.models import ServedModel
from pyapp.servers.address import parse
from pyapp.servers.relay import as_cloud_error
from pyapp.servers.served import described
from tests.contract.engine import QUESTION, load
from tests.unit.engines.test_openai_http import Clock, heard
from tests.unit.openai.dialects import DONE, data
from tests.unit.run import run
from tests.unit.servers.scripted_server import BASE, NOBODY, ScriptedServers, as_json
from tests.unit.transport import Forever

CHAT = f"POST {BASE}/v1/chat/completions"


def described_here() -> tuple[ModelSpec, Variant]:
    spec, variant = described(parse(BASE), ServedModel("auto", 9000))
    return replace(spec, source=ServerSource(f"{BASE}/v1", "auto", (Company("acme", "Acme AI"),))), variant


def said(text: str, provider: str = "acme", model: str = "large") -> bytes:
    choices = [{"delta": {"content": text}, "finish_reason": None}]
    return data({"choices": choices, "provider": provider, "model": model})


def failed(code: str, status: int) -> Any:
    return [status, json.dumps({"error": {"code": code, "type": "x", "message": "Words."}}).encode()]


def error_event(code: str) -> bytes:
    return b"event: error\n" + data({"error": {"code": code, "message": "Words.", "retryable": True, "partial": True}})


def relay(*steps: Any) -> tuple[OpenAiHttp, ScriptedServers]:
    models = as_json({"data": [{"id": "auto", "owned_by": "candil"}]})
    servers = ScriptedServers({f"GET {BASE}/v1/models": models, CHAT: lambda _body: steps})
    engine = OpenAiHttp(servers, lambda _: "", seed=lambda: 1, now_ms=Clock())
    run(load(engine, *described_here()))
    return engine, servers


def test_who_answers_is_said_once_before_the_first_word_and_every_request_is_marked() -> None:
    engine, servers = relay(200, said("Hel"), said("lo"), DONE)
    events, error = heard(engine, GenerateRequest(QUESTION))
    assert error is None
    assert events[:3] == [AnsweredBy("Acme AI", "large"), TextDelta("Hel"), TextDelta("lo")]
    assert isinstance(events[3], Finished)
    assert [request["headers"]["x-candil"] for request in servers.requests] == ["1", "1"]


def test_a_company_nobody_told_of_is_named_as_the_relay_does() -> None:
    engine, _ = relay(200, said("Hi", "new"), DONE)
    assert heard(engine, GenerateRequest(QUESTION))[0][0] == AnsweredBy("new", "large")


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([NOBODY], CloudUnreachable),
        (failed("no_cloud", 404), CloudUnreachable),
        (failed("unauthorized", 401), CloudTokenRefused),
        (failed("header_missing", 403), CloudFailed),
        (failed("rate_limited", 429), CloudBusy),
        (failed("too_long", 400), CloudTooLong),
        (failed("context_length_exceeded", 400), CloudTooLong),
        (failed("invalid_request", 400), CloudTooLong),
        (failed("body_too_large", 413), CloudTooLong),
        (failed("upstream_rejected", 502), CloudFailed),
        (failed("no_provider", 503), CloudFailed),
        ([200, error_event("no_provider")], CloudFailed),
        ([200, error_event("rate_limited")], CloudBusy),
        ([200, error_event("tokens_exhausted")], CloudSpent),
        ([Forever()], CloudFailed),
        ([200, DONE], CloudFailed),
        ([200, b"<html>"], CloudUnreachable),
        ([200, said("Half"), error_event("upstream_interrupted")], CloudInterrupted),
        ([200, said("Half"), NetworkFailed("reset")], CloudInterrupted),
        ([200, said("Half")], CloudInterrupted),
    ],
)
def test_failures_are_the_clouds(steps: list[Any], kind: type[CandilError]) -> None:
    engine, _ = relay(*steps)
    assert type(heard(engine, GenerateRequest(QUESTION))[1]) is kind


@pytest.mark.parametrize(
    ("after_s", "kind"), [(None, CloudBusy), (1.0, CloudBusy), (60.0, CloudBusy), (61.0, CloudSpent)]
)
def test_what_is_used_up_for_the_day_says_so(after_s: float | None, kind: type[CloudError]) -> None:
    assert type(as_cloud_error(ServerOverloaded("x", status=429, retry_after_s=after_s))) is kind


def test_what_is_known_already_stays() -> None:
    error = CloudSpent("x")
    assert as_cloud_error(error) is error
    assert type(as_cloud_error(ContextOverflow())) is CloudTooLong
    assert type(as_cloud_error(ServerSilent(seconds=1))) is CloudFailed
