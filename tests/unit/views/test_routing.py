"""Who answers as HTML: the question, the line with an answer, the rules; escaped, labelled, in both languages."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from pyapp.chat.tree import Origin
from pyapp.routing.needs import Needs
from pyapp.routing.route import Routed
from pyapp.routing.router import Question
from pyapp.routing.rules import KINDS, PRIVACIES, Rules, always, moved, toggled, with_long
from pyapp.routing.table import Code, Decision, Reason
from pyapp.views import routing
from pyapp.views.language import Language
from tests.unit.chat.scripted import ScriptedEngine
from tests.unit.routing.made import ACME, NANO, TINY
from tests.unit.views.languages import EN, ES
from tests.unit.views.test_settings import EVIL, Page

both = pytest.mark.parametrize("language", [EN, ES], ids=lambda each: each.code)


# ---- the question ----


@both
def test_the_question_names_the_company_and_staying_comes_first(language: Language) -> None:
    page = Page(routing.question(Question(EVIL, here=True), language)).check()
    assert [a["data-id"] for a in page.all("button", data_action="route-consent")] == ["here", "send", "always"]
    assert page.words.count(EVIL) == 2
    assert language.text("route.ask.here") in page.words


def test_where_nobody_is_here_it_is_not_sent_instead() -> None:
    words = Page(routing.question(Question("Acme AI", here=False), EN)).words
    assert words == "Send this to Acme AI? It leaves your devices.Do not sendSend to Acme AIAlways send, without asking"


def test_no_question_is_nothing() -> None:
    assert routing.question(None, EN) == ""


# ---- with an answer ----


def routed(*reasons: Reason, choice: bool = True) -> Routed:
    decision = Decision(ACME if choice else None, (replace(NANO, title=EVIL), TINY), reasons)
    return Routed(ScriptedEngine(), Origin("auto", "server"), 100, Needs("research"), decision)


def test_it_is_one_line() -> None:
    reasons = Reason("long", "Acme AI", "cloud", 120.0), Reason("absent", tier="own_server"), Reason("gone")
    assert routing.why(routed(*reasons), EN) == (
        "Acme AI: a long text (words: 120). Not here: my server. The model that your rule names is not here."
    )
    assert routing.why(routed(Reason("kind", "Acme AI")), ES) == "Acme AI: primero en el orden para «Investigación»."


@both
@pytest.mark.parametrize("code", get_args(Code))
def test_every_reason_has_its_sentence(code: Code, language: Language) -> None:
    sentence = routing.why(routed(Reason(code, "Acme AI", "cloud", 7.0)), language)
    assert sentence.endswith(".")
    assert "{" not in sentence


@both
def test_behind_it_others_can_be_asked_once_or_always(language: Language) -> None:
    page = Page(routing.line(routed(Reason("kind", EVIL)), "e", language)).check()
    assert [a["data-key"] for a in page.all("button", data_action="route-once")] == [NANO.key, TINY.key]
    for button in page.all("button", data_action="route-always"):
        assert (button["data-id"], button["data-kind"]) == ("e", "research")
    assert len(page.all("button", data_action="route-always")) == 3
    labels = [a["aria-label"] for a in page.all("button") if "aria-label" in a]
    assert len(set(labels)) == 5, "told apart by ear"
    assert page.all("button", data_action="open-routing")
    assert EVIL in page.words


def test_without_a_choice_there_are_the_others() -> None:
    assert len(Page(routing.line(routed(choice=False), "e", EN)).all("button", data_action="route-once")) == 2


# ---- the rules ----

MODELS: routing.Models = (("tiny/wasm", EVIL), ("own/browser", "Nano"))


@both
def test_everything_that_can_be_set_has_a_label(language: Language) -> None:
    page = Page(routing.form(Rules(), MODELS, language)).check()
    for name in ("privacy", *routing.NUMBERS):
        (control,) = [a for _, a in page.elements if a.get("name") == name]
        assert page.all("label", **{"for": str(control["id"])})
    assert [a["value"] for a in page.all("option") if a["value"] in PRIVACIES] == list(PRIVACIES)
    assert len(page.all("details")) == len(KINDS) == len(page.all("select", name="always"))
    assert EVIL in page.words
    for action in ("route-reset", "route-export", "route-import"):
        assert page.all("button", data_action=action)


def test_it_stands_as_the_rules_do() -> None:
    rules = replace(Rules(), privacy="ask", long_words=30, least_tokens_per_s=7.5, most_cost=2.0)
    page = Page(routing.form(rules, (), EN))
    assert "selected" in page.all("option", value="ask")[0]
    assert [page.all("input", name=name)[0]["value"] for name in routing.NUMBERS] == ["30", "7.5", "2"]
    assert Page(routing.form(Rules(), (), EN)).all("input", name="most_cost")[0]["value"] == ""
    assert "Texts from 30 words on go to the cloud first" in page.words


def buttons(kind_html: str) -> list[tuple[str | None, str | None, bool]]:
    return [(a["data-action"], a["data-id"], "disabled" in a) for a in Page(kind_html).all("button")]


def test_an_order_is_changed_from_the_keyboard_too() -> None:
    assert buttons(routing.kind_inside("code", Rules(), (), EN)) == [
        ("route-up", "device", True),
        ("route-down", "device", False),
        ("route-toggle", "device", False),
        ("route-up", "builtin", False),
        ("route-down", "builtin", False),
        ("route-toggle", "builtin", False),
        ("route-up", "own_server", False),
        ("route-down", "own_server", True),
        ("route-toggle", "own_server", False),
        ("route-toggle", "cloud", False),
    ]
    alone = toggled(toggled(Rules(), "code", "device"), "code", "own_server")
    assert buttons(routing.kind_inside("code", alone, (), EN))[:3] == [
        ("route-up", "builtin", True),
        ("route-down", "builtin", True),
        ("route-toggle", "builtin", True),
    ]


def test_the_order_is_said_in_a_line() -> None:
    words = Page(routing.kind_inside("code", moved(Rules(), "code", "builtin", -1), (), EN)).words
    assert words.startswith("Programming the browser's own model → this device → my server")
    rules = always(Rules(), "code", "own/browser")
    assert Page(routing.kind_inside("code", rules, MODELS, EN)).words.startswith("Programming Nano")


def test_who_is_named_and_gone_is_shown_by_the_key() -> None:
    page = Page(routing.kind_inside("code", always(Rules(), "code", "gone/wasm"), MODELS, EN))
    assert [a["value"] for a in page.all("option") if "selected" in a] == ["gone/wasm"]
    assert page.words.startswith("Programming gone/wasm")


def test_long_texts_are_a_question_only_where_the_cloud_is_asked() -> None:
    assert not Page(routing.kind_inside("code", Rules(), (), EN)).all("input", name="long")
    assert "checked" in Page(routing.kind_inside("chat", Rules(), (), EN)).all("input", name="long")[0]
    stays = with_long(Rules(), "chat", False)
    assert "checked" not in Page(routing.kind_inside("chat", stays, (), EN)).all("input", name="long")[0]
