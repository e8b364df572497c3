"""One chat on the page: asks the engine, grows the answer, and keeps everything whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pyapp.chat import branches
from pyapp.chat.prompt import prompt, title
from pyapp.chat.reasoning import Reasoning
from pyapp.chat.repair import repaired
from pyapp.chat.shelf import Shelf
from pyapp.chat.shown import Changed, Listener, Opened, differences
from pyapp.chat.tree import Attachment, Chat, Conversation, Entry, Origin
from pyapp.engine import AnsweredBy, Engine, Finished, GenerateEvent, GenerateRequest
from pyapp.errors import CandilError, EmptyPrompt, EngineFailed, InvalidRequest, RequestError


@dataclass(frozen=True, slots=True)
class Answerer:
    engine: Engine
    origin: Origin


@dataclass
class Session:
    """A conversation and the task that answers in it; at most one answer at a time.

    `on_event` hears every change of what is shown, in order; it must not raise. `now_ms` may go backwards.
    """

    conversation: Conversation
    shelf: Shelf
    new_id: Callable[[], str]
    now_ms: Callable[[], int]
    on_event: Listener
    _answering: asyncio.Task[None] | None = None
    _growing: str | None = None  # the id of the answer that grows
    _added: list[str] = field(default_factory=list)  # the entries of the request that runs
    _made: set[str] = field(default_factory=set)  # ids of the answers made here
    _replaced: Entry | None = None  # the one that goes on as another

    @property
    def busy(self) -> bool:
        return self._answering is not None

    def open(self, conversation: Conversation) -> None:
        """Shows another conversation; a running answer is stopped."""
        self.stop()
        self.conversation = conversation
        self.on_event(Opened(conversation))

    # ---- what is asked ----

    async def ask(self, text: str, by: Answerer, attachments: tuple[Attachment, ...] = ()) -> None:
        """Adds the user's message and answers it; returns when the answer is settled.

        Raises RequestError (EmptyPrompt, ContextOverflow; InvalidRequest while an answer runs) with the conversation as
        it was before, so that the caller still has the draft. Engine errors do not raise: they settle the answer.
        """
        await self._ask(text, attachments, self.conversation.chat.head, by)

    async def edit(self, entry_id: str, text: str, by: Answerer, attachments: tuple[Attachment, ...] = ()) -> None:
        """Asks in other words, in a branch beside the message `entry_id`. Raises as `ask`."""
        await self._ask(text, attachments, self.conversation.entries[entry_id].parent, by)

    async def regenerate(self, entry_id: str, by: Answerer) -> None:
        """Answers again: in a branch beside an answer, or below a question. Raises as `ask`."""
        before = self._begin()
        entry = self.conversation.entries[entry_id]
        await self._answer(entry.parent if entry.role == "assistant" else entry.id, by, before)

    async def continue_(self, entry_id: str, by: Answerer) -> None:
        """An answer that was stopped, cut off or failed goes on. Raises as `ask`.

        It goes on as an entry of its own, because only the tab that made an entry ever writes it. The old one goes,
        unless something follows it or another tab made it and may know more of it than this one.
        """
        before = self._begin()
        old = self.conversation.entries[entry_id]
        path, begun = self.conversation.path(entry_id), bool(old.text.strip())
        request = replace(self._request(path if begun else path[:-1]), continue_last=begun)
        if entry_id in self._made and entry_id not in self.conversation.children:
            self._replaced = old
            self.shelf.forget(old.chat_id, [old.id])
            rest, _ = branches.remove(self.conversation, old.id)
            self._become(rest)
        answer = self._answer_entry(old.parent, by, before)
        self._add(replace(answer, text=old.text))
        await self._run(answer.id, by.engine, request, before)

    async def _ask(self, text: str, attachments: tuple[Attachment, ...], parent: str | None, by: Answerer) -> None:
        if not text.strip() and not attachments:
            raise EmptyPrompt()
        before = self._begin()
        question = Entry(self.new_id(), before.chat.id, parent, "user", text, self._now(), attachments=attachments)
        self._add(question)
        await self._answer(question.id, by, before)

    async def _answer(self, parent: str | None, by: Answerer, before: Conversation) -> None:
        path = self.conversation.path(parent) if parent else ()
        answer = self._answer_entry(parent, by, before)
        self._add(answer)
        await self._run(answer.id, by.engine, self._request(path), before)

    def _answer_entry(self, parent: str | None, by: Answerer, before: Conversation) -> Entry:
        return Entry(self.new_id(), before.chat.id, parent, "assistant", "", self._now(), "streaming", origin=by.origin)

    def _request(self, path: Iterable[Entry]) -> GenerateRequest:
        return GenerateRequest(prompt(path))

    # ---- what is done to the tree ----

    def stop(self) -> None:
        """Ends the answer now and keeps what there is; nothing more of it is shown. Without one, a no-op."""
        if self._answering is None:
            return
        if self._growing is not None:
            self._settle(replace(self.conversation.entries[self._growing], state="stopped"))
        self._answering.cancel()

    def switch(self, entry_id: str) -> None:
        """Shows the branch through `entry_id`. Not while an answer grows: it would grow unseen."""
        if not self.busy:
            self._become(branches.switch(self.conversation, entry_id))

    def delete(self, entry_id: str) -> branches.Removed:
        """Takes an entry and everything below it away; `undelete` brings it back. A running answer is stopped."""
        self.stop()
        rest, removed = branches.remove(self.conversation, entry_id)
        self.shelf.forget(rest.chat.id, [entry.id for entry in removed.entries])
        self._become(rest)
        return removed

    def undelete(self, removed: branches.Removed) -> None:
        """Undoes `delete`; nothing when another chat is shown by now."""
        if removed.entries[0].chat_id != self.conversation.chat.id:
            return
        # What another tab was writing when it was deleted is as it was then, unless that tab goes on and tells.
        removed = replace(removed, entries=tuple(each.ended for each in removed.entries))
        for entry in removed.entries:
            self.shelf.keep(entry)
        restored = branches.restore(self.conversation, removed)
        self._become(repaired(restored.chat, restored.entries.values()))  # another tab may have taken more away

    def follow(self, chat: Chat, entries: Iterable[Entry] = (), gone: Iterable[str] = ()) -> None:
        """The list of chats or another tab has changed this chat. An answer that grows here is changed here only."""
        mine = self._growing
        merged = dict(self.conversation.entries) | {e.id: e for e in entries if e.id != mine}
        for entry_id in gone:
            if entry_id != mine:
                merged.pop(entry_id, None)
        head = self.conversation.chat.head if self.busy else chat.head
        self._show(repaired(replace(chat, head=head), merged.values()))

    def end_abandoned(self) -> None:
        """Answers that grew in a tab that is gone grow no more."""
        entries = self.conversation.entries
        gone = [e for e in entries.values() if e.state == "streaming" and e.id != self._growing]
        if gone:
            stopped = {e.id: e.ended for e in gone}
            self._show(replace(self.conversation, entries={**entries, **stopped}))

    # ---- how an answer grows ----

    def _begin(self) -> Conversation:
        """The conversation to come back to when the request is refused."""
        if self.busy:
            raise InvalidRequest("an answer is running")
        self._added.clear()
        self._replaced = None
        return self.conversation

    async def _run(self, answer_id: str, engine: Engine, request: GenerateRequest, before: Conversation) -> None:
        self._growing = answer_id
        self._reasoning = Reasoning()
        self._made.add(answer_id)
        task = self._answering = asyncio.ensure_future(self._grow(engine, request))
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            self.stop()  # whoever awaits us was cancelled
            raise
        finally:
            stopped = self._growing is None  # or it has ended
            self._answering = self._growing = None
        if not task.cancelled() and not stopped and (error := task.exception()):
            self._take_back(before)
            raise error

    async def _grow(self, engine: Engine, request: GenerateRequest) -> None:
        """Raises RequestError only."""
        events = engine.generate(request)
        try:
            async for event in events:
                self._take(event)
            self._fail(EngineFailed("the answer ended without a Finished"))
        except RequestError:
            raise
        except CandilError as error:
            self._fail(error)
        except Exception as error:  # a bug of ours must not cost the partial answer
            self._fail(EngineFailed(repr(error)))
        finally:
            await events.aclose()

    def _take(self, event: GenerateEvent) -> None:
        if self._growing is None:
            return  # stopped: what is still on its way is not shown
        answer = self.conversation.entries[self._growing]
        if isinstance(event, Finished):
            self._settle(replace(answer, state="done", usage=event.usage, reason=event.reason))
        elif isinstance(event, AnsweredBy):
            self._name(answer, event)
        elif piece := self._reasoning.as_text(event, answer.text):
            answer = replace(answer, text=answer.text + piece)
            self.conversation = self.conversation.put(answer)
            self.shelf.keep(answer)
            self.on_event(Changed(answer, piece))

    def _name(self, answer: Entry, by: AnsweredBy) -> None:
        """Kept at once: an answer that is broken off has an author too."""
        assert answer.origin  # it is an answer
        named = replace(answer, origin=replace(answer.origin, provider=by.provider, model=by.model))
        self.conversation = self.conversation.put(named)
        self.shelf.keep(named)

    def _fail(self, error: CandilError) -> None:
        if self._growing is not None:
            self._settle(replace(self.conversation.entries[self._growing], state="error", error=error))

    def _settle(self, entry: Entry) -> None:
        self._growing = None
        self.shelf.keep(entry)
        after = self.conversation.put(entry)
        self._become(replace(after, chat=replace(after.chat, updated_ms=max(self.now_ms(), after.chat.updated_ms))))

    def _add(self, entry: Entry) -> None:
        self._added.append(entry.id)
        after = branches.add(self.conversation, entry)
        chat = replace(after.chat, updated_ms=entry.created_ms, title=after.chat.title or title(entry))
        self.shelf.add(chat)
        self.shelf.keep(entry)
        self._become(replace(after, chat=chat))

    def _take_back(self, before: Conversation) -> None:
        """As it was before the request, but for what another tab has done meanwhile."""
        self.shelf.forget(before.chat.id, self._added)
        kept = {i: e for i, e in self.conversation.entries.items() if i not in self._added}
        if self._replaced:
            kept[self._replaced.id] = self._replaced
            self.shelf.keep(self._replaced)
        chat, was = self.conversation.chat, before.chat
        title = "" if not was.title and chat.titled_by == "text" else chat.title
        chat = replace(chat, head=was.head, chosen=was.chosen, title=title, updated_ms=was.updated_ms)
        self._become(repaired(chat, kept.values()))

    # ---- small parts ----

    def _become(self, after: Conversation) -> None:
        """Shows `after` and keeps what of its chat is different."""
        shown, chat = self.conversation.chat, after.chat
        fields: dict[str, Any] = {
            name: getattr(chat, name)
            for name in ("head", "chosen", "title", "updated_ms")
            if getattr(chat, name) != getattr(shown, name)
        }
        self._show(after)
        if fields:
            self.shelf.change(chat.id, lambda latest: replace(latest, **fields))

    def _show(self, after: Conversation) -> None:
        before, self.conversation = self.conversation, after
        for event in differences(before, after):
            self.on_event(event)

    def _now(self) -> int:
        """Later than every message there is: a clock that was set back does not reorder a conversation."""
        return max(self.now_ms(), 1 + max((e.created_ms for e in self.conversation.entries.values()), default=-1))
