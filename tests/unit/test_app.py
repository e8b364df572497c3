"""What each thing the user does means, in every situation, against a scripted page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest

from pyapp.app import App
from pyapp.chat.attach import LONG_PASTE_CHARACTERS
from pyapp.chat.drafts import Draft
from pyapp.chat.library import Library
from pyapp.chat.session import Session
from pyapp.chat.tree import Attachment, Entry, Origin
from pyapp.engine import AnsweredBy
from pyapp.errors import (
    CloudFailed,
    CloudInterrupted,
    ContextOverflow,
    DeviceLost,
    InvalidRequest,
    NetworkFailed,
    NotLoaded,
    NotText,
    StorageFailed,
)
from pyapp.models.manifest import Company, ServerSource
from pyapp.openai.models import ServedModel
from pyapp.servers.address import parse
from pyapp.servers.served import described
from pyapp.setup.setup import Setup
from pyapp.setup.state import Choosing, Declined, Elsewhere, Ready
from tests.unit.chat.scripted import DONE, ScriptedEngine
from tests.unit.chat.tabs import Browser, PageWithTab
from tests.unit.run import run
from tests.unit.scripted_page import ScriptedPage
from tests.unit.setup.scripted import GPU, PROBE, WASM, WEBGPU, MemoryIntent, ScriptedStore, transport
from tests.unit.transport import Forever


@dataclass
class Stage:
    """An app with its page; `installed` decides where it starts."""

    installed: bool = True
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    answers: dict[str, Any] = field(default_factory=dict)
    browser: Browser = field(default_factory=Browser)

    def __post_init__(self) -> None:
        self.page = ScriptedPage()
        self.scripted = transport(**self.answers)
        self.tab = self.browser.tab()
        page = PageWithTab(self.tab, self.scripted)
        self.store = ScriptedStore(here=[WASM] if self.installed else [])
        self.setup = Setup(page, self.engine, self.store, MemoryIntent())
        ids = count(len(self.browser.tabs) * 1000)
        library = Library(page, new_id=lambda: f"{next(ids)}", now_ms=lambda: 0)
        session = Session(library.new(), library, lambda: f"{next(ids)}", lambda: 0, lambda _: None)
        self.app = App(self.page, self.setup, session, library)

    def entries(self) -> list[Entry]:
        return list(self.app.session.conversation.path())

    def conversation(self) -> list[tuple[str, str, str]]:
        return [(e.role, e.state, e.text) for e in self.entries()]

    def say(self, text: str, *attachments: Attachment) -> None:
        self.page.composer = Draft(text, attachments)
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
        assert s.page.composer.text == ""
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
        s.app.try_again(s.entries()[-1].id)
        await asyncio.sleep(5)
        assert s.page.composer.text == "two"
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
        assert s.page.composer.text == "much too long"
        assert s.conversation() == []
        s.app.dismiss()
        assert s.page.notice is None
        s.say("again too long")
        s.page.composer = Draft("typed meanwhile")
        await asyncio.sleep(1)
        assert s.page.composer.text == "again too long\n\ntyped meanwhile"

    play(Stage(engine=ScriptedEngine([[ContextOverflow()], [ContextOverflow()]])), story)


def test_a_message_waits_for_the_model_and_is_sent_when_it_is_ready() -> None:
    async def story(s: Stage) -> None:
        s.app.not_now()
        s.say("Hi")
        assert isinstance(s.setup.state, Choosing)  # a model is what it needs
        assert s.page.composer.text == "Hi"
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
        assert s.page.composer.text == "Hi"
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
        assert s.page.composer.text == "Hi"
        s.app.choose()
        assert isinstance(s.setup.state, Choosing)

    play(Stage(installed=False), story)


def test_an_engine_that_failed_is_ready_again_and_answers_when_asked() -> None:
    async def story(s: Stage) -> None:
        s.say("Hi")
        await asyncio.sleep(0.1)
        assert s.conversation()[-1] == ("assistant", "error", "half")
        s.app.try_again(s.entries()[-1].id)  # while the model is loaded again: waits for it
        await asyncio.sleep(10)
        assert s.conversation() == [("user", "done", "Hi"), ("assistant", "done", "whole")]
        assert s.engine.loaded == [WASM, WASM]

    play(Stage(engine=ScriptedEngine([["half", DeviceLost()], ["whole", DONE]])), story)


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
        assert s.page.composer.text == "Hi"
        await asyncio.sleep(10)
        assert s.conversation()[-1] == ("assistant", "done", "Hello")

    lock = {"page_lock": lambda p: [{"held": True}, Forever()] if p["steal"] else [{"held": False}]}
    play(Stage(engine=ScriptedEngine([["Hello", DONE]]), answers=lock), story)


def test_a_setup_that_failed_is_tried_again() -> None:
    async def story(s: Stage) -> None:
        s.scripted.answers["page.read"] = transport().answers["page.read"]
        s.app.retry_setup()
        await asyncio.sleep(1)
        assert isinstance(s.setup.state, Choosing)

    play(Stage(installed=False, answers={"page_read": lambda _: [NetworkFailed()]}), story)


def answered(*texts: str) -> ScriptedEngine:
    return ScriptedEngine([[text, DONE] for text in texts])


async def say(s: Stage, text: str) -> None:
    s.say(text)
    await asyncio.sleep(5)


def test_try_again_without_a_model_says_so() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Hi")
        s.setup.decline()
        s.app.try_again(s.entries()[-1].id)
        await asyncio.sleep(1)
        assert isinstance(s.page.notice, NotLoaded)
        assert not s.app.busy

    play(Stage(engine=ScriptedEngine([[DeviceLost()]], loads=[[], [DeviceLost()] * 9])), story)


def test_attachments_are_asked_with_the_text_or_without_any() -> None:
    async def story(s: Stage) -> None:
        s.say("", Attachment("a.txt", "words"))
        await asyncio.sleep(5)
        assert s.page.composer.empty
        assert "words" in s.engine.requests[0].messages[0].text
        s.say("More", Attachment("b.txt", "too much"))
        await asyncio.sleep(5)
        assert s.page.composer == Draft("More", (Attachment("b.txt", "too much"),))

    play(Stage(engine=ScriptedEngine([["Hello", DONE], [ContextOverflow()]])), story)


async def edit(s: Stage, entry_id: str, text: str) -> None:
    s.app.edit(entry_id)
    s.page.composer = replace(s.page.composer, text=text)
    s.app.draft_changed()
    s.app.send()
    await asyncio.sleep(5)


def test_a_message_in_other_words_is_a_branch() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Hi")
        question = s.entries()[0].id
        s.page.composer = Draft("meanwhile")
        s.app.draft_changed()
        s.app.edit("unknown")
        s.app.try_again("unknown")
        assert s.page.composer == Draft("meanwhile")
        await edit(s, question, "Ho")
        assert s.conversation() == [("user", "done", "Ho"), ("assistant", "done", "b")]
        assert s.page.composer == Draft("meanwhile")  # it was set aside
        s.app.switch(question)
        assert s.conversation()[1] == ("assistant", "done", "a")
        s.app.switch("unknown")
        await edit(s, question, "far too long")
        assert isinstance(s.page.notice, ContextOverflow)
        assert s.page.composer == Draft("far too long", (), question)  # an edit as it was
        assert s.conversation()[1] == ("assistant", "done", "a")
        s.app.cancel_edit()
        assert s.page.composer == Draft("meanwhile")
        s.app.cancel_edit()
        assert s.page.composer == Draft("meanwhile")

    play(Stage(engine=ScriptedEngine([["a", DONE], ["b", DONE], [ContextOverflow()]])), story)


def test_an_edit_of_a_message_that_is_gone_is_a_new_one() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Hi")
        question = s.entries()[0].id
        s.app.edit(question)
        s.app.delete(question)
        s.app.send()
        await asyncio.sleep(5)
        assert s.conversation() == [("user", "done", "Hi"), ("assistant", "done", "b")]

    play(Stage(engine=answered("a", "b")), story)


def test_the_last_message_is_edited_and_its_draft_is_not_the_chats() -> None:
    async def story(s: Stage) -> None:
        s.app.edit_last()
        assert s.page.composer.empty  # there is none yet
        await say(s, "Hi")
        s.app.edit_last()
        s.app.edit_last()  # what is set aside stays what it was
        assert s.page.composer == Draft("Hi", (), s.entries()[0].id)
        s.app.attach("a.txt", b"x")  # it is still an edit
        assert s.page.composer.replaces == s.entries()[0].id
        s.app.new_chat()
        assert s.page.composer == Draft()
        s.app.open_chat(s.app.library.latest().id)  # type: ignore[union-attr]
        await asyncio.sleep(1)
        assert s.page.composer == Draft()

    play(Stage(engine=answered("a")), story)


def test_a_message_too_long_after_more_was_typed_comes_before_it() -> None:
    async def story(s: Stage) -> None:
        s.say("much", Attachment("a.txt", "x"))
        s.page.composer = Draft("more", (Attachment("b.txt", "y"),))
        await asyncio.sleep(5)
        assert s.page.composer == Draft("much\n\nmore", (Attachment("a.txt", "x"), Attachment("b.txt", "y")))

    play(Stage(engine=ScriptedEngine([[0.5, ContextOverflow()]])), story)


def test_files_and_long_texts_are_attached() -> None:
    async def story(s: Stage) -> None:
        s.page.composer = Draft("words")
        s.app.attach("a.txt", b"text")
        s.app.attach("b.bin", b"\0")
        assert isinstance(s.page.notice, NotText)
        assert not s.app.paste("Pasted", "short")
        assert s.app.paste("Pasted", "x" * LONG_PASTE_CHARACTERS)
        assert [a.name for a in s.page.composer.attachments] == ["a.txt", "Pasted"]
        s.app.remove_attachment(0)
        s.app.remove_attachment(7)
        assert [a.name for a in s.page.composer.attachments] == ["Pasted"]
        assert s.page.composer.text == "words"

    play(Stage(), story)


def test_an_answer_beside_another_and_one_that_goes_on() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Hi")
        s.app.regenerate(s.entries()[-1].id)
        await asyncio.sleep(5)
        s.app.continue_(s.entries()[-1].id)
        await asyncio.sleep(5)
        assert s.conversation()[-1] == ("assistant", "done", "bc")
        assert len(s.app.session.conversation.siblings(s.entries()[-1].id)) == 2

    play(Stage(engine=answered("a", "b", "c")), story)


def test_stop_while_the_model_is_not_ready() -> None:
    async def story(s: Stage) -> None:
        s.say("Hi")
        await asyncio.sleep(0.1)
        s.app.regenerate(s.entries()[-1].id)  # the model is loaded again
        await asyncio.sleep(0.1)
        assert s.page.busy
        s.app.stop()
        await asyncio.sleep(0.1)
        assert not s.page.busy
        assert s.page.notice is None
        assert s.conversation()[-1][1] == "error"

    play(Stage(engine=ScriptedEngine([[DeviceLost()]])), story)


def test_a_message_that_goes_while_the_model_loads_is_not_answered() -> None:
    async def story(s: Stage) -> None:
        s.say("Hi")
        await asyncio.sleep(0.1)
        s.app.try_again(s.entries()[-1].id)  # the model is loaded again
        s.app.new_chat()
        await asyncio.sleep(10)
        assert isinstance(s.page.notice, InvalidRequest)
        assert s.conversation() == []

    play(Stage(engine=ScriptedEngine([["half", DeviceLost()]])), story)


def with_own_model(s: Stage, key: str) -> None:
    chat = s.app.session.conversation.chat
    s.app.session.follow(replace(chat, settings={"model_key": key}))


def two_variants(*scripts: Any) -> Stage:
    """The model is here in both variants; the graphics card's is loaded."""
    stage = Stage(engine=ScriptedEngine(list(scripts)))
    stage.scripted.answers["transformers_js.probe"] = lambda _: [PROBE | {"webgpu": GPU}]
    stage.store.here.insert(0, WEBGPU)
    return stage


