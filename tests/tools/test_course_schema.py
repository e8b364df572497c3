"""site/course.schema.json describes every course: whatever a model answers that its step's schema allows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pyapp.engine import GenerateRequest, Json
from pyapp.errors import BadInput
from pyapp.tasks.blocks import Button, Edit, Question
from pyapp.tasks.course import TASK
from pyapp.tasks.course.schema import SCHEMA
from pyapp.tasks.course.state import course
from tests.unit.run import run
from tests.unit.tasks.course.answers import GIVEN, LESSON, acted, made, steps, work
from tests.unit.tasks.course.test_view import SAY, view

FILE = Path(__file__).resolve().parents[2] / "site" / "course.schema.json"
VALIDATOR = Draft202012Validator(SCHEMA)
FEW = ("Tea", "tea.", "1. Tea", " ", "?", "Black tea", "Green tea", "Flour, Water, Salt and Yeast", "a" * 20_000)


def test_what_is_published_is_the_tasks() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(FILE.read_text("utf-8")) == TASK.schema, (
        "write it again: python -c 'import json; from pyapp.tasks.course.schema import SCHEMA; "
        "print(json.dumps(SCHEMA, indent=2, ensure_ascii=False))' > site/course.schema.json"
    )


def answers(schema: Json) -> st.SearchStrategy[Json]:
    """Whatever validates; often the same few texts, because that is what weak models do."""
    match schema["type"]:
        case "object":
            return st.fixed_dictionaries({name: answers(each) for name, each in schema["properties"].items()})
        case "array":
            return st.lists(answers(schema["items"]), min_size=schema["minItems"], max_size=schema["maxItems"])
        case _:
            least, most = schema["minLength"], schema["maxLength"]
            any_text = st.text(st.characters(), min_size=least, max_size=most)
            return st.sampled_from([text[:most] for text in FEW]) | any_text


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    st.data(),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(["en", "es"]),
    st.sampled_from(["tea", "Module 1.", "x" * 300, "\x00a\ud800", "ñ"]),
)
def test_any_answers_give_a_course(data: st.DataObject, modules: int, lessons: int, language: str, topic: str) -> None:
    def model(request: GenerateRequest) -> Json:
        if request.schema:
            return data.draw(answers(request.schema))
        return data.draw(st.sampled_from(FEW) | st.text(st.characters(), max_size=500))

    asked: dict[str, Any] = {"topic": topic, "language": language, "modules": modules, "lessons": lessons}
    given_ = {**GIVEN, **asked}
    last = run(steps(given_, by=work(model, tokens=60_000)))[-1]
    whole = course(last.state)
    VALIDATOR.validate(whole)
    assert last.fraction == 1
    assert len(whole["modules"]) == modules
    assert all(len(module["lessons"]) == lessons for module in whole["modules"])
    titles = [module["title"] for module in whole["modules"]]
    assert len(set(titles)) == len(titles)
    for lesson in (lesson for module in whole["modules"] for lesson in module["lessons"]):
        assert lesson["content"].strip()
        assert len({question["question"] for question in lesson["quiz"]}) == len(lesson["quiz"])
    exported = {kind: run(TASK.export(given_, last.state, kind, SAY)).data for kind in TASK.exports}
    assert json.loads(exported["json"]) == whole
    assert exported["cartridge"][:2] == b"PK"


@settings(max_examples=40)
@given(st.data())
def test_any_changes_leave_it_one(data: st.DataObject) -> None:
    state = run(made())
    for _ in range(data.draw(st.integers(1, 6))):
        blocks = [block for block in view(state) if isinstance(block, Button | Edit | Question)]
        block = data.draw(st.sampled_from(blocks))
        text = data.draw(st.sampled_from(["", "1", "2", "3", "Salt", "x" * 700, "one\ntwo"]))
        try:
            state = run(acted(state, block.action, block.value, text))
        except BadInput:
            continue
        VALIDATOR.validate(course(state))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda it: it.update(modules=[]),
        lambda it: it.update(extra=1),
        lambda it: it["modules"][0]["lessons"][0].update(content=""),
        lambda it: it["modules"][0]["lessons"][0]["quiz"][0].update(right=3),
        lambda it: it["modules"][0]["lessons"][0]["quiz"][0].update(options=["a", "a"]),
        lambda it: it["modules"][0]["lessons"][0].update(quiz=[]),
    ],
)
def test_what_is_no_course_is_refused(spoil: Any) -> None:
    whole = json.loads(json.dumps(course(run(made()))))
    assert whole["modules"][0]["lessons"][0]["content"] == LESSON
    VALIDATOR.validate(whole)
    spoil(whole)
    assert not VALIDATOR.is_valid(whole)
