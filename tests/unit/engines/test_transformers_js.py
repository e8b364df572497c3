"""The engine keeps the contract, says the wire's words, and leaves no broken worker behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyapp.engine import Finished, GenerateRequest, Message, Progress, Sampling, TextDelta, Usage
from pyapp.engines.transformers_js import TransformersJs
from pyapp.errors import (
    ContextOverflow,
    DeviceLost,
    EngineFailed,
    NotLoaded,
    OutOfMemory,
    SchemaUnsupported,
    WrongAnswer,
)
from tests.contract.engine import CONTRACT, QUESTION, Check, answer, load
from tests.unit.engines.scripted import MODEL, VARIANT, ScriptedWorker
from tests.unit.run import run

REPLACE = ("page.replace_worker", {"worker": "transformers_js"})


def loaded(worker: ScriptedWorker) -> TransformersJs:
    engine = TransformersJs(worker, seed=lambda: 99)
    run(load(engine, MODEL, VARIANT))
    worker.calls.clear()
    return engine


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_it_keeps_the_contract_of_engines(check: Check) -> None:
    run(check(loaded(ScriptedWorker()), MODEL, VARIANT))  # type: ignore[arg-type]


def test_loading_sends_what_the_variant_says_and_tests_the_answer() -> None:
    worker = ScriptedWorker()
    engine = TransformersJs(worker, seed=lambda: 0)

    async def stages() -> list[Progress]:
        return [progress async for progress in engine.load(MODEL, VARIANT)]

    assert run(stages()) == [Progress("reading"), Progress("session"), Progress("self_test")]
    assert worker.calls == [
        ("transformers_js.probe", {}),
        (
            "transformers_js.load",
            {
                "files": {"config.json": "a" * 64, "onnx/model_int8.onnx": "b" * 64},
                "device": "wasm",
                "dtype": "int8",
                "threads": 4,
            },
        ),
        ("transformers_js.self_test", {"prompt_ids": [1, 2], "steps": 3}),
    ]


def test_a_variant_without_a_known_answer_is_not_tested() -> None:
    worker = ScriptedWorker()
    engine = TransformersJs(worker, seed=lambda: 0)
    assert run(load(engine, MODEL, replace(VARIANT, self_test=None))) == ["reading", "session"]


def test_another_variant_gets_a_fresh_worker() -> None:
    worker = ScriptedWorker()
    engine = loaded(worker)
    run(load(engine, MODEL, replace(VARIANT, name="other")))
    assert worker.calls[0] == REPLACE
    assert worker.ops()[1:] == ["transformers_js.probe", "transformers_js.load", "transformers_js.self_test"]


def test_a_wrong_answer_is_an_error_and_ends_the_worker() -> None:
    worker = ScriptedWorker(next_ids=[3, 4, 6])
    engine = TransformersJs(worker, seed=lambda: 0)
    with pytest.raises(WrongAnswer):
        run(load(engine, MODEL, VARIANT))
    assert worker.calls[-1] == REPLACE
    with pytest.raises(NotLoaded):
        run(engine.count(QUESTION))


@pytest.mark.parametrize("op", ["probe", "load", "self_test"])
def test_a_failed_load_ends_the_worker_and_can_be_tried_again(op: str) -> None:
    worker = ScriptedWorker(failures={f"transformers_js.{op}": [OutOfMemory("x")]})
    engine = TransformersJs(worker, seed=lambda: 0)
    with pytest.raises(OutOfMemory):
        run(load(engine, MODEL, VARIANT))
    assert worker.calls[-1] == REPLACE
    run(load(engine, MODEL, VARIANT))
    assert run(answer(engine, GenerateRequest(QUESTION)))


def test_a_load_that_is_given_up_ends_the_worker() -> None:
    worker = ScriptedWorker()
    engine = TransformersJs(worker, seed=lambda: 0)

    async def give_up() -> None:
        stages = engine.load(MODEL, VARIANT)
        await anext(stages)
        await stages.aclose()

    run(give_up())
    assert worker.closed == ["transformers_js.load"]
    assert worker.calls[-1] == REPLACE


def test_a_request_crosses_whole() -> None:
    worker = ScriptedWorker()
    engine = loaded(worker)
    messages = (Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Ho"), Message("user", "?"))
    sampling = Sampling(temperature=0.5, top_k=3, top_p=0.6, min_p=0.1, repetition_penalty=1.2, seed=5)
    run(answer(engine, GenerateRequest(messages, sampling, max_new_tokens=7, stop=("\n",))))
    on_the_wire = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ho"},
        {"role": "user", "content": "?"},
    ]
    assert worker.calls == [
        ("transformers_js.count", {"messages": on_the_wire, "continue_last": False}),
        (
            "transformers_js.generate",
            {
                "messages": on_the_wire,
                "sampling": {
                    "temperature": 0.5,
                    "top_k": 3,
                    "top_p": 0.6,
                    "min_p": 0.1,
                    "repetition_penalty": 1.2,
                    "seed": 5,
                },
                "max_new_tokens": 7,
                "stop": ["\n"],
                "continue_last": False,
                "grammar": None,
            },
        ),
    ]


def test_a_request_without_a_seed_gets_one() -> None:
    worker = ScriptedWorker()
    run(answer(loaded(worker), GenerateRequest(QUESTION)))
    assert worker.calls[-1][1]["sampling"]["seed"] == 99


def test_an_answer_is_cut_to_what_fits() -> None:
    worker = ScriptedWorker()
    engine = loaded(worker)
    run(answer(engine, GenerateRequest((Message("user", "word " * 190),), max_new_tokens=1024)))
    assert worker.calls[-1][1]["max_new_tokens"] == 200 - 194


def test_events_are_told_as_they_come() -> None:
    engine = loaded(ScriptedWorker())

    async def events() -> list[object]:
        return [event async for event in engine.generate(GenerateRequest(QUESTION, max_new_tokens=2))]

    first, second, last = run(events())
    assert isinstance(first, TextDelta)
    assert isinstance(second, TextDelta)
    assert last == Finished("length", Usage(11, 0, 2, 5.0, 10.0))


@pytest.mark.parametrize("op", ["count", "generate"])
def test_a_failure_ends_the_worker(op: str) -> None:
    worker = ScriptedWorker(failures={f"transformers_js.{op}": [DeviceLost("gone")]})
    engine = loaded(worker)
    with pytest.raises(DeviceLost):
        run(answer(engine, GenerateRequest(QUESTION)))
    assert worker.calls[-1] == REPLACE
    with pytest.raises(NotLoaded):
        run(answer(engine, GenerateRequest(QUESTION)))


def test_a_failure_while_counting_ends_the_worker() -> None:
    worker = ScriptedWorker(failures={"transformers_js.count": [DeviceLost("gone")]})
    with pytest.raises(DeviceLost):
        run(loaded(worker).count(QUESTION))
    assert worker.calls[-1] == REPLACE


@pytest.mark.parametrize("op", ["count", "generate"])
def test_a_refusal_keeps_the_model(op: str) -> None:
    worker = ScriptedWorker(failures={f"transformers_js.{op}": [ContextOverflow("long")]})
    engine = loaded(worker)
    with pytest.raises(ContextOverflow):
        run(answer(engine, GenerateRequest(QUESTION)))
    assert REPLACE not in worker.calls
    assert run(answer(engine, GenerateRequest(QUESTION)))


@pytest.mark.parametrize("op", ["count", "generate"])
def test_a_worker_that_says_nothing_has_failed(op: str) -> None:
    worker = ScriptedWorker()
    engine = loaded(worker)
    worker.silent = {f"transformers_js.{op}"}
    with pytest.raises(EngineFailed):
        run(answer(engine, GenerateRequest(QUESTION)))
    assert worker.calls[-1] == REPLACE


def test_closing_an_answer_aborts_it_and_keeps_the_worker() -> None:
    worker = ScriptedWorker()
    engine = loaded(worker)

    async def stop() -> None:
        events = engine.generate(GenerateRequest(QUESTION))
        await anext(events)
        await events.aclose()

    run(stop())
    assert worker.closed == ["transformers_js.generate"]
    assert REPLACE not in worker.calls
    assert run(engine.count(QUESTION)) == 11


def test_unloading_without_a_model_asks_nothing() -> None:
    worker = ScriptedWorker()
    run(TransformersJs(worker, seed=lambda: 0).unload())
    assert worker.calls == []


def test_a_schema_crosses_as_a_grammar() -> None:
    worker = ScriptedWorker()
    run(answer(loaded(worker), GenerateRequest(QUESTION, schema={"type": "string", "maxLength": 500})))
    assert "{0,500}" in worker.calls[-1][1]["grammar"]


def test_a_schema_that_cannot_be_kept_is_refused_before_anything_runs() -> None:
    worker = ScriptedWorker()
    with pytest.raises(SchemaUnsupported):
        run(answer(loaded(worker), GenerateRequest(QUESTION, schema={"not": {}})))
    assert worker.calls == []


def test_candidates_cross_and_their_probabilities_come_back() -> None:
    worker = ScriptedWorker()
    assert run(loaded(worker).score(QUESTION, ("Yes", "Yes, but"))) == [-4.0, -9.0]
    asked = {"messages": [{"role": "user", "content": QUESTION[0].text}], "candidates": ["Yes", "Yes, but"]}
    assert worker.calls == [("transformers_js.score", asked)]


def test_a_failure_while_candidates_are_read_ends_the_worker() -> None:
    worker = ScriptedWorker(failures={"transformers_js.score": [DeviceLost("gone")]})
    engine = loaded(worker)
    with pytest.raises(DeviceLost):
        run(engine.score(QUESTION, ["Yes"]))
    assert worker.calls[-1] == REPLACE
    with pytest.raises(NotLoaded):
        run(engine.score(QUESTION, ["Yes"]))