def test_a_chat_with_a_model_of_its_own_is_answered_by_it() -> None:
    async def story(s: Stage) -> None:
        with_own_model(s, "tiny/wasm")
        await say(s, "Hi")
        s.app.new_chat()
        await say(s, "Ho")
        assert s.engine.loaded == [WEBGPU, WASM, WEBGPU]
        assert s.conversation() == [("user", "done", "Ho"), ("assistant", "done", "b")]

    play(two_variants(["a", DONE], ["b", DONE]), story)


@pytest.mark.parametrize("leave", [App.stop, App.new_chat], ids=["stopped", "another chat"])
def test_what_waits_for_its_chats_model_stays_with_the_chat(leave: Callable[[App], None]) -> None:
    async def story(s: Stage) -> None:
        await say(s, "First")
        chat = s.app.open_id
        with_own_model(s, "tiny/wasm")
        s.say("Hi")
        await asyncio.sleep(0.5)
        assert s.page.busy
        leave(s.app)
        await asyncio.sleep(5)
        assert not s.page.busy
        assert len(s.engine.requests) == 1
        s.app.open_chat(chat)
        await asyncio.sleep(1)
        assert s.page.composer.text == "Hi"

    play(two_variants(["a", DONE]), story)


def test_what_waits_outlives_the_page() -> None:
    async def story(s: Stage) -> None:
        await say(s, "First")
        chat = s.app.open_id
        with_own_model(s, "tiny/wasm")
        s.say("Hi")
        await asyncio.sleep(0.1)
        s.page.composer = Draft("Later")
        s.app.draft_changed()
        assert s.app.library.drafts.get(chat) == "Hi\n\nLater"
        await asyncio.sleep(10)
        assert s.conversation()[-1] == ("assistant", "done", "b")
        assert s.app.library.drafts.get(chat) == "Later"

    play(two_variants(["a", DONE], ["b", DONE]), story)


