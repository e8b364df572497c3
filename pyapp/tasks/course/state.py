"""How far a course has come: JSON that grows into what the schema describes, and what of it comes next.

    {"language", "title"?, "description"?,
     "modules"?: [{"title", "objectives"?, "lessons"?: [
         {"title"?, "content"?, "exercises"?, "quiz"?, "draft"?, "chosen"?}]}],
     "again"?: {"at": [module, lesson], "new", "lesson"},   takes its place when it is whole
     "undo"?: {"at", "was", "lesson"}}                     how a lesson's last change is taken back

`draft` is a quiz that is not whole yet, `chosen` what the reader answered. A state is never changed, only followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pyapp.engine import Json
from pyapp.tasks.course.given import Brief
from pyapp.tasks.course.schema import QUESTIONS

State = Mapping[str, Any]
Path = tuple[str | int, ...]
LessonPart = Literal["title", "content", "exercises", "quiz"]

_PARTS: Mapping[LessonPart, int] = {"title": 0, "content": 5, "exercises": 1, "quiz": QUESTIONS}  # what each takes
_PLAN = 1


@dataclass(frozen=True, slots=True)
class Outline:
    """Title, description and the modules' titles."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Objectives and lessons of a module."""

    module: int


@dataclass(frozen=True, slots=True)
class Part:
    """Of a lesson; `path` leads to the lesson, which another version of it is not in its place."""

    kind: LessonPart
    module: int
    lesson: int
    path: Path


Piece = Outline | Plan | Part


def at(node: Json, path: Path) -> Json:
    for name in path:
        node = node[name]
    return node


def put(node: Json, path: Path, value: Json) -> Json:
    """What `node` is with `value` there."""
    if not path:
        return value
    first, *rest = path
    if isinstance(first, int):
        return [*node[:first], put(node[first], tuple(rest), value), *node[first + 1 :]]
    return {**node, first: put(node.get(first), tuple(rest), value)}


def without(node: State, *names: str) -> State:
    return {name: value for name, value in node.items() if name not in names}


def place(module: int, lesson: int) -> Path:
    return ("modules", module, "lessons", lesson)


def is_complete(state: State) -> bool:
    """Whether all of it is there; another version of a part may still be made."""
    return next_piece(without(state, "again")) is None


def next_piece(state: State) -> Piece | None:
    """What is to be made now; None when the course is whole."""
    if "again" in state:
        kind = _missing(state["again"]["lesson"])
        assert kind, "a version that is whole has taken its place"
        module, lesson = state["again"]["at"]
        return Part(kind, module, lesson, ("again", "lesson"))
    if "modules" not in state:
        return Outline()
    for number, module in enumerate(state["modules"]):
        if not module.get("lessons"):
            return Plan(number)
    return next(_missing_parts(state), None)


def _missing_parts(state: State) -> Iterator[Part]:
    for m, lesson_number, lesson in lessons(state):
        if kind := _missing(lesson):
            yield Part(kind, m, lesson_number, place(m, lesson_number))


def lessons(state: State) -> Iterator[tuple[int, int, State]]:
    for m, module in enumerate(state.get("modules", ())):
        for number, lesson in enumerate(module.get("lessons", ())):
            yield m, number, lesson


def _missing(lesson: State) -> LessonPart | None:
    return next((part for part in _PARTS if part not in lesson), None)


def is_whole(lesson: State) -> bool:
    return _missing(lesson) is None


def settled(state: State) -> State:
    """With what was being made apart in its place, when that is whole."""
    again = state.get("again")
    if not again or not is_whole(again["lesson"]):
        return state
    rest, (module, lesson) = without(state, "again"), again["at"]
    if again["new"]:
        return inserted(rest, module, lesson, again["lesson"])
    return replaced(rest, module, lesson, again["lesson"])


def replaced(state: State, module: int, lesson: int, by: State) -> State:
    undo = {"at": [module, lesson], "was": "replaced", "lesson": at(state, place(module, lesson))}
    return {**put(state, place(module, lesson), by), "undo": undo}


def inserted(state: State, module: int, lesson: int, new: State) -> State:
    lessons = at(state, ("modules", module, "lessons"))
    undo = {"at": [module, lesson], "was": "inserted", "lesson": new}
    return {**put(state, ("modules", module, "lessons"), [*lessons[:lesson], new, *lessons[lesson:]]), "undo": undo}


def removed(state: State, module: int, lesson: int) -> State:
    lessons = at(state, ("modules", module, "lessons"))
    undo = {"at": [module, lesson], "was": "removed", "lesson": lessons[lesson]}
    return {**put(state, ("modules", module, "lessons"), [*lessons[:lesson], *lessons[lesson + 1 :]]), "undo": undo}


def undone(state: State) -> State:
    """What is undone can be undone."""
    (module, lesson), was = state["undo"]["at"], state["undo"]["was"]
    match was:
        case "replaced":
            return replaced(state, module, lesson, state["undo"]["lesson"])
        case "inserted":
            return removed(state, module, lesson)
        case _:
            return inserted(state, module, lesson, state["undo"]["lesson"])


def fraction(state: State, brief: Brief) -> float:
    lesson_weight = sum(_PARTS.values())
    modules: Sequence[State] = state.get("modules") or [{}] * brief.modules
    total = done = _PLAN
    done *= "modules" in state
    for module in modules:
        total += _PLAN + lesson_weight * len(module.get("lessons", range(brief.lessons)))
        done += _PLAN * ("lessons" in module)
        done += sum(map(_weight, module.get("lessons", ())))
    if "again" in state:
        total += lesson_weight
        done += _weight(state["again"]["lesson"])
    return done / total


def _weight(lesson: State) -> int:
    return sum(weight for part, weight in _PARTS.items() if part in lesson) + len(lesson.get("draft", ()))


def course(state: State) -> Json:
    """What the schema describes, of a state that is whole; of another, as far as it has come."""
    return {
        "title": state.get("title", ""),
        "description": state.get("description", ""),
        "modules": [
            {
                "title": module["title"],
                "objectives": module.get("objectives", []),
                "lessons": [_published(lesson) for lesson in module.get("lessons", ())],
            }
            for module in state.get("modules", ())
        ],
    }


def _published(lesson: State) -> Json:
    return {
        "title": lesson.get("title", ""),
        "content": lesson.get("content", ""),
        "exercises": lesson.get("exercises", []),
        "quiz": lesson.get("quiz", lesson.get("draft", [])),
    }
