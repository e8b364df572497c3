"""Every sentence in every language, with the same holes; every one that is needed is there."""

from __future__ import annotations

import re
import string
from pathlib import Path

from pyapp.tasks.classify import TASK
from pyapp.tasks.classify.strings import STRINGS

SOURCE = Path(__file__).parents[4] / "pyapp" / "tasks" / "classify"


def holes(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_languages_have_the_same_keys_and_holes() -> None:
    for code, sentences in STRINGS.items():
        assert set(sentences) == set(STRINGS["en"]), code
        for key, sentence in sentences.items():
            assert holes(sentence) == holes(STRINGS["en"][key]), (code, key)
            assert sentence.strip() == sentence != ""


def test_the_form_has_its_words() -> None:
    keys = ["title", "about", *(f"export.{kind}" for kind in TASK.exports)]
    for field in TASK.fields:
        keys += [field.name, *(f"{field.name}.{option}" for option in field.options)]
    assert {f"classify.{key}" for key in keys} <= set(STRINGS["en"])


def test_every_other_sentence_is_used() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCE.glob("*.py") if path.name != "strings.py")
    words = set(re.findall(r"[a-z_]+", source))
    for key in STRINGS["en"]:
        assert set(re.findall(r"[a-z_]+", key)) - words <= {"help", "about", "export", "title", "other", "one"}, key
