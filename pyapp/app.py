"""The application: what each thing the user does means, given where the setup and the chat stand.

It knows the page only as the `Page` protocol, so all of it runs in CPython with a scripted page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol

from pyapp.chat import branches
from pyapp.chat.attach import LONG_PASTE_CHARACTERS, attachment
from pyapp.chat.drafts import Draft
from pyapp.chat.library import Library
from pyapp.chat.news import ChatsChanged, Followed, LibraryEvent, NotKept, Vanished
from pyapp.chat.session import Answerer, Session
from pyapp.chat.shown import Changed, Opened, SessionEvent
from pyapp.chat.tree import Chat, Conversation, Entry, Origin
from pyapp.errors import CandilError, CloudError, EngineError, InvalidRequest, RequestError
from pyapp.models.manifest import ModelSpec, ServerSource, Variant
from pyapp.servers.address import parse
from pyapp.settings.settings import Settings, merged
from pyapp.setup.setup import Setup
from pyapp.setup.state import Choosing, Declined, Elsewhere, Ready, SetupState
from pyapp.speeds import Speeds

Notice = CandilError | Literal["waiting", "not_kept", "vanished"] | None


class Request(Protocol):
    """What `Session` does with one entry and the engine."""

    def __call__(self, entry_id: str, *, by: Answerer) -> Awaitable[None]: ...


class Page(Protocol):
    """What the application needs of the page. Every call is immediate and does not raise."""

    def show_setup(self, state: SetupState) -> None: ...

    def show_session(self, event: SessionEvent) -> None: ...

    def show_entry(self, entry_id: str) -> None:
        """Scrolls to a message of the conversation on the page."""
        ...

    def show_busy(self, busy: bool) -> None:
        """Whether an answer is running: Stop instead of Send."""
        ...

    def show_notice(self, notice: Notice) -> None:
        """A sentence above the composer; None takes it away."""
        ...

    def draft(self) -> Draft:
        """What the composer holds."""
        ...

    def set_draft(self, draft: Draft) -> None: ...


class App:
    """Call `start` once; then the methods named for what the user did."""

    def __init__(self, page: Page, setup: Setup, session: Session, library: Library) -> None:
        self.page = page
        self.setup = setup
        self.session = session
        self.library = library
        self.speeds = Speeds(library.keeper)
        self._waiting = False  # a message is to be sent as soon as the model is ready
        self._instead: str | None = None  # an entry to be answered as soon as this device can
        self._not_kept = False  # the database refuses
        self._opening: object | None = None  # the chat that is being read
        self._removed: branches.Removed | None = None  # the messages that were deleted last
        self._aside = Draft()  # what an edit took the place of
        self._asked: Draft | None = None  # what was sent and is no message yet
        self.on_chats: Callable[[], None] = lambda: None  # the list of chats is different, or another one is open
        self._request: asyncio.Task[None] | None = None  # the answer that runs, or waits for the model
        self._for_model: asyncio.Task[None] | None = None  # its waiting
        self._tasks: set[asyncio.Task[None]] = set()
        setup.on_state = self._setup_changed
        session.on_event = self._session_changed
        library.on_event = self._library_changed

    @property
    def busy(self) -> bool:
        """Whether an answer grows or waits for the model: one at a time."""
        return self._request is not None

    def start(self) -> None:
        self._do(self._restore())
        self._do(self.setup.begin())

    async def _restore(self) -> None:
        """The chat that was changed last is there again, unless a new one has begun meanwhile."""
        await self.library.start()
        if (chat := self.library.latest()) is not None:
            conversation = await self.library.open(chat.id)
            if not self.session.conversation.entries:
                draft = self.page.draft()  # typed while the page was starting
                self.session.open(conversation)
                self._set_draft(Draft(self.library.drafts.get(chat.id)) if draft.empty else draft)

    # ---- what the user does ----

    def send(self) -> None:
        """Sends the draft, or remembers to when the model is not ready yet; an empty draft is no message."""
        draft = self.page.draft()
        if draft.empty or self.busy:
            return
        match self.setup.state:
            case Ready():
                self._leave_waiting()
                self._set_draft(self._aside)
                self._asked = draft
                self._request = self._do(self._answering(self._asking(draft)))
            case Elsewhere():
                self.take_over()
                self._wait()
            case _:
                if isinstance(self.setup.state, Declined):
                    self.setup.choose()
                self._wait()

    def stop(self) -> None:
        """Ends the answer that grows, or one that waits for the model."""
        self.session.stop()
        if self._for_model:
            self._for_model.cancel()

    def try_again(self, entry_id: str) -> None:
        """Answers again where an answer failed or was stopped, once the model is ready; what it said is kept."""
        entry = self.session.conversation.entries.get(entry_id)
        if entry is not None:
            self._answer(self.session.regenerate if entry.text else self.session.continue_, entry_id)

    def use_device(self, entry_id: str | None = None) -> None:
        """What runs here takes the place of the cloud, and answers where that failed."""
        if not self.busy:
            self._instead = entry_id
            self._do(self.setup.use_device())

    def use_model(self, model: ModelSpec, variant: Variant) -> Awaitable[None]:
        """In the place of the one that may be answering. It goes on if nobody waits for it."""
        self.session.stop()
        return self._do(self.setup.use(model, variant))

    def withdraw_model(self, model: ModelSpec, variant: Variant) -> None:
        """One on a server is asked nothing more."""
        self.session.stop()
        self._do(self.setup.withdraw(model, variant))

    def regenerate(self, entry_id: str) -> None:
        """Another answer beside this one, once the model is ready."""
        self._answer(self.session.regenerate, entry_id)

    def continue_(self, entry_id: str) -> None:
        """The answer goes on where it was stopped or cut off, once the model is ready."""
        self._answer(self.session.continue_, entry_id)

    def edit(self, entry_id: str) -> None:
        """A message is in the composer, to be asked in other words; what was there comes back afterwards."""
        entry = self.session.conversation.entries.get(entry_id)
        if entry is not None:
            if self.page.draft().replaces is None:
                self._aside = self.page.draft()
            self.page.set_draft(Draft(entry.text, entry.attachments, entry_id))

    def edit_last(self) -> None:
        """The user's last message, if there is one."""
        asked = [entry.id for entry in self.session.conversation.path() if entry.role == "user"]
        if asked:
            self.edit(asked[-1])

    def cancel_edit(self) -> None:
        if self.page.draft().replaces is not None:
            self._set_draft(self._aside)

    def attach(self, name: str, data: bytes) -> None:
        """A file goes with the message; one that is no text is refused with a notice."""
        draft = self.page.draft()
        try:
            self._set_draft(replace(draft, attachments=(*draft.attachments, attachment(name, data))))
        except RequestError as error:
            self.page.show_notice(error)

    def paste(self, name: str, text: str) -> bool:
        """Whether a pasted text was long enough to be attached under `name` rather than put into the box."""
        if len(text) < LONG_PASTE_CHARACTERS:
            return False
        self.attach(name, text.encode())
        return True

    def remove_attachment(self, number: int) -> None:
        draft = self.page.draft()
        kept = draft.attachments[:number] + draft.attachments[number + 1 :]
        self._set_draft(replace(draft, attachments=kept))

    def switch(self, entry_id: str) -> None:
        """Shows the branch through an entry. Not while an answer grows."""
        if entry_id in self.session.conversation.entries:
            self.session.switch(entry_id)

    def delete(self, entry_id: str) -> None:
        """A message and all that follows it; `undelete` brings them back."""
        if entry_id in self.session.conversation.entries:
            self._removed = self.session.delete(entry_id)

    def undelete(self) -> None:
        """Undoes the last `delete`, if its chat is still open."""
        removed, self._removed = self._removed, None
        if removed:
            self.session.undelete(removed)

    def draft_changed(self) -> None:
        """Keeps what the composer holds with its chat; the text of an edit is not the chat's draft."""
        draft = self.page.draft()
        self.library.drafts.set(self.open_id, (draft if draft.replaces is None else self._aside).text)

    def new_chat(self) -> None:
        if self.session.conversation.entries:
            self._show(self.library.new())
        self.page.show_notice(None)

    def open_chat(self, chat_id: str, entry_id: str | None = None) -> None:
        """Shows another chat, in the branch of `entry_id` if there is one; an answer that grows is stopped."""
        if chat_id in self.library.chats:
            self._do(self._open(chat_id, entry_id))

    def rename_chat(self, chat_id: str, title: str) -> None:
        self.library.rename(chat_id, title)

    def pin_chat(self, chat_id: str, pinned: bool) -> None:
        self.library.pin(chat_id, pinned)

    def delete_chat(self, chat_id: str) -> None:
        """`undelete_chat` brings it back for a while."""
        if chat_id == self.open_id:
            self.new_chat()
        self.library.delete(chat_id)

    def undelete_chat(self, chat_id: str) -> None:
        self.library.undelete(chat_id)
        self.open_chat(chat_id)

    def dismiss(self) -> None:
        """The notice was read; a message that waits stays a draft."""
        self._leave_waiting()
        self.page.show_notice(None)

    def download(self) -> None:
        self._do(self.setup.download())

    def not_now(self) -> None:
        self.setup.decline()
        self.dismiss()

    def choose(self) -> None:
        self.setup.choose()

    def cancel_download(self) -> None:
        self.setup.cancel()
        self.dismiss()

    def retry_setup(self) -> None:
        self._do(self.setup.retry())

    def take_over(self) -> None:
        self._do(self.setup.begin(steal=True))

    # ---- what comes of it ----

    async def _asking(self, draft: Draft) -> None:
        by = await self._answerer()
        if draft.replaces is not None and draft.replaces in self.session.conversation.entries:
            await self.session.edit(draft.replaces, draft.text, by, draft.attachments)
        else:
            await self.session.ask(draft.text, by, draft.attachments)

    def _answer(self, request: Request, entry_id: str) -> None:
        if not self.busy:
            self._request = self._do(self._answering(self._when_ready(request, entry_id)))

    async def _when_ready(self, request: Request, entry_id: str) -> None:
        by = await self._answerer()
        if entry_id not in self.session.conversation.entries:  # it may have taken a while
            raise InvalidRequest("the message is gone")
        await request(entry_id, by=by)

    async def _answerer(self) -> Answerer:
        """Waits for the model of the open chat. `stop` ends the waiting. Raises NotLoaded."""
        key = merged(Settings(), self.session.conversation.chat.settings).model_key
        if not self.setup.answers_with(key):
            self._for_model = asyncio.ensure_future(self._switch(key))
            try:
                await self._for_model
            finally:
                self._for_model = None
        ready = await self.setup.ready()
        source = ready.model.source
        origin = Origin(ready.model.title, ready.variant.device, ready.variant.engine)
        if isinstance(source, ServerSource):
            origin = replace(origin, host=parse(source.base_url).shown)
            if source.companies:  # until the answer says which
                origin = replace(origin, provider=source.readers, model=source.model)
        return Answerer(self.setup.engine, origin)

    async def _switch(self, key: str) -> None:
        await self.setup.ready()
        await self.setup.switch(key)

    async def _answering(self, request: Awaitable[None]) -> None:
        """Busy until `request` is done; what of it was refused is in the composer again."""
        self.page.show_busy(True)
        try:
            await request
        except (CandilError, asyncio.CancelledError) as error:
            self._give_back()
            if isinstance(error, CandilError):
                self.page.show_notice(error)
        finally:
            self._asked = self._request = None
            self.page.show_busy(False)
        await self._recover()

    def _give_back(self) -> None:
        """What was sent and is no message yet: before whatever was written since; an edit is an edit again."""
        draft, self._asked = self._asked, None
        if draft is None:
            return
        newer = self.page.draft()
        if draft.replaces is not None and newer.replaces is None:
            self._aside = newer
            return self.page.set_draft(draft)
        text = "\n\n".join(part for part in (draft.text, newer.text) if part)
        self._set_draft(Draft(text, draft.attachments + newer.attachments, newer.replaces))

    async def _open(self, chat_id: str, entry_id: str | None) -> None:
        if chat_id != self.open_id:
            opening = self._opening = object()
            self.session.stop()  # what is read from here on is settled
            conversation = await self.library.open(chat_id)
            if self._opening is not opening:
                return  # something else was opened meanwhile
            self._show(conversation)
            self.page.show_notice(None)
        if entry_id is not None:
            self.switch(entry_id)
            self.page.show_entry(entry_id)

    def _show(self, conversation: Conversation) -> None:
        """Another chat, with its own draft; what is in the composer stays with the chat that was open."""
        self._opening = None
        if self._for_model:
            self._for_model.cancel()
            self._give_back()
        self.draft_changed()
        self.session.open(conversation)
        self._aside = Draft()
        self.page.set_draft(Draft(self.library.drafts.get(self.open_id)))

    def _set_draft(self, draft: Draft) -> None:
        if draft.replaces is None:
            self._aside = Draft()
        self.page.set_draft(draft)
        self.draft_changed()

    @property
    def open_id(self) -> str:
        return self.session.conversation.chat.id

    async def _recover(self) -> None:
        """An engine that failed has lost its worker: get the model ready again before it is asked for."""
        conversation = self.session.conversation
        error = conversation.entries[conversation.chat.head].error if conversation.chat.head else None
        if isinstance(error, EngineError) and not isinstance(error, CloudError):  # of which nothing runs here
            await self.setup.recover(error)
        else:
            self.setup.answered()

    def _setup_changed(self, state: SetupState) -> None:
        self.page.show_setup(state)
        if isinstance(state, Ready):
            self.session.end_abandoned()  # no other tab answers now
        if self._waiting and isinstance(state, Ready):
            self._leave_waiting()
            self.page.show_notice(None)
            self.send()
        elif isinstance(state, Ready) and self._instead is not None and state.variant.device != "server":
            entry_id, self._instead = self._instead, None
            self.try_again(entry_id)

    def _session_changed(self, event: SessionEvent) -> None:
        if isinstance(event, Changed) and event.entry.state != "streaming" and event.entry.role == "assistant":
            self.page.show_busy(False)  # stopped: the button turns back at once
        self.page.show_session(event)
        if isinstance(event, Opened):
            self.on_chats()
        self.speeds.heard(event)

    def _library_changed(self, event: LibraryEvent) -> None:
        match event:
            case Followed(chat, entries, gone) if chat.id == self.open_id:
                self._follow(chat, entries, gone)
            case ChatsChanged(chat_ids) if self.open_id in chat_ids - self.library.chats.keys():
                self._show(self.library.new())  # another tab has deleted it for good
            case Vanished(chat_id) if chat_id == self.open_id:
                for entry in self.session.conversation.entries.values():
                    self.library.keep(entry)
                self.page.show_notice("vanished")
            case NotKept(error):
                self._tell_not_kept(error)
            case _:
                pass
        if isinstance(event, ChatsChanged):
            self.on_chats()

    def _tell_not_kept(self, error: CandilError | None) -> None:
        """Once, not at every word that cannot be written."""
        if (error is not None) != self._not_kept:
            self._not_kept = error is not None
            self.page.show_notice("not_kept" if error else None)

    def _follow(self, chat: Chat, entries: Sequence[Entry], gone: Collection[str]) -> None:
        """Another tab has changed the chat that is open here."""
        if chat.deleted_ms is not None and not self.session.busy:
            return self._show(self.library.new())
        if chat.deleted_ms is not None:
            self.library.undelete(chat.id)  # it is being answered in here
        self.session.follow(self.library.chats[chat.id], entries, gone)

    def _wait(self) -> None:
        self._waiting = True
        if not isinstance(self.setup.state, Choosing):
            self.page.show_notice("waiting")

    def _leave_waiting(self) -> None:
        self._waiting = False
        self._instead = None

    def _do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs `work` beside everything else; kept in a set because the loop holds tasks only weakly."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
