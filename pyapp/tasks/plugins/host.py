"""In the worker: answers the page's calls with the task's values.

Messages are JSON texts. From the page: {id, call, …} begins a call and asks for its first value, {id, next} for
another, {id, cancel} ends it; {work, value | end | error} answer what the task asked of its Work; {ping}. From here:
{id, value | end | error}; {work, id, call, …} and {work, cancel}; {pong}. A value is only sent when it was asked for,
so a task that yields without end waits for the page.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyapp.engine import GenerateEvent, GenerateRequest, Json, Message
from pyapp.errors import BadInput, CandilError, PluginError, PluginRefused, from_wire
from pyapp.structured.document import DocumentEvent
from pyapp.tasks.plugins import wire
from pyapp.tasks.plugins.described import Described, describe, with_english
from pyapp.tasks.plugins.modules import details_of
from pyapp.tasks.task import Action, Say, Summarizer, Task

Send = Callable[[str], None]


@dataclass
class _Call:
    id: int
    wanted: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    running: asyncio.Task[None] | None = None


class Host:
    """`load` finds the task in the user's file, which is in `folder`; `say` makes a language of a task's sentences."""

    def __init__(
        self,
        send: Send,
        load: Callable[[str, bytes], Awaitable[Any]],
        say: Callable[[str, Mapping[str, str]], Say],
        now_ms: Callable[[], int],
        folder: Path,
    ) -> None:
        self._send = send
        self._load = load
        self._say = say
        self._folder = folder
        self._calls: dict[int, _Call] = {}
        self._asked = Asked(self._post, now_ms)
        self._task: Task | None = None
        self._offline = False

    def receive(self, text: str) -> None:
        """A message of the page."""
        message = json.loads(text)
        call = self._calls.get(message.get("id"))
        if "ping" in message:
            self._post({"pong": message["ping"]})
        elif "work" in message:
            self._asked.hear(message)
        elif "call" in message:
            call = self._calls[message["id"]] = _Call(message["id"])
            call.running = asyncio.ensure_future(self._answer(call, message["call"], message))
        elif call and "next" in message:
            call.wanted.release()
        elif call and call.running:
            call.running.cancel()

    def refused_network(self) -> None:
        """Something here asked for the network and was refused: the next failure is told so."""
        self._offline = True

    def _post(self, message: Json) -> None:
        self._send(json.dumps(message, ensure_ascii=False))

    async def _answer(self, call: _Call, verb: str, given: Mapping[str, Any]) -> None:
        try:
            values = self._load_values(given) if verb == "load" else self._values(call, verb, given)
            async with aclosing(values):
                await call.wanted.acquire()
                async for value in values:
                    self._post({"id": call.id, "value": wire.to_json(value)})
                    await call.wanted.acquire()
            self._post({"id": call.id, "end": True})
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # sys.exit() in a task ends the call, not the worker
            self._post({"id": call.id, "error": self._error(error)})
        finally:
            del self._calls[call.id]

    def _error(self, error: BaseException) -> Json:
        offline, self._offline = self._offline, False
        if (work := self._asked.raised(error)) is not None:
            return {"work": work}
        if isinstance(error, BadInput | PluginRefused):
            return {"code": error.code, "details": wire.to_json(error.details)}
        if isinstance(error, wire.Fault):
            details: Mapping[str, object] = {"error": str(error), "at": ""}
        else:
            details = error.details if isinstance(error, PluginError) else details_of(error, self._folder)
        return {"code": "plugin_offline" if offline else "plugin_failed", "details": wire.to_json(details)}

    async def _values(self, call: _Call, verb: str, given: Mapping[str, Any]) -> AsyncGenerator[object, None]:
        task, form, state = self._task, given["given"], given.get("state")
        assert task is not None, "the page loads first"
        match verb:
            case "check":
                await task.check(form)
            case "title":
                yield await task.title(form, state)
            case "view":
                yield await task.view(form, state, self._language(task, given["language"]))
            case "export":
                yield await task.export(form, state, given["kind"], self._language(task, given["language"]))
            case _:
                work = RemoteWork(self._asked, call.id, given["language"])
                action = wire.read(Action, given["action"]) if verb == "act" else None
                steps = task.act(form, state, action, work) if action else task.run(form, state, work)
                async with aclosing(steps):
                    async for step in steps:
                        yield step

    async def _load_values(self, given: Mapping[str, Any]) -> AsyncGenerator[Described, None]:
        self._task = await self._load(given["name"], wire.read(bytes, given["data"]))
        try:
            described = describe(self._task)
        except wire.Fault as fault:
            raise PluginRefused(why="wrong", what=str(fault)) from fault
        yield described

    def _language(self, task: Task, code: str) -> Say:
        strings = with_english(task.strings)
        return self._say(code, strings.get(code, strings["en"]))


class Asked:
    """What the task has asked of its Work: streams of the page's answers."""

    def __init__(self, post: Callable[[Json], None], now_ms: Callable[[], int]) -> None:
        self.now_ms = now_ms
        self._post = post
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Queue[Mapping[str, Any]]] = {}
        self._errors: deque[tuple[CandilError, int]] = deque(maxlen=20)  # most are caught by the task

    def hear(self, answer: Mapping[str, Any]) -> None:
        if queue := self._answers.get(answer["work"]):
            queue.put_nowait(answer)

    def raised(self, error: BaseException) -> int | None:
        """Which of the task's questions was answered with this error."""
        found = next((number for each, number in self._errors if each is error), None)
        self._errors.clear()
        return found

    async def stream(self, call_id: int, verb: str, given: Mapping[str, object]) -> AsyncGenerator[Json, None]:
        number = next(self._numbers)
        answers = self._answers[number] = asyncio.Queue()
        ended = False
        self._post({"work": number, "id": call_id, "call": verb, **{k: wire.to_json(v) for k, v in given.items()}})
        try:
            while "value" in (answer := await answers.get()):
                yield answer["value"]
            ended = True
            if "error" in answer:
                error = from_wire(**answer["error"])
                self._errors.append((error, number))
                raise error
        finally:
            del self._answers[number]
            if not ended:
                self._post({"work": number, "cancel": True})


