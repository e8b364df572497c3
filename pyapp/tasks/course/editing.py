"""What the user changes in a course that there is: it is as valid afterwards as it was before.

A text is named by where it stands: "title", "0/objectives" (of the first module), "0/1/content" (of its second lesson),
"0/1/quiz/2/options/0".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyapp.engine import Json
from pyapp.errors import BadInput
from pyapp.tasks.course import schema
from pyapp.tasks.course.state import (
    Path,
    State,
    at,
    inserted,
    is_complete,
    place,
    put,
    removed,
    undone,
    without,
)
from pyapp.tasks.course.tidy import clean, key, line
from pyapp.tasks.task import Action

_MOST: Mapping[str, int] = {
    "title": schema.TITLE,
    "description": schema.DESCRIPTION,
    "content": schema.CONTENT,
    "question": schema.QUESTION,
    "options": schema.OPTION,
    "why": schema.WHY,
    "objectives": schema.OBJECTIVE,
    "exercises": schema.EXERCISE,
}
_LISTS: Mapping[str, int] = {"objectives": schema.OBJECTIVES, "exercises": schema.EXERCISES}  # one in a line


def changed(state: State, action: Action) -> State:
    """Raises BadInput."""
    try:
        return _CHANGES[action.name](state, action)
    except (LookupError, TypeError, ValueError):  # it was pressed on what has gone since
        raise _wrong(action, "gone") from None


def _wrong(action: Action, why: str, **values: int) -> BadInput:
    return BadInput("", field=action.value, why=f"course.wrong.{why}", **values)


def path(value: str) -> Path:
    """Where in a state a text is that is named so."""
    steps: list[str | int] = [int(name) if name.isdigit() else name for name in value.split("/")]
    numbers = [step for step in steps[:2] if isinstance(step, int)]
    places = ("modules", "lessons")[: len(numbers)]
    within = (part for pair in zip(places, numbers, strict=True) for part in pair)
    return (*within, *steps[len(numbers) :])


def _lesson(action: Action) -> tuple[int, int]:
    module, lesson = map(int, action.value.split("/"))
    return module, lesson


def _write(state: State, action: Action) -> State:
    where = path(action.value)
    before = at(state, where)
    if where[-1] == "right":
        return _answers_unsaid(put(state, where, _right(state, action, where)), where)
    if isinstance(before, list):
        return _placed(state, where, _lines(action, str(where[-1])))
    text = _text(action, clean(action.text).strip(), str(where[-2] if isinstance(where[-1], int) else where[-1]))
    if isinstance(where[-1], int):
        others = [option for n, option in enumerate(at(state, where[:-1])) if n != where[-1]]
        if key(text) in map(key, others):
            raise _wrong(action, "same")
    return _placed(state, where, text)


def _placed(state: State, where: Path, value: Json) -> State:
    placed: State = put(state, where, value)
    return placed


def _text(action: Action, text: str, kind: str) -> str:
    text = text if kind == "content" else line(text)
    if not text:
        raise _wrong(action, "empty")
    if len(text) > _MOST[kind]:
        raise _wrong(action, "long", most=_MOST[kind], length=len(text))
    return text


def _lines(action: Action, kind: str) -> list[str]:
    texts = [_text(action, row, kind) for row in clean(action.text).split("\n") if row.strip()]
    if not texts:
        raise _wrong(action, "empty")
    if len(texts) > _LISTS[kind]:
        raise _wrong(action, "many", most=_LISTS[kind])
    return texts


def _right(state: State, action: Action, where: Path) -> int:
    options = len(at(state, where[:-1])["options"])
    number = int(action.text) if action.text.strip().isdecimal() else 0
    if not 1 <= number <= options:
        raise _wrong(action, "right", most=options)
    return number - 1


def _answers_unsaid(state: State, where: Path) -> State:
    lesson = where[:4]
    return _placed(state, lesson, without(at(state, lesson), "chosen"))


def _answer(state: State, action: Action) -> State:
    module, number, question = map(int, action.value.split("/"))
    lesson, chosen = at(state, place(module, number)), int(action.text)
    if not 0 <= chosen < len(lesson["quiz"][question]["options"]):
        raise IndexError
    answers = lesson.get("chosen") or [None] * len(lesson["quiz"])
    return _placed(state, place(module, number), {**lesson, "chosen": put(answers, (question,), chosen)})


def _replay(state: State, action: Action) -> State:
    return _answers_unsaid(state, place(*_lesson(action)))


def _complete(change: Callable[[State, Action], State]) -> Callable[[State, Action], State]:
    """Lessons come and go when all of them are there."""

    def done(state: State, action: Action) -> State:
        if not is_complete(state):
            raise _wrong(action, "not_yet")
        return change(state, action)

    return done


def _again(state: State, action: Action) -> State:
    module, number = _lesson(action)
    lesson = at(state, place(module, number))
    begun = {"title": lesson["title"]}
    if action.name == "again_quiz":
        begun = dict(without(lesson, "quiz", "chosen"))
    return _apart(state, module, number, begun, new=False)


def _add(state: State, action: Action) -> State:
    module = int(action.value)
    lessons = len(at(state, ("modules", module, "lessons")))
    if lessons >= schema.LESSONS:
        raise _wrong(action, "many", most=schema.LESSONS)
    return _apart(state, module, lessons, {}, new=True)


def _apart(state: State, module: int, lesson: int, begun: Json, *, new: bool) -> State:
    """What waits for the same place goes on."""
    where, waiting = [module, lesson], state.get("again")
    if waiting and waiting["at"] == where and waiting["new"] == new:
        return state
    return {**state, "again": {"at": where, "new": new, "lesson": begun}}


def _go_on(state: State, _action: Action) -> State:
    return state


def _drop(state: State, _action: Action) -> State:
    return without(state, "again")


def _remove(state: State, action: Action) -> State:
    module, lesson = _lesson(action)
    if len(at(state, ("modules", module, "lessons"))) == 1:
        raise _wrong(action, "last")
    at(state, place(module, lesson))
    return removed(without(state, "again"), module, lesson)


def _move(state: State, action: Action) -> State:
    module, lesson = _lesson(action)
    lessons = at(state, ("modules", module, "lessons"))
    to = lesson + (1 if action.name == "down" else -1)
    if not 0 <= to < len(lessons):
        raise IndexError
    taken = removed(state, module, lesson)
    return without(inserted(taken, module, to, lessons[lesson]), "undo", "again")


def _undo(state: State, _action: Action) -> State:
    return undone(without(state, "again"))


_CHANGES: Mapping[str, Callable[[State, Action], State]] = {
    "write": _write,
    "answer": _answer,
    "replay": _replay,
    "again": _complete(_again),
    "again_quiz": _complete(_again),
    "add": _complete(_add),
    "go_on": _go_on,
    "drop": _drop,
    "remove": _complete(_remove),
    "up": _complete(_move),
    "down": _complete(_move),
    "undo": _complete(_undo),
}
