"""A task of the user's own behind the same door as the built-in ones: page and worker both, with a scripted engine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pyapp.engine import GenerateRequest, Message, TextDelta
from pyapp.errors import BadInput, CandilError, EngineHung, PluginFailed, PluginOffline
from pyapp.routing.needs import Needs
from pyapp.tasks.blocks import Fold, Prose
from pyapp.tasks.plugins.task import PluginTask
from pyapp.tasks.task import Action, Export, Step
from pyapp.views.language import Language
from tests.unit.run import run
from tests.unit.tasks.plugins.worker import EXAMPLE, NOTES, InProcess, own, task
from tests.unit.tasks.scripted import ScriptedWork

CARD = {"question": "What is salt?", "answer": "The sea."}
EN = Language("en")


def steps(folder: Path, body: str, method: str = "run", **script: Any) -> list[Step] | CandilError:
    """What comes of a run (or an act) with this body, whichever way it ends."""

    async def scenario() -> list[Step]:
        its = await task(InProcess(folder), own(body, method))
        work = ScriptedWork(**script)
        going = its.run(NOTES, None, work) if method == "run" else its.act(NOTES, [1], Action("press", "7"), work)
        return [step async for step in going]

    try:
        return run(scenario())
    except CandilError as error:
        return error


def asked(folder: Path, body: str, method: str) -> Any:
    async def scenario() -> Any:
        its = await task(InProcess(folder), own(body, method))
        match method:
            case "check":
                return await its.check(NOTES)
            case "title":
                return await its.title(NOTES, None)
            case "view":
                return await its.view(NOTES, [CARD], EN)
            case _:
                return await its.export(NOTES, [CARD], "csv", EN)

    try:
        return run(scenario())
    except CandilError as error:
        return error


def test_the_example_from_form_to_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        its = await task(InProcess(tmp_path), EXAMPLE)
        assert (its.name, [field.name for field in its.fields], its.exports) == ("flash_cards", ["notes"], ("csv",))
        assert its.needs(NOTES) == Needs("course", words=8, schema=True)
        await its.check(NOTES)
        work = ScriptedWork(json=lambda request: CARD)
        done = [step async for step in its.run(NOTES, None, work)]
        assert [(step.state, step.fraction) for step in done] == [([], 0), ([CARD], 0.5), ([CARD, CARD], 1)]
        assert [request.messages[0].text.split("\n")[1] for request in work.asked] == NOTES["notes"].split("\n\n")
        assert await its.title(NOTES, None) == "The sea is salt."
        assert await its.view(NOTES, [CARD], EN) == (Fold("What is salt?", (Prose("The sea."),)),)
        csv = Export("flash-cards.csv", "text/csv", b"What is salt?,The sea.\r\n")
        assert await its.export(NOTES, [CARD], "csv", EN) == csv

    run(scenario())


def test_a_run_goes_on_from_what_there_is(tmp_path: Path) -> None:
    async def scenario() -> list[Any]:
        its = await task(InProcess(tmp_path))
        return [
            step.state async for step in its.run(NOTES, [CARD], ScriptedWork(json=lambda _: CARD | {"answer": "b"}))
        ]

    assert run(scenario()) == [[CARD], [CARD, CARD | {"answer": "b"}]]


def test_its_strings_are_there_in_english_whatever_it_speaks(tmp_path: Path) -> None:
    spanish = EXAMPLE.replace('"en": {', '"fr": {')  # and Spanish

    async def scenario() -> PluginTask:
        return await task(InProcess(tmp_path), spanish)

    strings = run(scenario()).strings
    assert strings["en"] == strings["fr"]
    assert strings["en"] != strings["es"]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("yield Step(await work.window(), 1)", 2048),
        ("yield Step(await work.count([Message('user', 'a b c')]), 1)", 3),
        ("yield Step(await work.score([Message('user', 'x')], ['a', 'b']), 1)", [-0.5, -1.0]),
        ("yield Step(await work.parameters(), 1)", 135_000_000),
        ("yield Step(work.now_ms(), 1)", 7),
        ("yield Step(work.language, 1)", "en"),
    ],
)
def test_what_its_work_tells_it(body: str, value: object, tmp_path: Path) -> None:
    done = steps(tmp_path, body, scores=lambda _messages, _candidates: [-0.5, -1.0])
    assert isinstance(done, list)
    assert done[-1].state == value


class OwnSummarizer:
    async def window(self) -> int:
        return 1000

    async def count(self, text: str) -> int:
        return len(text)

    async def points(self, text: str, n: int, language: str) -> Any:
        yield f"- {text}"
        yield f" {n} {language}"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("yield Step(await its.window(), 1)", 1000),
        ("yield Step(await its.count('four'), 1)", 4),
        ("yield Step([each async for each in its.points('a', 3, 'es')], 1)", ["- a", " 3 es"]),
    ],
)
def test_the_browsers_summarizer_is_asked_through_the_page(body: str, value: object, tmp_path: Path) -> None:
    done = steps(tmp_path, f"its = await work.summarizer()\n{body}", own_summarizer=OwnSummarizer())
    assert isinstance(done, list)
    assert done[-1].state == value


def test_without_one_it_is_none_and_asking_for_it_is_a_fault(tmp_path: Path) -> None:
    done = steps(tmp_path, "yield Step(await work.summarizer(), 1)")
    assert isinstance(done, list)
    assert done[-1].state is None
    failed = steps(tmp_path, "yield Step(await work._one('summarizer.window', {}), 1)")
    assert isinstance(failed, CandilError)


def test_scores_that_an_engine_does_not_give_are_none(tmp_path: Path) -> None:
    done = steps(tmp_path, "yield Step(await work.score([Message('user', 'x')], ['a']), 1)")
    assert isinstance(done, list)
    assert done[-1].state is None


ASK = """\
said = ""
async for event in work.ask(GenerateRequest([Message("user", "hello")])):
    said += getattr(event, "text", "")
    if said == "one ":
        break
