"""WebLLM behind the seam, scripted: its answers were never seen, so this is all there is to hold them to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pyapp.engine import GenerateRequest, Message, Progress, Sampling
from pyapp.engines.webllm import Webllm
from pyapp.errors import ContextOverflow, EngineFailed, EngineUnavailable, InvalidRequest, NotLoaded, OutOfMemory
from pyapp.models.manifest import ManifestFile
from tests.contract.engine import CONTRACT, QUESTION, Check, answer, load, refused
from tests.unit.engines import scripted
from tests.unit.engines.scripted_webllm import ScriptedWebllm
from tests.unit.run import run

MODEL = scripted.MODEL
FILES = (ManifestFile("mlc-chat-config.json", "c", 2, "a" * 64), ManifestFile("lib/model.wasm", "l", 3, "b" * 64))
VARIANT = replace(
    scripted.VARIANT, engine="webllm", device="webgpu", files=FILES, features=("shader-f16",), self_test=None
)
REPLACE = ("page.replace_worker", {"worker": "webllm"})


def engine_of(worker: ScriptedWebllm) -> Webllm:
    clock: Iterator[int] = iter(range(10**6))
    return Webllm(worker, seed=lambda: 99, now_ms=lambda: next(clock))


def loaded(worker: ScriptedWebllm) -> Webllm:
    engine = engine_of(worker)
    run(load(engine, MODEL, VARIANT))
    worker.calls.clear()
    return engine


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_it_keeps_the_contract_of_engines(check: Check) -> None:
    run(check(loaded(ScriptedWebllm()), MODEL, VARIANT))  # type: ignore[arg-type]


def test_loading_names_the_library_among_the_files_and_what_the_gpu_must_have() -> None:
    worker = ScriptedWebllm()

    async def stages() -> list[Progress]:
        return [progress async for progress in engine_of(worker).load(replace(MODEL, context_tokens=9000), VARIANT)]

    assert run(stages()) == [Progress("reading"), Progress("session", 0.5)]
    payload = {
        "files": {"mlc-chat-config.json": "a" * 64, "lib/model.wasm": "b" * 64},
        "library": "lib/model.wasm",
        "features": ["shader-f16"],
        "context_tokens": 4096,
    }
    assert worker.calls == [("webllm.load", payload)]


def test_without_its_library_nothing_is_loaded() -> None:
    worker = ScriptedWebllm()
    with pytest.raises(EngineUnavailable) as caught:
        run(load(engine_of(worker), MODEL, replace(VARIANT, files=FILES[:1])))
    assert caught.value.details["reasons"] == ["no_model_library"]
    assert worker.calls == []


def test_a_failed_load_ends_the_worker_and_can_be_tried_again() -> None:
    worker = ScriptedWebllm(failures={"webllm.load": [OutOfMemory("x")]})
    engine = engine_of(worker)
    with pytest.raises(OutOfMemory):
        run(load(engine, MODEL, VARIANT))
    assert worker.calls[-1] == REPLACE
    run(load(engine, MODEL, VARIANT))
    assert run(answer(engine, GenerateRequest(QUESTION)))


def test_a_request_crosses_with_what_the_library_takes() -> None:
    worker = ScriptedWebllm()
    messages = (Message("system", "Be brief."), Message("user", "Hi"))
    request = GenerateRequest(messages, Sampling(0.5, 3, 0.6, 0.1, 1.2), max_new_tokens=7, schema={"type": "boolean"})
    run(answer(loaded(worker), request))
    assert worker.calls[-1] == (
        "webllm.generate",
        {
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
            "sampling": {"temperature": 0.5, "top_p": 0.6, "repetition_penalty": 1.2, "seed": 99},
            "max_new_tokens": 7,
            "grammar": 'root ::= ("true" | "false")\n',
        },
    )


def test_what_the_kv_cache_held_is_not_counted_again() -> None:
    _, finished = run(answer(loaded(ScriptedWebllm(cached=4)), GenerateRequest(QUESTION)))
    assert (finished.usage.prompt_tokens, finished.usage.cached_tokens) == (23, 20)


def test_what_only_began_like_a_stop_string_is_shown() -> None:
    engine = loaded(ScriptedWebllm())
    whole, _ = run(answer(engine, GenerateRequest(QUESTION, Sampling(temperature=0), max_new_tokens=8)))
    stop = whole[-1] + "!"
    text, _ = run(answer(engine, GenerateRequest(QUESTION, Sampling(temperature=0), max_new_tokens=8, stop=(stop,))))
    assert text == whole


def test_an_answer_cannot_go_on() -> None:
    worker = ScriptedWebllm()
    with pytest.raises(InvalidRequest):
        run(answer(loaded(worker), GenerateRequest((Message("assistant", "Once"),), continue_last=True)))
    assert worker.calls == []


def test_what_does_not_fit_is_refused_and_the_model_stays() -> None:
    worker = ScriptedWebllm()
    engine = loaded(worker)
    with pytest.raises(ContextOverflow):
        run(answer(engine, GenerateRequest((Message("user", "word " * 200),))))
    assert REPLACE not in worker.calls


def failing(op: str) -> Any:
    return ScriptedWebllm(failures={op: [EngineFailed("x")]})


@pytest.mark.parametrize("worker", [failing("webllm.count"), failing("webllm.generate"), ScriptedWebllm(cut=True)])
def test_after_a_failure_the_worker_is_another(worker: ScriptedWebllm) -> None:
    engine = loaded(worker)

    async def story() -> None:
        with refused(EngineFailed):
            await answer(engine, GenerateRequest(QUESTION))
        with refused(NotLoaded):
            await engine.count(QUESTION)

    run(story())
    assert worker.calls[-1] == REPLACE


def test_a_count_that_fails_ends_the_worker_too() -> None:
    worker = failing("webllm.count")
    with pytest.raises(EngineFailed):
        run(loaded(worker).count(QUESTION))
    assert worker.calls[-1] == REPLACE
