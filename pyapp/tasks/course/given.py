"""What the user asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyapp.tasks.course.schema import LESSONS, MODULES
from pyapp.tasks.course.tidy import clean, line
from pyapp.tasks.task import Field, Given

LANGUAGES = ("en", "es")
LEVELS = ("beginner", "intermediate", "advanced", "children")
TOPIC = 300  # characters
NOTES = 20_000

FIELDS: Sequence[Field] = (
    Field("topic", "line", required=True, most=TOPIC),
    Field("level", "choice", default="beginner", options=LEVELS),
    Field("language", "choice", default="page", options=("page", *LANGUAGES)),
    Field("modules", "number", required=True, default=3, least=1, most=MODULES),
    Field("lessons", "number", required=True, default=2, least=1, most=LESSONS),
    Field("notes", "text", most=NOTES),
)


@dataclass(frozen=True, slots=True)
class Brief:
    topic: str
    level: str  # of LEVELS
    language: str  # of LANGUAGES
    modules: int
    lessons: int  # of each module
    notes: str = ""


def brief(given: Given, language: str) -> Brief:
    """`language` is what "that of the page" means."""
    return Brief(
        topic=line(given["topic"]),
        level=given["level"],
        language=language if given["language"] == "page" else given["language"],
        modules=given["modules"],
        lessons=given["lessons"],
        notes=clean(given["notes"]).strip(),
    )
