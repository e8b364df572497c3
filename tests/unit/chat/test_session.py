"""An answer grows, stops, fails and is asked for again; nothing of it is ever lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count

import pytest

from pyapp.chat.session import Answerer, Session
from pyapp.chat.shown import Changed, Cut, Opened, SessionEvent
from pyapp.chat.tree import Attachment, Conversation, Entry
from pyapp.engine import GenerateRequest, Message, ReasoningDelta, Sampling
from pyapp.errors import ContextOverflow, DeviceLost, EmptyPrompt, EngineFailed, InvalidRequest
from tests.unit.chat.made import MemoryShelf, chat, entry
from tests.unit.chat.scripted import DONE, ORIGIN, USAGE, ScriptedEngine, by, requests
from tests.unit.run import run


class Heard(list[SessionEvent]):
    """What the page would have been told."""

    def texts(self) -> list[str]:
        return [e.delta for e in self if isinstance(e, Changed) and e.delta is not None]


class Stage:
    """A session over a shelf in memory; what is kept must be what is shown, at the end of every test."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.shelf = MemoryShelf()
        self.clock = 0
        ids = count(1)
        self.s = Session(
            Conversation(chat()), self.shelf, lambda: str(next(ids)), lambda: self.clock, self.heard.append
        )

    def states(self) -> list[tuple[str, str, str]]:
        return [(e.role, e.state, e.text) for e in self.s.conversation.path()]

    def last(self) -> Entry:
        return self.s.conversation.path()[-1]

    def check(self) -> None:
        assert self.shelf.entries == dict(self.s.conversation.entries)
        if self.shelf.chats:
            assert self.shelf.chats["c"] == self.s.conversation.chat


def test_an_answer_streams_and_settles_with_its_figures() -> None:
    stage = Stage()
    answerer = by(["Hel", ReasoningDelta("hm"), "lo", DONE])
    run(stage.s.ask("Hi", answerer))
    assert stage.heard.texts() == ["Hel", "lo"]
    assert stage.states() == [("user", "done", "Hi"), ("assistant", "done", "Hello")]
    assert (stage.last().usage, stage.last().reason, stage.last().origin) == (USAGE, "stop", ORIGIN)
    assert requests(answerer) == [GenerateRequest((Message("user", "Hi"),), Sampling(), 1024)]
    assert stage.s.conversation.chat.title == "Hi"
    assert not stage.s.busy
    stage.check()


def test_the_whole_conversation_is_asked() -> None:
    stage = Stage()
    answerer = by(["a", DONE], ["b", DONE])
    run(stage.s.ask("1", answerer))
    run(stage.s.ask("2", answerer))
    assert [m.text for m in requests(answerer)[1].messages] == ["1", "a", "2"]
    assert stage.s.conversation.chat.title == "1"
    stage.check()


@pytest.mark.parametrize("text", ["", "  \n\t"])
def test_an_empty_prompt_is_refused_before_anything(text: str) -> None:
    stage = Stage()
    with pytest.raises(EmptyPrompt):
        run(stage.s.ask(text, by()))
    assert stage.heard == []
    assert stage.shelf.chats == {}


def test_an_attachment_is_enough_and_names_the_chat() -> None:
    stage = Stage()
    answerer = by(["a", DONE])
    run(stage.s.ask("", answerer, (Attachment("notes.txt", "one\n"),)))
    assert requests(answerer)[0].messages[0].text == "File: notes.txt\n```\none\n```"
    assert stage.s.conversation.chat.title == "notes.txt"


def test_a_request_that_cannot_be_done_leaves_the_conversation_as_it_was() -> None:
    stage = Stage()
    run(stage.s.ask("1", by(["ok", DONE])))
    before = stage.s.conversation
    with pytest.raises(ContextOverflow):
        run(stage.s.ask("too long", by([ContextOverflow(prompt_tokens=9, context_tokens=8)])))
    assert stage.s.conversation.entries == before.entries
    assert stage.s.conversation.chat == before.chat
    assert isinstance(stage.heard[-1], Cut)
    assert not stage.s.busy
    stage.check()


def test_a_first_question_that_is_refused_leaves_no_title() -> None:
    stage = Stage()
    with pytest.raises(ContextOverflow):
        run(stage.s.ask("too long", by([ContextOverflow()])))
    assert (stage.s.conversation.chat.title, stage.s.conversation.chat.head) == ("", None)
    stage.check()


@pytest.mark.parametrize("error", [DeviceLost("gone"), ValueError("a bug")])
def test_an_error_keeps_the_partial_answer(error: Exception) -> None:
    stage = Stage()
    engine = ScriptedEngine([["half", error]])
    run(stage.s.ask("Hi", Answerer(engine, ORIGIN)))
    assert stage.states()[-1] == ("assistant", "error", "half")
    assert isinstance(stage.last().error, DeviceLost if isinstance(error, DeviceLost) else EngineFailed)
    assert engine.closed == 1
    stage.check()


