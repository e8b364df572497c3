"""The schema of a course, published as site/course.schema.json, and the small ones that its parts are asked for with.

A part is never asked for at the length that a user may give it: what is asked for ends in a small window.
"""

from __future__ import annotations

from typing import Final

from pyapp.engine import Json

MODULES = 12  # of a course at most
LESSONS = 12  # of a module
QUESTIONS = 3  # asked for, of a lesson

# What a course holds, in characters and items.
TITLE, DESCRIPTION, OBJECTIVE, CONTENT, EXERCISE = 120, 600, 200, 20_000, 600
QUESTION, OPTION, WHY = 400, 200, 600
OBJECTIVES, EXERCISES, QUIZ, OPTIONS = 6, 10, 10, 6

# What is asked for: shorter.
ASKED_TITLE, ASKED_DESCRIPTION, ASKED_OBJECTIVE, ASKED_EXERCISE = 80, 300, 120, 240
ASKED_QUESTION, ASKED_OPTION, ASKED_WHY = 160, 120, 240
CONTENT_TOKENS = 600


def _object(**properties: Json) -> Json:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def _text(most: int, least: int = 1) -> Json:
    return {"type": "string", "minLength": least, "maxLength": most}


def _many(items: Json, least: int, most: int) -> Json:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _right_is_an_option() -> list[Json]:
    """JSON Schema cannot say "less than the number of options", so it is said for each number."""
    return [
        {
            "if": {"properties": {"options": {"maxItems": n}}},
            "then": {"properties": {"right": {"maximum": n - 1}}},
        }
        for n in range(2, OPTIONS)
    ]


_QUESTION = _object(
    question=_text(QUESTION),
    options={**_many(_text(OPTION), 2, OPTIONS), "uniqueItems": True},
    right={"type": "integer", "minimum": 0, "maximum": OPTIONS - 1, "description": "Which option it is, from 0."},
    why={**_text(WHY), "description": "Why the right one is right."},
) | {"allOf": _right_is_an_option()}

_LESSON = _object(
    title=_text(TITLE),
    content={**_text(CONTENT), "description": "Markdown (CommonMark)."},
    exercises=_many(_text(EXERCISE), 1, EXERCISES),
    quiz=_many({"$ref": "#/$defs/question"}, 1, QUIZ),
)

_MODULE = _object(
    title=_text(TITLE),
    objectives=_many(_text(OBJECTIVE), 1, OBJECTIVES),
    lessons=_many({"$ref": "#/$defs/lesson"}, 1, LESSONS),
)

SCHEMA: Final[Json] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Candil: a course",
    "description": "What the course task makes, and what it exports as JSON.",
    **_object(
        title=_text(TITLE),
        description=_text(DESCRIPTION),
        modules=_many({"$ref": "#/$defs/module"}, 1, MODULES),
    ),
    "$defs": {"module": _MODULE, "lesson": _LESSON, "question": _QUESTION},
}


def outline(modules: int) -> Json:
    return _object(
        title=_text(ASKED_TITLE),
        description=_text(ASKED_DESCRIPTION),
        modules=_many(_text(ASKED_TITLE), modules, modules),
    )


def plan(lessons: int) -> Json:
    return _object(
        objectives=_many(_text(ASKED_OBJECTIVE), 2, 3),
        lessons=_many(_text(ASKED_TITLE), lessons, lessons),
    )


def title() -> Json:
    return _object(title=_text(ASKED_TITLE))


def exercises() -> Json:
    return _object(exercises=_many(_text(ASKED_EXERCISE), 2, 3))


def question() -> Json:
    """The right answer and the wrong ones apart: a small model does not count options."""
    return _object(
        question=_text(ASKED_QUESTION),
        answer=_text(ASKED_OPTION),
        wrong=_many(_text(ASKED_OPTION), 2, 3),
        why=_text(ASKED_WHY),
    )
