"""The course through the door of the tasks."""

from __future__ import annotations

from string import Formatter

import pytest

from pyapp.errors import BadInput
from pyapp.routing.needs import Needs
from pyapp.tasks.course import TASK
from pyapp.tasks.course.given import LANGUAGES, LEVELS
from pyapp.tasks.course.prompts import PROMPTS, is_example
from pyapp.tasks.fields import defaults, given
from pyapp.views.strings import LANGUAGES as OF_THE_PAGE
from tests.unit.run import run
from tests.unit.tasks.course.answers import GIVEN, made

TYPED = {**defaults(TASK.fields), "topic": "tea"}


def names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_every_sentence_is_in_every_language_of_the_page() -> None:
    assert set(TASK.strings) == set(OF_THE_PAGE) == set(PROMPTS) == set(LANGUAGES)
    english = TASK.strings["en"]
    for strings in TASK.strings.values():
        assert strings.keys() == english.keys()
        assert all(names(strings[key]) == names(english[key]) for key in english)


def test_every_prompt_has_the_same_places_in_every_language() -> None:
    for name in PROMPTS["en"].__slots__:
        places = [getattr(prompts, name) for prompts in PROMPTS.values()]
        if isinstance(places[0], str):
            assert len({frozenset(names(each)) for each in places}) == 1, name
    assert all(set(prompts.levels) == set(LEVELS) for prompts in PROMPTS.values())


def test_every_field_has_its_sentences() -> None:
    for field in TASK.fields:
        for key in (field.name, *(f"{field.name}.{option}" for option in field.options)):
            assert f"course.{key}" in TASK.strings["en"]
    assert all(f"course.export.{kind}" in TASK.strings["en"] for kind in TASK.exports)


def test_what_is_typed_is_what_is_given() -> None:
    assert given(TASK.fields, TYPED) == {**GIVEN, "language": "page", "modules": 3}


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("topic", "x" * 50_000, "long"),
        ("topic", "  ", "required"),
        ("modules", "13", "between"),
        ("lessons", "0", "between"),
        ("notes", "x" * 20_001, "long"),
    ],
)
def test_what_is_too_much_is_refused_kindly(field: str, value: str, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        given(TASK.fields, {**TYPED, field: value})
    assert (refused.value.details["field"], refused.value.details["why"]) == (field, f"tasks.wrong.{why}")


def test_a_topic_has_words() -> None:
    run(TASK.check(GIVEN))
    with pytest.raises(BadInput) as refused:
        run(TASK.check({**GIVEN, "topic": "?! 12"}))
    assert TASK.strings["es"][str(refused.value.details["why"])]


def test_it_needs_a_schema_and_a_small_window() -> None:
    assert TASK.needs({**GIVEN, "notes": "two words"}) == Needs("course", words=3, context_tokens=2048, schema=True)


def test_a_run_is_called_by_its_topic_until_it_has_a_title() -> None:
    assert run(TASK.title(GIVEN, None)) == "tea"
    assert run(TASK.title(GIVEN, {"language": "en"})) == "tea"
    assert run(TASK.title(GIVEN, run(made()))) == "All about tea"


def test_it_knows_what_it_was_shown() -> None:
    assert is_example("flour, water, salt and yeast.", "en")
    assert not is_example("Flour", "en")
