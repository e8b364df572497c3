"""A model that answers every request of a course well, and other ones; and a course it wrote."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyapp.engine import GenerateRequest, Json
from pyapp.errors import EngineFailed
from pyapp.tasks.course import TASK
from pyapp.tasks.task import Action, Step
from tests.unit.tasks.scripted import ScriptedWork

GIVEN: Mapping[str, Any] = {
    "topic": "tea",
    "level": "beginner",
    "language": "en",
    "modules": 2,
    "lessons": 2,
    "notes": "",
}
LESSON = "\n\n".join(
    f"The {n} leaf is picked in the {n} week of spring, because {n} leaves are the softest of the whole year."
    for n in ("first", "second", "third")
)


def kind(request: GenerateRequest) -> str:
    """The first thing that is asked for; "text" where it is no JSON."""
    return next(iter(request.schema["properties"])) if request.schema else "text"


@dataclass
class Good:
    """`instead`: by kind, what is answered first, in this order."""

    instead: Mapping[str, list[Json]] = field(default_factory=dict)

    def __call__(self, request: GenerateRequest) -> Json:
        waiting = self.instead.get(kind(request))
        return waiting.pop(0) if waiting else well(request)


def well(request: GenerateRequest) -> Json:
    """The same request has the same answer."""
    asked = request.messages[-1].text.removesuffix(".")
    properties = request.schema["properties"] if request.schema else {}
    match kind(request):
        case "title" if "modules" in properties:
            count = properties["modules"]["minItems"]
            modules = [f"Leaves {n}" for n in range(count)]
            return {"title": "All about tea", "description": "What tea is.", "modules": modules}
        case "title":
            return {"title": f"One more {len(asked)}"}
        case "objectives":
            count = properties["lessons"]["minItems"]
            module = asked.split("Module: ")[-1].split(".")[0]
            return {
                "objectives": [f"Know {module}", "Taste it"],
                "lessons": [f"{module}, day {n}" for n in range(count)],
            }
        case "exercises":
            return {"exercises": ["Brew a cup of it.", "Brew another cup, cold."]}
        case "question":
            n = len(request.messages)
            return {"question": f"What of {n}?", "answer": f"Leaf {n}", "wrong": ["Salt", "Sand"], "why": f"It is {n}."}
        case _:
            return LESSON


def work(model: Callable[[GenerateRequest], Json] | None = None, tokens: int = 2048) -> ScriptedWork:
    answers = model or Good()
    return ScriptedWork(text=answers, json=answers, tokens=tokens)


async def steps(given: Mapping[str, Any] = GIVEN, state: Json = None, by: ScriptedWork | None = None) -> list[Step]:
    return [step async for step in TASK.run(given, state, by or work())]


async def made(given: Mapping[str, Any] = GIVEN, by: ScriptedWork | None = None) -> Json:
    return (await steps(given, by=by))[-1].state


async def acted(state: Json, name: str, value: str = "", text: str = "", by: ScriptedWork | None = None) -> Json:
    action = Action(name, value, text)
    return [step async for step in TASK.act(GIVEN, state, action, by or work())][-1].state


async def last_settled(shown: AsyncGenerator[Step, None]) -> Json:
    """Of steps that end with the engine's failure."""
    state = None
    try:
        async for step in shown:
            state = step.state if step.settled else state
    except EngineFailed:
        return state
    raise AssertionError("it did not fail")
