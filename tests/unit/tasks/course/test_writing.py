"""From a topic to a whole course, whatever the model answers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from pyapp.engine import AnsweredBy, Finished, GenerateEvent, GenerateRequest, Json
from pyapp.errors import ContextOverflow, EngineFailed, NoDocument
from pyapp.structured.document import DocumentEvent
from pyapp.tasks.course import TASK
from pyapp.tasks.course.prompts import PROMPTS
from pyapp.tasks.course.state import course, is_complete, lessons
from tests.unit.run import run
from tests.unit.tasks.course.answers import GIVEN, LESSON, Good, kind, last_settled, made, steps, work
from tests.unit.tasks.scripted import USAGE, ScriptedWork


def test_a_course_is_made_piece_by_piece() -> None:
    by = work()
    state = run(made(by=by))
    whole = course(state)
    assert is_complete(state)
    assert [len(module["lessons"]) for module in whole["modules"]] == [2, 2]
    assert [kind(each) for each in by.asked[:8]] == ["title", "objectives", "objectives", "text", "exercises"] + [
        "question"
    ] * 3
    assert len(by.asked) == 1 + 2 + 4 * 5
    lesson = whole["modules"][0]["lessons"][0]
    assert lesson["content"] == LESSON
    assert [len(question["options"]) for question in lesson["quiz"]] == [3, 3, 3]
    right = [question["options"][question["right"]] for question in lesson["quiz"]]
    assert right == ["Leaf 4", "Leaf 6", "Leaf 8"]


def test_every_request_says_where_it_is_and_not_the_whole_course() -> None:
    by = work()
    run(made(by=by))
    (content,) = [each for each in by.asked if kind(each) == "text"][:1]
    said = content.messages[-1].text
    assert "All about tea" in said
    assert "Leaves 0, day 0" in said
    assert "Leaves 0, day 1" in said
    assert "Leaves 1" not in said
    assert all(message.text for each in by.asked for message in each.messages)


def test_progress_only_grows_and_ends_at_one() -> None:
    shown = run(steps())
    fractions = [step.fraction for step in shown]
    assert fractions == sorted(fractions, key=float)  # type: ignore[arg-type]
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert shown[-1].settled
    texts = [TASK.strings["en"][step.doing].format(**step.values) for step in shown if step.doing]
    assert texts[0] == "Planning the course"
    assert texts[-1] == "Module 2 of 2, lesson 2 of 2: the quiz"


def test_what_grows_is_shown() -> None:
    growing = [step.state for step in run(steps()) if not step.settled]
    contents = [lesson["content"] for state in growing for _, _, lesson in lessons(state) if "content" in lesson]
    assert "The first" in {each.strip() for each in contents}


def test_going_on_from_any_state_gives_the_same_course() -> None:
    shown = run(steps())
    settled = [json.dumps(step.state) for step in shown if step.settled]
    assert len(settled) == 1 + 2 + 4 * 5 + 1
    for state in settled:
        assert run(steps(state=json.loads(state)))[-1].state == shown[-1].state


def test_a_failure_keeps_what_is_settled() -> None:
    by = work(Good({"exercises": [EngineFailed("it fell over")]}))

    state = run(last_settled(TASK.run(GIVEN, None, by)))
    assert state["modules"][0]["lessons"][0]["content"] == LESSON
    assert run(steps(state=state))[-1].state == run(made())


def test_the_language_is_the_pages_until_it_is_chosen() -> None:
    by = work()
    by.language = "es"
    state = run(made({**GIVEN, "language": "page"}, by))
    assert state["language"] == "es"
    assert by.asked[0].messages[0].text == PROMPTS["es"].plans
    by.language = "en"  # while it goes on, the page is in another
    assert run(steps({**GIVEN, "language": "page"}, state, by))[-1].state["language"] == "es"
    assert run(made({**GIVEN, "language": "es"}))["language"] == "es"


def test_material_is_given_as_far_as_it_fits() -> None:
    notes = " ".join(f"fact{n}" for n in range(2000))
    by = work(tokens=1500)
    run(made({**GIVEN, "notes": notes}, by))
    outline = by.asked[0].messages[-1].text
    assert "fact1 " in outline
    assert "fact1999" not in outline
    roomy = work(tokens=8000)
    run(made({**GIVEN, "notes": notes}, roomy))
    assert "fact1999" in roomy.asked[0].messages[-1].text


def test_a_window_too_small_is_refused() -> None:
    with pytest.raises(ContextOverflow):
        run(made(by=work(tokens=200)))


@pytest.mark.parametrize("what", ["title", "objectives", "exercises", "question"])
def test_one_answer_that_is_no_document_is_asked_again(what: str) -> None:
    by = work(Good({what: [NoDocument(attempts=2, pointer="")]}))
    assert run(made(by=by)) == run(made())


def test_no_document_at_all_is_a_failure() -> None:
    with pytest.raises(NoDocument):
        run(made(by=work(Good({"title": [NoDocument(attempts=2, pointer="")] * 3}))))


def outline(**members: Any) -> Json:
    return {"title": "All about tea", "description": "What tea is.", "modules": ["Black", "Green"]} | members


def test_titles_that_repeat_are_asked_for_again_with_those_there_are() -> None:
    by = work(Good({"title": [outline(modules=["Module 1: Black", "2. black."]), outline(modules=["Black", "Green"])]}))
    state = run(made(by=by))
    assert [module["title"] for module in state["modules"]] == ["Black", "Green"]
    assert "Not these: Black." in by.asked[1].messages[-1].text
    assert by.asked[1].sampling.temperature > by.asked[0].sampling.temperature


def test_a_model_that_only_repeats_itself_still_gives_a_course() -> None:
    """What is counted by the user is so many, and what is made up says so."""
    stuck = {"title": "Tea", "description": "Tea.", "modules": ["Tea", "Tea"], "objectives": ["Tea", "tea", "Tea."]}
    stuck |= {
        "lessons": ["Tea", "TEA"],
        "exercises": ["Drink some tea now.", "Drink some tea now."],
        "question": "Tea?",
    }
    stuck |= {"answer": "Tea", "wrong": ["tea", "Tea."], "why": "Tea"}

    def answers(request: GenerateRequest) -> Json:
        if not request.schema:
            return "Tea is tea. Tea is tea. Tea is tea."
        return {name: stuck[name] for name in request.schema["properties"]}

    whole = course(run(made(by=work(answers))))
    assert [module["title"] for module in whole["modules"]] == ["Tea", "Tea, part 1"]
    first = whole["modules"][0]
    assert [lesson["title"] for lesson in first["lessons"]] == ["Tea", "Tea, part 1"]
    assert first["objectives"] == ["Tea"]
    lesson = first["lessons"][0]
    assert lesson["content"] == "Tea is tea."
    assert lesson["exercises"] == ["Drink some tea now."]
    claim = {"question": "True or false? Tea? Tea", "options": ["True", "False"], "right": 0, "why": "Tea"}
    assert lesson["quiz"] == [claim]


def nothing(request: GenerateRequest) -> Json:
    """It validates, and there is nothing in it."""

    def blank(schema: Json) -> Json:
        match schema["type"]:
            case "object":
                return {name: blank(each) for name, each in schema["properties"].items()}
            case "array":
                return [blank(schema["items"])] * schema["minItems"]
            case _:
                return " " * max(1, schema["minLength"])

    return blank(request.schema) if request.schema else " "


@pytest.mark.parametrize(
    ("language", "spare"), [("en", "The model wrote nothing"), ("es", "El modelo no escribió nada")]
)
def test_a_model_that_says_nothing_gives_a_course_that_says_so(language: str, spare: str) -> None:
    whole = course(run(made({**GIVEN, "language": language, "lessons": 1}, work(nothing))))
    assert whole["title"] == whole["description"] == "tea"
    lesson = whole["modules"][1]["lessons"][0]
    assert spare in lesson["content"]
    assert lesson["title"] in lesson["exercises"][0]
    (question,) = lesson["quiz"]
    assert question["options"][question["right"]] == lesson["title"]
    assert len(set(question["options"])) == 2


def test_the_last_question_names_the_other_lessons() -> None:
    (question,) = course(run(made(by=work(nothing))))["modules"][0]["lessons"][0]["quiz"]
    assert question["options"] == ["tea, part 1, part 1", "tea, part 1, part 2"]


def test_a_topic_that_is_only_a_number_of_a_module_is_a_title() -> None:
    assert run(made({**GIVEN, "topic": "Module 3."}, work(nothing)))["title"] == "Module 3."


def test_what_the_model_was_shown_is_not_an_answer() -> None:
    shown = PROMPTS["en"].question_example.answer
    by = work(Good({"question": [shown]}))
    assert run(made(by=by)) == run(made())


def test_what_speaks_of_the_example_is_not_an_answer() -> None:
    baked = {"exercises": ["Make two doughballs and compare them.", "Buy some more yeast."]}
    by = work(Good({"exercises": [baked]}))
    assert run(made(by=by)) == run(made())
    kept = run(made({**GIVEN, "notes": "Dough of yeast and tea."}, work(Good({"exercises": [baked]}))))
    assert kept["modules"][0]["lessons"][0]["exercises"] == baked["exercises"]


def test_code_is_no_title() -> None:
    by = work(Good({"title": [outline(modules=["Black", "https://tea.test/?a=1"])]}))
    assert [module["title"] for module in run(made(by=by))["modules"]] == ["Black", "Leaves 0"]


def test_a_question_with_the_most_options_is_taken() -> None:
    few = {"question": "What is it?", "answer": "Tea", "wrong": ["Tea", "Milk"], "why": "."}
    one = {**few, "wrong": ["Tea", "tea"]}
    by = work(Good({"question": [one, few, one]}))
    (question, *_) = course(run(made(by=by)))["modules"][0]["lessons"][0]["quiz"]
    assert sorted(question["options"]) == ["Milk", "Tea"]
    assert question["options"][question["right"]] == "Tea"


def test_a_quiz_ends_when_the_model_repeats_itself() -> None:
    same = {"question": "What is it?", "answer": "Tea", "wrong": ["Sand", "Milk"], "why": "It is."}
    by = work(Good({"question": [same] * 4}))
    assert len(course(run(made(by=by)))["modules"][0]["lessons"][0]["quiz"]) == 1


def test_a_lesson_begins_after_its_title_and_ends_with_a_sentence() -> None:
    by = work(Good({"text": [f"Leaves 0, day 0\n\n{LESSON}"]}))
    assert run(made(by=by))["modules"][0]["lessons"][0]["content"] == LESSON


class BrokenOff(ScriptedWork):
    """A relay's: it says who answers. Its texts end where the tokens do."""

    async def document(self, request: GenerateRequest) -> AsyncGenerator[DocumentEvent, None]:
        yield AnsweredBy("Some company", "some model")
        async for event in super().document(request):
            yield event

    async def ask(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        async for event in super().ask(request):
            yield Finished("length", USAGE) if isinstance(event, Finished) else event


def test_a_lesson_that_was_broken_off_ends_with_its_last_sentence() -> None:
    answers = Good({"text": [LESSON + " And the fourth lea"]})
    state = run(made(by=BrokenOff(text=answers, json=answers)))
    assert state["modules"][0]["lessons"][0]["content"] == LESSON


def test_the_longest_of_three_short_lessons_stays() -> None:
    by = work(Good({"text": ["Tea.", "Tea is a leaf.", "Leaf."]}))
    assert run(made(by=by))["modules"][0]["lessons"][0]["content"] == "Tea is a leaf."
