"""The application: what each thing the user does means, given where the setup and the chat stand.

It knows the page only as the `Page` protocol, so all of it runs in CPython with a scripted page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal, Protocol

from pyapp.chat.conversation import Origin
from pyapp.chat.keeper import Keeper
from pyapp.chat.session import Changed, Session, SessionEvent
from pyapp.engine import Engine
from pyapp.errors import CandilError, EngineError, RequestError
from pyapp.setup.setup import Setup
from pyapp.setup.state import Choosing, Declined, Elsewhere, Ready, SetupState

Notice = CandilError | Literal["waiting"] | None


class Page(Protocol):
    """What the application needs of the page. Every call is immediate and does not raise."""

    def show_setup(self, state: SetupState) -> None: ...

    def show_session(self, event: SessionEvent) -> None: ...

    def show_busy(self, busy: bool) -> None:
        """Whether an answer is running: Stop instead of Send."""
        ...

    def show_notice(self, notice: Notice) -> None:
        """A sentence above the composer; None takes it away."""
        ...

    def draft(self) -> str:
        """What stands in the message box."""
        ...

    def set_draft(self, text: str) -> None: ...


class App:
    """Call `start` once; then the methods named for what the user did."""

    def __init__(self, page: Page, setup: Setup, session: Session, keeper: Keeper) -> None:
        self.page = page
        self.setup = setup
        self.session = session
        self.keeper = keeper
        self._waiting = False  # a message is to be sent as soon as the model is ready
        self._tasks: set[asyncio.Task[None]] = set()
        setup.on_state = self._setup_changed
        session.on_event = self._session_changed

    def start(self) -> None:
        self._do(self._restore())
        self._do(self.setup.begin())

    async def _restore(self) -> None:
        self.session.restore(await self.keeper.restore())

    # ---- what the user does ----

    def send(self) -> None:
        """Sends the draft, or remembers to when the model is not ready yet; an empty draft is no message."""
        text = self.page.draft()
        if not text.strip() or self.session.busy:
            return
        match self.setup.state:
            case Ready() as ready:
                self._leave_waiting()
                self.page.set_draft("")
                self._do(self._ask(text, ready))
            case Elsewhere():
                self.take_over()
                self._wait()
            case _:
                if isinstance(self.setup.state, Declined):
                    self.setup.choose()
                self._wait()

    def stop(self) -> None:
        self.session.stop()

    def try_again(self, entry_id: int) -> None:
        """Answers again where an answer failed or was stopped, once the model is ready."""
        if not self.session.busy:
            self._do(self._answer_again(entry_id))

    def new_chat(self) -> None:
        self.session.clear()
        self.page.show_notice(None)

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

    async def _ask(self, text: str, ready: Ready) -> None:
        self.page.show_busy(True)
        try:
            await self.session.ask(text, self._engine(ready), _origin(ready))
        except RequestError as error:
            newer = self.page.draft()
            self.page.set_draft(f"{text}\n\n{newer}" if newer else text)
            self.page.show_notice(error)
        finally:
            self.page.show_busy(False)
        await self._recover()

    async def _answer_again(self, entry_id: int) -> None:
        self.page.show_busy(True)
        try:
            ready = await self.setup.ready()
            await self.session.try_again(entry_id, self._engine(ready), _origin(ready))
        except CandilError as error:
            self.page.show_notice(error)
        finally:
            self.page.show_busy(False)
        await self._recover()

    async def _recover(self) -> None:
        """An engine that failed has lost its worker: get the model ready again before it is asked for."""
        entries = self.session.conversation.entries
        error = entries[-1].error if entries else None
        if isinstance(error, EngineError):
            await self.setup.recover(error)

    def _engine(self, ready: Ready) -> Engine:
        return self.setup.engines[ready.variant.engine]

    def _setup_changed(self, state: SetupState) -> None:
        self.page.show_setup(state)
        if self._waiting and isinstance(state, Ready):
            self._leave_waiting()
            self.page.show_notice(None)
            self.send()

    def _session_changed(self, event: SessionEvent) -> None:
        if isinstance(event, Changed) and event.entry.state != "streaming" and event.entry.role == "assistant":
            self.page.show_busy(False)  # stopped: the button turns back at once
        self.page.show_session(event)
        self.keeper.keep(self.session.conversation)

    def _wait(self) -> None:
        self._waiting = True
        if not isinstance(self.setup.state, Choosing):
            self.page.show_notice("waiting")

    def _leave_waiting(self) -> None:
        self._waiting = False

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` beside everything else; kept in a set because the loop holds tasks only weakly."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _origin(ready: Ready) -> Origin:
    return Origin(ready.model.title, ready.variant.device)
