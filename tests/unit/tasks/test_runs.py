"""What is begun goes on, whatever happens to it: paused, failed, moved, changed, read in another tab."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pyapp.chat.tree import Origin
from pyapp.engine import AnsweredBy
from pyapp.errors import BadInput, EngineBusy, EngineFailed, NotLoaded, RunElsewhere, StorageFailed
from pyapp.tasks.records import Kept, Run
from pyapp.tasks.runs import SURE_MS, UNDO_S, Live
from pyapp.tasks.task import Action, Step
from tests.unit.tasks.scripted_task import ScriptedTask
from tests.unit.tasks.stage import ORIGIN, USAGE, Stage, play

PARTS = ["Said of part 1.", "Said of part 2.", "Said of part 3."]


def test_a_run_comes_to_its_end() -> None:
    async def story(s: Stage) -> None:
        await s.runs.start()
        run_id = await s.begin()
        assert s.run(run_id).title == "Lamps"
        run = await s.until(run_id, "done")
        assert s.texts(run_id) == PARTS
        assert (run.fraction, run.by, run.usage.new_tokens) == (1.0, (ORIGIN,), 3 * USAGE.new_tokens)
        assert 9_000 <= run.worked_ms <= 15_000
        assert s.route.answers == 1
        assert s.live(run_id).job is None
        await s.runs.shelf.settled()
        assert s.browser.rows("runs")[0]["status"] == "done"
        assert s.runs.listed() == [run]

    play(story)


def test_what_cannot_be_begun_leaves_nothing() -> None:
    async def story(s: Stage) -> None:
        with pytest.raises(BadInput):
            await s.begin(topic="forbidden")
        assert s.runs.listed() == []

    play(story)


def test_paused_and_gone_on_with() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        await s.asked(2)
        await asyncio.sleep(1.5)
        assert s.state(run_id, shown=True)["parts"][1]["text"] == "Said"
        s.runs.pause(run_id)
        assert s.run(run_id).status == "paused"
        assert s.state(run_id, shown=True)["parts"] == s.state(run_id)["parts"]
        await asyncio.sleep(5)
        assert s.engine.running == 0
        assert s.run(run_id).fraction == pytest.approx(1 / 3)
        s.runs.pause(run_id)  # nothing works: nothing to pause
        s.runs.resume(run_id)
        s.runs.resume(run_id)  # it does already
        await s.until(run_id, "done")
        assert s.texts(run_id) == PARTS
        assert s.engine.asked == ["part 1", "part 2", "part 2", "part 3"]

    play(story)


def test_paused_and_at_once_gone_on_with() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        await asyncio.sleep(2)
        s.runs.choose(run_id, "other")
        assert (await s.until(run_id, "done")).error is None
        assert s.texts(run_id) == PARTS
        assert s.route.chosen == ["", "other"]
        assert s.engine.most_running == 1

    play(story)


def test_after_a_reload_it_is_paused_and_goes_on_from_what_was_settled() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        await s.asked(3)
        await asyncio.sleep(2)
        for job in asyncio.all_tasks() - {asyncio.current_task()}:  # the page is gone
            job.cancel()
        s.locks.held.clear()
        again = Stage(s)
        await again.runs.start()
        await asyncio.sleep(1)
        assert again.run(run_id).status == "paused"
        await again.runs.open(run_id)
        again.runs.resume(run_id)
        await again.until(run_id, "done")
        assert again.texts(run_id) == PARTS
        assert again.engine.asked == ["part 3"]

    play(story)


def test_one_works_and_the_others_wait_their_turn() -> None:
    async def story(s: Stage) -> None:
        first, second = await s.begin(), await s.begin(topic="Shades")
        await asyncio.sleep(2)
        assert (s.live(first).waits, s.live(second).waits) == (False, True)
        s.runs.close(second)  # nobody looks at it: it still waits
        await s.until(first, "done")
        await s.until(second, "done")
        assert s.engine.most_running == 1
        assert [run.id for run in s.runs.listed()] == [second, first]
        s.runs.close(second)
        assert second not in s.runs.live
        s.runs.close("nothing")

    play(story)


def test_one_that_waits_can_be_paused() -> None:
    async def story(s: Stage) -> None:
        first, second = await s.begin(), await s.begin()
        await asyncio.sleep(2)
        s.runs.pause(second)
        await s.until(first, "done")
        assert (s.run(second).status, s.live(second).waits) == ("paused", False)

    play(story)


def test_a_failure_is_tried_again_once_and_then_keeps_what_there_is() -> None:
    async def story(s: Stage) -> None:
        s.engine.fails = [None, EngineFailed("one"), None, EngineFailed("two"), EngineFailed("three")]
        run_id = await s.begin()
        run = await s.until(run_id, "failed")
        assert isinstance(run.error, EngineFailed)
        assert [error.message for error in s.route.failures] == ["one", "two", "three"]
        assert s.texts(run_id) == PARTS[:2]
        s.runs.resume(run_id)
        run = await s.until(run_id, "done")
        assert (run.error, s.texts(run_id)) == (None, PARTS)

    play(story)


def test_where_nobody_can_do_it_that_is_said() -> None:
    async def story(s: Stage) -> None:
        s.route.trouble = NotLoaded()
        run_id = await s.begin()
        assert isinstance((await s.until(run_id, "failed")).error, NotLoaded)
        assert s.route.failures == []
        s.route.trouble = EngineBusy()
        s.runs.resume(run_id)
        await asyncio.sleep(1)
        assert isinstance((await s.until(run_id, "failed")).error, EngineBusy)

    play(story)


def test_a_mistake_in_a_task_is_no_end_of_the_page() -> None:
    class Mistaken(ScriptedTask):
        async def title(self, given: object, state: object) -> str:
            if state:
                raise ZeroDivisionError
            return "Lamps"

    async def story(s: Stage) -> None:
        s.tasks.add(Mistaken())
        run_id = await s.begin()
        error = (await s.until(run_id, "failed")).error
        assert isinstance(error, EngineFailed)
        assert error.message == "ZeroDivisionError"

    play(story)


def test_a_task_that_is_gone() -> None:
    async def story(s: Stage) -> None:
        s.runs.add(Kept(Run("r", "gone", "Old", 1, 1), {}))
        await s.runs.open("r")
        s.runs.resume("r")
        assert isinstance((await s.until("r", "failed")).error, BadInput)

    play(story)


def test_when_the_engine_leaves_the_step_begins_again() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        idle = await s.begin()
        s.runs.pause(idle)
        await s.asked(2)
        await asyncio.sleep(1.5)
        s.runs.engine_left(s.engine)
        await s.until(run_id, "done")
        assert s.texts(run_id) == PARTS
        assert s.engine.asked == ["part 1", "part 2", "part 2", "part 3"]
        assert s.route.failures == []

    play(story)


def test_an_edit_needs_no_engine() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        await s.until(run_id, "done")
        s.runs.act(run_id, Action("rename", "", "Lights"))
        await asyncio.sleep(1)
        assert (s.run(run_id).title, s.run(run_id).status) == ("Lights", "done")
        assert len(s.engine.asked) == 3
        s.runs.act(run_id, Action("rename", "", " "))
        await asyncio.sleep(1)
        assert isinstance(s.live(run_id).refused, BadInput)
        assert s.run(run_id).status == "done"
        s.runs.act(run_id, Action("answer", "0", "1"))
        await asyncio.sleep(1)
        assert s.live(run_id).refused is None
        assert s.state(run_id)["parts"][0]["chosen"] == 1
        s.runs.act("nothing", Action("answer"))

    play(story)


def test_a_part_made_again_leaves_a_run_as_far_as_it_was() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        await s.asked(2)
        s.runs.pause(run_id)
        s.runs.act(run_id, Action("again", "0"))
        await asyncio.sleep(2)
        assert s.run(run_id).status == "running"
        run = await s.until(run_id, "paused")
        assert s.texts(run_id) == ["Said of again."]
        assert run.fraction == pytest.approx(1 / 3)
        s.runs.resume(run_id)
        await s.until(run_id, "done")
        s.runs.act(run_id, Action("again", "2"))
        await asyncio.sleep(2)
        s.runs.pause(run_id)
        assert s.run(run_id).status == "done"
        s.engine.fails = [EngineFailed(), EngineFailed()]
        s.runs.act(run_id, Action("again", "2"))
        await s.until(run_id, "failed")

    play(story)


def test_what_is_changed_meanwhile_waits_for_the_step_and_loses_nothing() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        await s.asked(2)
        s.runs.act(run_id, Action("rename", "", "Lights"))
        assert s.live(run_id).actions
        await asyncio.sleep(4)
        assert not s.live(run_id).actions
        assert s.run(run_id).title == "Lights"
        await s.asked(3)
        await asyncio.sleep(2.9)
        s.runs.act(run_id, Action("answer", "2", "0"))  # in the last step
        await s.until(run_id, "done")
        assert s.state(run_id)["parts"][2]["chosen"] == 0
        assert s.texts(run_id) == PARTS
        assert s.engine.asked == ["part 1", "part 2", "part 3"]

    play(story)


def test_deleted_and_back() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        await asyncio.sleep(2)
        s.runs.delete(run_id)
        assert (s.runs.listed(), s.runs.find(run_id)) == ([], None)
        await asyncio.sleep(UNDO_S / 2)
        s.runs.undelete(run_id)
        await asyncio.sleep(UNDO_S)
        assert s.run(run_id).status == "paused"
        s.runs.delete(run_id)
        await asyncio.sleep(UNDO_S + 1)
        assert s.browser.rows("runs") == s.browser.rows("run_parts") == []
        s.runs.undelete(run_id)
        s.runs.delete(run_id)
        assert s.runs.listed() == []

    play(story)


def test_what_was_deleted_before_a_reload_goes_after_it() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        s.runs.delete(run_id)
        await s.runs.shelf.settled()
        again = Stage(s)
        await again.runs.start()
        await again.runs.start()
        assert again.runs.listed() == []
        again.runs.undelete(run_id)
        assert again.run(run_id).status == "paused"
        again.runs.delete(run_id)
        await asyncio.sleep(UNDO_S + 1)
        assert s.browser.rows("runs") == []

    play(story)


def test_another_tab_sees_it_work_and_leaves_it_alone() -> None:
    async def story(s: Stage) -> None:
        await s.runs.start()
        run_id = await s.begin()
        other = Stage(s)
        await other.runs.start()
        await asyncio.sleep(1)
        assert run_id in other.runs.elsewhere
        assert other.run(run_id).status == "running"
        await other.runs.open(run_id)
        for change in (other.runs.resume, other.runs.delete):
            change(run_id)
        other.runs.act(run_id, Action("rename", "", "Mine"))
        assert other.live(run_id).job is None
        await s.until(run_id, "done")
        await asyncio.sleep(2)
        assert run_id not in other.runs.elsewhere
        assert (other.run(run_id).status, other.texts(run_id)) == ("done", PARTS)
        assert other.engine.asked == []

    play(story)


def test_a_tab_that_ends_leaves_a_paused_run_to_the_other() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        other = Stage(s)
        await other.runs.start()
        await asyncio.sleep(2)
        assert run_id in other.runs.elsewhere
        s.live(run_id).job.cancel()  # type: ignore[union-attr]  # that tab is gone
        await asyncio.sleep(1)
        assert (run_id in other.runs.elsewhere, other.run(run_id).status) == (False, "paused")

    play(story)


def test_two_tabs_that_begin_at_once() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        await asyncio.sleep(2)
        s.runs.pause(run_id)
        await s.runs.shelf.settled()
        other = Stage(s)
        await other.runs.start()
        await other.runs.open(run_id)
        s.runs.resume(run_id)
        other.runs.resume(run_id)
        await asyncio.sleep(3)
        assert len(s.engine.asked) + len(other.engine.asked) == 2  # the first time, and one of them now
        assert (run_id in s.runs.elsewhere) != (run_id in other.runs.elsewhere)
        assert {s.run(run_id).status, other.run(run_id).status} == {"running"}

    play(story)


def test_another_tabs_runs_come_and_go() -> None:
    async def story(s: Stage) -> None:
        other = Stage(s)
        await other.runs.start()
        run_id = await s.begin()
        await s.until(run_id, "done")
        await asyncio.sleep(1)
        assert other.run(run_id).status == "done"
        await other.runs.open(run_id)
        s.runs.act(run_id, Action("rename", "", "Lights"))
        await asyncio.sleep(1)
        assert other.state(run_id)["title"] == "Lights"
        await s.runs.shelf.database.post({"chats": [], "messages": {}, "settings": True})  # about something else
        await s.runs.clear()
        await asyncio.sleep(1)
        assert (other.runs.listed(), other.runs.live) == ([], {})

    play(story)


def test_everything_at_once_deleted() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        await s.until(run_id, "done")
        await s.begin()
        await asyncio.sleep(2)
        assert [kept.run.title async for kept in s.runs.everything()] == ["Lamps", "Lamps"]
        await s.runs.clear()
        await asyncio.sleep(5)
        assert not any(s.browser.stores.values())
        assert (s.runs.listed(), s.engine.running) == ([], 0)

    play(story)


def test_without_a_database_it_lasts_as_long_as_the_page() -> None:
    async def story(s: Stage) -> None:
        s.tab.trouble = StorageFailed()
        await s.runs.start()
        run_id = await s.begin()
        await s.until(run_id, "done")
        assert s.texts(run_id) == PARTS
        assert s.trouble
        assert all(s.trouble)
        s.tab.trouble = None
        s.runs.act(run_id, Action("rename", "", "Lights"))
        await asyncio.sleep(1)
        assert s.trouble[-1] is None
        assert s.browser.rows("runs")[0]["title"] == "Lights"
        s.tab.trouble = StorageFailed()
        s.runs.act(run_id, Action("rename", "", "Lamps"))
        await asyncio.sleep(1)
        assert s.run(run_id).title == "Lamps"

    play(story)


def test_the_page_goes_away() -> None:
    async def story(s: Stage) -> None:
        run_id = await s.begin()
        await s.until(run_id, "done")
        s.runs.left()
        await asyncio.sleep(0.01)
        assert s.browser.rows("runs")[0]["status"] == "done"

    play(story)


def test_who_answered_behind_a_relay() -> None:
    async def story(s: Stage) -> None:
        s.route.origin = Origin("Cloud", "server", "openai_http", "site", "one of them")
        s.engine.answered_by = AnsweredBy("Acme", "acme-1")
        run_id = await s.begin(parts=1)
        run = await s.until(run_id, "done")
        assert run.by[-1] == replace(s.route.origin, provider="Acme", model="acme-1")

    play(story)


def test_the_time_that_is_left_is_told_when_there_is_a_pace() -> None:
    live = Live(Kept(Run("r", "scripted", "", 1, 1), {}))
    assert live.seconds_left is None
    live.begin_to_count(0)
    live.took(Step({}), 10)
    assert live.seconds_left is None
    live.took(Step({}, 0.1), 20)
    live.took(Step({}, 0.11), 20 + SURE_MS)
    assert live.seconds_left is None  # too little was done
    assert live.took(Step({}, 0.3), 20 + 2 * SURE_MS) == SURE_MS
    assert live.seconds_left == pytest.approx(0.7 * 10 / 0.2)
    assert live.took(Step({}, 0.2), 0) == 0  # a clock that went back, and a step that began again
    live.took(Step({}, 0.3), 10)
    assert live.seconds_left is None


def test_opening_what_is_open_gives_the_same() -> None:
    async def story(s: Stage) -> None:
        s.runs.add(Kept(Run("r", "scripted", "Old", 1, 1, "done"), {"topic": "x"}, {"title": "Old", "parts": []}))
        one, two = await asyncio.gather(s.runs.open("r"), s.runs.open("r"))
        assert one is two
        assert await s.runs.open("r") is one
        with pytest.raises(KeyError):
            await s.runs.open("nothing")

    play(story)


def test_its_error_has_a_name() -> None:
    assert RunElsewhere().code == "run_elsewhere"
