"""One chat: asks the engine, grows the answer, and keeps everything whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pyapp.chat.conversation import Conversation, Entry, Origin
from pyapp.engine import Engine, Finished, GenerateEvent, GenerateRequest, Sampling, TextDelta
from pyapp.errors import CandilError, EmptyPrompt, EngineFailed, RequestError


@dataclass(frozen=True, slots=True)
class Changed:
    """An entry is new or different; `delta` is the text just appended, None when something else changed."""

    entry: Entry
    delta: str | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """The entry `from_id` and everything after it is gone from the conversation."""

    from_id: int


SessionEvent = Changed | Cut
Listener = Callable[[SessionEvent], None]


@dataclass
class Session:
    """A conversation and the task that answers in it; at most one answer at a time.

    `on_event` hears every change in order; it must not raise.
    """

    on_event: Listener
    sampling: Sampling = field(default_factory=Sampling)
    max_new_tokens: int = 1024
    conversation: Conversation = field(default_factory=Conversation)
    _answering: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        return self._answering is not None

    def restore(self, conversation: Conversation) -> None:
        """Goes on with an earlier conversation, if none has begun."""
        if not self.conversation.entries:
            self.conversation = conversation
            for entry in conversation.entries:
                self.on_event(Changed(entry))

    async def ask(self, text: str, engine: Engine, origin: Origin) -> None:
        """Adds the user's `text` and answers it; returns when the answer is settled.

        Raises RequestError (EmptyPrompt, ContextOverflow) with the conversation as it was before, so
        that the caller still has the draft. Engine errors do not raise: they settle the answer as an error.
        """
        if not text.strip():
            raise EmptyPrompt()
        self.conversation = self.conversation.add(Entry(0, "user", text))
        question = self.conversation.entries[-1]
        self.on_event(Changed(question))
        try:
            await self._answer(engine, origin)
        except RequestError:
            self._cut(question.id)
            raise

    async def try_again(self, entry_id: int, engine: Engine, origin: Origin) -> None:
        """Answers again in the place of the answer `entry_id`.

        Raises RequestError as `ask` does, with the conversation as it was.
        """
        kept = self.conversation
        self._cut(entry_id)
        try:
            await self._answer(engine, origin)
        except RequestError:
            self.conversation = kept
            for entry in kept.entries:
                if entry.id >= entry_id:
                    self.on_event(Changed(entry))
            raise

    def stop(self) -> None:
        """Ends the answer now and keeps what there is; nothing more of it is shown. Without one, a no-op."""
        if self._answering is None:
            return
        answer = self.conversation.entries[-1]
        if answer.state == "streaming":
            self._settle(replace(answer, state="stopped"))
        self._answering.cancel()

    def clear(self) -> None:
        """A new, empty conversation; a running answer is stopped."""
        self.stop()
        if self.conversation.entries:
            self._cut(self.conversation.entries[0].id)

    async def _answer(self, engine: Engine, origin: Origin) -> None:
        request = GenerateRequest(self.conversation.prompt(), self.sampling, self.max_new_tokens)
        self.conversation = self.conversation.add(Entry(0, "assistant", "", "streaming", origin))
        answer = self.conversation.entries[-1]
        self.on_event(Changed(answer))
        task = self._answering = asyncio.ensure_future(self._grow(answer.id, engine, request))
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            self.stop()  # whoever awaits us was cancelled
            raise
        finally:
            self._answering = None
        if not task.cancelled() and (error := task.exception()):
            self._cut(answer.id)
            raise error

    async def _grow(self, answer_id: int, engine: Engine, request: GenerateRequest) -> None:
        """Raises RequestError only."""
        events = engine.generate(request)
        try:
            async for event in events:
                self._take(answer_id, event)
            self._fail(answer_id, EngineFailed("the answer ended without a Finished"))
        except RequestError:
            raise
        except CandilError as error:
            self._fail(answer_id, error)
        except Exception as error:  # a bug of ours must not cost the partial answer
            self._fail(answer_id, EngineFailed(repr(error)))
        finally:
            await events.aclose()

    def _take(self, answer_id: int, event: GenerateEvent) -> None:
        answer = self._entry(answer_id)
        if answer is None or answer.state != "streaming":
            return  # stopped: what is still on its way is not shown
        if isinstance(event, TextDelta):
            answer = replace(answer, text=answer.text + event.text)
            self.conversation = self.conversation.put(answer)
            self.on_event(Changed(answer, event.text))
        elif isinstance(event, Finished):
            self._settle(replace(answer, state="done", usage=event.usage, reason=event.reason))

    def _fail(self, answer_id: int, error: CandilError) -> None:
        answer = self._entry(answer_id)
        if answer is not None and answer.state == "streaming":
            self._settle(replace(answer, state="error", error=error))

    def _settle(self, entry: Entry) -> None:
        self.conversation = self.conversation.put(entry)
        self.on_event(Changed(entry))

    def _cut(self, entry_id: int) -> None:
        self.conversation = self.conversation.before(entry_id)
        self.on_event(Cut(entry_id))

    def _entry(self, entry_id: int) -> Entry | None:
        return next((e for e in self.conversation.entries if e.id == entry_id), None)
