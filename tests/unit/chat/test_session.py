"""An answer grows, stops, fails and is asked for again; nothing of it is ever lost."""

from __future__ import annotations

import asyncio

import pytest

from pyapp.chat.session import Changed, Cut, Session, SessionEvent
from pyapp.engine import GenerateRequest, Message, ReasoningDelta
from pyapp.errors import ContextOverflow, DeviceLost, EmptyPrompt, EngineFailed
from tests.unit.chat.scripted import DONE, ORIGIN, USAGE, ScriptedEngine
from tests.unit.run import run


class Heard(list[SessionEvent]):
    """What the page would have been told."""

    def texts(self) -> list[str]:
        return [e.delta for e in self if isinstance(e, Changed) and e.delta is not None]


def session() -> tuple[Session, Heard]:
    heard = Heard()
    return Session(on_event=heard.append), heard


def states(s: Session) -> list[tuple[str, str, str]]:
    return [(e.role, e.state, e.text) for e in s.conversation.entries]


def test_an_answer_streams_and_settles_with_its_figures() -> None:
    s, heard = session()
    engine = ScriptedEngine([["Hel", ReasoningDelta("hm"), "lo", DONE]])
    run(s.ask("Hi", engine, ORIGIN))
    assert heard.texts() == ["Hel", "lo"]
    assert states(s) == [("user", "done", "Hi"), ("assistant", "done", "Hello")]
    answer = s.conversation.entries[-1]
    assert (answer.usage, answer.reason, answer.origin) == (USAGE, "stop", ORIGIN)
    assert engine.requests == [GenerateRequest((Message("user", "Hi"),), s.sampling, 1024)]
    assert not s.busy


def test_the_whole_conversation_is_asked() -> None:
    s, _ = session()
    engine = ScriptedEngine([["a", DONE], ["b", DONE]])
    run(s.ask("1", engine, ORIGIN))
    run(s.ask("2", engine, ORIGIN))
    assert [m.text for m in engine.requests[1].messages] == ["1", "a", "2"]


@pytest.mark.parametrize("text", ["", "  \n\t"])
def test_an_empty_prompt_is_refused_before_anything(text: str) -> None:
    s, heard = session()
    with pytest.raises(EmptyPrompt):
        run(s.ask(text, ScriptedEngine(), ORIGIN))
    assert heard == []


def test_a_request_that_cannot_be_done_leaves_the_conversation_as_it_was() -> None:
    s, heard = session()
    engine = ScriptedEngine([["ok", DONE], [ContextOverflow(prompt_tokens=9, context_tokens=8)]])
    run(s.ask("1", engine, ORIGIN))
    before = s.conversation.entries
    with pytest.raises(ContextOverflow):
        run(s.ask("too long", engine, ORIGIN))
    assert s.conversation.entries == before
    assert heard[-1] == Cut(3)
    assert not s.busy


@pytest.mark.parametrize("error", [DeviceLost("gone"), ValueError("a bug")])
def test_an_error_keeps_the_partial_answer(error: Exception) -> None:
    s, _ = session()
    engine = ScriptedEngine([["half", error]])
    run(s.ask("Hi", engine, ORIGIN))
    assert states(s)[-1] == ("assistant", "error", "half")
    expected = DeviceLost if isinstance(error, DeviceLost) else EngineFailed
    assert isinstance(s.conversation.entries[-1].error, expected)
    assert engine.closed == 1


def test_an_answer_without_an_end_is_not_left_streaming() -> None:
    s, _ = session()
    run(s.ask("Hi", ScriptedEngine([["half"]]), ORIGIN))
    assert states(s)[-1] == ("assistant", "error", "half")


def test_stop_settles_at_once_and_frees_the_engine() -> None:
    async def story() -> None:
        s, heard = session()
        engine = ScriptedEngine([["one ", 5.0, "two", DONE]])
        asking = asyncio.ensure_future(s.ask("Hi", engine, ORIGIN))
        await asyncio.sleep(1)
        assert s.busy
        s.stop()
        assert states(s)[-1] == ("assistant", "stopped", "one ")
        count = len(heard)
        s.stop()  # twice is once
        await asking
        assert len(heard) == count
        assert engine.closed == 1
        assert not s.busy
        s.stop()  # nothing runs

    run(story())


def test_what_is_still_on_its_way_after_stop_is_not_shown() -> None:
    s, _ = session()

    def stop_at_the_first_word(event: SessionEvent) -> None:
        if isinstance(event, Changed) and event.delta:
            s.stop()

    engine = ScriptedEngine([["one", "two", DONE]])
    s.on_event = stop_at_the_first_word
    run(s.ask("Hi", engine, ORIGIN))
    assert states(s)[-1] == ("assistant", "stopped", "one")


def test_try_again_answers_in_the_same_place() -> None:
    s, heard = session()
    engine = ScriptedEngine([["half", DeviceLost()], ["whole", DONE]])
    run(s.ask("Hi", engine, ORIGIN))
    run(s.try_again(2, engine, ORIGIN))
    assert states(s) == [("user", "done", "Hi"), ("assistant", "done", "whole")]
    assert Cut(2) in heard
    assert engine.requests[1].messages == (Message("user", "Hi"),)


def test_try_again_that_cannot_be_done_restores_what_was_there() -> None:
    s, heard = session()
    engine = ScriptedEngine([["half", DeviceLost()], [ContextOverflow()]])
    run(s.ask("Hi", engine, ORIGIN))
    before = s.conversation
    with pytest.raises(ContextOverflow):
        run(s.try_again(2, engine, ORIGIN))
    assert s.conversation == before
    assert heard[-1] == Changed(before.entries[-1])


def test_clear_stops_and_empties() -> None:
    async def story() -> None:
        s, heard = session()
        s.clear()  # nothing there
        assert heard == []
        asking = asyncio.ensure_future(s.ask("Hi", ScriptedEngine([["one", 5.0, "two", DONE]]), ORIGIN))
        await asyncio.sleep(1)
        s.clear()
        await asking
        assert s.conversation.entries == ()
        assert heard[-1] == Cut(1)

    run(story())


def test_cancelling_whoever_asks_stops_the_engine() -> None:
    async def story() -> None:
        s, _ = session()
        engine = ScriptedEngine([["one", 5.0, DONE]])
        asking = asyncio.ensure_future(s.ask("Hi", engine, ORIGIN))
        await asyncio.sleep(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.sleep(1)
        assert engine.closed == 1
        assert not s.busy
        assert states(s)[-1] == ("assistant", "stopped", "one")

    run(story())


def test_an_earlier_conversation_goes_on() -> None:
    earlier, _ = session()
    run(earlier.ask("1", ScriptedEngine([["a", DONE]]), ORIGIN))
    s, heard = session()
    s.restore(earlier.conversation)
    assert heard == [Changed(e) for e in earlier.conversation.entries]
    engine = ScriptedEngine([["b", DONE]])
    run(s.ask("2", engine, ORIGIN))
    assert [m.text for m in engine.requests[0].messages] == ["1", "a", "2"]
    s.restore(earlier.conversation)  # too late
    assert len(s.conversation.entries) == 4
