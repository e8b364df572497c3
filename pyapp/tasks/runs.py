"""Runs of tasks: begun, paused, gone on with, changed by the user, deleted; and kept whatever happens.

Rules of this file: one run works at a time, the others wait their turn; a run is written only by the tab that holds its
lock; what is settled survives everything, and every attempt begins from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pyapp.chat.tree import Origin
from pyapp.engine import AnsweredBy, Engine, Json, Transport, Usage
from pyapp.engines.browser_summarizer import BrowserSummarizer
from pyapp.errors import BadInput, CandilError, EngineError, EngineFailed, RequestError, RunElsewhere
from pyapp.routing.route import Route, Routed
from pyapp.tasks.builtin import Tasks
from pyapp.tasks.engine_work import EngineWork
from pyapp.tasks.records import Kept, Run, plus
from pyapp.tasks.shelf import RunShelf
from pyapp.tasks.task import Action, Given, Step, Task, Work

UNDO_S = 30.0  # how long a deleted run can come back
ATTEMPTS = 2  # of one step, before the run has failed
PATIENCE_S = 1.0  # for a lock that another tab holds only to look
SURE_MS = 5_000  # of work, and
SURE_SHARE = 0.02  # of the whole, before a time is foretold


@dataclass
class Live:
    """A run that is open or works in this tab."""

    kept: Kept
    step: Step | None = None  # the last one, settled or not
    routed: Routed | None = None  # who works, or worked last
    choice: str = ""  # the engine that the user wants this once
    goes_on: bool = False  # to its end, not only until the actions are done
    actions: list[Action] = field(default_factory=list)  # not yet done, first to be done first
    waits: bool = False  # for its turn, or for an engine
    refused: RequestError | None = None  # what the last action cannot be done for
    locked: bool = False  # no other tab writes it
    _since_ms: int = 0
    _pace: tuple[int, float] | None = None  # when which fraction was reached
    job: asyncio.Task[None] | None = None
    ending: asyncio.Task[None] | None = None  # the job before, which was paused
    holding: Engine | None = None  # it is asked now
    moved: bool = False  # the engine is about to run something else

    @property
    def state(self) -> Json | None:
        """What is shown: words that are still coming are in it."""
        return self.kept.state if self.step is None else self.step.state

    def begin_to_count(self, now_ms: int) -> None:
        self._since_ms, self._pace = now_ms, None

    def took(self, step: Step, now_ms: int) -> int:
        """Milliseconds since the last step."""
        self.step = step
        if step.fraction is not None and (self._pace is None or step.fraction < self._pace[1]):
            self._pace = now_ms, step.fraction
        took, self._since_ms = now_ms - self._since_ms, now_ms
        return max(0, took)

    @property
    def seconds_left(self) -> float | None:
        """None until there is a pace to tell it by."""
        now = self.step.fraction if self.step else None
        if self._pace is None or now is None or now - self._pace[1] < SURE_SHARE:
            return None
        passed_ms = self._since_ms - self._pace[0]
        return (1 - now) * passed_ms / (now - self._pace[1]) / 1000 if passed_ms >= SURE_MS else None


class Runs:
    """`on_change` hears the id of each run that is different, "" for the list as a whole; it must not raise."""

    def __init__(
        self,
        transport: Transport,
        shelf: RunShelf,
        tasks: Tasks,
        route: Route,
        *,
        language: Callable[[], str],
        new_id: Callable[[], str],
        now_ms: Callable[[], int],
    ) -> None:
        self.shelf = shelf
        self.tasks = tasks
        self.route = route
        self.on_change: Callable[[str], None] = lambda _: None
        self.live: dict[str, Live] = {}
        self.elsewhere: set[str] = set()  # another tab works on them
        self._all: dict[str, Run] = {}  # deleted ones too, while they can come back
        self._transport = transport
        self._language = language
        self._new_id = new_id
        self._now_ms = now_ms
        self._turn = asyncio.Lock()
        self._started: asyncio.Task[None] | None = None
        self._jobs: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Reads the list, once; other tabs are followed from then on. Without a database there is none to read."""
        if self._started is None:
            self._started = self._do(self._start())
        await asyncio.wait({self._started})

    # ---- the list ----

    def listed(self) -> Sequence[Run]:
        """Newest first."""
        shown = (run for run in self._all.values() if run.deleted_ms is None)
        return sorted(shown, key=lambda run: (run.created_ms, run.id), reverse=True)

    def find(self, run_id: str) -> Run | None:
        run = self._all.get(run_id)
        return run if run and run.deleted_ms is None else None

    async def open(self, run_id: str) -> Live:
        """With what it was given and has made. Raises KeyError, StorageError."""
        if run_id in self.live:
            return self.live[run_id]
        kept = await self.shelf.parts(self._all[run_id])
        return self.live.setdefault(run_id, Live(kept))

    def close(self, run_id: str) -> None:
        """Nobody looks at it any more; what works goes on."""
        live = self.live.get(run_id)
        if live and live.job is None:
            del self.live[run_id]

    # ---- what the user does ----

    async def begin(self, task: Task, given: Given, choice: str = "") -> str:
        """The id of a new run. Raises BadInput with nothing begun."""
        await task.check(given)
        now = self._now_ms()
        run = Run(self._new_id(), task.name, await task.title(given, None), now, now)
        self.add(Kept(run, given))
        self.live[run.id] = Live(Kept(run, given), choice=choice)
        self.resume(run.id, choice)
        return run.id

    def resume(self, run_id: str, choice: str = "") -> None:
        """Goes on from what is settled."""
        live = self.live.get(run_id)
        if live and self.find(run_id) and run_id not in self.elsewhere and not live.goes_on:
            live.goes_on, live.choice = True, choice
            self._begin(live)

    def choose(self, run_id: str, choice: str) -> None:
        """Another engine goes on with it, this once."""
        self.pause(run_id)
        self.resume(run_id, choice)

    def pause(self, run_id: str) -> None:
        """What is settled is kept; nothing more of it is done."""
        live = self.live.get(run_id)
        if live and live.job:
            live.goes_on, live.moved, live.waits = False, False, False
            live.actions.clear()
            live.step = None
            live.job.cancel()
            live.ending, live.job = live.job, None
            self._rest(live)

    def act(self, run_id: str, action: Action) -> None:
        """Done as soon as nothing can be lost by it: at once, or when the step that is being made is settled."""
        live = self.live.get(run_id)
        if live and self.find(run_id) and run_id not in self.elsewhere:
            live.actions.append(action)
            live.refused = None
            if live.job is None:
                self._begin(live)
            self.on_change(run_id)

    def delete(self, run_id: str) -> None:
        """`undelete` brings it back; after UNDO_S it is gone for good."""
        if self.find(run_id) and run_id not in self.elsewhere:
            self.pause(run_id)
            self._put(replace(self._all[run_id], deleted_ms=self._now_ms()))
            self._do(self._purge(run_id))

    def undelete(self, run_id: str) -> None:
        if run_id in self._all:
            self._put(replace(self._all[run_id], deleted_ms=None))

    def engine_left(self, engine: Engine) -> None:
        """It is about to run something else: who asks it begins its step again when there is one to ask."""
        for live in self.live.values():
            if live.job and live.holding is engine:
                live.moved = True
                live.job.cancel()

    # ---- the user's data ----

    async def everything(self) -> AsyncGenerator[Kept, None]:
        """One at a time. Raises StorageError."""
        await self.start()
        for run in self.listed():
            yield await self.shelf.parts(run)

    def add(self, kept: Kept) -> None:
        self._all[kept.run.id] = kept.run
        self.shelf.add(kept)
        self.on_change("")

    async def clear(self) -> None:
        """Everything is gone for good, what works is given up."""
        await self.start()
        jobs = [live.job for live in self.live.values() if live.job]
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        for run_id in list(self._all):
            self.shelf.delete(run_id)
        self._all.clear()
        self.live.clear()
        await self.shelf.settled()
        self.on_change("")

    def left(self) -> None:
        """The page goes away."""
        self.shelf.flush()

    # ---- the work ----

    def _begin(self, live: Live) -> None:
        live.job = self._do(self._job(live, live.ending))

    async def _job(self, live: Live, before: asyncio.Task[None] | None) -> None:
        run_id = live.kept.run.id
        if before:  # that was paused, and has not ended yet
            await asyncio.wait({before})
        try:
            async with self._locked(live):
                await self._locked_job(live)
        except RunElsewhere:
            self._job_ended(live)
            with suppress(CandilError):
                await self._catch_up([run_id])
        finally:
            self._job_ended(live)

    def _job_ended(self, live: Live) -> None:
        if live.job is asyncio.current_task():  # else it was paused, and goes on by now
            live.job, live.goes_on, live.waits, live.step = None, False, False, None
            live.actions.clear()
        self.on_change(live.kept.run.id)

    async def _locked_job(self, live: Live) -> None:
        await self._reread(live)
        if live.goes_on:
            self._change(live, status="running", error=None)
        try:
            await self._work(live)
        except CandilError as error:
            self._change(live, status="failed", error=error)
        except Exception as error:  # a mistake in a task
            self._change(live, status="failed", error=EngineFailed(type(error).__name__))
        else:
            if live.goes_on:
                self._change(live, status="done", fraction=1.0)
            else:
                self._rest(live)

    async def _reread(self, live: Live) -> None:
        """Another tab may have gone further with it."""
        run_id = live.kept.run.id
        if not self.shelf.has_unwritten(run_id):
            with suppress(CandilError):
                for run in await self.shelf.runs([run_id]):
                    live.kept = await self.shelf.parts(run.ended)

    def _rest(self, live: Live) -> None:
        """Nobody works on it any more."""
        run = live.kept.run
        if live.locked and run.status == "running":
            self._change(live, status="done" if run.fraction == 1.0 else "paused")
        self.on_change(run.id)

    async def _work(self, live: Live) -> None:
        failures = 0
        while True:
            before = live.kept.state
            try:
                return await self._attempt(live)
            except asyncio.CancelledError:
                if not live.moved:
                    raise
                live.moved = False
                asyncio.current_task().uncancel()  # type: ignore[union-attr]  # there is one: it was cancelled
            except EngineError as error:
                failures = failures + 1 if live.kept.state is before else 1
                if live.routed:
                    await self.route.failed(live.routed, error)
                if failures == ATTEMPTS:
                    raise

    async def _attempt(self, live: Live) -> None:
        """The actions, then the rest of the run, with one engine."""
        task = self._task(live.kept.run)
        async with self._working(live, task) as work:
            while live.actions or live.goes_on:
                if live.actions:
                    await self._act(live, task, work)
                elif await self._run(live, task, work) and not live.actions:
                    break

    async def _act(self, live: Live, task: Task, work: Work) -> None:
        kept, step = live.kept, None
        try:
            async with aclosing(task.act(kept.given, kept.state, live.actions[0], work)) as steps:
                async for step in steps:
                    await self._took(live, task, replace(step, fraction=None))
        except RequestError as error:
            live.refused = error
        del live.actions[:1]
        if step and step.fraction is not None and step.fraction < 1:  # there is more to do than before
            live.goes_on = True
            self._change(live, status="running", error=None, fraction=step.fraction)

    async def _run(self, live: Live, task: Task, work: Work) -> bool:
        """Whether it came to its end; else there is something to be done first."""
        kept = live.kept
        async with aclosing(task.run(kept.given, kept.state, work)) as steps:
            async for step in steps:
                await self._took(live, task, step)
                if step.settled and live.actions:
                    return False
        return True

    async def _took(self, live: Live, task: Task, step: Step) -> None:
        now = self._now_ms()
        run = live.kept.run
        run = replace(run, worked_ms=run.worked_ms + live.took(step, now))
        if step.fraction is not None:
            run = replace(run, fraction=step.fraction)
        if not step.settled:
            live.kept = replace(live.kept, run=run)
            return self.on_change(run.id)
        run = replace(run, changed_ms=now, title=await task.title(live.kept.given, step.state))
        live.kept = Kept(replace(run, status=live.kept.run.status), live.kept.given, step.state)
        self._all[run.id] = live.kept.run
        self.shelf.put(live.kept)
        self.on_change(run.id)

    @asynccontextmanager
    async def _working(self, live: Live, task: Task) -> AsyncIterator[Work]:
        """The turn is taken when an engine is asked for the first time: an edit needs none."""

        async def routed() -> Routed:
            if live.holding is None:
                live.waits = True
                self.on_change(live.kept.run.id)
                await turns.enter_async_context(self._turn)
                live.routed = await self.route.route(task.needs(live.kept.given), live.choice)
                live.holding, live.waits = live.routed.engine, False
                live.begin_to_count(self._now_ms())
                self._change(live, status="running", by=_with(live.kept.run.by, live.routed.origin))
            assert live.routed is not None
            return live.routed

        def heard(what: AnsweredBy | Usage) -> None:
            run = live.kept.run
            if isinstance(what, Usage):
                live.kept = replace(live.kept, run=replace(run, usage=plus(run.usage, what)))
            else:
                assert live.routed is not None
                origin = replace(live.routed.origin, provider=what.provider, model=what.model)
                self._change(live, by=_with(run.by, origin))

        live.begin_to_count(self._now_ms())
        async with AsyncExitStack() as turns:
            try:
                yield EngineWork(self._language(), self._now_ms, routed, heard, BrowserSummarizer(self._transport))
                if live.holding and live.routed:
                    self.route.answered(live.routed)
            finally:
                live.holding = None

    def _task(self, run: Run) -> Task:
        task = self.tasks.find(run.task)
        if task is None:
            raise BadInput(field="", why="tasks.gone")
        return task

    # ---- tabs ----

    @asynccontextmanager
    async def _locked(self, live: Live) -> AsyncIterator[None]:
        """Raises RunElsewhere while another tab works on it."""
        async with aclosing(self._lock(live.kept.run.id)) as held:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while not await anext(held):
                        pass
            except TimeoutError:
                raise RunElsewhere() from None
            live.locked = True
            try:
                yield
            finally:
                live.locked = False

    async def _lock(self, run_id: str) -> AsyncGenerator[bool, None]:
        """Whether this tab holds it, at once and whenever that changes."""
        name = f"candil-run-{run_id}"
        async with aclosing(self._transport.stream("page.lock", {"name": name, "steal": False})) as answers:
            async for answer in answers:
                yield answer["held"]

    async def _start(self) -> None:
        with suppress(CandilError):
            await self._read(await self.shelf.runs())
        for run in [each for each in self._all.values() if each.deleted_ms is not None]:
            self._do(self._purge(run.id))
        self._do(self._follow())

    async def _follow(self) -> None:
        with suppress(CandilError):  # there is no way to hear them
            async for ids in self.shelf.followed():
                with suppress(CandilError):  # this tab shows what it knows
                    await self._catch_up(ids)

    async def _catch_up(self, ids: Sequence[str]) -> None:
        found = await self.shelf.runs(ids)
        for run_id in set(ids) - {run.id for run in found}:
            self._all.pop(run_id, None)
            self.live.pop(run_id, None)
        await self._read(found)

    async def _read(self, found: Sequence[Run]) -> None:
        """What other tabs, or earlier pages, have written."""
        for run in found:
            live = self.live.get(run.id)
            if live and live.job:
                continue  # this tab knows better
            self._all[run.id] = run if run.id in self.elsewhere else run.ended
            if live:
                live.kept = await self.shelf.parts(self._all[run.id])
            if run.status == "running" and run.id not in self.elsewhere:
                self._do(self._watch(run))
        self.on_change("")

    async def _watch(self, run: Run) -> None:
        """Says that another tab works on it, if one does, until that is over."""
        async with aclosing(self._lock(run.id)) as locked:
            async for held in locked:
                if held:
                    break
                self.elsewhere.add(run.id)
                self._all[run.id] = run
                self.on_change(run.id)
        if run.id in self.elsewhere:
            self.elsewhere.discard(run.id)
            with suppress(CandilError):
                await self._catch_up([run.id])

    # ---- small parts ----

    def _change(self, live: Live, **changes: Any) -> None:
        run = replace(live.kept.run, changed_ms=self._now_ms(), **changes)
        live.kept = replace(live.kept, run=run)
        self._put(run)

    def _put(self, run: Run) -> None:
        self._all[run.id] = run
        if live := self.live.get(run.id):
            live.kept = replace(live.kept, run=run)
        self.shelf.change(run)
        self.on_change(run.id)

    async def _purge(self, run_id: str) -> None:
        await asyncio.sleep(UNDO_S)
        if run_id in self._all and self._all[run_id].deleted_ms is not None:
            del self._all[run_id]
            self.live.pop(run_id, None)
            self.shelf.delete(run_id)

    def _do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs `work` beside everything else; kept in a set because the loop holds tasks only weakly."""
        job = asyncio.ensure_future(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job


def _with(origins: tuple[Origin, ...], origin: Origin) -> tuple[Origin, ...]:
    return origins if origin in origins else (*origins, origin)
