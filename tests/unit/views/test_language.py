"""Every sentence exists in every language, with the same holes to fill; numbers read as people write them."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from pyapp.errors import BY_CODE, ContextOverflow, FileTooLarge, NetworkFailed, QuotaExceeded, ServerRefused
from pyapp.views.language import pick
from pyapp.views.strings import LANGUAGES
from tests.unit.views.languages import EN, ES

REPOSITORY = Path(__file__).parents[3]


def holes(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_languages_have_the_same_keys_and_holes() -> None:
    english = LANGUAGES["en"]
    for code, strings in LANGUAGES.items():
        assert set(strings) == set(english), code
        for key, sentence in strings.items():
            assert holes(sentence) == holes(english[key]), (code, key)
            assert sentence.strip() == sentence != "", (code, key)


def test_every_error_has_its_sentence() -> None:
    for code in BY_CODE:
        assert f"error.{code}" in LANGUAGES["en"]


def test_every_key_is_used() -> None:
    """A sentence nobody shows is a sentence nobody checks."""
    used = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("pyapp", "site")
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in {".py", ".html"} and "strings" not in path.parts
    )
    families: tuple[str, ...] = ("error.", "language.", "device.", "choice.why.", "choice.private", "choice.offline")
    families += ("choice.free", "setting.", "settings.group.", "settings.wrong.", "panel.", "personas.", "persona.")
    families += (
        "data.",
        "import.reason.",
        "shortcut.",
        "chats.group.",
        "chats.found.",
        "chats.messages.",
        "attach.words.",
        "stats.spent.",
    )
    families += ("engine.", "stats.advice.", "models.fit.", "models.why.", "models.do.", "models.done.")
    families += (
        "models.for.",
        "models.needs.",
        "models.versions.",
        "stats.private",
        "stats.this_computer",
        "stats.sent",
    )
    families += ("servers.wrong.", "servers.program.", "servers.advice.", "servers.place.", "servers.found.")
    families += ("servers.reconnect", "servers.forget")
    families += ("tasks.file.pages.", "tasks.status.", "tasks.by.", "tasks.wrong.", "tasks.option.", "tasks.say.")
    families += ("route.privacy", "route.long", "route.least_tokens_per_s", "route.most_cost", "route.kind.")
    families += ("route.tier.", "route.why.", "route.up", "route.down", "route.toggle")
    families += ("own.do.", "own.use.", "own.keep.", "stats.cloud", "cloud.on", "cloud.off", "cloud.idle")
    for key in LANGUAGES["en"]:
        assert re.search(rf"[\"']{re.escape(key)}[\"']", used) or key.startswith(families), key


@pytest.mark.parametrize(
    ("wanted", "code"), [(["es-MX", "en"], "es"), (["fr", "es"], "es"), (["fr"], "en"), ([], "en"), (["EN-gb"], "en")]
)
def test_pick(wanted: list[str], code: str) -> None:
    assert pick(wanted) == code


def test_numbers() -> None:
    assert EN.number(1234.5, 1) == "1,234.5"
    assert ES.number(1234.5, 1) == "1.234,5"
    assert EN.percent(0.999) == "99\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(5, "5 B"), (1500, "1.5 kB"), (157_000_000, "157 MB"), (98_362_432, "98.4 MB"), (2_500_000_000, "2.5 GB")],
)
def test_size(n_bytes: int, text: str) -> None:
    assert EN.size(n_bytes) == text.replace(" ", "\N{NO-BREAK SPACE}")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (42, "42 s"), (90, "2 min"), (3600, "1 h 0 min"), (9000, "2 h 30 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert EN.duration(seconds) == text


def test_errors_say_what_to_do() -> None:
    overflow = ContextOverflow(prompt_tokens=10_000, context_tokens=8192)
    assert "by 1,809 tokens" in EN.error(overflow)
    assert "sobran 1.809 tokens" in ES.error(overflow)
    assert "the limit is 2.0\N{NO-BREAK SPACE}MB" in EN.error(FileTooLarge(name="a.txt", limit_bytes=2_000_000))
    assert "157\N{NO-BREAK SPACE}MB" in EN.error(QuotaExceeded(bytes_needed=157_000_000))
    assert "(status 418)" in EN.error(ServerRefused(status=418))
    assert EN.error(NetworkFailed("curl says no")).startswith("The server could not be reached")


def test_an_error_without_its_details_is_still_a_sentence() -> None:
    assert EN.error(ServerRefused()).startswith("The server refused")
    assert EN.error(ContextOverflow()).startswith("This is too long")
