"""What the user changes in a course."""

from __future__ import annotations

import pytest

from pyapp.engine import Json
from pyapp.errors import BadInput, EngineFailed
from pyapp.tasks.course import TASK, schema
from pyapp.tasks.course.state import course
from pyapp.tasks.task import Action
from tests.unit.run import run
from tests.unit.tasks.course.answers import GIVEN, LESSON, Good, acted, kind, last_settled, made, steps, work


def lesson(state: Json, module: int = 0, number: int = 0) -> Json:
    return state["modules"][module]["lessons"][number]


def titles(state: Json, module: int = 0) -> list[str]:
    return [each["title"] for each in state["modules"][module]["lessons"]]


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ("title", " Tea \n time ", lambda it: it["title"] == "Tea time"),
        ("description", "About it", lambda it: it["description"] == "About it"),
        ("1/title", "Green", lambda it: it["modules"][1]["title"] == "Green"),
        ("1/objectives", "one\n\n two ", lambda it: it["modules"][1]["objectives"] == ["one", "two"]),
        ("1/0/title", "Day", lambda it: it["modules"][1]["lessons"][0]["title"] == "Day"),
        ("1/0/content", "# A\r\n\nb", lambda it: it["modules"][1]["lessons"][0]["content"] == "# A\n\nb"),
        ("0/1/exercises", "Drink", lambda it: it["modules"][0]["lessons"][1]["exercises"] == ["Drink"]),
        ("0/1/quiz/2/question", "What?", lambda it: it["modules"][0]["lessons"][1]["quiz"][2]["question"] == "What?"),
        ("0/1/quiz/2/why", "So", lambda it: it["modules"][0]["lessons"][1]["quiz"][2]["why"] == "So"),
        ("0/1/quiz/2/right", "3", lambda it: it["modules"][0]["lessons"][1]["quiz"][2]["right"] == 2),
        ("0/1/quiz/2/options/1", "Oil", lambda it: it["modules"][0]["lessons"][1]["quiz"][2]["options"][1] == "Oil"),
    ],
)
def test_every_text_can_be_changed(value: str, text: str, found: Json) -> None:
    before = run(made())
    after = run(acted(before, "write", value, text))
    assert found(course(after))
    assert before == run(made())  # a state is never changed


@pytest.mark.parametrize(
    ("name", "value", "text", "why"),
    [
        ("write", "title", " ", "empty"),
        ("write", "title", "x" * 121, "long"),
        ("write", "0/objectives", "\n \n", "empty"),
        ("write", "0/objectives", "a\n" * 7, "many"),
        ("write", "0/0/exercises", "x" * 601, "long"),
        ("write", "0/0/quiz/0/options/2", "SALT.", "same"),
        ("write", "0/0/quiz/0/right", "4", "right"),
        ("write", "0/0/quiz/0/right", "a", "right"),
        ("write", "7/title", "x", "gone"),
        ("write", "0/0/nothing", "x", "gone"),
        ("write", "0/0", "x", "gone"),
        ("answer", "0/0/9", "0", "gone"),
        ("answer", "0/0/0", "9", "gone"),
        ("answer", "0/0/0", "x", "gone"),
        ("up", "0/0", "", "gone"),
        ("down", "0/1", "", "gone"),
        ("remove", "0/5", "", "gone"),
        ("undo", "", "", "gone"),
        ("nonsense", "", "", "gone"),
    ],
)
def test_what_would_spoil_it_is_refused_with_a_sentence(name: str, value: str, text: str, why: str) -> None:
    state = run(made())
    with pytest.raises(BadInput) as refused:
        run(acted(state, name, value, text))
    assert refused.value.details["why"] == f"course.wrong.{why}"
    values = {key: it for key, it in refused.value.details.items() if key not in ("field", "why")}
    for strings in TASK.strings.values():
        assert strings[f"course.wrong.{why}"].format(**values)


def test_a_quiz_is_played() -> None:
    state = run(made())
    state = run(acted(state, "answer", "0/0/1", "2"))
    state = run(acted(state, "answer", "0/0/0", "1"))
    assert lesson(state)["chosen"] == [1, 2, None]
    assert course(state) == course(run(made()))  # what the reader answered is no part of the course
    assert "chosen" not in lesson(run(acted(state, "replay", "0/0")))
    assert "chosen" not in lesson(run(acted(state, "write", "0/0/quiz/0/right", "2")))


