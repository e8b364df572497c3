"""The worker as the page sees it: started, silent, talking nonsense, ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyapp.errors import NetworkFailed, PluginError, PluginFailed, PluginHung, PluginRefused
from pyapp.tasks.plugins import guest as guests
from pyapp.tasks.plugins.guest import MOST_WORKS, Guest, PluginFile
from pyapp.tasks.plugins.task import PluginTask
from tests.unit.run import run
from tests.unit.tasks.plugins.worker import NOTES, InProcess, given, guest, own, task
from tests.unit.tasks.scripted import ScriptedWork


def describing(seam: InProcess, source: str | None = None) -> PluginError | None:
    async def scenario() -> None:
        await (guest(seam) if source is None else guest(seam, source)).describe()

    try:
        run(scenario())
    except PluginError as error:
        return error
    return None


def test_it_is_started_once_and_again_after_its_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        seam = InProcess(tmp_path)
        its = guest(seam)
        await asyncio.gather(its.describe(), its.describe())
        assert len(seam.options) == 1
        await its.end()
        await its.end()
        assert seam.ended == 1
        await its.describe()
        assert [options["worker"] for options in seam.options] == [(n := seam.options[0]["worker"]), n + 1]

    run(scenario())


def test_what_the_user_granted_is_what_the_worker_gets(tmp_path: Path) -> None:
    async def scenario() -> None:
        seam = InProcess(tmp_path)
        with pytest.raises(PluginRefused):
            await Guest(seam, given(PluginFile("x-1-py3-none-any.whl", b"", online=True))).describe()
        options = seam.options[0]
        assert (options["online"], options["wheel"], options["memory_bytes"]) == (True, True, 1 << 30)

    run(scenario())


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("x = 1", "no_task"),
        ("import not_here", "missing_module"),
        ("TASK = object()", "wrong"),
        (own("pass").replace('name = "flash_cards"', 'name = "Flash Cards"'), "wrong"),
    ],
)
def test_a_file_that_is_no_task_is_refused_and_its_worker_ended(source: str, why: str, tmp_path: Path) -> None:
    seam = InProcess(tmp_path)
    error = describing(seam, source)
    assert isinstance(error, PluginRefused)
    assert error.details["why"] == why
    assert seam.ended == 1


def test_a_module_that_raises_says_where(tmp_path: Path) -> None:
    error = describing(InProcess(tmp_path), "\nnothing.of_it")
    assert isinstance(error, PluginFailed)
    assert error.details == {"error": "NameError: name 'nothing' is not defined", "at": "mine.py:2"}


def test_a_worker_that_does_not_start_is_ended(tmp_path: Path) -> None:
    seam = InProcess(tmp_path, boots=False)
    assert isinstance(describing(seam), PluginHung)
    assert seam.ended == 1


def test_a_worker_whose_files_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(NetworkFailed):
        run(guest(InProcess(tmp_path, error=NetworkFailed())).describe())


def test_a_worker_that_hears_nothing_more_is_ended_and_another_one_started(tmp_path: Path) -> None:
    async def scenario() -> None:
        seam = InProcess(tmp_path)
        its = await task(seam, own("import asyncio\nyield Step([1], 0)\nawait asyncio.sleep(100)\nyield Step([2], 1)"))
        going = its.run(NOTES, None, ScriptedWork())
        await anext(going)
        seam.deaf = True
        begun = asyncio.get_running_loop().time()
        with pytest.raises(PluginHung):
            await anext(going)
        assert asyncio.get_running_loop().time() - begun == pytest.approx(10, abs=1.5)
        assert seam.ended == 1
        seam.deaf = False
        assert await its.title(NOTES, None) == "The sea is salt."

    run(scenario())


def test_a_worker_that_answers_is_left_as_long_as_it_takes(tmp_path: Path) -> None:
    async def scenario() -> list[Any]:
        its = await task(InProcess(tmp_path), own("import asyncio\nawait asyncio.sleep(1000)\nyield Step([2], 1)"))
        return [step.state async for step in its.run(NOTES, None, ScriptedWork())]

    assert run(scenario()) == [[2]]


def test_a_worker_that_nothing_is_asked_of_gives_its_memory_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        seam = InProcess(tmp_path)
        its = await task(seam)
        await asyncio.sleep(50)
        await its.title(NOTES, None)
        await asyncio.sleep(50)
        assert seam.ended == 0
        await asyncio.sleep(20)
        assert seam.ended == 1
        assert await its.title(NOTES, None) == "The sea is salt."

    run(scenario())


def test_a_run_whose_worker_is_ended_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        seam = InProcess(tmp_path)
        its = guest(seam, own("import asyncio\nyield Step([1], 0)\nawait asyncio.sleep(1000)"))
        going = PluginTask(await its.describe(), its).run(NOTES, None, ScriptedWork())
        await anext(going)
        waiting = asyncio.ensure_future(anext(going))
        await asyncio.sleep(0)
        await its.end()
        with pytest.raises(PluginFailed):
            await waiting
        await asyncio.sleep(20)  # nobody looks after it any more
        assert len(seam.options) == 1

    run(scenario())


def nonsense(message: object) -> Callable[[str], str]:
    """Says this instead of the first value of a run."""

    def change(text: str) -> str:
        first = '"is": "Step"' in text
        return (message if isinstance(message, str) else json.dumps(message)) if first else text

    return change


QUESTION = {"work": 1, "id": 2, "call": "window"}


@pytest.mark.parametrize(
    "message", ["{", "[" * 40, "5", {"do": "this"}, {"id": "2", "value": 1}, {"work": 1, "id": 2}, "x" * 200]
)
def test_nonsense_ends_it(message: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        seam = InProcess(tmp_path, change=nonsense(message))
        its = await task(seam)
        monkeypatch.setattr(guests, "LONGEST_MESSAGE", 150)
        with pytest.raises(PluginFailed):
            await anext(its.run(NOTES, None, ScriptedWork()))
        await asyncio.sleep(0)
        assert seam.ended == 1

    run(scenario())


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([{"id": 2, "value": {"is": "Step", "state": 1}}] * 2, "a value that was not asked for"),
        ([QUESTION, QUESTION], "at the wrong time, or too many"),
        ([QUESTION | {"work": n} for n in range(MOST_WORKS + 1)], "at the wrong time, or too many"),
    ],
)
def test_more_than_was_asked_for_ends_it(messages: list[Any], words: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        seam = InProcess(tmp_path)
        its = await task(seam, own("import asyncio\nawait asyncio.sleep(1000)\nyield"))

        async def all_of_it() -> list[Any]:
            return [step async for step in its.run(NOTES, None, ScriptedWork())]

        going = asyncio.ensure_future(all_of_it())
        await asyncio.sleep(0.1)
        assert seam.host
        for message in messages:
            seam.host._send(json.dumps(message))
        with pytest.raises(PluginFailed, match="plugin_failed") as caught:
            await going
        assert words in str(caught.value.details["error"])

    run(scenario())


def test_a_question_outside_of_a_run_ends_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        seam = InProcess(tmp_path)
        its = await task(seam, own("import asyncio\nawait asyncio.sleep(1000)", "title"))
        going = asyncio.ensure_future(its.title(NOTES, None))
        await asyncio.sleep(0.1)
        assert seam.host
        seam.host._send(json.dumps(QUESTION))
        with pytest.raises(PluginFailed):
            await going

    run(scenario())


def test_what_comes_for_a_call_that_was_closed_is_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        seam = InProcess(tmp_path)
        its = await task(seam)
        assert seam.host
        for message in (QUESTION | {"id": 99}, {"id": 99, "value": 1}, {"work": 5, "cancel": True}, {"pong": 1}):
            seam.host._send(json.dumps(message))
        seam.host.receive(json.dumps({"id": 99, "next": True}))
        seam.host.receive(json.dumps({"work": 99, "end": True}))
        assert await its.title(NOTES, None) == "The sea is salt."

    run(scenario())


@pytest.mark.parametrize("error", [{"code": "access_denied"}, {"work": 77}, "x", {"code": "bad_input", "details": {}}])
def test_it_cannot_make_up_errors_of_the_pages(error: object, tmp_path: Path) -> None:
    async def scenario() -> None:
        its = await task(InProcess(tmp_path, change=nonsense({"id": 2, "error": error})))
        with pytest.raises(PluginFailed) as caught:
            await anext(its.run(NOTES, None, ScriptedWork()))
        assert caught.value.details["error"] == "it failed and did not say how"

    run(scenario())


def test_a_question_that_work_does_not_have(tmp_path: Path) -> None:
    async def scenario() -> None:
        seam = InProcess(tmp_path)
        its = await task(seam, own("import asyncio\nawait asyncio.sleep(5)\nyield Step([], 1)"))
        going = asyncio.ensure_future(anext(its.run(NOTES, None, ScriptedWork())))
        await asyncio.sleep(0.1)
        heard: list[str] = []
        assert seam.host
        receive = seam.host.receive
        seam.host.receive = lambda text: (heard.append(text), receive(text))[1]  # type: ignore[func-returns-value,method-assign]
        seam.host._send(json.dumps(QUESTION | {"call": "fetch"}))
        assert (await going).state == []
        assert any("Work has no 'fetch'" in text for text in heard)

    run(scenario())