def test_a_deleted_message_comes_back() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Hi")
        before = s.conversation()
        s.app.delete("unknown")
        s.app.delete(s.entries()[0].id)
        assert s.conversation() == []
        s.app.undelete()
        assert s.conversation() == before
        s.app.undelete()  # once

    play(Stage(engine=answered("a")), story)


def test_chats_are_opened_renamed_pinned_deleted_and_brought_back() -> None:
    async def story(s: Stage) -> None:
        await say(s, "First")
        first = s.app.session.conversation.chat.id
        s.app.new_chat()
        await say(s, "Second")
        s.app.rename_chat(first, "One")
        s.app.pin_chat(first, True)
        assert [(c.title, c.pinned) for g in s.app.library.groups() for c in g.chats] == [
            ("One", True),
            ("Second", False),
        ]
        answer = s.entries()[-1].id
        s.app.open_chat(first, s.entries()[0].id)
        await asyncio.sleep(1)
        assert s.conversation()[0] == ("user", "done", "First")
        s.app.open_chat(first, s.entries()[0].id)  # a found message in the open chat
        await asyncio.sleep(1)
        assert s.page.scrolled_to == s.entries()[0].id
        s.app.open_chat("unknown")
        await asyncio.sleep(1)
        assert s.conversation()[0] == ("user", "done", "First")
        s.app.delete_chat(first)
        assert s.conversation() == []
        s.app.new_chat()  # it is one
        s.app.undelete_chat(first)
        await asyncio.sleep(1)
        assert s.conversation()[0] == ("user", "done", "First")
        second = next(c.id for c in s.app.library.chats.values() if c.title == "Second")
        s.app.delete_chat(second)
        assert s.conversation()[0] == ("user", "done", "First")
        assert answer not in s.app.session.conversation.entries

    play(Stage(engine=answered("a", "b")), story)


