"""The task: what it asks for, what it shows and what can be saved of it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import lru_cache

from pyapp.documents.naming import beginning
from pyapp.documents.reading import ACCEPT
from pyapp.engine import Json
from pyapp.errors import BadInput
from pyapp.routing.needs import Needs
from pyapp.tasks.blocks import Block, Fold, Passage, Point, Points, Prose, Section
from pyapp.tasks.summarise.excerpts import Excerpt, excerpts, sentences
from pyapp.tasks.summarise.made import Made, Said, made_of
from pyapp.tasks.summarise.spoken import language_of
from pyapp.tasks.summarise.strings import STRINGS
from pyapp.tasks.summarise.summarising import Wanted, summarising
from pyapp.tasks.task import Action, Export, Field, Given, Say, Step, Work

FEWEST_WORDS = 20  # of a text that there is something to leave out of
MOST_WORDS = 100_000
LENGTHS: Mapping[str, tuple[int, int]] = {"short": (3, 60), "medium": (6, 130), "long": (12, 260)}  # points, words
SAME = "same"

_WORD = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\\W_]+")
_SAID: Json = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "minLength": 1},
        "sources": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "quoted": {"type": "boolean"},
    },
    "required": ["text", "sources"],
}
SCHEMA: Json = {
    "type": "object",
    "properties": {
        "chosen": {"type": "array", "items": _SAID, "minItems": 1},
        "told": {"anyOf": [{"type": "array", "items": _SAID, "minItems": 1}, {"type": "null"}]},
    },
    "required": ["chosen"],
}


class Summarise:
    """Implements pyapp.tasks.task.Task."""

    name = "summarise"
    strings = STRINGS
    fields: Sequence[Field] = (
        Field("text", "text", instead="file"),
        Field("file", "file", accept=ACCEPT, instead="text"),
        Field("length", "choice", default="medium", options=tuple(LENGTHS)),
        Field("style", "choice", default="points", options=("points", "paragraph", "child")),
        Field("language", "choice", default=SAME, options=(SAME, "en", "es")),
    )
    exports: Sequence[str] = ("markdown", "text")
    schema: Json = SCHEMA

    def needs(self, given: Given) -> Needs:
        return Needs("summarise", words=words_in(_pages(given)))

    async def check(self, given: Given) -> None:
        count = words_in(_pages(given))
        field = "file" if given.get("file") else "text"
        if not count:
            raise BadInput(field=field, why="summarise.wrong.empty")
        if count < FEWEST_WORDS:
            raise BadInput(field=field, why="summarise.wrong.short", least=FEWEST_WORDS)
        if count > MOST_WORDS:
            raise BadInput(field=field, why="summarise.wrong.long", most=MOST_WORDS)

    async def title(self, given: Given, state: Json | None) -> str:
        if file := given.get("file"):
            return str(file["name"])
        return beginning(str(given.get("text", "")))

    async def run(self, given: Given, state: Json | None, work: Work) -> AsyncGenerator[Step, None]:
        found = _excerpts(tuple(_pages(given)))
        written = language_of(" ".join(excerpt.text for excerpt in found))
        language = written if given["language"] == SAME else given["language"]
        points, words = LENGTHS[given["length"]]
        least = sum(len(sentences(excerpt.text)) for excerpt in found) // 2
        wanted = Wanted(max(1, min(points, least)), words, given["style"], language, written)
        made = made_of(state) if state else Made(language)
        async with aclosing((await summarising(found, wanted, work)).run(made)) as steps:
            async for step in steps:
                yield step

    async def act(self, given: Given, state: Json, action: Action, work: Work) -> AsyncGenerator[Step, None]:
        """Nothing of a summary is changed in its view."""
        return
        yield

    async def view(self, given: Given, state: Json, say: Say) -> Sequence[Block]:
        made = made_of(state)
        if made.chosen is None:
            growing = [Section([Prose(state["growing"])], id="growing", growing=True)] if state["growing"] else []
            read = [Points([_point(said, say) for said in made.points])] if made.points else []
            return [*read, *growing]
        found = _excerpts(tuple(_pages(given)))
        return [*_summary(made, state["growing"], say), _figures(found, made, say), *_folds(found, made, say)]

    async def export(self, given: Given, state: Json, kind: str, say: Say) -> Export:
        made = made_of(state)
        lines = _markdown(made, given, say) if kind == "markdown" else _plain(made)
        name = re.sub(r"[^\w.-]+", "-", await self.title(given, state)).strip("-.") or "summary"
        name = f"{re.sub(r'[.](pdf|txt|md)$', '', name)}-{say.text('summarise.file_name')}"
        ending, type_ = {"markdown": ("md", "text/markdown"), "text": ("txt", "text/plain")}[kind]
        return Export(f"{name}.{ending}", f"{type_};charset=utf-8", ("\n".join(lines) + "\n").encode())


TASK = Summarise()


def words_in(pages: Sequence[str]) -> int:
    return sum(len(_WORD.findall(page)) for page in pages)


@lru_cache(maxsize=1)  # a view is made for every word that comes
def _excerpts(pages: tuple[str, ...]) -> Sequence[Excerpt]:
    return excerpts(pages)


def _pages(given: Given) -> list[str]:
    """What was pasted comes first, as a page of its own."""
    text, file = str(given.get("text") or ""), given.get("file")
    return [*([text] if text.strip() else []), *(file["pages"] if file else [])]


# ---- the view ----


def _summary(made: Made, growing: str, say: Say) -> Iterator[Block]:
    if growing:
        yield Section([Prose(growing)], id="growing", growing=True)
    elif made.told is not None:
        yield Prose(" ".join(said.text for said in made.told))
        if made.told == made.chosen:
            yield Prose(say.text("summarise.not_retold"))
        yield Fold(say.text("summarise.sources_of_sentences"), [Points([_point(said, say) for said in made.told])])
    else:
        yield Points([_point(said, say) for said in made.chosen or ()])


def _figures(found: Sequence[Excerpt], made: Made, say: Say) -> Block:
    before = words_in([excerpt.text for excerpt in found])
    after = words_in([said.text for said in made.told or made.chosen or ()])
    quoted = sum(said.quoted for said in made.told or made.chosen or ())
    figures = say.text(
        "summarise.figures", before=say.number(before), after=say.number(after), share=say.percent(after / before)
    )
    return Prose(f"{figures} {say.count('summarise.quoted', quoted)}" if quoted else figures)


def _folds(found: Sequence[Excerpt], made: Made, say: Say) -> Iterator[Block]:
    shown = made.chosen or ()
    if len(made.points) > len(shown):
        yield Fold(say.count("summarise.all_points", len(made.points)), [Points([_point(p, say) for p in made.points])])
    used = {id_ for said in (*made.points, *shown, *(made.told or ())) for id_ in said.sources}
    passages = [Passage(each.id, each.text, _place(each, found, say)) for each in found if each.id in used]
    yield Fold(say.text("summarise.sources"), passages)


def _place(excerpt: Excerpt, found: Sequence[Excerpt], say: Say) -> str:
    page, place = excerpt.id.split(".")
    if found[-1].page == 1:
        return say.text("summarise.place", place=place)
    return say.text("summarise.place_on_page", page=page, place=place)


def _point(said: Said, say: Say) -> Point:
    return Point(say.text("summarise.quote", text=said.text) if said.quoted else said.text, said.sources)


# ---- exports ----


def _plain(made: Made) -> list[str]:
    if made.told is not None:
        return [" ".join(said.text for said in made.told)]
    return [f"- {said.text}" for said in made.chosen or ()]


def _markdown(made: Made, given: Given, say: Say) -> Iterator[str]:
    """With the sources as footnotes, each with its excerpt."""
    found = _excerpts(tuple(_pages(given)))
    by_id = {excerpt.id: excerpt for excerpt in found}
    all_ = made.told if made.told is not None else made.chosen or []
    ids = list(dict.fromkeys(id_ for said in all_ for id_ in said.sources))
    texts = [
        (_point(said, say).markdown + "".join(f"[^{ids.index(id_) + 1}]" for id_ in said.sources)) for said in all_
    ]
    yield from (f"# {say.text('summarise.heading')}", "")
    yield from [" ".join(texts)] if made.told is not None else [f"- {text}" for text in texts]
    yield ""
    for number, id_ in enumerate(ids, start=1):
        yield f"[^{number}]: {_place(by_id[id_], found, say)}: {by_id[id_].text}"