def test_an_answer_without_an_end_is_not_left_streaming() -> None:
    stage = Stage()
    run(stage.s.ask("Hi", by(["half"])))
    assert stage.states()[-1] == ("assistant", "error", "half")


def test_stop_settles_at_once_and_frees_the_engine() -> None:
    async def story() -> None:
        stage = Stage()
        engine = ScriptedEngine([["one ", 5.0, "two", DONE]])
        asking = asyncio.ensure_future(stage.s.ask("Hi", Answerer(engine, ORIGIN)))
        await asyncio.sleep(1)
        assert stage.s.busy
        with pytest.raises(InvalidRequest):
            await stage.s.regenerate(stage.last().id, by())
        stage.s.switch(stage.last().id)  # not now
        stage.s.stop()
        assert stage.states()[-1] == ("assistant", "stopped", "one ")
        told = len(stage.heard)
        stage.s.stop()  # twice is once
        await asking
        assert len(stage.heard) == told
        assert engine.closed == 1
        assert not stage.s.busy
        stage.s.stop()  # nothing runs
        stage.check()

    run(story())


@pytest.mark.parametrize("then", ["two", DONE, DeviceLost(), ContextOverflow()])
def test_what_is_still_on_its_way_after_stop_is_not_shown(then: object) -> None:
    stage = Stage()

    def stop_at_the_first_word(event: SessionEvent) -> None:
        if isinstance(event, Changed) and event.delta:
            stage.s.stop()

    stage.s.on_event = stop_at_the_first_word
    run(stage.s.ask("Hi", by(["one", then, DONE])))  # type: ignore[list-item]
    assert stage.states()[-1] == ("assistant", "stopped", "one")


def test_an_answer_goes_on_where_it_was_stopped() -> None:
    stage = Stage()
    answerer = by(["one ", DeviceLost()], ["two", DONE])
    run(stage.s.ask("Hi", answerer))
    run(stage.s.continue_(stage.last().id, answerer))
    assert stage.states() == [("user", "done", "Hi"), ("assistant", "done", "one two")]
    assert len(stage.s.conversation.entries) == 2
    request = requests(answerer)[1]
    assert request.continue_last
    assert [m.text for m in request.messages] == ["Hi", "one "]
    stage.check()


def test_an_answer_without_words_begins_anew() -> None:
    stage = Stage()
    answerer = by([DeviceLost()], ["whole", DONE])
    run(stage.s.ask("Hi", answerer))
    run(stage.s.continue_(stage.last().id, answerer))
    assert stage.states() == [("user", "done", "Hi"), ("assistant", "done", "whole")]
    assert not requests(answerer)[1].continue_last


def test_what_follows_an_answer_or_is_another_tabs_stays_beside_its_continuation() -> None:
    stage = Stage()
    answerer = by(["a", DONE], ["b", DONE], ["c", DONE], ["d", DONE])
    run(stage.s.ask("1", answerer))
    first = stage.last()
    run(stage.s.ask("2", answerer))
    run(stage.s.continue_(first.id, answerer))
    assert stage.states() == [("user", "done", "1"), ("assistant", "done", "ac")]
    assert stage.s.conversation.siblings(first.id) == (first.id, stage.last().id)
    theirs = entry("theirs", stage.s.conversation.path()[0].id, at=99, role="assistant", text="x")
    stage.shelf.keep(theirs)
    stage.s.follow(replace(stage.s.conversation.chat, head="theirs"), [theirs])
    run(stage.s.continue_("theirs", answerer))
    assert len(stage.s.conversation.siblings("theirs")) == 4
    assert {e.id: e for e in stage.s.conversation.entries.values()} == stage.shelf.entries


def test_a_continuation_that_is_refused_restores_what_was_there() -> None:
    stage = Stage()
    run(stage.s.ask("Hi", by(["half", DeviceLost()])))
    before = stage.s.conversation
    with pytest.raises(ContextOverflow):
        run(stage.s.continue_(stage.last().id, by([ContextOverflow()])))
    assert stage.s.conversation.entries == before.entries
    assert stage.s.conversation.chat.head == before.chat.head
    stage.check()


