"""The work: the text is read in pieces that fit, each gives points, points become fewer, and prose if that is wanted.

Every point leads to the excerpts it is found in, by its words and not by what the model says of its sources. What is
not found there the model has made up: then the text itself is quoted where it says something like it.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from pyapp.engine import GenerateRequest
from pyapp.errors import ContextOverflow
from pyapp.tasks.summarise import prompts
from pyapp.tasks.summarise.excerpts import Excerpt, sentences
from pyapp.tasks.summarise.listers import FAITHFUL, SMALL_PARAMETERS, BrowsersOwn, Lister, Prompted, asked
from pyapp.tasks.summarise.made import Made, Said
from pyapp.tasks.summarise.prompts import Style
from pyapp.tasks.summarise.words import MOST_SOURCES, Texts, is_said, nearest
from pyapp.tasks.task import Step, Work

READING = 0.9  # of the whole work
BORNE_OUT = 0.4  # of a point's words, that its sources must have
BORNE_OUT_SMALL = 0.75  # what a small model says in other words it has mostly made up
QUOTED_WORDS = range(5, 46)  # of a sentence that may stand for its excerpt
POINTS_OF_A_PIECE = range(2, 9)
POINTS_OF_A_SMALL_PIECE = range(2, 5)
TRUST = 0.9  # of the room, when characters are taken for tokens
TOKENS_OF_A_WORD = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    points: int
    words: int  # of prose
    style: Style
    language: str  # of the summary, "" for the text's own where nobody knows which that is
    written: str  # the text's, "" where nobody knows

    @property
    def is_translated(self) -> bool:
        return self.language != self.written


class Summarising:
    def __init__(
        self, excerpts: Sequence[Excerpt], wanted: Wanted, work: Work, lister: Lister, *, is_small: bool
    ) -> None:
        self._excerpts = excerpts
        self._texts = Texts([excerpt.text for excerpt in excerpts])
        self._wanted = wanted
        self._work = work
        self._lister = lister
        self._is_small = is_small
        self._per_token = 0.0  # characters

    async def run(self, made: Made) -> AsyncGenerator[Step, None]:
        """Changes `made`; every Step has it as it is then."""
        for phase in (self._read, self._choose, self._tell):
            async with aclosing(phase(made)) as steps:
                async for step in steps:
                    yield step
        yield Step(made.json(), 1.0)

    # ---- the points of each piece ----

    async def _read(self, made: Made) -> AsyncGenerator[Step, None]:
        while made.read < len(self._excerpts):
            step = self._reading(made)
            yield step
            piece, n = await self._piece(made.read)
            text = "\n\n".join(excerpt.text for excerpt in self._excerpts[piece.start : piece.stop])
            answer = prompts.points_in("", is_whole=True)
            async with aclosing(self._lister.points(text, n)) as answers:
                async for each in answers:
                    if not each.is_over:
                        yield _growing(step, each.text)
                    else:
                        answer = prompts.points_in(each.text, is_whole=each.is_whole)
            made.points += self._borne_out(answer, piece, n, [point.text for point in made.points])
            made.read = piece.stop

    def _reading(self, made: Made) -> Step:
        done, total = (sum(len(each.text) for each in some) for some in (self._excerpts[: made.read], self._excerpts))
        values = {"page": self._excerpts[made.read].page, "pages": self._excerpts[-1].page}
        doing = "summarise.reading_page" if values["pages"] > 1 else "summarise.reading"
        return Step(made.json(), READING * done / total, doing, values)

    async def _piece(self, start: int) -> tuple[range, int]:
        """The next excerpts that go into one prompt, and how many points they are to give. Raises ContextOverflow."""
        rest = [len(excerpt.text) + 2 for excerpt in self._excerpts[start:]]
        total = sum(len(excerpt.text) + 2 for excerpt in self._excerpts)
        sizes = POINTS_OF_A_SMALL_PIECE if self._is_small else POINTS_OF_A_PIECE
        room = await self._lister.room_tokens(sizes[-1])
        most = min(self._lister.most_characters, await self._characters(room, start))
        while True:
            size = sum(rest) / math.ceil(sum(rest) / most)  # pieces of about the same length
            count = max(1, sum(at <= size for at in _running(rest)))
            n = self._points_of(sum(rest[:count]) / total, sizes)
            text = "\n\n".join(excerpt.text for excerpt in self._excerpts[start : start + count])
            tokens = await self._lister.tokens(text, n)
            if tokens <= room:
                return range(start, start + count), n
            if count == 1:
                raise ContextOverflow(prompt_tokens=tokens, context_tokens=room)
            most = min(most, sum(rest[:count])) * TRUST * room / tokens

    def _points_of(self, share: float, sizes: range) -> int:
        """A few more than the summary will have, to choose from; all of them where it is all of the text."""
        more = 1.0 if share >= 1 else 1.5
        return min(sizes[-1], max(min(sizes[0], self._wanted.points), math.ceil(more * share * self._wanted.points)))

    async def _characters(self, room: int, start: int) -> float:
        """That fit, by what the beginning of the text takes."""
        if not self._per_token:
            text = self._excerpts[start].text
            self._per_token = len(text) / max(1, await self._lister.tokens(text, 1))
        return max(1.0, room * self._per_token * TRUST)

    def _borne_out(self, answer: Iterable[str], piece: range, n: int, before: Sequence[str]) -> list[Said]:
        """The points of an answer with where they are found. Never none, unless all of it has been said `before`."""
        found: list[Said] = []

        def add(text: str, *, quoted: bool) -> None:
            source = self._texts.source(text, piece)
            if not quoted and source.share < self._least():
                text, quoted = nearest(text, self._quotable(source.places)) or "", True
                source = self._texts.source(text, piece)
            if not is_said(text, [*before, *(said.text for said in found)]):
                found.append(Said(text, [self._excerpts[at].id for at in source.places], quoted))

        for text in answer:
            if len(found) < n:
                add(text, quoted=False)
        quotes = sorted(self._quotable(piece), key=self._texts.centrality, reverse=True)
        for text in quotes:
            if len(found) >= (n if self._is_small else 1):
                break
            add(text, quoted=True)
        return found

    def _least(self) -> float:
        if self._wanted.is_translated:
            return 0.0
        return BORNE_OUT_SMALL if self._is_small else BORNE_OUT

    def _quotable(self, places: Iterable[int]) -> list[str]:
        """Whole sentences, or what there is."""
        all_ = [sentence for at in places for sentence in sentences(self._excerpts[at].text)]
        good = [
            text for text in all_ if len(text.split()) in QUOTED_WORDS and text.endswith((".", "!", "?", "…", "。"))
        ]
        return good or all_

    # ---- fewer points ----

    async def _choose(self, made: Made) -> AsyncGenerator[Step, None]:
        while made.chosen is None:
            if len(made.points) <= self._wanted.points:
                made.chosen = made.points
            elif self._is_small:
                made.chosen = self._central(made.points, self._wanted.points)
            else:
                async with aclosing(self._fewer(made)) as steps:
                    async for step in steps:
                        yield step

    async def _fewer(self, made: Made) -> AsyncGenerator[Step, None]:
        """One prompt. At the end of a level what came of it is the next, or what is chosen."""
        waiting = made.points if made.waiting is None else made.waiting
        step = self._choosing(made, len(waiting) + len(made.fewer))
        yield step
        group, n = await self._group(waiting, len(made.fewer))
        answer: list[str] = []
        async with aclosing(self._lister.points("\n".join(said.text for said in group), n)) as answers:
            async for each in answers:
                if each.is_over:
                    answer = prompts.points_in(each.text, is_whole=each.is_whole)
                else:
                    yield _growing(step, "")
        made.fewer = [*made.fewer, *self._merged(answer, group, n)]
        made.waiting = waiting[len(group) :]
        if not made.waiting:
            made.waiting, made.fewer = made.fewer, []
            if len(made.waiting) <= self._wanted.points:
                made.chosen, made.waiting = made.waiting, None

    def _choosing(self, made: Made, left: int) -> Step:
        done = 1 - left / len(made.points)
        return Step(made.json(), READING + 0.05 * done, "summarise.choosing", {"n": len(made.points)})

    async def _group(self, waiting: Sequence[Said], have: int) -> tuple[Sequence[Said], int]:
        """The next points that go into one prompt, and how many are to come of them."""
        room = await self._lister.room_tokens(self._wanted.points)
        count = len(waiting)
        while True:
            n = self._wanted.points if count == len(waiting) and not have else max(1, count // 3)
            tokens = await self._lister.tokens("\n".join(said.text for said in waiting[:count]), n)
            if tokens <= room or count <= 2:
                return waiting[:count], n
            count = max(2, min(count - 1, int(count * TRUST * room / tokens)))

    def _merged(self, answer: Iterable[str], group: Sequence[Said], n: int) -> list[Said]:
        """What has come of some points, with the sources of those it says."""
        texts = Texts([said.text for said in group])
        found: list[Said] = []
        for text in answer:
            source = texts.source(text, range(len(group)))
            of = [group[at] for at in source.places]
            ids = list(dict.fromkeys(id_ for said in of for id_ in said.sources))[:MOST_SOURCES]
            said = Said(text, ids) if source.share >= self._least() else of[0]
            if len(found) < n and not is_said(said.text, [each.text for each in found]):
                found.append(said)
        return found or self._central(group, n)

    def _central(self, points: Sequence[Said], n: int) -> list[Said]:
        """One of each part of the text: the one that says most of what all of it is about."""
        share = len(points) / n
        parts = [points[math.ceil(share * at) : math.ceil(share * (at + 1))] for at in range(n)]
        return [max(part, key=lambda said: self._texts.centrality(said.text)) for part in parts if part]

    # ---- prose ----

    async def _tell(self, made: Made) -> AsyncGenerator[Step, None]:
        if self._wanted.style == "points" or made.told is not None:
            return
        chosen = made.chosen or []
        if self._is_small:  # what it tells in its own words it makes up
            made.told = chosen
            return
        step = Step(made.json(), 0.95, "summarise.telling")
        yield step
        request = await self._retelling([said.text for said in chosen])
        sentences_: list[str] = []
        async with aclosing(asked(self._work, request)) as answers:
            async for each in answers:
                if each.is_over:
                    whole = each.text if each.is_whole else prompts.finished(each.text)
                    sentences_ = [text for line in whole.splitlines() for text in sentences(line.strip())]
                else:
                    yield _growing(step, each.text)
        made.told = self._told(sentences_, chosen)

    async def _retelling(self, notes: Sequence[str]) -> GenerateRequest:
        wanted = self._wanted
        messages = prompts.retelling(notes, wanted.style, wanted.words, wanted.language, wanted.written)
        room = await self._work.window() - await self._work.count(messages)
        return GenerateRequest(messages, FAITHFUL, max(1, min(room, TOKENS_OF_A_WORD * wanted.words)))

    def _told(self, retold: Iterable[str], chosen: Sequence[Said]) -> list[Said]:
        """The sentences that the points bear out; the points themselves where too little of them is left."""
        texts = Texts([said.text for said in chosen])
        kept: list[Said] = []
        used: set[int] = set()
        for text in retold:
            source = texts.source(text, range(len(chosen)))
            if source.share >= self._least() and not is_said(text, [said.text for said in kept]):
                ids = dict.fromkeys(id_ for at in source.places for id_ in chosen[at].sources)
                kept.append(Said(text, list(ids)[:MOST_SOURCES]))
                used.update(source.places)
        return kept if 2 * len(used) >= len(chosen) else list(chosen)


async def summarising(excerpts: Sequence[Excerpt], wanted: Wanted, work: Work) -> Summarising:
    """With the browser's own summarizer where there is one, else by prompts."""
    own = await work.summarizer()
    is_small = 0 < await work.parameters() < SMALL_PARAMETERS and own is None
    lister: Lister = (
        Prompted(work, wanted.language, wanted.written, is_small) if own is None else BrowsersOwn(own, wanted.language)
    )
    return Summarising(excerpts, wanted, work, lister, is_small=is_small)


def _growing(step: Step, text: str) -> Step:
    """With words that are still coming: most of the state is what it was a word ago, and not made again."""
    return replace(step, state={**step.state, "growing": text}, settled=False)


def _running(numbers: Iterable[float]) -> Iterator[float]:
    total = 0.0
    for number in numbers:
        total += number
        yield total
