"""From the probabilities of whole answers to the probabilities of labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from pyapp.engine import Message
from pyapp.tasks.task import Work

# A small model likes one label better than another before it has read anything; what it says of texts that say nothing
# is taken off (Zhao et al., arXiv 2102.09690). The most frequent words of English, five at a time, measured better
# than that paper's "N/A" and as well as words of the items, which would say something where there are few.
SAYING_NOTHING = (
    "the of and to a",
    "in is it you that",
    "he was for on are",
    "with as I his they",
    "be at one have this",
    "from or had by but",
    "what some we can out",
    "other were all there when",
    "up use your how said",
    "an each she which do",
    "their time if will way",
    "about many then them would",
)
MOST_ANSWERS = 240  # that are scored before the first item is; of very many labels each costs a moment
FEWEST_TEXTS = 2
LEAST = -1000.0  # ln of what is taken for impossible, so that differences are numbers

Asked = Callable[[str], Sequence[Message]]  # of a text


async def liking(work: Work, asked: Asked, candidates: Sequence[str]) -> Sequence[float] | None:
    """The mean of ln P of each candidate over texts that say nothing; None where there are no probabilities."""
    rows = []
    for text in SAYING_NOTHING[: max(FEWEST_TEXTS, MOST_ANSWERS // len(candidates))]:
        scores = await work.score(asked(text), candidates)
        if scores is None:
            return None
        rows.append([math.log(max(p, math.exp(LEAST / 2))) for p in softmax(scores)])
    return [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]


def calibrated(scores: Sequence[float], liked: Sequence[float]) -> Sequence[float]:
    """Probabilities of which `liked` is taken off. They sum to 1."""
    return softmax([max(score, LEAST) - like for score, like in zip(scores, liked, strict=True)])


def by_itself(share: float, count: int) -> float:
    """The probability of one of `count` labels where any number may fit: 0.5 is what it would have by chance."""
    return share * (count - 1) / (share * (count - 1) + 1 - share)


def softmax(scores: Sequence[float]) -> Sequence[float]:
    floored = [max(score, LEAST) for score in scores]
    top = max(floored)
    shares = [math.exp(score - top) for score in floored]
    total = math.fsum(shares)
    return [share / total for share in shares]