class RemoteWork:
    """Implements pyapp.tasks.task.Work by asking the page."""

    def __init__(self, asked: Asked, call_id: int, language: str) -> None:
        self.language = language
        self._asked = asked
        self._call_id = call_id

    def now_ms(self) -> int:
        return self._asked.now_ms()

    async def window(self) -> int:
        return wire.read(int, await self._one("window", {}))

    async def count(self, messages: Sequence[Message]) -> int:
        return wire.read(int, await self._one("count", {"messages": messages}))

    async def parameters(self) -> int:
        return wire.read(int, await self._one("parameters", {}))

    async def summarizer(self) -> Summarizer | None:
        return RemoteSummarizer(self._stream) if await self._one("summarizer", {}) else None

    async def ask(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        async with aclosing(self._stream("ask", {"request": request})) as values:
            async for value in values:
                yield wire.read(GenerateEvent, value)  # type: ignore[arg-type]

    async def document(self, request: GenerateRequest) -> AsyncGenerator[DocumentEvent, None]:
        async with aclosing(self._stream("document", {"request": request})) as values:
            async for value in values:
                yield wire.read(DocumentEvent, value)  # type: ignore[arg-type]

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float] | None:
        value = await self._one("score", {"messages": messages, "candidates": candidates})
        return None if value is None else wire.read_all(float, value, "scores")

    def _stream(self, verb: str, given: Mapping[str, object]) -> AsyncGenerator[Json, None]:
        return self._asked.stream(self._call_id, verb, given)

    async def _one(self, verb: str, given: Mapping[str, object]) -> Json:
        async with aclosing(self._stream(verb, given)) as values:
            return await anext(values)


class RemoteSummarizer:
    """Implements pyapp.tasks.task.Summarizer by asking the page."""

    def __init__(self, stream: Callable[[str, Mapping[str, object]], AsyncGenerator[Json, None]]) -> None:
        self._stream = stream

    async def window(self) -> int:
        return wire.read(int, await anext(self._stream("summarizer.window", {})))

    async def count(self, text: str) -> int:
        return wire.read(int, await anext(self._stream("summarizer.count", {"text": text})))

    async def points(self, text: str, n: int, language: str) -> AsyncGenerator[str, None]:
        given = {"text": text, "n": n, "language": language}
        async with aclosing(self._stream("summarizer.points", given)) as values:
            async for value in values:
                yield wire.read(str, value)
