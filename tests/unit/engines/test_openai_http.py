"""The engine keeps the contract over a scripted llama.cpp, and no server makes it hang, lie or tell a key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyapp.engine import Finished, GenerateEvent, GenerateRequest, Message, ReasoningDelta, Sampling, TextDelta
from pyapp.engines.openai_http import FIRST_WORD_S, IDLE_S, OpenAiHttp
from pyapp.errors import (
    AnswerBroken,
    CandilError,
    ContextOverflow,
    EmptyAnswer,
    EngineFailed,
    KeyRefused,
    ModelMissing,
    NetworkFailed,
    NotAModelServer,
    RequestError,
    RequestRejected,
    ServerOverloaded,
    ServerSilent,
    ServerUnreachable,
)
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.openai.chat_stream import Ended
from pyapp.openai.models import ServedModel
from pyapp.servers.address import parse
from pyapp.servers.served import described
from tests.contract.engine import CONTRACT, QUESTION, Check, answer, load
from tests.unit.engines.scripted import MODEL as NOT_SERVED
from tests.unit.openai.dialects import DIALECTS, DONE, HEL, LO, Dialect, chunk, data
from tests.unit.run import run
from tests.unit.servers.scripted_server import BASE, NOBODY, LlamaCpp, ScriptedServers, Steps, as_json
from tests.unit.transport import Forever

CHAT = f"POST {BASE}/v1/chat/completions"
KEY = "sk-secret"


def described_here(window: int | None = 200) -> tuple[ModelSpec, Variant]:
    return described(parse(BASE), ServedModel("m.gguf", window))


class Clock:
    """Milliseconds; each look at it takes one."""

    def __init__(self) -> None:
        self.ms = 0.0

    def __call__(self) -> float:
        self.ms += 1
        return self.ms


def loaded(servers: ScriptedServers, *, key: str = "", window: int | None = 200) -> OpenAiHttp:
    engine = OpenAiHttp(servers, lambda _base_url: key, seed=lambda: 99, now_ms=Clock())
    run(load(engine, *described_here(window)))
    servers.requests.clear()
    return engine


def answering(*steps: Any, owned_by: str = "library") -> ScriptedServers:
    """A server that has the model, and answers so."""
    models = as_json({"data": [{"id": "m.gguf", "owned_by": owned_by}]})
    return ScriptedServers({f"GET {BASE}/v1/models": models, CHAT: lambda _body: steps})


def heard(engine: OpenAiHttp, request: GenerateRequest) -> tuple[list[GenerateEvent], CandilError | None]:
    events: list[GenerateEvent] = []

    async def hear() -> None:
        async for event in engine.generate(request):
            events.append(event)

    try:
        run(hear())
    except CandilError as error:
        return events, error
    return events, None


def ask(*steps: Any, **request: Any) -> tuple[list[GenerateEvent], CandilError | None]:
    return heard(loaded(answering(*steps)), GenerateRequest(QUESTION, **request))


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_it_keeps_the_contract_of_engines(check: Check) -> None:
    run(check(loaded(LlamaCpp()), *described_here()))  # type: ignore[arg-type]


# ---- what is sent ----


def test_loading_asks_for_the_models_and_sends_the_key() -> None:
    servers = LlamaCpp()
    engine = OpenAiHttp(servers, {BASE + "/v1": KEY}.__getitem__, seed=lambda: 1, now_ms=Clock())
    assert run(load(engine, *described_here())) == ["session"]
    assert servers.requests[0] == {
        "url": f"{BASE}/v1/models",
        "method": "GET",
        "headers": {"accept": "text/event-stream, application/json", "authorization": f"Bearer {KEY}"},
        "body": None,
    }


def test_a_server_nobody_knows_gets_only_what_everybody_takes() -> None:
    servers = answering(200, HEL, DONE)
    run(answer(loaded(servers), GenerateRequest(QUESTION, Sampling(temperature=0.5, seed=3), 16)))
    assert servers.bodies("/chat/completions") == [
        {
            "model": "m.gguf",
            "messages": [{"role": "user", "content": QUESTION[0].text}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 16,
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 3,
        }
    ]
    assert "authorization" not in servers.requests[-1]["headers"]


@pytest.mark.parametrize(
    ("owned_by", "sent"),
    [
        ("llamacpp", {"top_k": 0, "min_p": 0.05, "repeat_penalty": 1.1}),
        ("organization_owner", {"top_k": 0, "repeat_penalty": 1.1}),
        (
            "vllm",
            {
                "top_k": -1,
                "min_p": 0.05,
                "repetition_penalty": 1.1,
                "continue_final_message": True,
                "add_generation_prompt": False,
            },
        ),
    ],
)
def test_servers_that_are_known_get_their_extensions(owned_by: str, sent: dict[str, Any]) -> None:
    servers = answering(200, HEL, DONE, owned_by=owned_by)
    request = GenerateRequest((*QUESTION, Message("assistant", "Once")), Sampling(top_k=0), continue_last=True)
    run(answer(loaded(servers), request))
    body = servers.bodies("/chat/completions")[0]
    assert {key: body.get(key) for key in sent} == sent
    assert body["seed"] == 99
    assert len(body) == 8 + len(sent)


def test_a_finished_answer_may_be_continued_with_nothing() -> None:
    messages = (*QUESTION, Message("assistant", "The end."))
    engine = loaded(answering(200, chunk(finish="stop"), DONE))
    events, error = heard(engine, GenerateRequest(messages, continue_last=True))
    assert error is None
    assert isinstance(events[0], Finished)
    assert type(heard(engine, GenerateRequest(QUESTION))[1]) is EmptyAnswer


# ---- counting ----


def test_llama_cpp_counts_exactly() -> None:
    assert run(loaded(LlamaCpp()).count(QUESTION)) == 9


def test_elsewhere_the_count_is_an_estimate_that_learns() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 1}
    engine = loaded(answering(200, HEL, DONE, data({"choices": [], "usage": usage})))
    before = run(engine.count(QUESTION))
    assert 10 < before < 20
    run(answer(engine, GenerateRequest(QUESTION)))
    assert run(engine.count(QUESTION)) == before  # [DONE] came before the usage: nobody reads on
    engine = loaded(answering(200, HEL, data({"choices": [], "usage": usage}), DONE))
    run(answer(engine, GenerateRequest(QUESTION)))
    assert run(engine.count(QUESTION)) == 100
    assert run(engine.count((*QUESTION, *QUESTION))) > 150


@pytest.mark.parametrize("answer_", [as_json({}, 404), as_json({"prompt": 3}), as_json([]), lambda _: [200, b"<p>"]])
def test_a_llama_cpp_that_cannot_count_is_estimated_from_then_on(answer_: Any) -> None:
    servers = LlamaCpp()
    engine = loaded(servers)
    servers.answers[f"POST {BASE}/apply-template"] = answer_
    assert 10 < run(engine.count(QUESTION)) < 20
    servers.requests.clear()
    run(engine.count(QUESTION))
    assert servers.requests == []


def test_a_server_that_has_gone_counts_again_when_it_is_back() -> None:
    servers = LlamaCpp()
    engine = loaded(servers)
    answers = dict(servers.answers)
    servers.answers.clear()
    assert 10 < run(engine.count(QUESTION)) < 20
    _, error = heard(engine, GenerateRequest(QUESTION))
    assert isinstance(error, ServerUnreachable)
    assert error.details == {"host": "127.0.0.1:8080"}
    servers.answers = answers
    assert run(engine.count(QUESTION)) == 9


# ---- what comes back ----


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect[0])
def test_every_dialect_has_an_outcome(dialect: Dialect) -> None:
    _, body, deltas, ends = dialect
    events, error = ask(200, body)
    if isinstance(ends, Ended):
        assert error is None
        assert events[:-1] == deltas
        assert isinstance(events[-1], Finished)
        assert events[-1].reason == ends.reason
    else:
        assert (events, type(error)) == (deltas, ends)


def test_the_figures_are_the_servers_counts_and_our_clock() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 3}}
    events, _ = ask(200, HEL, LO, chunk(finish="stop", usage=usage), DONE)
    assert isinstance(events[-1], Finished)
    figures = events[-1].usage
    assert (figures.prompt_tokens, figures.cached_tokens, figures.new_tokens) == (7, 3, 2)
    assert (figures.prefill_ms, figures.decode_ms) == (1, 1)


def test_without_the_servers_counts_the_pieces_are_counted() -> None:
    events, _ = ask(200, HEL, LO, DONE)
    assert isinstance(events[-1], Finished)
    assert events[-1].usage.new_tokens == 2
    assert events[-1].usage.prompt_tokens > 10


def test_thoughts_are_told_apart() -> None:
    events, _ = ask(200, data({"choices": [{"delta": {"reasoning_content": "hm"}}]}), HEL, DONE)
    assert events[:2] == [ReasoningDelta("hm"), TextDelta("Hel")]


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([NOBODY], ServerUnreachable),
        ([], EngineFailed),
        ([Forever()], ServerSilent),
        ([200, Forever()], ServerSilent),
        ([200, NetworkFailed("reset")], AnswerBroken),
        ([200, *[25.0, b": ping\n\n"] * 40], ServerSilent),
        ([0], NotAModelServer),
        ([200, b"<!doctype html>"], NotAModelServer),
        ([404, b"<!doctype html>"], NotAModelServer),
        ([401, b'{"error": {"message": "bad key"}}'], KeyRefused),
        ([404, b'{"error": {"message": "model not found"}}'], ModelMissing),
        ([503, b'{"error": {"message": "Loading model"}}'], ServerOverloaded),
        ([500, *[b"x" * 1_000_000] * 9], NotAModelServer),
        ([200, *[b"data: " + b"x" * 1_000_000] * 9], NotAModelServer),
    ],
)
def test_failures_before_a_word(steps: list[Any], kind: type[CandilError]) -> None:
    events, error = ask(*steps)
    assert (events, type(error)) == ([], kind)


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([Forever()], ServerSilent),
        ([NetworkFailed("reset")], AnswerBroken),
        ([*[25.0, b": ping\n\n"] * 4], ServerSilent),
        ([*[25.0, data({"choices": [{"delta": {}}]})] * 4], ServerSilent),
        ([], AnswerBroken),
    ],
)
def test_failures_after_a_word_keep_it(steps: list[Any], kind: type[CandilError]) -> None:
    events, error = ask(200, HEL, *steps)
    assert (events, type(error)) == ([TextDelta("Hel")], kind)


def test_how_long_it_was_waited_for_is_said() -> None:
    for steps, seconds in (([200], FIRST_WORD_S), ([200, HEL], IDLE_S)):
        _, error = ask(*steps, Forever())
        assert error
        assert error.details == {"seconds": seconds}


def test_slow_is_not_silent() -> None:
    events, error = ask(FIRST_WORD_S - 1, 200, HEL, *[IDLE_S - 1, LO] * 20, DONE)
    assert error is None
    assert len(events) == 22


def test_a_server_that_never_ends_is_not_heard_out() -> None:
    def endless() -> Steps:
        yield 200
        while True:
            yield chunk("x" * 50)

    servers = answering()
    servers.answers[CHAT] = lambda _body: endless()
    events, error = heard(loaded(servers), GenerateRequest(QUESTION, max_new_tokens=10))
    assert error is None
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "length"
    assert len(events) == 14
    assert servers.closed == [f"{BASE}/v1/chat/completions"]


def test_closing_it_ends_the_exchange() -> None:
    servers = answering(200, HEL, Forever())

    async def one() -> None:
        stream = loaded_engine.generate(GenerateRequest(QUESTION))
        assert await anext(stream) == TextDelta("Hel")
        await stream.aclose()

    loaded_engine = loaded(servers)
    run(one())
    assert servers.closed == [f"{BASE}/v1/chat/completions"]


def test_an_overflow_that_only_the_server_noticed_says_what_is_known() -> None:
    _, error = ask(400, b'{"error": {"message": "prompt is too long"}}')
    assert isinstance(error, ContextOverflow)
    assert error.details == {"prompt_tokens": 200, "context_tokens": 200}
    said = {"type": "exceed_context_size_error", "n_prompt_tokens": 500, "n_ctx": 100}
    _, error = ask(400, json.dumps({"error": said}).encode())
    assert error
    assert error.details == {"prompt_tokens": 500, "context_tokens": 100}


# ---- schemas ----

SCHEMA = {"type": "boolean"}
NOT_THAT = [400, json.dumps({"error": {"message": "response_format is not supported"}}).encode()]


def test_llama_cpp_gets_our_grammar() -> None:
    servers = LlamaCpp()
    engine = loaded(servers)
    assert engine.constrains
    run(answer(engine, GenerateRequest(QUESTION, schema=SCHEMA, max_new_tokens=4)))
    (sent,) = servers.bodies("/chat/completions")
    assert sent["grammar"] == 'root ::= ("true" | "false")\n'
    assert "response_format" not in sent


@pytest.mark.parametrize(("owned_by", "constrains"), [("vllm", True), ("organization_owner", True), ("library", False)])
def test_others_get_the_schema_and_some_hold_answers_to_it(owned_by: str, constrains: bool) -> None:
    servers = answering(200, HEL, DONE, owned_by=owned_by)
    engine = loaded(servers)
    assert engine.constrains == constrains
    run(answer(engine, GenerateRequest(QUESTION, schema=SCHEMA)))
    described = {"name": "document", "schema": SCHEMA, "strict": True}
    assert servers.bodies("/chat/completions")[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": described,
    }


def test_who_refuses_schemas_is_asked_for_json_and_then_for_nothing() -> None:
    servers = answering(owned_by="vllm")
    taken = {"json_schema": NOT_THAT, "json_object": NOT_THAT, "": [200, HEL, DONE]}
    servers.answers[CHAT] = lambda body: taken[body.get("response_format", {"type": ""})["type"]]
    engine = loaded(servers)
    for _ in range(2):
        assert run(answer(engine, GenerateRequest(QUESTION, schema=SCHEMA)))[0]
    asked = [body.get("response_format", {"type": None})["type"] for body in servers.bodies("/chat/completions")]
    assert asked == ["json_schema", "json_object", None, None]
    assert not engine.constrains


def test_who_refuses_without_being_asked_for_json_is_believed() -> None:
    events, error = ask(*NOT_THAT)
    assert events == []
    assert isinstance(error, RequestRejected)


def test_without_a_server_nothing_is_constrained() -> None:
    assert not OpenAiHttp(ScriptedServers(), lambda _: "", seed=lambda: 1, now_ms=Clock()).constrains


# ---- loading ----


@pytest.mark.parametrize(
    ("models", "kind"),
    [
        (lambda _: [NOBODY], ServerUnreachable),
        (lambda _: [Forever()], ServerSilent),
        (lambda _: [200, *[b" " * 1_000_000] * 9], NotAModelServer),
        (lambda _: [200, b"<html>"], NotAModelServer),
        (as_json({"data": [{"id": "another"}]}), ModelMissing),
        (as_json({"error": {"message": "no"}}, 401), KeyRefused),
    ],
)
def test_a_load_that_fails_leaves_nothing_loaded(models: Any, kind: type[CandilError]) -> None:
    servers = answering(200, HEL, DONE)
    engine = loaded(servers)
    servers.answers[f"GET {BASE}/v1/models"] = models
    other, variant = described(parse(BASE), ServedModel("m.gguf", 100))
    with pytest.raises(kind):
        run(load(engine, other, variant))
    with pytest.raises(CandilError, match="not_loaded"):
        run(engine.count(QUESTION))


def test_a_model_that_is_on_no_server() -> None:
    engine = OpenAiHttp(ScriptedServers(), lambda _: "", seed=lambda: 1, now_ms=Clock())
    with pytest.raises(EngineFailed):
        run(load(engine, NOT_SERVED, NOT_SERVED.variants[0]))


# ---- secrets ----


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429, 500])
def test_neither_the_key_nor_the_words_are_in_an_error(status: int) -> None:
    quoted = json.dumps({"error": {"message": f"{KEY} {QUESTION[0].text}", "type": KEY, "code": QUESTION[0].text}})
    engine = loaded(answering(status, quoted.encode()), key=KEY)
    _, error = heard(engine, GenerateRequest(QUESTION))
    assert error
    assert isinstance(error, RequestError) or error.code
    for secret in (QUESTION[0].text, "message"):
        assert secret not in f"{error!r} {error.message} {error.details}"
