"""A course as it is shown: what it holds, and each lesson with what can be done with it. The run is called as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyapp.engine import Json
from pyapp.tasks.blocks import Block, Button, Edit, Fold, Heading, Prose, Question, Section
from pyapp.tasks.course.schema import LESSONS
from pyapp.tasks.course.state import State, is_complete, is_whole
from pyapp.tasks.task import Say


def shown(state: State, say: Say) -> Sequence[Block]:
    if "title" not in state:
        return ()
    return (
        Prose(plain(state["description"])),
        Fold(say.text("course.contents"), [Prose(contents(state))], open=True),
        *_undo(state, say),
        *(_module(state, number, module, say) for number, module in enumerate(state["modules"])),
        *([_fold_of_course(state, say)] if is_complete(state) else []),
    )


def contents(state: State) -> str:
    """Markdown."""
    rows = []
    for m, module in enumerate(state["modules"], 1):
        rows.append(f"{m}. {plain(module['title'])}")
        lessons = enumerate(module.get("lessons", ()), 1)
        rows += [f"    {n}. {plain(lesson.get('title', '…'))}" for n, lesson in lessons]
    return "\n".join(rows)


def plain(text: str) -> str:
    """A line as Markdown that means nothing but itself."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|~$&" else c for c in text)


def _fold_of_course(state: State, say: Say) -> Block:
    return Fold(
        say.text("course.change"),
        [
            Edit("write", "title", say.text("course.title_of_course"), state["title"]),
            Edit("write", "description", say.text("course.description"), state["description"], lines=4),
        ],
    )


def _undo(state: State, say: Say) -> Iterator[Block]:
    if "undo" in state and is_complete(state) and "again" not in state:
        undo = state["undo"]
        yield Button("undo", say.text(f"course.undo.{undo['was']}", title=undo["lesson"]["title"]))


def _module(state: State, number: int, module: State, say: Say) -> Block:
    again, complete = state.get("again"), is_complete(state)
    blocks: list[Block] = [Heading(say.text("course.module", n=number + 1, title=module["title"]), 3)]
    if module.get("objectives"):
        blocks.append(Prose(f"**{say.text('course.objectives')}**\n\n{_list(module['objectives'])}"))
    for at, lesson in enumerate(module.get("lessons", ())):
        lesson_at = f"{number}/{at}"
        blocks.append(Section(_lesson(f"{number + 1}.{at + 1}", lesson_at, lesson, say), id=f"lesson-{number}-{at}"))
        if again and again["at"] == [number, at] and not again["new"]:
            blocks.append(_apart(again["lesson"], lesson_at, say))
        elif complete:
            blocks.append(_fold_of_lesson(lesson_at, lesson, at, len(module["lessons"]), say))
    if again and again["at"][0] == number and again["new"]:
        blocks.append(_apart(again["lesson"], f"{number}/{again['at'][1]}", say))
    elif complete and len(module["lessons"]) < LESSONS:
        blocks.append(Button("add", say.text("course.add"), str(number)))
    if complete:
        blocks.append(_fold_of_module(number, module, say))
    return Section(blocks, id=f"module-{number}")


def _fold_of_module(number: int, module: State, say: Say) -> Block:
    objectives = "\n".join(module["objectives"])
    return Fold(
        say.text("course.change_module"),
        [
            Edit("write", f"{number}/title", say.text("course.title_of_module"), module["title"]),
            Edit("write", f"{number}/objectives", say.text("course.objectives_in_lines"), objectives, lines=4),
        ],
    )


def _lesson(numbers: str, where: str, lesson: State, say: Say) -> list[Block]:
    blocks: list[Block] = [Heading(f"{numbers} {lesson.get('title', '…')}", 4)]
    if is_whole(lesson):
        content = lesson["content"]
        blocks.append(Edit("write", f"{where}/content", say.text("course.content"), content, lines=12, markdown=True))
    elif "content" in lesson:
        blocks.append(Prose(lesson["content"]))
    if lesson.get("exercises"):
        blocks += [Heading(say.text("course.exercises"), 5), Prose(_list(lesson["exercises"]))]
    quiz = lesson.get("quiz", lesson.get("draft", []))
    if quiz:
        blocks += [Heading(say.text("course.quiz"), 5), *_quiz(where, lesson, quiz, say)]
    return blocks


def _quiz(where: str, lesson: State, quiz: Sequence[Json], say: Say) -> Iterator[Block]:
    chosen = lesson.get("chosen") or [None] * len(quiz)
    for number, (each, answer) in enumerate(zip(quiz, chosen, strict=True)):
        yield Question(
            "answer", f"{where}/{number}", each["question"], each["options"], each["right"], answer, each["why"]
        )
    if None not in chosen:
        right = sum(each["right"] == answer for each, answer in zip(quiz, chosen, strict=True))
        yield Prose(say.text("course.score", right=say.number(right), questions=say.number(len(quiz))))
        yield Button("replay", say.text("course.replay"), where)


def _apart(lesson: State, where: str, say: Say) -> Block:
    """What is being made beside what there is."""
    return Section(
        [
            Prose(say.text("course.apart")),
            *_lesson("→", where, lesson, say),
            Button("go_on", say.text("course.go_on")),
            Button("drop", say.text("course.drop")),
        ],
        id="apart",
        growing=True,
    )


def _fold_of_lesson(where: str, lesson: State, at: int, lessons: int, say: Say) -> Block:
    exercises = "\n".join(lesson["exercises"])
    blocks: list[Block] = [
        Button("again", say.text("course.again"), where),
        Button("again_quiz", say.text("course.again_quiz"), where),
    ]
    if at > 0:
        blocks.append(Button("up", say.text("course.up"), where))
    if at < lessons - 1:
        blocks.append(Button("down", say.text("course.down"), where))
    if lessons > 1:
        blocks.append(Button("remove", say.text("course.remove"), where))
    blocks += [
        Edit("write", f"{where}/title", say.text("course.title_of_lesson"), lesson["title"]),
        Edit("write", f"{where}/exercises", say.text("course.exercises_in_lines"), exercises, lines=4),
    ]
    for number, question in enumerate(lesson["quiz"]):
        blocks.append(_fold_of_question(f"{where}/quiz/{number}", number + 1, question, say))
    return Fold(say.text("course.change_lesson", title=lesson["title"]), blocks)


def _fold_of_question(where: str, number: int, question: Json, say: Say) -> Block:
    options = [
        Edit("write", f"{where}/options/{at}", say.text("course.option", n=at + 1), option)
        for at, option in enumerate(question["options"])
    ]
    return Fold(
        say.text("course.question", n=number),
        [
            Edit("write", f"{where}/question", say.text("course.question", n=number), question["question"], lines=2),
            *options,
            Edit("write", f"{where}/right", say.text("course.right"), str(question["right"] + 1)),
            Edit("write", f"{where}/why", say.text("course.why"), question["why"], lines=2),
        ],
    )


def _list(texts: Sequence[str]) -> str:
    return "\n".join(f"- {plain(text)}" for text in texts)
