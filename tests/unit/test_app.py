"""What each thing the user does means, in every situation, against a scripted page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from pyapp.chat.archive import dumps
from pyapp.chat.conversation import Conversation, Entry

from pyapp.app import App, Notice
from pyapp.chat.keeper import Keeper
from pyapp.chat.session import Session, SessionEvent
from pyapp.errors import ContextOverflow, DeviceLost, NetworkFailed, NotLoaded
from pyapp.setup.setup import Setup
from pyapp.setup.state import Choosing, Declined, Elsewhere, Ready, SetupState
from tests.unit.chat.scripted import DONE, ScriptedEngine
from tests.unit.run import run
from tests.unit.setup.scripted import WASM, MemoryIntent, ScriptedStore, transport
from tests.unit.transport import Forever


@dataclass
class ScriptedPage:
    """Remembers what it was told to show."""

    text: str = ""
    busy: bool = False
    notice: Notice = None
    states: list[SetupState] = field(default_factory=list)
    events: list[SessionEvent] = field(default_factory=list)

    def show_setup(self, state: SetupState) -> None:
        self.states.append(state)

    def show_session(self, event: SessionEvent) -> None:
        self.events.append(event)

    def show_busy(self, busy: bool) -> None:
        self.busy = busy

    def show_notice(self, notice: Notice) -> None:
        self.notice = notice

    def draft(self) -> str:
        return self.text

    def set_draft(self, text: str) -> None:
        self.text = text


@dataclass
class Stage:
    """An app with its page; `installed` decides where it starts."""

    installed: bool = True
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    answers: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.page = ScriptedPage()
        self.transport = transport(**self.answers)
        self.store = ScriptedStore(here=[WASM] if self.installed else [])
        self.setup = Setup(self.transport, {self.engine.name: self.engine}, self.store, MemoryIntent())
        self.app = App(self.page, self.setup, Session(on_event=lambda _: None), Keeper(self.transport))

    def conversation(self) -> list[tuple[str, str, str]]:
        return [(e.role, e.state, e.text) for e in self.app.session.conversation.entries]

    def say(self, text: str) -> None:
        self.page.text = text
        self.app.send()


def play(stage: Stage, story: Callable[[Stage], Awaitable[None]]) -> None:
    async def whole() -> None:
        stage.app.start()
        await asyncio.sleep(5)
        await story(stage)

    run(whole())


def test_a_question_is_answered() -> None:
    async def story(s: Stage) -> None:
        s.say("Hi")
        assert s.page.text == ""
        await asyncio.sleep(0.5)
        assert s.page.busy
        await asyncio.sleep(5)
        assert not s.page.busy
        assert s.conversation() == [("user", "done", "Hi"), ("assistant", "done", "Hello")]

    play(Stage(engine=ScriptedEngine([["Hel", 1.0, "lo", DONE]])), story)


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_draft_is_no_message(text: str) -> None:
    async def story(s: Stage) -> None:
        s.say(text)
        await asyncio.sleep(1)
        assert s.conversation() == []

    play(Stage(), story)


def test_one_question_at_a_time() -> None:
    async def story(s: Stage) -> None:
        s.say("one")
        await asyncio.sleep(0.5)
        s.say("two")
        s.app.try_again(2)
        await asyncio.sleep(5)
        assert s.page.text == "two"
        assert len(s.engine.requests) == 1

    play(Stage(engine=ScriptedEngine([["a", 1.0, DONE]])), story)


def test_stop_turns_the_button_back_at_once() -> None:
    async def story(s: Stage) -> None:
        s.say("Hi")
        await asyncio.sleep(0.5)
        s.app.stop()
        assert not s.page.busy
        assert s.conversation()[-1] == ("assistant", "stopped", "half")

    play(Stage(engine=ScriptedEngine([["half", 60.0, DONE]])), story)


def test_what_is_too_long_comes_back_as_the_draft() -> None:
    async def story(s: Stage) -> None:
        s.say("much too long")
        await asyncio.sleep(1)
        assert isinstance(s.page.notice, ContextOverflow)
        assert s.page.text == "much too long"
        assert s.conversation() == []
        s.app.dismiss()
        assert s.page.notice is None
        s.say("again too long")
        s.page.text = "typed meanwhile"
        await asyncio.sleep(1)
        assert s.page.text == "again too long\n\ntyped meanwhile"

    play(Stage(engine=ScriptedEngine([[ContextOverflow()], [ContextOverflow()]])), story)


def test_a_message_waits_for_the_model_and_is_sent_when_it_is_ready() -> None:
    async def story(s: Stage) -> None:
        s.app.not_now()
        s.say("Hi")
        assert isinstance(s.setup.state, Choosing)  # a model is what it needs
        assert s.page.text == "Hi"
        s.app.download()
        await asyncio.sleep(0.5)
        s.say("Hi there")
        assert s.page.notice == "waiting"
        await asyncio.sleep(10)
        assert s.page.notice is None
        assert s.conversation() == [("user", "done", "Hi there"), ("assistant", "done", "Hello")]

    play(Stage(installed=False, engine=ScriptedEngine([["Hello", DONE]])), story)


def test_a_waiting_message_can_be_called_back() -> None:
    async def story(s: Stage) -> None:
        s.app.download()
        await asyncio.sleep(0.5)
        s.say("Hi")
        s.app.dismiss()
        await asyncio.sleep(10)
        assert isinstance(s.setup.state, Ready)
        assert s.page.text == "Hi"
        assert s.conversation() == []

    play(Stage(installed=False), story)


def test_cancelling_the_download_calls_the_message_back() -> None:
    async def story(s: Stage) -> None:
        s.store.downloads = [[300, 60.0]]
        s.app.download()
        await asyncio.sleep(0.5)
        s.say("Hi")
        s.app.cancel_download()
        assert isinstance(s.setup.state, Declined)
        assert s.page.notice is None
        assert s.page.text == "Hi"
        s.app.choose()
        assert isinstance(s.setup.state, Choosing)

    play(Stage(installed=False), story)


def test_an_engine_that_failed_is_ready_again_and_answers_when_asked() -> None:
    async def story(s: Stage) -> None:
        s.say("Hi")
        await asyncio.sleep(0.1)
        assert s.conversation()[-1] == ("assistant", "error", "half")
        s.app.try_again(2)  # while the model is loaded again: waits for it
        await asyncio.sleep(10)
        assert s.conversation() == [("user", "done", "Hi"), ("assistant", "done", "whole")]
        assert s.engine.loaded == [WASM, WASM]

    play(Stage(engine=ScriptedEngine([["half", DeviceLost()], ["whole", DONE]])), story)


def test_try_again_without_a_model_says_so() -> None:
    async def story(s: Stage) -> None:
        s.app.try_again(1)
        await asyncio.sleep(1)
        assert isinstance(s.page.notice, NotLoaded)
        assert not s.page.busy

    play(Stage(installed=False), story)


def test_a_new_chat_is_empty() -> None:
    async def story(s: Stage) -> None:
        s.say("Hi")
        await asyncio.sleep(5)
        s.app.new_chat()
        assert s.conversation() == []
        assert s.page.notice is None

    play(Stage(engine=ScriptedEngine([["Hello", DONE]])), story)


def test_the_second_tab_takes_over_and_sends() -> None:
    async def story(s: Stage) -> None:
        assert isinstance(s.setup.state, Elsewhere)
        s.say("Hi")
        assert s.page.text == "Hi"
        await asyncio.sleep(10)
        assert s.conversation()[-1] == ("assistant", "done", "Hello")

    lock = {"page_lock": lambda p: [{"held": True}, Forever()] if p["steal"] else [{"held": False}]}
    play(Stage(engine=ScriptedEngine([["Hello", DONE]]), answers=lock), story)


def test_a_setup_that_failed_is_tried_again() -> None:
    async def story(s: Stage) -> None:
        s.transport.answers["page.read"] = transport().answers["page.read"]
        s.app.retry_setup()
        await asyncio.sleep(1)
        assert isinstance(s.setup.state, Choosing)

    play(Stage(installed=False, answers={"page_read": lambda _: [NetworkFailed()]}), story)


def test_the_last_conversation_is_there_again() -> None:
    async def story(s: Stage) -> None:
        assert s.conversation() == [("user", "done", "Hi"), ("assistant", "stopped", "half")]

    kept = Conversation().add(Entry(0, "user", "Hi")).add(Entry(0, "assistant", "half", "streaming"))
    play(Stage(answers={"page_get": lambda _: [{"value": dumps(kept)}]}), story)
