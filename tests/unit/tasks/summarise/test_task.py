"""The task as the page knows it: what it refuses, what it shows, what is saved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyapp.errors import BadInput
from pyapp.routing.needs import Needs
from pyapp.structured.faults import first_fault
from pyapp.tasks.blocks import Block, Fold, Passage, Points, Prose, Section
from pyapp.tasks.summarise import TASK
from pyapp.tasks.summarise.made import Made, Said
from pyapp.tasks.task import Action, Given, Step
from tests.unit.run import run
from tests.unit.tasks.scripted import ScriptedWork
from tests.unit.tasks.summarise.test_summarising import LARGE, listed, sentence, text_of


class Saying:
    """pyapp.tasks.task.Say."""

    def __init__(self, code: str = "en") -> None:
        self.code = code

    def text(self, key: str, **values: object) -> str:
        return TASK.strings[self.code][key].format(**values)

    def count(self, key: str, n: int, **values: object) -> str:
        return self.text(f"{key}.{'one' if n == 1 else 'other'}", n=self.number(n), **values)

    def number(self, value: float, digits: int = 0) -> str:
        return f"{value:.{digits}f}"

    def percent(self, fraction: float) -> str:
        return f"{int(100 * fraction)} %"


def given(text: str = "", pages: list[str] | None = None, **values: Any) -> Given:
    file = None if pages is None else {"name": "a report.pdf", "pages": pages}
    return {"text": text, "file": file, "length": "short", "style": "points", "language": "same", **values}


def made(of: Given, **work: Any) -> Any:
    async def main() -> list[Step]:
        return [step async for step in TASK.run(of, None, ScriptedWork(**{"text": listed, "size": LARGE, **work}))]

    return run(main())[-1].state


def view(of: Given, state: Any) -> list[Block]:
    return list(run(TASK.view(of, state, Saying())))


# ---- what it is given ----


@pytest.mark.parametrize(
    ("of", "field", "why"),
    [
        (given(), "text", "empty"),
        (given(" \n\n "), "text", "empty"),
        (given("..., !!! 🙂"), "text", "empty"),
        (given("word"), "text", "short"),
        (given(pages=["A title", ""]), "file", "short"),
        (given(pages=[""]), "file", "empty"),
        (given("word " * 100_001), "text", "long"),
    ],
)
def test_what_there_is_nothing_to_summarise_in_is_refused(of: Given, field: str, why: str) -> None:
    with pytest.raises(BadInput) as caught:
        run(TASK.check(of))
    assert caught.value.details["field"] == field
    assert caught.value.details["why"] == f"summarise.wrong.{why}"
    values = {name: value for name, value in caught.value.details.items() if name not in ("field", "why")}
    assert Saying("es").text(f"summarise.wrong.{why}", **values)


@pytest.mark.parametrize("text", [text_of(3), "太陽は星です。" * 10, "word " * 50_000])
def test_any_other_text_is_taken(text: str) -> None:
    run(TASK.check(given(text)))


def test_how_much_it_is_is_what_an_engine_is_chosen_by() -> None:
    assert TASK.needs(given("One two.", ["three four", "five"])) == Needs("summarise", words=5)


def test_a_run_is_called_by_its_file_or_the_beginning_of_its_text() -> None:
    assert run(TASK.title(given("Ignored.", ["page"]), None)) == "a report.pdf"
    assert run(TASK.title(given("The sun\n is a star."), None)) == "The sun is a star."
    long = run(TASK.title(given("The sun is a star " * 20), None))
    assert len(long) <= 61
    assert long.endswith("…")


# ---- what it makes ----


def test_the_summary_is_in_the_texts_language_or_in_the_one_that_is_chosen() -> None:
    def wish(**values: Any) -> str:
        work = ScriptedWork(listed, size=LARGE)

        async def main() -> None:
            async for _ in TASK.run(given(text_of(3), **values), None, work):
                pass

        run(main())
        return work.asked[0].messages[0].text.rsplit("\n\n", 1)[1]

    assert wish(language="es").endswith("Escribe en español.")
    assert wish(length="medium") == "List the 4 main points of the text above, one short sentence each."


def test_what_is_made_is_as_published_and_gone_on_with() -> None:
    of = given(text_of(4), style="paragraph")
    state = made(of)
    assert first_fault(TASK.schema, json.loads(json.dumps(state))) is None

    async def again() -> list[Step]:
        return [step async for step in TASK.run(of, state, ScriptedWork())]

    (last,) = run(again())
    assert last == Step(state, 1.0)


def test_nothing_in_a_summary_is_changed_by_pressing() -> None:
    async def main() -> list[Step]:
        return [step async for step in TASK.act(given(), {}, Action("any"), ScriptedWork())]

    assert run(main()) == []


# ---- what is shown ----


def test_while_it_is_made_there_are_the_points_so_far_and_the_words_that_come() -> None:
    of = given(text_of(4))
    assert view(of, Made("en").json()) == []
    state = {**Made("en", 1, [Said("One.", ["1.1"])]).json(), "growing": "1. Two"}
    points, section = view(of, state)
    assert isinstance(points, Points)
    assert [(point.markdown, point.sources) for point in points.points] == [("One.", ["1.1"])]
    assert section == Section([Prose("1. Two")], id="growing", growing=True)


def test_points_lead_to_the_passages_that_are_shown() -> None:
    of = given(pages=[text_of(2), text_of(3)])
    state = made(of)
    points, figures, fold = view(of, state)
    assert isinstance(points, Points)
    assert isinstance(figures, Prose)
    assert "words became" in figures.markdown
    assert isinstance(fold, Fold)
    passages = [block for block in fold.blocks if isinstance(block, Passage)]
    assert passages
    assert {id_ for point in points.points for id_ in point.sources} <= {passage.id for passage in passages}
    assert all(passage.title.startswith("Page ") for passage in passages)


def test_what_the_text_itself_says_is_in_quotation_marks_and_counted() -> None:
    of = given(text_of(2))
    points, figures, fold = view(of, made(of, text=lambda _: "Nothing of the kind happened anywhere."))
    assert isinstance(points, Points)
    assert points.points[0].markdown.startswith("“The ")
    assert isinstance(figures, Prose)
    assert "One point is in the text's own words" in figures.markdown
    assert isinstance(fold, Fold)
    assert isinstance(fold.blocks[0], Passage)
    assert fold.blocks[0].title == "Passage 1"


def test_points_that_were_not_chosen_are_folded() -> None:
    of = given(text_of(30))
    folds = [block for block in view(of, made(of, size=135_000_000)) if isinstance(block, Fold)]
    assert len(folds) == 2
    assert folds[0].title.endswith("from beginning to end")


def test_prose_has_its_sentences_with_their_sources_below() -> None:
    of = given(text_of(4), style="paragraph")
    told = Made("en", 4, [], None, [], [Said(sentence(0), ["1.1"])], [Said("A retelling.", ["1.1"])]).json()
    prose, sentences, *_ = view(of, told)
    assert prose == Prose("A retelling.")
    assert isinstance(sentences, Fold)
    assert isinstance(sentences.blocks[0], Points)
    growing = view(of, {**told, "told": None, "growing": "A retel"})
    assert growing[0] == Section([Prose("A retel")], id="growing", growing=True)


def test_points_in_place_of_prose_say_why() -> None:
    of = given(text_of(4), style="child")
    _, note, *_ = view(of, made(of, size=135_000_000))
    assert isinstance(note, Prose)
    assert "would have made up" in note.markdown


# ---- what is saved ----


def saved(of: Given, state: Any, kind: str) -> tuple[str, str]:
    export = run(TASK.export(of, state, kind, Saying()))
    return export.name, export.data.decode()


def test_markdown_has_the_sources_as_footnotes() -> None:
    of = given(pages=[text_of(2)])
    name, text = saved(of, made(of), "markdown")
    assert name == "a-report-summary.md"
    assert text.startswith(f"# Summary\n\n- {sentence(0)}[^1]\n")
    assert "\n[^1]: Passage 1: The Almendra" in text


def test_plain_text_has_the_points_alone() -> None:
    of = given(text_of(2))
    assert saved(of, made(of), "text")[1] == "".join(f"- {sentence(n)}\n" for n in range(3))
    told = Made("en", 4, [], None, [], [Said("One.", ["1.1"])], [Said("Told.", ["1.1"]), Said("So.", ["1.1"])]).json()
    assert saved(of, told, "text")[1] == "Told. So.\n"
    assert "Told.[^1] So.[^1]\n" in saved(of, told, "markdown")[1]
    assert saved(given("..."), told, "text")[0] == "summary-summary.txt"
