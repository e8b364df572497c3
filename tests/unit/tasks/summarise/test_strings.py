"""The task's sentences, in every language alike."""

from __future__ import annotations

import string

from pyapp.tasks.summarise import TASK


def names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_say_the_same_things() -> None:
    english, spanish = TASK.strings["en"], TASK.strings["es"]
    assert english.keys() == spanish.keys()
    for key, sentence in english.items():
        assert names(sentence) == names(spanish[key]), key
        assert sentence.strip()
        assert spanish[key].strip()


def test_every_field_option_and_export_has_its_words() -> None:
    english = TASK.strings["en"]
    for field in TASK.fields:
        assert f"summarise.{field.name}" in english
        assert all(f"summarise.{field.name}.{option}" in english for option in field.options)
    assert all(f"summarise.export.{kind}" in english for kind in TASK.exports)
