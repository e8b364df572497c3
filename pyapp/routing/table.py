"""Who answers: a pure choice among those that could. Total and deterministic, it reads the rules and no clock.

Rules of this file: what may not leave does not, whoever was named; every candidate that would have come before the one
that is chosen has a reason why it did not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pyapp.routing.needs import Needs
from pyapp.routing.rules import Row, Rules, Tier


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could answer: loaded, or loaded without a download. `key` is setup.catalog.pick_key's."""

    key: str
    tier: Tier
    title: str
    window_tokens: int
    tokens_per_s: float | None = None  # as measured here
    constrains: bool = False  # holds an answer to a schema while it is made
    in_use: bool = False  # what answers where nobody is named
    cost: float | None = 0.0  # of a million tokens; None: nobody says
    company: str = ""  # in the cloud: who reads what is sent

    @property
    def leaves(self) -> bool:
        """Whether what is asked goes to a machine that is not the user's."""
        return self.tier == "cloud"


@dataclass(frozen=True, slots=True)
class Situation:
    needs: Needs
    candidates: Sequence[Candidate]  # of one tier, what suits best first
    once: str = ""  # the key of the one the user named for this time
    stay: bool = False  # the user said so for this time: nothing leaves
    failed: frozenset[str] = frozenset()  # keys of those that did not manage it


Code = Literal[
    # why it is this one
    "once",
    "always",
    "kind",  # the order for this kind of work
    "long",  # `number` words
    "short",  # `number` words
    # why another one is not
    "gone",  # the one that the rules name is not here
    "absent",  # nobody of that tier is here
    "privacy",
    "stay",
    "failed",
    "window",  # `number` tokens, which are too few
    "excluded",  # the rules leave its tier out for this kind
    "cost",  # `number` for a million tokens
    "cost_unknown",
    "slow",  # `number` tokens/s
    "no_schema",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """`title` is of whom it speaks, `tier` where it is."""

    code: Code
    title: str = ""
    tier: Tier | None = None
    number: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """`choice` is None where nobody may or can. `ask`: the user has to agree before anything is sent to it."""

    choice: Candidate | None
    others: tuple[Candidate, ...]  # who would be next, best first
    reasons: tuple[Reason, ...]
    ask: bool = False


def decide(situation: Situation, rules: Rules) -> Decision:
    row = rules.rows[situation.needs.kind]
    choosing = _Choosing(situation, rules, row, _order(situation.needs, row, rules), situation.once or row.always)
    wished = sorted(situation.candidates, key=choosing.wish)
    able = sorted((each for each in wished if choosing.hurdle(each) is None), key=choosing.rank)
    choice = able[0] if able else None
    ask = choice is not None and choice.leaves and rules.privacy == "ask"
    return Decision(choice, tuple(able[1:]), tuple(choosing.reasons(wished, choice)), ask)


def _order(needs: Needs, row: Row, rules: Rules) -> tuple[Tier, ...]:
    if not row.long_leaves or needs.words < rules.long_words or "cloud" not in row.order:
        return row.order
    return ("cloud", *(tier for tier in row.order if tier != "cloud"))


@dataclass(frozen=True, slots=True)
class _Choosing:
    situation: Situation
    rules: Rules
    row: Row
    order: tuple[Tier, ...]
    named: str

    # ---- who comes before whom; Python's sort is stable, so that among equals the order they came in stands ----

    def wish(self, candidate: Candidate) -> tuple[bool, int]:
        """By the rules alone, less is better."""
        place = self.order.index(candidate.tier) if candidate.tier in self.order else len(self.order)
        return candidate.key != self.named, place

    def rank(self, candidate: Candidate) -> tuple[bool, bool, int, bool, bool]:
        """And by what it can do."""
        other, place = self.wish(candidate)
        return other, self._slow(candidate), place, self._loose(candidate), not candidate.in_use

    def _slow(self, candidate: Candidate) -> bool:
        return candidate.tokens_per_s is not None and candidate.tokens_per_s < self.rules.least_tokens_per_s

    def _loose(self, candidate: Candidate) -> bool:
        return self.situation.needs.schema and not candidate.constrains

    # ---- what stands against one ----

    def hurdle(self, candidate: Candidate) -> Reason | None:
        """Why it cannot be this one. What a named one may not do either comes first."""
        about = Reason("privacy", candidate.title, candidate.tier)
        if candidate.leaves and self.rules.privacy == "device_only":
            return about
        if candidate.leaves and self.situation.stay:
            return replace(about, code="stay")
        if candidate.key in self.situation.failed:
            return replace(about, code="failed")
        if candidate.window_tokens < self.situation.needs.context_tokens:
            return replace(about, code="window", number=candidate.window_tokens)
        if candidate.key == self.named:
            return None
        if candidate.tier not in self.order:
            return replace(about, code="excluded")
        return self._price(candidate, about)

    def _price(self, candidate: Candidate, about: Reason) -> Reason | None:
        most = self.rules.most_cost
        if most is None:
            return None
        if candidate.cost is None:
            return replace(about, code="cost_unknown")
        return replace(about, code="cost", number=candidate.cost) if candidate.cost > most else None

    # ---- why ----

    def reasons(self, wished: Sequence[Candidate], choice: Candidate | None) -> Iterator[Reason]:
        """For the choice, then for whatever the rules would have put before it."""
        if choice is not None:
            yield self._why(choice)
        keys = {each.key for each in wished}
        if not self.situation.once and self.row.always and self.row.always not in keys:
            yield Reason("gone")
        if choice is None or choice.key != self.named:
            yield from self._absent(wished, choice)
        for each in wished:
            if choice is not None and self.wish(each) > self.wish(choice):
                return
            if each is not choice and (reason := self._why_not(each, choice)):
                yield reason

    def _why(self, choice: Candidate) -> Reason:
        about = Reason("kind", choice.title, choice.tier)
        if choice.key == self.named:
            return replace(about, code="once" if self.situation.once else "always")
        words = self.situation.needs.words
        if self.order != self.row.order and choice.leaves:
            return replace(about, code="long", number=words)
        if self.row.long_leaves and words < self.rules.long_words and not choice.leaves:
            return replace(about, code="short", number=words)
        return about

    def _absent(self, wished: Sequence[Candidate], choice: Candidate | None) -> Iterator[Reason]:
        here = {each.tier for each in wished}
        before = self.order[: self.order.index(choice.tier)] if choice and choice.tier in self.order else self.order
        yield from (Reason("absent", tier=tier) for tier in before if tier not in here)

    def _why_not(self, candidate: Candidate, choice: Candidate | None) -> Reason | None:
        """None for one that is as good, and only not in use."""
        if hurdle := self.hurdle(candidate):
            return hurdle
        about = Reason("slow", candidate.title, candidate.tier, candidate.tokens_per_s or 0.0)
        if choice is not None and self._slow(candidate) and not self._slow(choice):
            return about
        if choice is not None and self._loose(candidate) and not self._loose(choice):
            return replace(about, code="no_schema", number=0.0)
        return None
