"""One item's labels: by the model's own probabilities where it has them, else by a document it writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from pyapp.engine import GenerateRequest, Json, Message, Sampling
from pyapp.errors import ContextOverflow, NoDocument
from pyapp.structured.document import Document
from pyapp.tasks.classify.labels import Example, Label, folded
from pyapp.tasks.classify.prompts import all_that_fit_as_json, all_that_fit_schema, which, which_as_json, which_schema
from pyapp.tasks.classify.scoring import Asked, by_itself, calibrated, liking
from pyapp.tasks.task import Work

# Where several labels may fit, each is judged by its share too: asked "does this label fit, yes or no?" the embedded
# model answers by chance (area under the ROC curve 0.50; by shares 0.88, on 32 lines with four labels).
THRESHOLD = 0.5
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
    _liked: Sequence[float] | None = ()  # before any was asked for

    async def label(self, text: str) -> Labelled:
        """Raises CandilError."""
        shares = await self._shares(text)
        if shares is None:
            return await self._written(text)
        names = [label.name for label in self.labels]
        if not self.many:
            return Labelled([names[shares.index(max(shares))]], shares)
        each = [by_itself(share, len(shares)) for share in shares[: len(names)]]
        return Labelled([name for name, p in zip(names, each, strict=True) if p >= THRESHOLD], each)

    async def _shares(self, text: str) -> Sequence[float] | None:
        """The probability of each label among all, where there are probabilities."""
        offered = [*self.labels, self._contrast()] if self.many else self.labels
        candidates = [label.name for label in offered]

        def asked(item: str) -> Sequence[Message]:
            return which(offered, self.examples, item)

        if self._liked == ():
            self._liked = await liking(self.work, asked, candidates)
        if self._liked is None:
            return None
        room = max(len(candidate.encode()) for candidate in candidates) + 1
        scores = await self.work.score(asked(await fitted(self.work, asked, text, room)), candidates)
        return calibrated(scores, self._liked) if scores else None

    def _contrast(self) -> Label:
        """What a label is weighed against when no other one fits either."""
        taken = {folded(label.name) for label in self.labels}
        return Label(next(name for name in ("other", *(f"other {n}" for n in range(len(taken)))) if name not in taken))

    async def _written(self, text: str) -> Labelled:
        write = all_that_fit_as_json if self.many else which_as_json
        schema = (all_that_fit_schema if self.many else which_schema)(self.labels)
        names = [label.name for label in self.labels]
        longest = sum(len(name) for name in names) if self.many else max(len(name) for name in names)
        most = min(MOST_ANSWER_TOKENS, 2 * longest + 32)

        def asked(item: str) -> Sequence[Message]:
            return write(self.labels, self.examples, item)

        def told(item: str) -> Sequence[Message]:
            """As an engine is asked that cannot be held to a schema."""
            return [*asked(item), Message("user", json.dumps(schema))]

        messages = asked(await fitted(self.work, told, text, most))
        try:
            answer = await document(self.work, messages, schema, most)
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
