"""In the page: a worker in which one task of the user's own lives. It is started when it is first needed.

It can do nothing but speak, and it may speak nonsense: whatever was not asked for, is too long or is no JSON ends it,
and so does silence. The next call starts another.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from pyapp.engine import GenerateRequest, Json, Message, Transport, values
from pyapp.errors import BadInput, CandilError, InvalidRequest, PluginFailed, PluginHung, PluginOffline, PluginRefused
from pyapp.models.strict_json import strangers
from pyapp.tasks.plugins import wire
from pyapp.tasks.plugins.described import Described
from pyapp.tasks.plugins.described import read as read_described
from pyapp.tasks.plugins.wire import Fault
from pyapp.tasks.task import Summarizer, Work

BOOT_S = 60.0  # as long as a slow phone takes for Python
PING_S = 1.0
IDLE_S = 60.0  # without a call
SILENT_PINGS = 10  # so many unanswered: it is busy with something that does not end
LONGEST_MESSAGE = 24_000_000  # characters; an export of 16 MB in base64
MOST_WORKS = 8  # questions to the engine open at once
MEMORY_BYTES = 1 << 30  # of Python in there


@dataclass(frozen=True, slots=True)
class PluginFile:
    """What the user gave: one module, or a wheel. `online`: they let it use the network."""

    name: str
    data: bytes
    online: bool = False


@dataclass(eq=False)
class _Call:
    work: Work | None
    replies: asyncio.Queue[Mapping[str, Any] | CandilError] = field(default_factory=asyncio.Queue)
    wanted: bool = True  # a value was asked for and has not come
    works: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    raised: dict[int, CandilError] = field(default_factory=dict)

    def stop(self, number: int) -> None:
        if asking := self.works.get(number):
            asking.cancel()


class Guest:
    """`read` gives the file when the worker is started."""

    _numbers = itertools.count(1)

    def __init__(self, transport: Transport, read: Callable[[], Awaitable[PluginFile]]) -> None:
        self._read = read
        self._transport = transport
        self._life: _Life | None = None
        self._starting = asyncio.Lock()

    async def call(
        self, verb: str, given: Mapping[str, object], work: Work | None = None
    ) -> AsyncGenerator[Json, None]:
        """What the task gives, value by value; closing the generator stops it. Raises CandilError."""
        life = await self._alive()
        async with aclosing(life.call(verb, given, work)) as answers:
            async for answer in answers:
                yield answer

    async def describe(self) -> Described:
        """What the task in the file says of itself. Raises PluginError."""
        return (await self._alive()).described

    async def end(self) -> None:
        """Gives its memory back; the next call starts it again."""
        life, self._life = self._life, None
        if life:
            await life.end()

    async def _alive(self) -> _Life:
        async with self._starting:
            if self._life is None or self._life.over:
                self._life = _Life(self._transport, next(self._numbers), await self._read())
                await self._life.start()
            return self._life


class _Life:
    """Of a worker, from its start to its end."""

    described: Described

    def __init__(self, transport: Transport, number: int, file: PluginFile) -> None:
        self.over: CandilError | None = None
        self._transport = transport
        self._number = number
        self._file = file
        self._calls: dict[int, _Call] = {}
        self._ids = itertools.count(1)
        self._started = asyncio.Event()
        self._silent = 0  # pings since its last answer
        self._listening = asyncio.ensure_future(self._listen(file))
        self._called = asyncio.Event()
        self._looking = asyncio.ensure_future(self._look_after())

    async def start(self) -> None:
        """Raises PluginError, and is over then."""
        try:
            async with asyncio.timeout(BOOT_S):
                await self._started.wait()
            if self.over:
                raise self.over
            self.described = await self._load()
        except TimeoutError:
            raise await self._die(PluginHung()) from None
        except Fault as fault:
            raise await self._die(PluginRefused(why="wrong", what=str(fault))) from None
        except BaseException:
            await self.end()
            raise

    async def _load(self) -> Described:
        given = {"name": self._file.name, "data": base64.b64encode(self._file.data).decode()}
        async with aclosing(self.call("load", given, None)) as answers:
            return read_described(await anext(answers))

    async def end(self) -> None:
        await self._die(PluginFailed(error="it was ended", at=""))

    async def call(self, verb: str, given: Mapping[str, object], work: Work | None) -> AsyncGenerator[Json, None]:
        number, call = next(self._ids), _Call(work)
        self._calls[number] = call
        self._called.set()
        ended = False
        try:
            await self._post({"id": number, "call": verb, **given})
            while True:
                reply = await call.replies.get()
                ended = isinstance(reply, CandilError) or "value" not in reply
                if isinstance(reply, CandilError):
                    raise reply
                if "error" in reply:
                    raise _error(reply["error"], call)
                if ended:
                    return
                yield reply["value"]
                call.wanted = True
                await self._post({"id": number, "next": True})
        finally:
            del self._calls[number]
            for each in call.works:
                call.stop(each)
            if not ended and not self.over:
                await self._post({"id": number, "cancel": True})

    # ---- what it says ----

    async def _listen(self, file: PluginFile) -> None:
        wheel = file.name.endswith(".whl")
        options = {"worker": self._number, "online": file.online, "wheel": wheel, "memory_bytes": MEMORY_BYTES}
        over: CandilError = PluginFailed(error="the worker ended", at="")
        try:
            async with aclosing(self._transport.stream("plugins.start", options)) as messages:
                async for message in messages:
                    if "started" in message:
                        self._started.set()
                    else:
                        self._hear(message["message"])
        except Fault as fault:
            over = PluginFailed(error=str(fault), at="")
        except CandilError as error:
            over = error
        self._over(over)

    def _hear(self, text: str) -> None:
        """Raises Fault for anything that a worker of ours does not say."""
        match _message(text):
            case {"pong": _}:
                self._silent = 0
            case {"work": int(number), "cancel": True}:
                for call in self._calls.values():
                    call.stop(number)
            case {"work": int(number), "id": int(id), "call": str(verb)} as message:
                self._ask(self._calls.get(id), number, verb, message)
            case {"id": int(id)} as message:
                self._reply(self._calls.get(id), message)
            case _:
                raise Fault("a message that no task sends")

    def _reply(self, call: _Call | None, message: Mapping[str, Any]) -> None:
        if call is None:  # it was closed meanwhile
            return
        if "value" in message:
            if not call.wanted:
                raise Fault("a value that was not asked for")
            call.wanted = False
        elif not message.keys() & {"end", "error"}:
            raise Fault("a message that no task sends")
        call.replies.put_nowait(message)

    def _ask(self, call: _Call | None, number: int, verb: str, given: Mapping[str, Any]) -> None:
        if call is None:
            return
        if call.work is None or number in call.works or len(call.works) >= MOST_WORKS:
            raise Fault("a question to the engine at the wrong time, or too many at once")
        call.works[number] = asyncio.ensure_future(self._answer(call, call.work, number, verb, given))

    async def _answer(self, call: _Call, work: Work, number: int, verb: str, given: Mapping[str, Any]) -> None:
        ending: dict[str, Json] = {"end": True}
        try:
            async with aclosing(asked(work, verb, given)) as found:
                async for value in found:
                    await self._post({"work": number, "value": wire.to_json(value)})
        except (CandilError, Fault) as error:
            known = error if isinstance(error, CandilError) else InvalidRequest(str(error))
            call.raised[number] = known
            ending = {"error": {"code": known.code, "message": known.message, "details": wire.to_json(known.details)}}
        finally:
            del call.works[number]
        await self._post({"work": number, **ending})

    # ---- whether it still speaks ----

    async def _look_after(self) -> None:
        while not self.over:
            if not self._calls:
                await self._rest()
            elif self._silent < SILENT_PINGS:
                self._silent += 1
                await self._post({"ping": self._silent})
                await asyncio.sleep(PING_S)
            else:
                await self._die(PluginHung())

    async def _rest(self) -> None:
        """Until something is asked of it, or its end when that takes long: its memory is given back."""
        self._silent = 0
        self._called.clear()
        try:
            await asyncio.wait_for(self._called.wait(), IDLE_S)
        except TimeoutError:
            await self.end()

    async def _post(self, message: Json) -> None:
        text = json.dumps(message, ensure_ascii=False)
        await values(self._transport, "plugins.post", {"worker": self._number, "message": text})

    async def _die(self, error: CandilError) -> CandilError:
        """Why it is over: `error`, or what was first."""
        self.over = self.over or error
        self._listening.cancel()
        await asyncio.wait({self._listening})
        self._over(error)
        return self.over

    def _over(self, error: CandilError) -> None:
        """Everything that is open ends with `error`, or with what ended it before."""
        self.over = self.over or error
        self._started.set()
        self._called.set()
        for call in self._calls.values():
            call.replies.put_nowait(self.over)


def _message(text: str) -> Json:
    if len(text) > LONGEST_MESSAGE:
        raise Fault(f"a message is longer than {LONGEST_MESSAGE} characters")
    try:
        return strangers(text)
    except ValueError as error:
        raise Fault(f"a message is no JSON: {error}") from error


async def asked(work: Work, verb: str, given: Mapping[str, Any]) -> AsyncGenerator[object, None]:
    """What a task asks of its Work, asked of the real one. Raises Fault for what cannot be asked, and CandilError."""
    match verb:
        case "window":
            yield await work.window()
        case "parameters":
            yield await work.parameters()
        case "summarizer":
            yield await work.summarizer() is not None
        case "summarizer.window" | "summarizer.count" | "summarizer.points":
            async for value in _of_summarizer(await work.summarizer(), verb, given):
                yield value
        case "count":
            yield await work.count(wire.read_all(Message, given.get("messages"), "messages"))
        case "score":
            messages = wire.read_all(Message, given.get("messages"), "messages")
            yield await work.score(messages, wire.read_all(str, given.get("candidates"), "candidates"))
        case "ask" | "document":
            request = wire.read(GenerateRequest, given.get("request"), "request")
            async with aclosing(work.ask(request) if verb == "ask" else work.document(request)) as events:
                async for event in events:
                    yield event
        case _:
            raise Fault(f"Work has no {verb!r:.80}")


async def _of_summarizer(
    summarizer: Summarizer | None, verb: str, given: Mapping[str, Any]
) -> AsyncGenerator[object, None]:
    if summarizer is None:
        raise Fault("the browser's summarizer is not to be had")
    if verb == "summarizer.window":
        yield await summarizer.window()
        return
    text = wire.read(str, given.get("text"), "text")
    if verb == "summarizer.count":
        yield await summarizer.count(text)
        return
    n, language = wire.read(int, given.get("n"), "n"), wire.read(str, given.get("language"), "language")
    async with aclosing(summarizer.points(text, n, language)) as pieces:
        async for piece in pieces:
            yield piece


def _error(said: Any, call: _Call) -> CandilError:
    """What it says ended the call: an answer of the engine's, or a fault of its own; it cannot make up any other."""
    match said:
        case {"work": int(number)} if number in call.raised:
            return call.raised[number]
        case {"code": "bad_input", "details": {"field": str(), "why": str()} as details}:
            plain = {str(name): value for name, value in details.items() if isinstance(value, str | int | float)}
            return BadInput("", **plain)
        case {"code": "plugin_refused", "details": {"why": str(why), "what": str(what)}}:
            return PluginRefused(why=why, what=what)
        case {"code": "plugin_offline", "details": {"error": str(error), "at": str(at)}}:
            return PluginOffline(error=error, at=at)
        case {"code": "plugin_failed", "details": {"error": str(error), "at": str(at)}}:
            return PluginFailed(error=error, at=at)
        case _:
            return PluginFailed(error="it failed and did not say how", at="")