def test_every_chat_has_its_own_draft() -> None:
    async def story(s: Stage) -> None:
        await say(s, "First")
        first = s.app.session.conversation.chat.id
        s.page.composer = Draft("to the first")
        s.app.draft_changed()
        s.app.new_chat()
        assert s.page.composer.empty
        s.page.composer = Draft("to the new one")
        s.app.open_chat(first)
        await asyncio.sleep(2)
        assert s.page.composer.text == "to the first"
        s.app.new_chat()
        assert s.page.composer.text == "to the new one"
        again = Stage(browser=s.browser)
        again.app.start()
        await asyncio.sleep(5)
        assert again.page.composer.text == "to the first"
        early = Stage(browser=s.browser)
        early.page.composer = Draft("typed early")
        early.app.start()
        await asyncio.sleep(5)
        assert early.page.composer.text == "typed early"

    play(Stage(engine=answered("a")), story)


def test_the_chat_that_was_changed_last_is_there_again() -> None:
    async def story(s: Stage) -> None:
        s.say("Hi")
        await asyncio.sleep(2)
        again = Stage(browser=s.browser)
        again.app.start()
        await asyncio.sleep(5)
        assert again.conversation() == [("user", "done", "Hi"), ("assistant", "stopped", "half")]

    play(Stage(engine=ScriptedEngine([["half", 60.0, DONE]])), story)