yield Step(said, 1)"""


def test_a_question_that_is_given_up_is_ended_on_the_engine(tmp_path: Path) -> None:
    ended: list[str] = []

    class Endless(ScriptedWork):
        async def ask(self, request: GenerateRequest) -> Any:
            try:
                yield TextDelta("one ")
                await asyncio.sleep(3600)
            finally:
                ended.append(request.messages[0].text)

    async def scenario() -> list[Step]:
        its = await task(InProcess(tmp_path), own(ASK))
        done = [step async for step in its.run(NOTES, None, Endless())]
        await asyncio.sleep(1)
        return done

    assert run(scenario())[-1].state == "one "
    assert ended == ["hello"]


def test_a_run_that_is_closed_stops_everywhere(tmp_path: Path) -> None:
    ended: list[str] = []

    class Endless(ScriptedWork):
        async def document(self, request: GenerateRequest) -> Any:
            try:
                await asyncio.sleep(3600)
                yield
            finally:
                ended.append("document")

    async def scenario() -> None:
        seam = InProcess(tmp_path)
        its = await task(seam)
        going = its.run(NOTES, None, Endless())
        await anext(going)
        reading = asyncio.ensure_future(anext(going))
        await asyncio.sleep(2)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await going.aclose()
        await asyncio.sleep(2)
        assert ended == ["document"]
        assert seam.host is not None
        assert seam.host._calls == {}

    run(scenario())


def test_the_engines_error_comes_out_as_it_was(tmp_path: Path) -> None:
    error = EngineHung("what it said")
    body = "cards = []\nyield Step(cards, 0)\nawait card('x', work)"
    assert steps(tmp_path, body, json=lambda _: error) is error


def test_the_engines_error_may_be_caught(tmp_path: Path) -> None:
    body = "try:\n    await card('x', work)\nexcept Exception as error:\n    yield Step(type(error).__name__, 1)"
    done = steps(tmp_path, body, json=lambda _: EngineHung())
    assert isinstance(done, list)
    assert done[-1].state == "EngineHung"


@pytest.mark.parametrize(
    ("body", "error", "at"),
    [
        ("yield Step([], 0)\nraise ValueError('no card')", "ValueError: no card", True),
        ("yield Step([], 0)\nimport sys\nsys.exit(1)", "SystemExit: 1", True),
        ("yield Step({1, 2}, 0)", "{1, 2} is not a JSON value", False),
        ("yield Step([], 2)", "run: step.fraction must be in 0 to 1, not 2", False),
        ("yield Step([], 0, 'error.doing')", "run: step.doing must be a key of TASK.strings, not 'error.doing'", False),
        (
            "yield Step([], 0, 'flash_cards.doing', {'n': 1})",
            "run: step.doing, 'flash_cards.doing', needs the values all",
            False,
        ),
        ("yield 5", "run: step must be a Step", False),
        ("yield Step([], 1, settled=False)", "run: the last Step must be settled", False),
        ("return\nyield", "run: the last Step must be settled", False),
        ("yield Step([await work.count('abc')], 1)", "InvalidRequest: messages must be a list", True),
    ],
)
def test_what_a_run_does_wrong(body: str, error: str, at: bool, tmp_path: Path) -> None:
    found = steps(tmp_path, body)
    assert isinstance(found, CandilError)
    if error.startswith("InvalidRequest"):
        assert found.message == error.removeprefix("InvalidRequest: ")  # its own, through the page and back
        return
    assert isinstance(found, PluginFailed)
    assert found.details["error"] == error
    assert str(found.details["at"]).startswith("mine.py:") is at


def test_an_act_is_steps_too(tmp_path: Path) -> None:
    done = steps(tmp_path, "yield Step([*state, action.name, action.value], 1)", "act")
    assert isinstance(done, list)
    assert done[-1].state == [1, "press", "7"]


@pytest.mark.parametrize(
    ("method", "body", "error"),
    [
        ("title", "return 5", "title: title must be a text, not 5"),
        ("view", "return [Fold('a', ['<b>'])]", r"view: blocks[0].blocks[0] must be one of Heading, "),
        ("view", "return None", "view: blocks must be a list"),
        ("export", "return 'a.csv'", "export: export must be a Export"),
        ("check", "raise BadInput(field='other', why='flash_cards.no_notes')", "check: BadInput names no field: 'oth"),
        ("check", "raise BadInput(field='notes', why='error.x')", "check: BadInput must be a key of TASK.strings"),
        (
            "check",
            "raise BadInput(field='notes', why='flash_cards.doing', n=1)",
            "check: BadInput, 'flash_cards.doing'",
        ),
        ("check", "raise BadInput(field='notes')", "it failed and did not say how"),
    ],
)
def test_what_else_goes_wrong(method: str, body: str, error: str, tmp_path: Path) -> None:
    found = asked(tmp_path, body, method)
    assert isinstance(found, PluginFailed)
    assert str(found.details["error"]).startswith(error)


def test_what_the_form_does_not_say_is_said_with_its_own_sentence(tmp_path: Path) -> None:
    found = asked(tmp_path, "raise BadInput(field='notes', why='flash_cards.no_notes')", "check")
    assert isinstance(found, BadInput)
    assert found.details == {"field": "notes", "why": "flash_cards.no_notes"}


def test_a_title_is_one_line_and_not_long(tmp_path: Path) -> None:
    assert asked(tmp_path, "return ' a\\n b ' + 'x' * 500", "title") == "a b " + "x" * 196


def test_the_words_of_all_that_is_given_count(tmp_path: Path) -> None:
    async def scenario() -> PluginTask:
        return await task(InProcess(tmp_path))

    given = {"text": "a b", "level": 3, "file": {"name": "x.txt", "pages": ["c d e", "f"]}}
    assert run(scenario()).needs(given).words == 6


def test_asking_for_the_network_is_named(tmp_path: Path) -> None:
    async def scenario() -> CandilError:
        seam = InProcess(tmp_path)
        its = await task(seam, own("yield Step([], 0)\nraise OSError('no network')"))
        going = its.run(NOTES, None, ScriptedWork())
        await anext(going)
        assert seam.host
        seam.host.refused_network()
        with pytest.raises(PluginOffline) as caught:
            await anext(going)
        return caught.value

    assert run(scenario()).details["error"] == "OSError: no network"


def test_it_speaks_the_language_it_is_asked_in(tmp_path: Path) -> None:
    async def scenario() -> Any:
        body = "return [Prose(say.text('flash_cards.notes') + say.code)]"
        its = await task(InProcess(tmp_path), own(body, "view"))
        return [(await its.view(NOTES, [], Language(code)))[0] for code in ("en", "es")]

    assert run(scenario()) == [Prose("Notesen"), Prose("Apunteses")]


def test_messages_of_a_request_are_messages(tmp_path: Path) -> None:
    seen: list[GenerateRequest] = []

    def answer(request: GenerateRequest) -> str:
        seen.append(request)
        return "one"

    whole = ASK.replace("        break\n", "        pass\n")
    done = steps(tmp_path, whole, text=answer)
    assert isinstance(done, list)
    assert done[-1].state == "one "
    assert seen == [GenerateRequest((Message("user", "hello"),))]