def test_another_answer_and_other_words_are_branches() -> None:
    stage = Stage()
    answerer = by(["a", DONE], ["b", DONE], ["c", DONE], ["d", DONE])
    run(stage.s.ask("1", answerer, (Attachment("f", "x"),)))
    question, first = stage.s.conversation.path()
    run(stage.s.regenerate(first.id, answerer))
    assert stage.s.conversation.siblings(first.id) == (first.id, stage.last().id)
    run(stage.s.regenerate(question.id, answerer))
    assert len(stage.s.conversation.siblings(first.id)) == 3
    run(stage.s.edit(question.id, "one", answerer, question.attachments))
    assert stage.states() == [("user", "done", "one"), ("assistant", "done", "d")]
    assert stage.s.conversation.path()[0].attachments == question.attachments
    stage.s.switch(question.id)
    assert stage.states()[-1] == ("assistant", "done", "c")
    stage.check()


def test_deleting_stops_and_can_be_undone() -> None:
    async def story() -> None:
        stage = Stage()
        asking = asyncio.ensure_future(stage.s.ask("Hi", by(["one", 5.0, "two", DONE])))
        await asyncio.sleep(1)
        removed = stage.s.delete(stage.s.conversation.path()[0].id)
        await asking
        assert stage.states() == []
        stage.check()
        stage.s.undelete(removed)
        assert stage.states()[-1] == ("assistant", "stopped", "one")
        stage.check()
        stage.s.open(Conversation(chat("other")))
        stage.s.undelete(removed)  # its chat is not shown any more
        assert stage.states() == []
        assert isinstance(stage.heard[-1], Opened)

    run(story())


def test_what_comes_back_although_another_tab_took_away_what_was_above_it() -> None:
    stage = Stage()
    run(stage.s.ask("1", by(["a", DONE])))
    question, answer = stage.s.conversation.path()
    removed = stage.s.delete(answer.id)
    stage.s.follow(stage.s.conversation.chat, gone=[question.id])
    stage.s.undelete(removed)
    assert stage.states() == [("assistant", "done", "a")]


def test_a_refusal_after_another_chat_was_opened_changes_nothing_there() -> None:
    stage = Stage()

    def open_another(event: SessionEvent) -> None:
        if isinstance(event, Changed) and event.delta:
            stage.s.open(Conversation(chat("other")))

    stage.s.on_event = open_another
    run(stage.s.ask("Hi", by(["one", ContextOverflow()])))
    assert stage.s.conversation == Conversation(chat("other"))


def test_cancelling_whoever_asks_stops_the_engine() -> None:
    async def story() -> None:
        stage = Stage()
        engine = ScriptedEngine([["one", 5.0, DONE]])
        asking = asyncio.ensure_future(stage.s.ask("Hi", Answerer(engine, ORIGIN)))
        await asyncio.sleep(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.sleep(1)
        assert engine.closed == 1
        assert not stage.s.busy
        assert stage.states()[-1] == ("assistant", "stopped", "one")

    run(story())


def test_another_tab_is_followed_but_the_answer_that_grows_here_is_not_touched() -> None:
    async def story() -> None:
        stage = Stage()
        asking = asyncio.ensure_future(stage.s.ask("Hi", by(["one", 5.0, " two", DONE])))
        await asyncio.sleep(1)
        mine = stage.last()
        theirs = entry("theirs", None, at=1)
        changed = replace(stage.s.conversation.chat, title="Renamed", head="theirs")
        stage.s.follow(changed, [theirs, replace(mine, text="stale")], [mine.id, "unknown"])
        assert stage.states()[-1] == ("assistant", "streaming", "one")
        assert stage.s.conversation.chat.title == "Renamed"
        await asking
        assert stage.states()[-1] == ("assistant", "done", "one two")
        stage.s.follow(changed, gone=[mine.id])
        assert mine.id not in stage.s.conversation.entries
        assert stage.s.conversation.chat.head == "theirs"

    run(story())


def test_an_answer_of_a_tab_that_is_gone_grows_no_more() -> None:
    async def story() -> None:
        stage = Stage()
        asking = asyncio.ensure_future(stage.s.ask("Hi", by(["one", 5.0, " two", DONE])))
        await asyncio.sleep(1)
        question, mine = stage.s.conversation.path()
        theirs = replace(mine, id="theirs", text="half")
        stage.s.follow(stage.s.conversation.chat, [theirs])
        stage.s.end_abandoned()
        assert stage.s.conversation.entries["theirs"].state == "stopped"
        assert stage.s.conversation.entries[mine.id].state == "streaming"
        await asking
        assert question.id in stage.s.conversation.entries

    run(story())


def test_a_clock_that_was_set_back_does_not_reorder_a_conversation() -> None:
    stage = Stage()
    stage.clock = 5000
    run(stage.s.ask("1", by(["a", DONE])))
    stage.clock = 10
    run(stage.s.ask("2", by(["b", DONE])))
    times = [e.created_ms for e in stage.s.conversation.path()]
    assert times == sorted(set(times))
    assert stage.s.conversation.chat.updated_ms >= times[-1]
