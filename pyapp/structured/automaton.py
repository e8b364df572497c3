"""Whether a text is what a pattern says: in as many steps as there are characters, whatever the pattern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache, reduce
from typing import assert_never

from pyapp.structured.pattern import Alt, Char, Node, Ranges, Repeat, Seq, parsed


@lru_cache(64)
def matcher(pattern: str) -> Matcher:
    """Raises NotRegular."""
    return Matcher(parsed(pattern))


class Matcher:
    """Of one pattern; it remembers which states it has been in."""

    def __init__(self, node: Node) -> None:
        self._free: list[list[int]] = []  # state -> states that are reached without a character
        self._steps: list[tuple[Ranges, int] | None] = []
        self._end = self._state()
        self._start = self._before(node, self._end)
        self._known: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, text: str) -> bool:
        return self._end in reduce(self._step, text, self._reached([self._start]))

    def _state(self, *free: int, step: tuple[Ranges, int] | None = None) -> int:
        self._free.append(list(free))
        self._steps.append(step)
        return len(self._free) - 1

    def _before(self, node: Node, after: int) -> int:
        """The state from which `node` leads to `after`."""
        match node:
            case Char(found):
                return self._state(step=(found, after))
            case Seq(parts):
                return reduce(lambda end, part: self._before(part, end), reversed(parts), after)
            case Alt(options):
                return self._state(*(self._before(option, after) for option in options))
            case Repeat(inner, least, most):
                if most is None:
                    again = self._state(after)
                    self._free[again].append(self._before(inner, again))
                    after = again
                for _ in range(0 if most is None else most - least):
                    after = self._state(after, self._before(inner, after))
                for _ in range(least):
                    after = self._before(inner, after)
                return after
            case _ as unknown:
                assert_never(unknown)

    def _reached(self, states: Iterable[int]) -> frozenset[int]:
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state not in found:
                found.add(state)
                waiting.extend(self._free[state])
        return frozenset(found)

    def _step(self, states: frozenset[int], character: str) -> frozenset[int]:
        known = self._known.get((states, character))
        if known is None:
            known = self._known[states, character] = self._reached(self._after(states, ord(character)))
        return known

    def _after(self, states: frozenset[int], point: int) -> Iterator[int]:
        for state in states:
            step = self._steps[state]
            if step is not None and any(low <= point <= high for low, high in step[0]):
                yield step[1]
