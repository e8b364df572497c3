"""The work on a text: pieces that fit, points that lead to their sources, fewer points, prose. The model is played."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.engine import AnsweredBy, Finished, GenerateEvent, GenerateRequest
from pyapp.errors import CandilError, ContextOverflow, EngineFailed, InvalidRequest
from pyapp.tasks.summarise.excerpts import Excerpt, excerpts
from pyapp.tasks.summarise.made import Made, Said, made_of
from pyapp.tasks.summarise.summarising import Wanted, summarising
from pyapp.tasks.task import Step
from tests.unit.run import run as played
from tests.unit.tasks.scripted import ScriptedWork

LARGE = 4_000_000_000
NAMES = ["Almendra", "Beluga", "Cactus", "Delfin", "Estrella", "Flamenco", "Girasol", "Hormiga", "Iguana", "Jirafa"]


def sentence(n: int) -> str:
    return f"The {NAMES[n % 10]} number {n} lives {n + 100} years near river {NAMES[(n + 3) % 10]}."


def text_of(count: int) -> str:
    """`count` paragraphs of three sentences that say something of their own."""
    return "\n\n".join(" ".join(sentence(3 * at + n) for n in range(3)) for at in range(count))


WANTED = Wanted(3, 60, "points", "en", "en")


def listed(request: GenerateRequest) -> str:
    """An honest model: the first sentences of what it was given, as many as were wished."""
    text, wish = request.messages[0].text.rsplit("\n\n", 1)
    count = re.search(r"\d+", wish)
    found = re.findall(r"The [^.]+\.", text)[: int(count[0]) if count else 1]
    begun = request.continue_last
    lines = [f"{n}. {each}" for n, each in enumerate(found, start=1)]
    return "\n".join(lines).removeprefix("1.") if begun else "\n".join(lines)


async def steps_of(found: list[Excerpt], wanted: Wanted, work: ScriptedWork, made: Made | None = None) -> list[Step]:
    job = await summarising(found, wanted, work)
    return [step async for step in job.run(made or Made(wanted.language))]


def run(text: str, work: ScriptedWork, wanted: Wanted = WANTED, made: Made | None = None) -> Made:
    steps = played(steps_of(excerpts([text]), wanted, work, made))
    assert steps[-1].settled
    assert steps[-1].fraction == 1
    fractions = [step.fraction or 0 for step in steps]
    assert fractions == sorted(fractions)
    return made_of(steps[-1].state)


# ---- a text that fits ----


def test_a_larger_model_is_asked_once_when_the_text_fits() -> None:
    work = ScriptedWork(listed, size=LARGE)
    made = run(text_of(4), work)
    assert len(work.asked) == 1
    assert work.asked[0].max_new_tokens >= 180
    assert not work.asked[0].continue_last
    assert made.chosen == [Said(sentence(n), ["1.1"]) for n in range(3)]
    assert made.told is None


def test_a_small_model_is_asked_about_little_at_a_time_and_its_list_is_begun_for_it() -> None:
    work = ScriptedWork(listed)
    made = run(text_of(20), work)
    assert len(work.asked) > 3
    assert all(len(request.messages[0].text) < 1_300 for request in work.asked)
    assert all(request.messages[-1].text == "1." and request.continue_last for request in work.asked)
    assert made.read == 20
    assert made.chosen is not None
    assert len(made.chosen) == 3
    places = [int(said.sources[0].removeprefix("1.")) for said in made.chosen]
    assert places == sorted(places)
    assert {said.text for said in made.chosen} <= {said.text for said in made.points}


def test_an_engine_that_cannot_go_on_with_an_answer_is_asked_without_its_beginning() -> None:
    def answer(request: GenerateRequest) -> str | CandilError:
        return InvalidRequest() if request.continue_last else listed(request)

    work = ScriptedWork(answer)
    made = run(text_of(2), work)
    assert [request.continue_last for request in work.asked] == [True, False]
    assert made.chosen


def test_a_small_model_that_goes_round_is_stopped() -> None:
    work = ScriptedWork(lambda _: f" {sentence(0)}\n\n" + "The short phrase of the short phrase " * 50)
    steps = played(steps_of(excerpts([text_of(2)]), WANTED, work))
    growing = [step for step in steps if not step.settled]
    assert max(len(step.state["growing"]) for step in growing) < 200
    assert made_of(steps[-1].state).points[0] == Said(sentence(0), ["1.1"])


# ---- what the text does not bear out ----


def test_what_is_made_up_gives_way_to_the_texts_own_words() -> None:
    work = ScriptedWork(
        lambda _: " The Beluga number 1 lives 999 years near Paris.\n2. Nothing of the kind happened anywhere."
    )
    made = run(text_of(2), work, replace(WANTED, points=2))
    assert [(said.text, said.quoted) for said in made.points] == [(sentence(1), True), (made.points[1].text, True)]
    assert all(said.text in text_of(2) for said in made.points)


def test_there_is_always_a_point_with_a_source() -> None:
    for size in (0, LARGE, 135_000_000):
        made = run(text_of(2), ScriptedWork(lambda _: "", size=size))
        assert made.chosen
        assert all(said.quoted and said.sources for said in made.chosen)


def test_of_a_list_without_end_only_as_many_as_were_wished_are_taken() -> None:
    work = ScriptedWork(lambda _: "\n".join(f"- {sentence(n)}" for n in range(9)), size=LARGE)
    assert [said.text for said in run(text_of(4), work).points] == [sentence(n) for n in range(3)]


def test_a_point_that_comes_twice_is_there_once() -> None:
    work = ScriptedWork(lambda _: f"- {sentence(0)}\n- {sentence(0)}\n- {sentence(4)}", size=LARGE)
    assert [said.text for said in run(text_of(3), work).points] == [sentence(0), sentence(4)]


def test_a_translation_is_not_measured_by_words_and_still_has_its_source() -> None:
    wanted = replace(WANTED, language="es")
    work = ScriptedWork(lambda _: " El Beluga vive ciento un años.\n2. Otra cosa.", size=135_000_000)
    made = run(text_of(2), work, wanted)
    assert made.points[0] == Said("El Beluga vive ciento un años.", ["1.1"])
    assert made.points[1].text == "Otra cosa."
    assert work.asked[0].messages[0].text.endswith("Escribe en español.")


def test_a_text_without_sentences_is_quoted_as_it_is() -> None:
    made = run("a b c d e f " * 30, ScriptedWork(lambda _: "1. Zebra.", size=LARGE))
    assert made.points == [Said("Zebra.", ["1.1"])] or made.points == []


# ---- more than fits ----


def test_pieces_fit_the_window_whatever_it_is() -> None:
    work = ScriptedWork(listed, size=LARGE, tokens=700)
    made = run(text_of(60), work)
    assert made.read == 60
    assert len(made.chosen or []) == 3
    reading = [request for request in work.asked if "\n\n" in request.messages[0].text.rsplit("\n\n", 1)[0]]
    assert len(reading) >= 8
    assert len(work.asked) > len(reading)  # the points were too many for one prompt


def test_an_excerpt_that_is_larger_than_the_window_is_said_before_the_model_is_asked() -> None:
    with pytest.raises(ContextOverflow):
        run("word " * 140, ScriptedWork(listed, size=LARGE, tokens=200))


def test_a_piece_that_takes_more_than_was_thought_is_made_smaller() -> None:
    dense = "\n\n".join([*["ninety" * 20] * 3, *["a b c d e f g h i j k l m n o p " * 20] * 6])
    work = ScriptedWork(lambda _: "- a", size=LARGE, tokens=900)
    assert run(dense, work).read == len(excerpts([dense]))


def test_points_become_fewer_in_as_many_levels_as_needed_and_keep_their_sources() -> None:
    work = ScriptedWork(listed, size=LARGE, tokens=300)
    made = run(text_of(120), work, replace(WANTED, points=2))
    assert len(made.chosen or []) == 2
    by_text = {said.text: said for said in made.points}
    assert all(set(by_text[said.text].sources) & set(said.sources) for said in made.chosen or [])


def test_where_the_model_has_nothing_to_say_of_its_points_they_are_chosen_for_it() -> None:
    def answer(request: GenerateRequest) -> str:
        is_reading = "\n\n" in request.messages[0].text.rsplit("\n\n", 1)[0]
        return listed(request) if is_reading else "Nothing of the kind happened anywhere."

    made = run(text_of(60), ScriptedWork(answer, size=LARGE, tokens=700))
    assert made.chosen
    assert {said.text for said in made.chosen} <= {said.text for said in made.points}
    twice = ScriptedWork(
        lambda r: answer(r) if "\n\n" in r.messages[0].text.rsplit("\n\n", 1)[0] else "\n".join([listed(r)] * 2),
        size=LARGE,
        tokens=300,
    )
    assert run(text_of(120), twice).chosen
    silent = ScriptedWork(
        lambda r: answer(r) if "\n\n" in r.messages[0].text.rsplit("\n\n", 1)[0] else "", size=LARGE, tokens=700
    )
    assert run(text_of(60), silent).chosen


@settings(max_examples=25)
@given(
    st.integers(1, 40),
    st.integers(1, 12),
    st.sampled_from([135_000_000, LARGE, 0]),
    st.integers(1200, 8000),
    st.sampled_from(["listed", "empty", "nonsense"]),
)
def test_every_point_of_every_summary_has_a_source_that_exists(
    paragraphs: int, points: int, size: int, tokens: int, model: str
) -> None:
    answers: dict[str, Callable[[GenerateRequest], str]] = {
        "listed": listed,
        "empty": lambda _: "",
        "nonsense": lambda _: "1. Grue 77 blorps.\n2.\n3. **The Beluga number 4**",
    }
    found = excerpts([text_of(paragraphs)])
    wanted = replace(WANTED, points=points)
    made = made_of(played(steps_of(found, wanted, ScriptedWork(answers[model], size=size, tokens=tokens)))[-1].state)
    ids = {excerpt.id for excerpt in found}
    assert made.chosen
    assert len(made.chosen) <= points
    for said in (*made.points, *made.chosen):
        assert said.text.strip()
        assert 1 <= len(said.sources) <= 3
        assert set(said.sources) <= ids
    texts = [said.text for said in made.chosen]
    assert len(set(texts)) == len(texts)


# ---- prose ----


def told(answer: str, work: ScriptedWork | None = None) -> Made:
    def text(request: GenerateRequest) -> str:
        return answer if "notes" in request.messages[0].text.rsplit("\n\n", 1)[1] else listed(request)

    work = work or ScriptedWork(text, size=LARGE)
    work.text = text
    return run(text_of(4), work, replace(WANTED, style="paragraph"))


def test_prose_is_what_the_points_bear_out_with_their_sources() -> None:
    made = told(f"{sentence(0)} The moon orbits Jupiter silently. {sentence(1)} {sentence(0)}")
    assert made.told == [Said(sentence(0), ["1.1"]), Said(sentence(1), ["1.1"])]


def test_prose_that_leaves_most_of_the_points_out_is_not_taken() -> None:
    made = told("The moon orbits Jupiter silently.")
    assert made.told == made.chosen


def test_prose_that_breaks_off_ends_with_its_last_whole_sentence() -> None:
    class Cut(ScriptedWork):
        async def ask(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
            yield AnsweredBy("a company", "a model")
            async for event in super().ask(request):
                yield replace(event, reason="length") if isinstance(event, Finished) else event

    made = told(f"{sentence(0)} {sentence(1)} The Beluga", Cut(size=LARGE))
    assert made.told == [Said(sentence(0), ["1.1"]), Said(sentence(1), ["1.1"])]


def test_a_small_model_tells_nothing_in_its_own_words() -> None:
    work = ScriptedWork(listed)
    made = run(text_of(4), work, replace(WANTED, style="child"))
    assert made.told == made.chosen
    assert all("notes" not in request.messages[0].text for request in work.asked)


# ---- going on ----


def states(text: str, wanted: Wanted, work: ScriptedWork) -> list[Any]:
    steps = played(steps_of(excerpts([text]), wanted, work))
    return [step.state for step in steps if step.settled]


@pytest.mark.parametrize("size", [135_000_000, LARGE])
def test_from_every_settled_state_the_work_ends_the_same(size: int) -> None:
    wanted = replace(WANTED, style="paragraph")

    def work() -> ScriptedWork:
        return ScriptedWork(listed, size=size, tokens=700)

    kept = states(text_of(20), wanted, work())
    assert len(kept) > 4
    for state in kept:
        assert run(text_of(20), work(), wanted, made_of(state)).json() == kept[-1]


def test_a_failure_leaves_what_is_read() -> None:
    failing = [False]

    def answer(request: GenerateRequest) -> str | CandilError:
        return EngineFailed() if failing[0] else listed(request)

    settled: list[Step] = []

    async def main() -> None:
        job = await summarising(excerpts([text_of(20)]), WANTED, ScriptedWork(answer))
        async for step in job.run(Made("en")):
            settled.extend([step] if step.settled else [])
            failing[0] = step.state["read"] > 0

    with pytest.raises(EngineFailed):
        played(main())
    assert settled[-1].state["read"] > 0
    assert settled[-1].state["points"]


def test_closing_the_work_stops_the_engine() -> None:
    closed: list[bool] = []

    class Watched(ScriptedWork):
        async def ask(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
            try:
                async for event in super().ask(request):
                    yield event
            finally:
                closed.append(True)

    async def main() -> None:
        job = await summarising(excerpts([text_of(2)]), WANTED, Watched(listed))
        async with aclosing(job.run(Made("en"))) as steps:
            async for step in steps:
                if not step.settled:
                    break
        assert closed == [True]

    played(main())


# ---- the browser's own ----


@dataclass
class Own:
    """pyapp.tasks.task.Summarizer: two sentences of what it is given; a word is a token."""

    tokens: int = 200

    async def window(self) -> int:
        return self.tokens

    async def count(self, text: str) -> int:
        return len(text.split())

    async def points(self, text: str, n: int, language: str) -> AsyncGenerator[str, None]:
        assert language == "en"
        for each in re.findall(r"The [^.]+\.", text)[:2]:
            yield f"* {each}\n"


def test_the_browsers_summarizer_is_asked_where_there_is_one() -> None:
    work = ScriptedWork(own_summarizer=Own())
    made = run(text_of(12), work)
    assert work.asked == []
    assert made.read == 12
    assert made.chosen
    assert all(said.sources and not said.quoted for said in made.chosen)