def test_a_lesson_is_written_again_and_the_old_one_stays_until_it_is_whole() -> None:
    state = run(made())
    by = work(Good({"text": ["A new text. " + LESSON]}))

    async def shown() -> list[Json]:
        return [step async for step in TASK.act(GIVEN, state, Action("again", "0/1"), by)]

    during = run(shown())
    assert all(step.fraction is not None for step in during)
    assert [kind(each) for each in by.asked] == ["text", "exercises", "question", "question", "question"]
    assert all(lesson(step.state, 0, 1) == lesson(state, 0, 1) for step in during[:-1])
    after = during[-1].state
    assert lesson(after, 0, 1)["content"].startswith("A new text.")
    assert lesson(after, 0, 1)["title"] == lesson(state, 0, 1)["title"]
    undone = run(acted(after, "undo"))
    assert lesson(undone, 0, 1) == lesson(state, 0, 1)
    assert lesson(run(acted(undone, "undo")), 0, 1) == lesson(after, 0, 1)


def test_a_quiz_is_written_again() -> None:
    state = run(acted(run(made()), "answer", "0/0/0", "0"))
    new = {"question": "New?", "answer": "Yes", "wrong": ["No", "Perhaps"], "why": "It is."}
    after = run(acted(state, "again_quiz", "0/0", by=work(Good({"question": [new]}))))
    assert lesson(after)["quiz"][0]["question"] == "New?"
    assert lesson(after)["content"] == lesson(state)["content"]
    assert "chosen" not in lesson(after)


def broken_off(state: Json, name: str, value: str) -> Json:
    """The last settled state of an action that the engine fails."""

    by = work(Good({"exercises": [EngineFailed("")]}))
    return run(last_settled(TASK.act(GIVEN, state, Action(name, value), by)))


def test_what_was_broken_off_goes_on_or_is_dropped() -> None:
    state = run(made())
    half = broken_off(state, "again", "0/1")
    assert "content" in half["again"]["lesson"]
    assert course(half) == course(state)
    whole = run(acted(state, "again", "0/1"))
    assert run(acted(half, "go_on")) == whole
    assert run(steps(state=half))[-1].state == whole  # a reload
    by = work()
    assert run(acted(half, "again", "0/1", by=by)) == whole
    assert kind(by.asked[0]) == "exercises"
    assert run(acted(half, "drop")) == state
    other = run(acted(half, "again", "0/0"))
    assert lesson(other, 0, 1) == lesson(state, 0, 1)


def test_a_lesson_is_added() -> None:
    state = run(made())
    after = run(acted(state, "add", "0"))
    assert titles(after)[:2] == titles(state)
    assert len(titles(after)) == 3
    assert course(run(acted(after, "undo"))) == course(state)
    assert run(acted(run(acted(after, "undo")), "undo")) == after
    again = broken_off(state, "add", "0")
    assert course(again) == course(state)
    assert run(acted(again, "go_on")) == after


def test_an_added_lesson_has_a_title_of_its_own() -> None:
    state = run(made())
    taken = {"title": titles(state)[0].upper()}
    after = run(acted(state, "add", "0", by=work(Good({"title": [taken] * 3}))))
    assert titles(after)[2] == "Leaves 0, part 1"
    assert "Leaves 0, day 0" in run(first_request(state))


async def first_request(state: Json) -> str:
    by = work()
    await acted(state, "add", "0", by=by)
    return by.asked[0].messages[-1].text


def test_a_module_has_only_so_many_lessons() -> None:
    full = run(made({**GIVEN, "lessons": schema.LESSONS, "modules": 1}))
    with pytest.raises(BadInput) as refused:
        run(acted(full, "add", "0"))
    assert refused.value.details["why"] == "course.wrong.many"


def test_a_lesson_is_removed_and_comes_back() -> None:
    state = run(made())
    after = run(acted(state, "remove", "0/0"))
    assert titles(after) == titles(state)[1:]
    assert course(run(acted(after, "undo"))) == course(state)
    with pytest.raises(BadInput) as refused:
        run(acted(after, "remove", "0/0"))
    assert refused.value.details["why"] == "course.wrong.last"


def test_lessons_change_places() -> None:
    state = run(made())
    after = run(acted(state, "down", "0/0"))
    assert titles(after) == titles(state)[::-1]
    assert run(acted(after, "up", "0/1")) == state


@pytest.mark.parametrize(("name", "value"), [("again", "0/0"), ("add", "0"), ("remove", "0/0"), ("down", "0/0")])
def test_lessons_come_and_go_only_when_all_are_there(name: str, value: str) -> None:
    half = [step.state for step in run(steps()) if step.settled][8]
    with pytest.raises(BadInput) as refused:
        run(acted(half, name, value))
    assert refused.value.details["why"] == "course.wrong.not_yet"


def test_while_it_is_written_what_is_there_can_be_changed() -> None:
    half = [step.state for step in run(steps()) if step.settled][8]
    by = work()
    after = run(acted(half, "write", "0/0/content", "Mine.", by=by))
    assert by.asked == []
    assert lesson(run(steps(state=after))[-1].state)["content"] == "Mine."
