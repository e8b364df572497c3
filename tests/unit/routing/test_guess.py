"""What a prompt is about."""

from __future__ import annotations

import pytest

from pyapp.routing.guess import READ, kind_of, needs_of
from pyapp.routing.needs import Needs

CSV = "name,age,town\nAna,3,Lugo\nBea,4,Vigo"


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("", "chat"),
        ("How are you?", "chat"),
        ("¿Qué tiempo hace?", "chat"),
        ("One, two, three\nand four.", "chat"),
        ("Write a function that sorts a list", "code"),
        ("Escribe una FUNCIÓN que ordene una lista", "code"),
        ("What is wrong here?\n```\nx = 1\n```", "code"),
        ("~~~\nx\n~~~", "code"),
        ("What is the median of this column?", "data"),
        ("Calcula el promedio de esta tabla", "data"),
        (CSV, "data"),
        ("What is this?\n" + CSV.replace(",", "\t"), "data"),
        ("¿Qué es?\n" + CSV.replace(",", ";"), "data"),
        ("Write a poem about a story", "creative"),
        ("Escribe una canción", "creative"),
        ("Compare the evidence for both", "research"),
        ("Investiga las fuentes de este mito", "research"),
        ("a story in python", "code"),  # as many of both: the earlier one, which stays
        ("a story, a poem in python", "creative"),
        ("encode", "chat"),  # a word is looked at from its beginning
        ("\n" * READ + "python", "chat"),  # what is pasted below what is asked does not count
    ],
)
def test_it_is_guessed_from_its_words(prompt: str, kind: str) -> None:
    assert kind_of(prompt) == kind


def test_lines_that_look_like_a_table_have_to_be_one_after_the_other() -> None:
    assert kind_of("a,b,c\n1,2,3\nand so\n4,5,6") == "chat"
    assert kind_of("a,b,c,d\n1,2,3\n4,5,6\n7,8,9") == "data"


def test_how_much_it_needs() -> None:
    assert needs_of("a poem " * 50) == Needs("creative", words=100, context_tokens=70)
