"""The course as a task."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from pyapp.engine import Json
from pyapp.errors import BadInput
from pyapp.routing.needs import Needs
from pyapp.tasks.blocks import Block
from pyapp.tasks.course import exports
from pyapp.tasks.course.editing import changed
from pyapp.tasks.course.given import FIELDS, brief
from pyapp.tasks.course.schema import SCHEMA
from pyapp.tasks.course.state import State, fraction, is_complete, next_piece
from pyapp.tasks.course.strings import STRINGS
from pyapp.tasks.course.tidy import letters
from pyapp.tasks.course.view import shown
from pyapp.tasks.course.writing import written
from pyapp.tasks.task import Action, Export, Given, Say, Step, Work

WINDOW = 2048  # tokens: the longest part with what it is asked with


class Course:
    """Implements pyapp.tasks.task.Task."""

    name = "course"
    strings = STRINGS
    fields = FIELDS
    exports: Sequence[str] = ("markdown", "html", "json", "cartridge")
    schema: Json = SCHEMA

    def needs(self, given: Given) -> Needs:
        words = len(f"{given['topic']} {given['notes']}".split())
        return Needs("course", words=words, context_tokens=WINDOW, schema=True)

    async def check(self, given: Given) -> None:
        if not letters(given["topic"]):
            raise BadInput(field="topic", why="course.wrong.topic")

    async def title(self, given: Given, state: Json | None) -> str:
        return str((state or {}).get("title") or given["topic"])

    async def run(self, given: Given, state: Json | None, work: Work) -> AsyncGenerator[Step, None]:
        state = state or {"language": brief(given, work.language).language}
        asked = brief(given, state["language"])
        async with aclosing(written(state, asked, work)) as steps:
            async for step in steps:
                yield step
                state = step.state if step.settled else state
        yield Step(state, 1.0)

    async def act(self, given: Given, state: Json, action: Action, work: Work) -> AsyncGenerator[Step, None]:
        """A lesson is written again at once; while the course itself is not complete, `run` writes."""
        asked = brief(given, state["language"])
        after: State = changed(state, action)
        yield Step(after, fraction(after, asked))
        if is_complete(after) and next_piece(after):
            async with aclosing(written(after, asked, work)) as steps:
                async for step in steps:
                    yield step

    async def view(self, given: Given, state: Json, say: Say) -> Sequence[Block]:
        return shown(state, say)

    async def export(self, given: Given, state: Json, kind: str, say: Say) -> Export:
        return exports.file(kind, state, say)