def test_who_has_begun_a_chat_before_the_database_answers_stays_in_it() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Old")
        slow = Browser(delay=lambda: 3.0, stores=s.browser.stores)
        early = Stage(browser=slow, engine=answered("b"))
        early.app.start()
        await asyncio.sleep(4)
        early.say("New")
        await asyncio.sleep(30)
        assert early.conversation()[0] == ("user", "done", "New")

    play(Stage(engine=answered("a")), story)


def test_another_tab_is_followed() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Hi")
        other = Stage(browser=s.browser, engine=answered("b"))
        other.app.start()
        await asyncio.sleep(5)
        await say(other, "And?")
        assert s.conversation() == other.conversation()
        chat_id = s.app.session.conversation.chat.id
        other.app.delete_chat(chat_id)
        await asyncio.sleep(1)
        assert s.conversation() == []  # it is gone here too
        other.app.undelete_chat(chat_id)
        await asyncio.sleep(1)
        s.app.open_chat(chat_id)
        await asyncio.sleep(1)
        assert s.conversation() == other.conversation()

    play(Stage(engine=answered("a")), story)


def test_a_chat_that_is_answered_in_is_not_deleted_elsewhere() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Hi")
        other = Stage(browser=s.browser)
        other.app.start()
        await asyncio.sleep(5)
        s.say("And?")
        await asyncio.sleep(1)
        other.app.delete_chat(s.app.session.conversation.chat.id)
        await asyncio.sleep(60)
        assert len(s.conversation()) == 4
        assert other.app.library.groups()

    play(Stage(engine=ScriptedEngine([["a", DONE], ["b", 50.0, DONE]])), story)


def test_everything_deleted_elsewhere_is_gone_here() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Hi")
        other = Stage(browser=s.browser)
        other.app.start()
        await asyncio.sleep(5)
        await other.app.library.clear()
        await asyncio.sleep(1)
        assert s.conversation() == other.conversation() == []
        assert not any(s.browser.stores.values())

    play(Stage(engine=answered("a")), story)


def test_a_database_that_was_deleted_gets_the_open_chat_again() -> None:
    async def story(s: Stage) -> None:
        await say(s, "Hi")
        for rows in s.browser.stores.values():
            rows.clear()
        await say(s, "Again")
        assert [row["text"] for row in s.browser.rows("messages")].count("Hi") == 1
        assert len(s.browser.rows("messages")) == 4
        assert s.page.notice == "vanished"

    play(Stage(engine=answered("a", "b")), story)


def test_without_a_database_it_is_said_once_and_everything_works() -> None:
    async def story(s: Stage) -> None:
        assert s.page.notice == "not_kept"
        s.app.dismiss()
        await say(s, "Hi")
        assert s.conversation()[-1] == ("assistant", "done", "a")
        assert s.page.notice is None
        s.tab.trouble = None
        await say(s, "Again")
        assert s.page.notice is None
        assert len(s.browser.rows("messages")) == 4  # all of it, also what could not be written before

    stage = Stage(engine=answered("a", "b"))
    stage.tab.trouble = StorageFailed()
    play(stage, story)


