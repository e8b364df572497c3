"""A course as blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from pyapp.engine import Json
from pyapp.tasks.blocks import Block, Button, Edit, Fold, Heading, Prose, Question, Section
from pyapp.tasks.course import TASK
from pyapp.tasks.course.state import at, course
from pyapp.tasks.course.view import plain
from pyapp.views.language import Language
from pyapp.views.task_blocks import Drawer
from tests.unit.run import run
from tests.unit.tasks.course.answers import GIVEN, acted, made, steps

SAY = Language("en").having(TASK.strings)


def view(state: Json) -> list[Block]:
    return list(every(run(TASK.view(GIVEN, state, SAY))))


def every(blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        yield block
        if isinstance(block, Fold | Section):
            yield from every(block.blocks)


def buttons(state: Json) -> list[tuple[str, str]]:
    return [(block.action, block.value) for block in view(state) if isinstance(block, Button)]


def test_a_course_is_shown_with_its_contents_first() -> None:
    blocks = view(run(made()))
    headings = [block.text for block in blocks if isinstance(block, Heading)]
    assert headings[:4] == ["Module 1: Leaves 0", "1.1 Leaves 0, day 0", "Exercises", "Quiz"]
    (contents,) = [block for block in blocks if isinstance(block, Fold) and block.title == "Contents"]
    assert contents.open
    assert isinstance(contents.blocks[0], Prose)
    assert "    2. Leaves 1, day 1" in contents.blocks[0].markdown
    assert len([block for block in blocks if isinstance(block, Question)]) == 12


def test_every_edit_and_button_does_something() -> None:
    state = run(acted(run(made()), "answer", "0/0/0", "0"))
    for block in view(state):
        if isinstance(block, Edit):
            text = "3" if block.value.endswith("right") else "Something else"
            after = run(acted(state, block.action, block.value, text))
            assert course(after) != course(state)
            assert any(isinstance(each, Edit) and each.text == text for each in view(after))
        if isinstance(block, Question):
            assert run(acted(state, block.action, block.value, "0"))
    for action, value in buttons(state):
        assert run(acted(state, action, value)) != state


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_step_can_be_drawn(language: str) -> None:
    say = Language(language).having(TASK.strings)
    drawer = Drawer(say)
    for step in run(steps()):
        assert drawer.pieces(run(TASK.view(GIVEN, step.state, say)), {}) or "title" not in step.state


def test_before_the_outline_there_is_nothing() -> None:
    assert view({"language": "en"}) == []


def test_what_is_not_whole_has_no_buttons_of_lessons() -> None:
    half = [step.state for step in run(steps()) if step.settled][8]
    assert buttons(half) == []
    assert any(isinstance(block, Edit) for block in view(half))


def test_while_a_module_is_planned_it_is_not_whole() -> None:
    planned = {"title": "M", "objectives": ["Know it"], "lessons": []}
    growing = {"language": "en", "title": "T", "description": "D", "modules": [planned]}
    assert buttons(growing) == []


def test_lessons_move_only_where_there_is_room() -> None:
    state = run(made())
    pressed = buttons(state)
    assert ("up", "0/0") not in pressed
    assert ("down", "0/0") in pressed
    assert ("down", "0/1") not in pressed
    alone = run(made({**GIVEN, "lessons": 1}))
    assert ("remove", "0/0") not in buttons(alone)
    full = run(made({**GIVEN, "lessons": 12, "modules": 1}))
    assert ("add", "0") not in buttons(full)


def test_the_score_comes_with_the_last_answer() -> None:
    state = run(made())
    right = [question["right"] for question in at(state, ("modules", 0, "lessons", 0, "quiz"))]
    for n, answer in enumerate(right[:2]):
        state = run(acted(state, "answer", f"0/0/{n}", str(answer)))
        assert ("replay", "0/0") not in buttons(state)
    state = run(acted(state, "answer", "0/0/2", str((right[2] + 1) % 3)))
    assert ("replay", "0/0") in buttons(state)
    assert "2 of 3 right." in [block.markdown for block in view(state) if isinstance(block, Prose)]


@pytest.mark.parametrize(("name", "value"), [("again", "0/1"), ("add", "0")])
def test_what_is_made_apart_is_shown_beside_what_there_is(name: str, value: str) -> None:
    state = run(made())
    pending = {"at": [0, 1 if name == "again" else 2], "new": name == "add", "lesson": {"title": "Soon"}}
    shown = view({**state, "again": pending})
    assert "→ Soon" in [block.text for block in shown if isinstance(block, Heading)]
    assert any(isinstance(block, Section) and block.growing for block in shown)
    pressed = [block.action for block in shown if isinstance(block, Button)]
    assert {"go_on", "drop"} <= set(pressed)
    assert "1.2 Leaves 0, day 1" in [block.text for block in shown if isinstance(block, Heading)]


def test_a_change_can_be_taken_back() -> None:
    state = run(acted(run(made()), "remove", "0/0"))
    (undo,) = [block for block in view(state) if isinstance(block, Button) and block.action == "undo"]
    assert undo.text == "Bring “Leaves 0, day 0” back"


def test_a_title_is_no_markdown() -> None:
    assert plain("*a* <b> [c](d) #1") == "\\*a\\* \\<b\\> \\[c\\](d) \\#1"
