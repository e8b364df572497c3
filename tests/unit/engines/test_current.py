"""One engine at a time, the one that the loaded variant names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyapp.engine import Finished, GenerateRequest, Usage
from pyapp.engines.current import Current
from pyapp.engines.transformers_js import TransformersJs
from pyapp.errors import EngineHung, EngineUnavailable, NotLoaded
from tests.contract.engine import CONTRACT, QUESTION, Check, answer, load, refused
from tests.unit.chat.scripted import ScriptedEngine
from tests.unit.engines.scripted import MODEL, VARIANT, ScriptedWorker
from tests.unit.run import run

DONE = Finished("stop", Usage(1, 0, 1, 1, 0))
OTHER = replace(VARIANT, engine="other")


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_it_keeps_the_contract_of_engines(check: Check) -> None:
    engine = Current({"transformers_js": lambda: TransformersJs(ScriptedWorker(), seed=lambda: 99)})
    run(load(engine, MODEL, VARIANT))
    run(check(engine, MODEL, VARIANT))  # type: ignore[arg-type]


def test_the_variant_says_which_engine_answers_and_the_last_one_gives_its_memory_back() -> None:
    first = ScriptedEngine([["one", DONE]])
    second = ScriptedEngine([["two", DONE]], name="other")
    engine = Current({"transformers_js": lambda: first, "other": lambda: second})
    assert list(engine.names) == ["transformers_js", "other"]

    async def story() -> list[str]:
        said = []
        for variant in (VARIANT, OTHER):
            await load(engine, MODEL, variant)
            said.append((await answer(engine, GenerateRequest(QUESTION)))[0])
        return said

    assert run(story()) == ["one", "two"]
    assert (first.unloaded, second.unloaded) == (1, 0)


def test_the_same_engine_loads_another_variant_by_itself() -> None:
    scripted = ScriptedEngine()
    engine = Current({"transformers_js": lambda: scripted})
    run(load(engine, MODEL, VARIANT))
    run(load(engine, MODEL, replace(VARIANT, name="more")))
    assert scripted.unloaded == 0


def test_an_engine_that_is_not_here_is_told_and_leaves_the_one_in_use() -> None:
    scripted = ScriptedEngine([["still", DONE]])
    engine = Current({"transformers_js": lambda: scripted})

    async def story() -> str:
        await load(engine, MODEL, VARIANT)
        with refused(EngineUnavailable):
            await load(engine, MODEL, OTHER)
        return (await answer(engine, GenerateRequest(QUESTION)))[0]

    assert run(story()) == "still"


def test_without_a_model_it_says_so() -> None:
    async def story() -> None:
        with refused(NotLoaded):
            await Current({}).count(QUESTION)
        with refused(NotLoaded):
            await Current({}).score(QUESTION, ["yes"])
        assert not Current({}).constrains
        assert not Current({}).scores

    run(story())


def test_it_can_what_the_engine_in_use_can() -> None:
    scripted = ScriptedEngine(constrains=True, scores=True, scored=[-0.5])
    engine = Current({"transformers_js": lambda: scripted})
    run(load(engine, MODEL, VARIANT))
    assert engine.constrains
    assert engine.scores
    assert run(engine.score(QUESTION, ["yes"])) == [-0.5]


def test_an_engine_that_hangs_is_told_and_restarted() -> None:
    scripted = ScriptedEngine([["half", 1000.0, DONE], [1000.0, DONE], ["slow", 60.0, DONE]])
    engine = Current({"transformers_js": lambda: scripted})

    async def story() -> list[str]:
        told: list[str] = []
        for _ in range(3):
            await load(engine, MODEL, VARIANT)
            try:
                async for event in engine.generate(GenerateRequest(QUESTION)):
                    told.append(type(event).__name__)
            except EngineHung:
                told.append("hung")
        return told

    assert run(story()) == ["TextDelta", "hung", "hung", "TextDelta", "Finished"]
    assert scripted.unloaded == 2
    assert scripted.closed == 3