OWN, SERVER = described(parse("localhost:8080"), ServedModel("small"))
CLOUD = replace(
    OWN, id="cloud", title="Acme AI", source=ServerSource("https://a.test/v1", "auto", (Company("a", "Acme AI"),))
)


def test_who_answered_is_kept_also_of_an_answer_that_is_broken_off() -> None:
    async def story(s: Stage) -> None:
        s.app.use_model(OWN, SERVER)
        await asyncio.sleep(5)
        await say(s, "Hi")
        assert s.entries()[-1].origin == Origin("small", "server", "openai_http", "localhost:8080")
        s.app.use_model(CLOUD, SERVER)
        await asyncio.sleep(5)
        await say(s, "Ho")
        assert s.entries()[-1].origin == Origin("auto", "server", "openai_http", "a.test", "Acme AI")
        await say(s, "Ha")
        assert s.conversation()[-1] == ("assistant", "error", "half")
        assert s.entries()[-1].origin == Origin("large", "server", "openai_http", "a.test", "A")
        assert s.engine.loaded == [WASM, SERVER, SERVER]  # nothing of the cloud is loaded again

    scripts: list[Any] = [["a", DONE], [CloudFailed()], [AnsweredBy("A", "large"), "half", CloudInterrupted()]]
    play(Stage(engine=ScriptedEngine(scripts)), story)


def test_this_device_answers_what_the_cloud_did_not() -> None:
    async def story(s: Stage) -> None:
        s.app.use_model(CLOUD, SERVER)
        await asyncio.sleep(5)
        s.say("Hi")
        await asyncio.sleep(0.5)
        s.app.use_device(s.entries()[-1].id)  # not while it answers
        await asyncio.sleep(5)
        s.app.use_device(s.entries()[-1].id)
        await asyncio.sleep(10)
        assert s.conversation() == [("user", "done", "Hi"), ("assistant", "done", "here")]
        assert s.setup.chosen.get() is None
        assert len(s.app.session.conversation.entries) == 3  # what had come is a branch

    play(Stage(engine=ScriptedEngine([["half", 1.0, CloudInterrupted()], ["here", DONE]])), story)


@pytest.mark.parametrize("agrees", [True, False])
def test_where_nothing_is_installed_it_is_offered_and_then_answers(agrees: bool) -> None:
    async def story(s: Stage) -> None:
        s.app.use_model(CLOUD, SERVER)
        await asyncio.sleep(5)
        await say(s, "Hi")
        s.app.use_device(s.entries()[-1].id)
        await asyncio.sleep(1)
        assert isinstance(s.setup.state, Choosing)
        if not agrees:
            s.app.not_now()
            s.app.choose()
        s.app.download()
        await asyncio.sleep(10)
        assert s.conversation()[-1][1:] == (("done", "here") if agrees else ("error", ""))

    play(Stage(installed=False, engine=ScriptedEngine([[CloudFailed()], ["here", DONE]])), story)


def test_a_cloud_that_is_switched_off_is_not_asked() -> None:
    async def story(s: Stage) -> None:
        s.app.use_model(CLOUD, SERVER)
        await asyncio.sleep(5)
        s.app.withdraw_model(CLOUD, SERVER)
        await asyncio.sleep(5)
        assert s.setup.state == Ready(s.setup.state.model, WASM)  # type: ignore[union-attr]
        assert s.setup.catalog
        assert s.setup.catalog.served == ()

    play(Stage(), story)


def test_what_is_switched_off_before_the_device_was_looked_at_or_in_a_second_tab() -> None:
    stage = Stage(answers={"page_lock": lambda _: [{"held": False}, Forever()]})
    run(stage.setup.withdraw(CLOUD, SERVER))
    assert stage.setup.catalog is None

    async def story(s: Stage) -> None:
        assert isinstance(s.setup.state, Elsewhere)
        s.app.use_device()
        await asyncio.sleep(1)
        assert isinstance(s.setup.state, Elsewhere)

    play(Stage(answers={"page_lock": lambda _: [{"held": False}, Forever()]}), story)
