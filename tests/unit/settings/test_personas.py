"""Personas: made, changed, shared; their text is text."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import pytest

from pyapp.errors import ImportTooLarge, ImportTooNew, ImportUnreadable
from pyapp.settings import personas
from pyapp.settings.personas import BUILT_IN, LARGEST_FILE, LONGEST_TITLE, Persona, built_in, instructions, loads, made
from pyapp.settings.settings import Settings
from pyapp.settings.table import LONGEST_TEXT

SYNTAX = "{{ system }} <|im_start|>user {name} %s"
MINE = Persona("p1", "Pirate", SYNTAX)


def ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"new{next(numbers)}"


def test_the_library_is_in_the_language_of_its_texts() -> None:
    library = built_in(lambda key: f"[{key}]")
    assert library[0] == Persona("tutor", "[persona.tutor]", "[persona.tutor.prompt]", built_in=True)
    assert [p.id for p in library] == list(BUILT_IN)


def test_making_editing_duplicating_deleting() -> None:
    pirate = made(" Pirate \n king ", f" {SYNTAX} ", "p1")
    assert pirate == Persona("p1", "Pirate king", SYNTAX)
    assert made("\ud800", "x", "p1").title == "?", "half a surrogate pair is no text"
    other = Persona("p2", "Other", "x")
    assert personas.edited((pirate, other), MINE) == (MINE, other)
    assert personas.deleted((pirate, other), "p1") == (other,)
    copy = personas.duplicate(built_in(str)[0], "Copy" * 40, "p3")
    assert (copy.id, copy.built_in, len(copy.title)) == ("p3", False, LONGEST_TITLE)


@pytest.mark.parametrize(
    ("title", "prompt"),
    [("", "x"), (" ", "x"), ("x", " "), ("x" * (LONGEST_TITLE + 1), "x"), ("x", "x" * (LONGEST_TEXT + 1))],
)
def test_what_is_no_persona(title: str, prompt: str) -> None:
    with pytest.raises(ValueError, match="title and a prompt"):
        made(title, prompt, "p1")


def test_instructions_are_the_personas_and_the_users_own() -> None:
    settings = Settings(persona_id="p1", system_prompt=" Answer in verse. ")
    assert instructions(settings, [MINE]) == f"{SYNTAX}\n\nAnswer in verse."
    assert instructions(settings, []) == "Answer in verse."
    assert instructions(Settings(persona_id="p1"), [MINE]) == SYNTAX
    assert instructions(Settings(), [MINE]) == ""


def test_kept_and_read_again() -> None:
    assert personas.parse(json.loads(json.dumps(personas.to_json([MINE, *built_in(str)])))) == (MINE,)


@pytest.mark.parametrize(
    "item",
    [
        None,
        [],
        "x",
        {},
        {"id": "p", "title": "t"},
        {"id": 1, "title": "t", "prompt": "p"},
        {"id": "", "title": "t", "prompt": "p"},
        {"id": "tutor", "title": "t", "prompt": "p"},
        {"id": "p", "title": 5, "prompt": "p"},
        {"id": "p", "title": "t", "prompt": None},
    ],
)
def test_what_is_damaged_is_left_out(item: object) -> None:
    assert personas.parse([item, {"id": "p1", "title": "Pirate", "prompt": SYNTAX}]) == (MINE,)


def test_the_second_of_one_id_is_left_out() -> None:
    twice = [{"id": "p1", "title": "Pirate", "prompt": SYNTAX}, {"id": "p1", "title": "Other", "prompt": "x"}]
    assert personas.parse(twice) == (MINE,)
    assert personas.parse({}) == ()


def test_shared_and_received() -> None:
    received = loads(personas.dumps([MINE, built_in(str)[0]]), ids())
    assert received == (Persona("new1", "Pirate", SYNTAX), Persona("new2", "persona.tutor", "persona.tutor.prompt"))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("x", ImportUnreadable),
        ("[]", ImportUnreadable),
        ('{"format": "other"}', ImportUnreadable),
        ('{"format": "candil.personas", "version": 1}', ImportUnreadable),
        ('{"format": "candil.personas", "version": 1, "personas": [5, {}]}', ImportUnreadable),
        ('{"format": "candil.personas", "version": 2, "personas": []}', ImportTooNew),
        ("[" * 5000, ImportUnreadable),
        (" " * (LARGEST_FILE + 1), ImportTooLarge),
    ],
)
def test_hostile_files(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        loads(text, ids())
