"""Tabs with runs of tasks in them: one database, one set of locks, and an engine that says what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyapp.chat.database import Database
from pyapp.chat.tree import Origin
from pyapp.engine import AnsweredBy, Finished, GenerateEvent, GenerateRequest, Message, TextDelta, Usage
from pyapp.errors import CandilError
from pyapp.routing.needs import Needs
from pyapp.routing.route import Choice, Routed
from pyapp.routing.table import Decision
from pyapp.tasks.builtin import Tasks
from pyapp.tasks.records import Run
from pyapp.tasks.runs import Live, Runs
from pyapp.tasks.shelf import RunShelf
from tests.unit.chat.tabs import Browser, Tab
from tests.unit.run import run
from tests.unit.tasks.scripted_task import ScriptedTask

ORIGIN = Origin("Tiny", "wasm")
USAGE = Usage(10, 0, 5, 100.0, 200.0)
GIVEN = {"topic": "Lamps", "parts": 3}
WORDS = "Said of {asked}."


@dataclass
class ScriptedEngine:
    """Says a word a second. An error in `fails` is raised in the place of an answer's second word."""

    name: str = "scripted"
    constrains: bool = False
    scores: bool = False
    fails: list[Exception | None] = field(default_factory=list)
    answered_by: AnsweredBy | None = None
    asked: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    async def load(self, model: Any, variant: Any) -> AsyncGenerator[Any, None]:
        raise AssertionError
        yield

    async def unload(self) -> None:
        raise AssertionError

    async def count(self, messages: Sequence[Message]) -> int:
        return sum(len(message.text.split()) for message in messages)

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        raise AssertionError

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        self.asked.append(request.messages[-1].text)
        error = self.fails.pop(0) if self.fails else None
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            if self.answered_by:
                yield self.answered_by
            for at, word in enumerate(WORDS.format(asked=self.asked[-1]).split(" ")):
                await asyncio.sleep(1)
                if error and at == 1:
                    raise error
                yield TextDelta(word if at == 0 else f" {word}")
            yield Finished("stop", USAGE)
        finally:
            self.running -= 1


@dataclass
class ScriptedRoute:
    """Implements pyapp.routing.route.Route."""

    engine: Any
    origin: Origin = ORIGIN
    others: Sequence[Choice] = ()
    trouble: CandilError | None = None
    takes_s: float = 0.0
    chosen: list[str] = field(default_factory=list)
    failures: list[CandilError] = field(default_factory=list)
    answers: int = 0

    async def route(self, needs: Needs, choice: str = "") -> Routed:
        self.chosen.append(choice)
        await asyncio.sleep(self.takes_s)
        if self.trouble:
            raise self.trouble
        return Routed(self.engine, self.origin, 2048, needs, Decision(None, (), ()))

    async def choices(self, needs: Needs) -> Sequence[Choice]:
        await asyncio.sleep(self.takes_s)
        return self.others

    async def failed(self, routed: Routed, error: CandilError) -> None:
        self.failures.append(error)

    def answered(self, routed: Routed) -> None:
        self.answers += 1


@dataclass
class Locks:
    """navigator.locks of one origin."""

    held: set[str] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self, name: str) -> AsyncGenerator[Any, None]:
        if name in self.held:
            yield {"held": False}
        while name in self.held:
            self.changed.clear()
            await self.changed.wait()
        self.held.add(name)
        try:
            yield {"held": True}
            await asyncio.get_running_loop().create_future()
        finally:
            self.held.discard(name)
            self.changed.set()


@dataclass
class LockingTab:
    """pyapp.engine.Transport of one tab."""

    tab: Tab
    locks: Locks

    def stream(self, op: str, payload: Any) -> AsyncGenerator[Any, None]:
        return self.locks.hold(payload["name"]) if op == "page.lock" else self.tab.stream(op, payload)


class Stage:
    """One tab. `Stage(first)` is another tab of the same browser, or the same one after a reload."""

    def __init__(self, other: Stage | None = None) -> None:
        self.browser: Browser = other.browser if other else Browser()
        self.locks: Locks = other.locks if other else Locks()
        self.tab = self.browser.tab()
        self.engine = ScriptedEngine()
        self.route = ScriptedRoute(self.engine)
        self.tasks = Tasks()
        self.tasks.add(ScriptedTask())
        self.changes: list[str] = []
        self.trouble: list[CandilError | None] = []
        transport = LockingTab(self.tab, self.locks)
        self.runs = Runs(
            transport,
            RunShelf(Database(transport), self.trouble.append),
            self.tasks,
            self.route,
            language=lambda: "en",
            new_id=self._new_id,
            now_ms=self.now_ms,
        )
        self.runs.on_change = self.changes.append

    def _new_id(self) -> str:
        return f"r{len(self.browser.stores['runs']) + len(self.changes)}"

    def now_ms(self) -> int:
        return int(1000 * asyncio.get_running_loop().time()) + 1_000_000

    async def begin(self, **given: Any) -> str:
        return await self.runs.begin(ScriptedTask(), {**GIVEN, **given})

    def run(self, run_id: str) -> Run:
        found = self.runs.find(run_id)
        assert found
        return found

    def live(self, run_id: str) -> Live:
        return self.runs.live[run_id]

    def texts(self, run_id: str) -> list[str]:
        return [part["text"] for part in self.state(run_id)["parts"]]

    def state(self, run_id: str, *, shown: bool = False) -> Any:
        """What is settled, or `shown`."""
        return self.live(run_id).state if shown else self.live(run_id).kept.state

    async def asked(self, answers: int) -> None:
        """Until the engine is asked for the last of so many."""
        for _ in range(1000):
            if len(self.engine.asked) >= answers:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("never asked")

    async def until(self, run_id: str, status: str) -> Run:
        for _ in range(10_000):
            found = self.runs.find(run_id)
            if found and found.status == status:
                return found
            await asyncio.sleep(0.1)
        raise AssertionError(f"never {status}")


def play(story: Callable[[Stage], Awaitable[None]]) -> None:
    async def whole() -> None:
        await story(Stage())

    run(whole())
