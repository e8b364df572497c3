"""The parts of a course: how each is asked for, what of an answer is fit, and what stands where nothing was.

An answer is read into what is fit of it (`read`), together with what earlier answers gave; when it is enough, or nobody
asks again, that becomes part of the state (`put`). What the user gave a number for is always so many; of the rest,
what is repeated is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from zlib import crc32

import pyapp.tasks.course.schema as shapes
from pyapp.engine import Json, Message
from pyapp.tasks.course.given import Brief
from pyapp.tasks.course.prompts import PROMPTS, Example, Prompts, asked, is_about_the_example, is_example
from pyapp.tasks.course.state import Outline, Part, Path, Piece, Plan, State, at, put, without
from pyapp.tasks.course.tidy import clean, distinct, fitting, key, letters, line, looks_like_code, name, without_repeats

SHORT_LESSON = 200  # characters; below that it is asked for again
CHARACTERS_PER_TOKEN = 2  # of an answer at worst: SmolLM2 writes 2.5 in Spanish, 4 in English


class Maker(Protocol):
    """Makes one piece. `so_far` is what `read` gave before, None at first."""

    schema: Json | None  # None: it is text
    tokens: int

    def messages(self, share: float, so_far: Json) -> list[Message]:
        """`share` of what the user or an earlier answer wrote at length is in them."""
        ...

    def grown(self, value: Json) -> State:
        """The state with an answer in it that is still coming."""
        ...

    def read(self, value: Json, so_far: Json) -> Json: ...

    def is_enough(self, read: Json) -> bool: ...

    def put(self, read: Json) -> State: ...


@dataclass(frozen=True, slots=True)
class Context:
    state: State
    brief: Brief

    @property
    def words(self) -> Prompts:
        return PROMPTS[self.brief.language]

    @property
    def level(self) -> str:
        return self.words.levels[self.brief.level]

    @property
    def titled_by_topic(self) -> str:
        topic = self.brief.topic
        return name(topic, shapes.ASKED_TITLE) or topic[: shapes.ASKED_TITLE]

    def material(self, share: float) -> str:
        notes = self.brief.notes[: int(share * len(self.brief.notes))]
        return self.words.material.format(material=notes) if notes else ""

    def others(self, titles: Sequence[str]) -> str:
        return self.words.others.format(others="; ".join(titles)) if titles else ""

    def fit(self, text: str, most: int) -> str:
        """A line of prose, or "" where there is none."""
        read = fitting(line(text), most)
        return "" if is_example(read, self.brief.language) else read

    def titles(self, texts: Sequence[str]) -> list[str]:
        """Those that are fit for titles, each once."""
        names = (name(text, shapes.ASKED_TITLE) for text in texts)
        return distinct(
            each
            for each in names
            if letters(each) > 1 and not looks_like_code(each) and not is_example(each, self.brief.language)
        )

    def filled(self, titles: Sequence[str], count: int, parent: str) -> list[str]:
        """So many: where the model found too few, they are parts of `parent`."""
        spare = (self.words.part.format(name=parent[: shapes.ASKED_TITLE], n=n) for n in range(1, 2 * count + 1))
        return distinct([*titles, *spare])[:count]


def tokens_of(asked_for: Json) -> int:
    """What an answer can take that `asked_for` describes."""
    match asked_for["type"]:
        case "object":
            return 4 + sum(8 + tokens_of(each) for each in asked_for["properties"].values())
        case "array":
            return 4 + int(asked_for["maxItems"]) * (4 + tokens_of(asked_for["items"]))
        case _:
            return int(asked_for["maxLength"]) // CHARACTERS_PER_TOKEN


def maker(context: Context, piece: Piece) -> Maker:
    match piece:
        case Outline():
            return MakesOutline(context)
        case Plan(module):
            return MakesPlan(context, module)
        case Part("title"):
            return MakesTitle(context, piece)
        case Part("content"):
            return MakesContent(context, piece)
        case Part("exercises"):
            return MakesExercises(context, piece)
        case _:
            return MakesQuestion(context, piece)


class MakesOutline:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._count = context.brief.modules
        self.schema = shapes.outline(self._count)
        self.tokens = tokens_of(self.schema)

    def messages(self, share: float, so_far: Json) -> list[Message]:
        words, brief = self._context.words, self._context.brief
        request = words.outline.format(topic=brief.topic, level=self._context.level, modules=self._count)
        found = so_far["modules"] if so_far else []
        request += self._context.others(found) + self._context.material(share)
        return asked(words.plans, words.outline_example, request)

    def grown(self, value: Json) -> State:
        names = [line(title) for title in value.get("modules", [])]
        return {
            **self._context.state,
            "title": line(value.get("title", "")),
            "description": line(value.get("description", "")),
            "modules": [{"title": each} for each in names],
        }

    def read(self, value: Json, so_far: Json) -> Json:
        before = so_far or {"title": "", "description": "", "modules": []}
        titles = self._context.titles([value["title"]])
        return {
            "title": before["title"] or (titles[0] if titles else ""),
            "description": before["description"] or self._context.fit(value["description"], shapes.ASKED_DESCRIPTION),
            "modules": distinct([*before["modules"], *self._context.titles(value["modules"])])[: self._count],
        }

    def is_enough(self, read: Json) -> bool:
        return bool(read["title"] and read["description"]) and len(read["modules"]) == self._count

    def put(self, read: Json) -> State:
        title = read["title"] or self._context.titled_by_topic
        modules = self._context.filled(read["modules"], self._count, title)
        return {
            **self._context.state,
            "title": title,
            "description": read["description"] or title,
            "modules": [{"title": each} for each in modules],
        }


class MakesPlan:
    def __init__(self, context: Context, module: int) -> None:
        self._context = context
        self._path: Path = ("modules", module)
        self._count = context.brief.lessons
        self.schema = shapes.plan(self._count)
        self.tokens = tokens_of(self.schema)

    @property
    def _module(self) -> str:
        return str(at(self._context.state, (*self._path, "title")))

    def messages(self, share: float, so_far: Json) -> list[Message]:
        words, state = self._context.words, self._context.state
        request = words.plan.format(
            course=state["title"], level=self._context.level, module=self._module, lessons=self._count
        )
        taken = [lesson["title"] for module in state["modules"] for lesson in module.get("lessons", ())]
        found = so_far["lessons"] if so_far else []
        request += self._context.others([*taken[-shapes.LESSONS :], *found]) + self._context.material(share)
        return asked(words.plans, words.plan_example, request)

    def grown(self, value: Json) -> State:
        lessons = [{"title": line(title)} for title in value.get("lessons", [])]
        return self._with([line(each) for each in value.get("objectives", [])], lessons)

    def _with(self, objectives: Json, lessons: Json) -> State:
        module = {"title": self._module, "objectives": objectives, "lessons": lessons}
        placed: State = put(self._context.state, self._path, module)
        return placed

    def read(self, value: Json, so_far: Json) -> Json:
        before = so_far or {"objectives": [], "lessons": []}
        objectives = (self._context.fit(each, shapes.ASKED_OBJECTIVE) for each in value["objectives"])
        return {
            "objectives": before["objectives"] or distinct(each for each in objectives if letters(each) > 2),
            "lessons": distinct([*before["lessons"], *self._context.titles(value["lessons"])])[: self._count],
        }

    def is_enough(self, read: Json) -> bool:
        return bool(read["objectives"]) and len(read["lessons"]) == self._count

    def put(self, read: Json) -> State:
        titles = self._context.filled(read["lessons"], self._count, self._module)
        return self._with(read["objectives"] or titles[:1], [{"title": each} for each in titles])


@dataclass(frozen=True)
class _OfLesson:
    context: Context
    part: Part

    @property
    def lesson(self) -> State:
        found: State = at(self.context.state, self.part.path)
        return found

    @property
    def titles(self) -> dict[str, str]:
        """The course, the level and the module."""
        state = self.context.state
        module = state["modules"][self.part.module]["title"]
        return {"course": state["title"], "level": self.context.level, "module": module}

    @property
    def siblings(self) -> list[str]:
        lessons = self.context.state["modules"][self.part.module]["lessons"]
        return [each["title"] for n, each in enumerate(lessons) if n != self.part.lesson and "title" in each]

    def text(self, share: float) -> str:
        content = self.lesson["content"]
        return self.context.words.text.format(text=content[: int(share * len(content))])

    def fit(self, text: str, most: int) -> str:
        """What the lesson can be asked about, or ""."""
        read, brief = self.context.fit(text, most), self.context.brief
        subject = f"{brief.topic} {brief.notes} {self.lesson['content']}"
        return "" if is_about_the_example(read, subject, brief.language) else read

    def having(self, **members: Json) -> State:
        found: State = put(self.context.state, self.part.path, {**self.lesson, **members})
        return found


class MakesTitle(_OfLesson):
    schema = shapes.title()
    tokens = tokens_of(shapes.title())

    def messages(self, share: float, so_far: Json) -> list[Message]:
        words = self.context.words
        request = words.title.format(**self.titles) + self.context.others(self.siblings) + self.context.material(share)
        return asked(words.plans, words.title_example, request)

    def grown(self, value: Json) -> State:
        return self.having(title=line(value.get("title", "")))

    def read(self, value: Json, so_far: Json) -> Json:
        taken = set(map(key, self.siblings))
        return next((each for each in self.context.titles([value["title"]]) if key(each) not in taken), so_far)

    def is_enough(self, read: Json) -> bool:
        return bool(read)

    def put(self, read: Json) -> State:
        siblings = self.siblings
        spare = self.context.filled(siblings, len(siblings) + 1, self.titles["module"])[-1]
        return self.having(title=read or spare)


class MakesContent(_OfLesson):
    schema = None
    tokens = shapes.CONTENT_TOKENS

    def messages(self, share: float, so_far: Json) -> list[Message]:
        words = self.context.words
        others = "; ".join(self.siblings) or "—"
        request = words.content.format(**self.titles, lesson=self.lesson["title"], others=others)
        return asked(words.writes, None, request + self.context.material(share))

    def grown(self, value: Json) -> State:
        return self.having(content=clean(value))

    def read(self, value: Json, so_far: Json) -> Json:
        text = without_repeats(clean(value).strip())
        first, _, rest = text.partition("\n")
        if rest and key(first) == key(self.lesson["title"]):
            text = rest.strip()  # the title again
        return max(text, so_far or "", key=letters)

    def is_enough(self, read: Json) -> bool:
        return letters(read) >= SHORT_LESSON

    def put(self, read: Json) -> State:
        return self.having(content=read if letters(read) > 2 else self.context.words.nothing)


class MakesExercises(_OfLesson):
    schema = shapes.exercises()
    tokens = tokens_of(shapes.exercises())

    def messages(self, share: float, so_far: Json) -> list[Message]:
        return asked(self.context.words.sets, self.context.words.exercises_example, self.text(share))

    def grown(self, value: Json) -> State:
        return self.having(exercises=[line(each) for each in value.get("exercises", [])])

    def read(self, value: Json, so_far: Json) -> Json:
        found = (self.fit(each, shapes.ASKED_EXERCISE) for each in value["exercises"])
        return distinct([*(so_far or []), *(each for each in found if letters(each) > 8)])[:3]

    def is_enough(self, read: Json) -> bool:
        return len(read) > 1

    def put(self, read: Json) -> State:
        return self.having(exercises=read or [self.context.words.exercise.format(title=self.lesson["title"])])


class MakesQuestion(_OfLesson):
    """One of a quiz: the quiz is whole with QUESTIONS of them, or when the model repeats itself."""

    schema = shapes.question()
    tokens = tokens_of(shapes.question())

    @property
    def _draft(self) -> list[Json]:
        return list(self.lesson.get("draft", ()))

    def messages(self, share: float, so_far: Json) -> list[Message]:
        words = self.context.words
        turns: list[str | Json] = [self.text(share)]
        for each in self._draft:
            turns += [_as_answered(each), words.another]
        example: Example = words.question_example
        return asked(words.asks, example, *turns)

    def grown(self, value: Json) -> State:
        options = [line(each) for each in (value.get("answer", ""), *value.get("wrong", ()))]
        question = {
            "question": line(value.get("question", "")),
            "options": distinct(filter(None, options)),
            "right": 0,
            "why": line(value.get("why", "")),
        }
        return self.having(draft=[*self._draft, question] if question["question"] else self._draft)

    def read(self, value: Json, so_far: Json) -> Json:
        question = self.fit(value["question"], shapes.ASKED_QUESTION)
        answer = self.fit(value["answer"], shapes.ASKED_OPTION)
        wrong = [self.fit(each, shapes.ASKED_OPTION) for each in value["wrong"]]
        why = self.fit(value["why"], shapes.ASKED_WHY)
        if letters(question) < 3 or not answer or self._is_asked(question):
            return so_far
        options = distinct([answer, *filter(None, wrong)])
        found = {"question": question, "options": options, "why": why or answer}
        return max(so_far, found, key=lambda each: len(each["options"])) if so_far else found

    def is_enough(self, read: Json) -> bool:
        return bool(read) and len(read["options"]) > 2

    def put(self, read: Json) -> State:
        question = self._question(read) if read else None
        if question and not self._is_asked(question["question"]):
            draft = [*self._draft, question]
            return self._quiz(draft) if len(draft) >= shapes.QUESTIONS else self.having(draft=draft)
        return self._quiz(self._draft or [self._last_resort()])  # the model has no other to ask

    def _is_asked(self, question: str) -> bool:
        return key(question) in {key(each["question"]) for each in self._draft}

    def _quiz(self, questions: list[Json]) -> State:
        lesson = {**without(self.lesson, "draft"), "quiz": questions}
        found: State = put(self.context.state, self.part.path, lesson)
        return found

    def _question(self, read: Json) -> Json:
        words, options = self.context.words, read["options"]
        if len(options) == 1:  # no wrong answer, so the right one is what is asked about
            claim = words.claim.format(question=read["question"], answer=options[0])
            return {"question": claim, "options": [words.true, words.false], "right": 0, "why": read["why"]}
        right = crc32(read["question"].encode()) % len(options)
        placed = [*options[1 : right + 1], options[0], *options[right + 1 :]]
        return {"question": read["question"], "options": placed, "right": right, "why": read["why"]}

    def _last_resort(self) -> Json:
        words, title = self.context.words, str(self.lesson["title"])
        options = distinct([title, *self.siblings])[:3]
        if len(options) == 1:
            options.append(words.part.format(name=title[: shapes.ASKED_TITLE], n=2))
        return {"question": words.about, "options": options, "right": 0, "why": title}


def _as_answered(question: Json) -> Json:
    answer = question["options"][question["right"]]
    wrong = [each for each in question["options"] if each != answer]
    return {"question": question["question"], "answer": answer, "wrong": wrong, "why": question["why"]}
