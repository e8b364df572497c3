"""One item's labels: by the model's own probabilities where it has them, else by a document it writes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from pyapp.engine import GenerateRequest, Json, Message, Sampling
from pyapp.errors import ContextOverflow, NoDocument
from pyapp.structured.document import Document
from pyapp.tasks.classify.labels import Example, Label
from pyapp.tasks.classify.prompts import YES_OR_NO, all_that_fit, all_that_fit_schema, whether, which, which_schema
from pyapp.tasks.classify.scoring import Asked, calibrated, liking
from pyapp.tasks.task import Work

THRESHOLD = 0.5  # of one label among several: as likely as not
MOST_ANSWER_TOKENS = 512
MOST_PROPOSAL_TOKENS = 256
GREEDY = Sampling(temperature=0, repetition_penalty=1)


@dataclass(frozen=True, slots=True)
class Labelled:
    """`probabilities` are one per label, None where the engine has none. No label: the model gave no answer we take."""

    labels: Sequence[str]
    probabilities: Sequence[float] | None = None


@dataclass
class Labelling:
    """Of one run: what the model likes before it reads is asked once, when the first item needs it."""

    labels: Sequence[Label]
    examples: Sequence[Example]
    many: bool
    work: Work
    _liked: dict[str, Sequence[float] | None] = field(default_factory=dict)

    async def label(self, text: str) -> Labelled:
        """Raises CandilError."""
        found = await (self._each(text) if self.many else self._best(text))
        return found or await self._written(text)

    async def _best(self, text: str) -> Labelled | None:
        names = [label.name for label in self.labels]
        shares = await self._shares(text, names, lambda item: which(self.labels, self.examples, item))
        return Labelled([names[shares.index(max(shares))]], shares) if shares else None

    async def _each(self, text: str) -> Labelled | None:
        shares = []
        for label in self.labels:
            asked = self._whether(label.name)
            yes_no = await self._shares(text, YES_OR_NO, asked, label.name)
            if yes_no is None:
                return None
            shares.append(yes_no[0])
        chosen = [label.name for label, share in zip(self.labels, shares, strict=True) if share >= THRESHOLD]
        return Labelled(chosen, shares)

    def _whether(self, name: str) -> Asked:
        return lambda item: whether(self.labels, self.examples, item, name)

    async def _shares(
        self, text: str, candidates: Sequence[str], asked: Asked, about: str = ""
    ) -> Sequence[float] | None:
        if about not in self._liked:
            self._liked[about] = await liking(self.work, asked, candidates)
        liked = self._liked[about]
        room = max(len(candidate.encode()) for candidate in candidates) + 1
        scores = liked and await self.work.score(asked(await fitted(self.work, asked, text, room)), candidates)
        return calibrated(scores, liked) if scores and liked else None

    async def _written(self, text: str) -> Labelled:
        write, schema = (all_that_fit, all_that_fit_schema) if self.many else (which, which_schema)
        names = [label.name for label in self.labels]
        longest = sum(len(name) for name in names) if self.many else max(len(name) for name in names)
        most = min(MOST_ANSWER_TOKENS, 2 * longest + 32)

        def asked(item: str) -> Sequence[Message]:
            return write(self.labels, self.examples, item)

        messages = asked(await fitted(self.work, asked, text, most))
        try:
            answer = await document(self.work, messages, schema(self.labels), most)
        except NoDocument:  # of this item; the others are not the worse for it
            return Labelled([])
        chosen = answer["labels"] if self.many else [answer["label"]]
        return Labelled([name for name in names if name in chosen])


async def fitted(work: Work, asked: Asked, text: str, room: int) -> str:
    """`text`, or as much of its beginning as the window has place for beside `room` tokens. Raises ContextOverflow."""
    window = await work.window()
    while (tokens := await work.count(asked(text))) + room > window:
        if not text:
            raise ContextOverflow(prompt_tokens=tokens + room, context_tokens=window)
        text = text[: len(text) // 2]
    return text


async def document(work: Work, messages: Sequence[Message], schema: Json, most: int) -> Json:
    """Raises CandilError."""
    request = GenerateRequest(messages, GREEDY, most, schema=schema)
    async with aclosing(work.document(request)) as events:
        async for event in events:
            if isinstance(event, Document):
                return event.value
    raise NoDocument(attempts=0, pointer="")
