"""Who answers: each row of what was asked for, each reason, and what holds in every situation there is."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from pyapp.routing.needs import Kind, Needs
from pyapp.routing.rules import KINDS, PRIVACIES, ROWS, TIERS, Row, Rules, always
from pyapp.routing.table import Candidate, Decision, Situation, decide
from tests.unit.routing.made import ACME, ALL, ALLOWED, LLAMA, NANO, TINY, answers, codes, decided

# ---- the rows that were asked for ----


def test_row_29_the_browsers_own_model_then_a_downloaded_one_then_a_server_of_ours_then_the_cloud() -> None:
    for left in range(len(ALL)):
        assert answers("chat", *ALL[left:]) == TIERS[left]
    assert answers("chat", *reversed(ALL)) == "builtin", "whatever order they come in"


def test_row_29_it_is_explained() -> None:
    assert codes(decided("summarise", LLAMA, ACME)) == [
        ("kind", "llama"),
        ("absent", "builtin"),
        ("absent", "device"),
    ]


def test_row_29_it_can_be_overridden_once_and_for_good() -> None:
    assert codes(decided("code", once=LLAMA.key)) == [("once", "llama")]
    rules = always(ALLOWED, "code", LLAMA.key)
    assert codes(decided("code", rules=rules)) == [("always", "llama")]
    assert answers("course", rules=rules) == "device", "it is for one kind of work"
    assert answers("code", rules=rules, once=TINY.key) == "device", "once is before always"


@pytest.mark.parametrize("kind", ["summarise", "classify"])
def test_row_30_summaries_and_labels_go_to_the_browsers_own_model(kind: Kind) -> None:
    assert answers(kind, words=5000) == "builtin"
    assert answers(kind, TINY, LLAMA, ACME, words=5000) == "device"


def test_row_30_a_course_goes_to_a_downloaded_model() -> None:
    assert answers("course", words=5000) == "device"


@pytest.mark.parametrize("kind", ["course", "code", "data"])
def test_row_30_courses_code_and_data_never_go_to_the_cloud(kind: Kind) -> None:
    assert answers(kind, words=5000) == "device"
    decision = decided(kind, ACME, words=5000)
    assert decision.choice is None
    assert ("excluded", "Acme AI") in codes(decision)


@pytest.mark.parametrize("kind", ["creative", "research"])
def test_row_30_creative_writing_and_research_may_go_to_the_cloud(kind: Kind) -> None:
    assert answers(kind) == "cloud"
    assert answers(kind, NANO, TINY, LLAMA) == "builtin", "and stay where there is none"
    assert answers(kind, rules=Rules()) == "builtin", "or where nothing may leave"


def test_row_31_short_prompts_stay_and_long_ones_may_leave() -> None:
    assert codes(decided("chat", words=99)) == [("short", "Nano")]
    assert codes(decided("chat", words=100)) == [("long", "Acme AI")]
    assert codes(decided("chat", words=100, rules=Rules())) == [("kind", "Nano"), ("privacy", "Acme AI")]
    assert codes(decided("chat", NANO, words=100)) == [("kind", "Nano"), ("absent", "cloud")]


def test_row_31_the_threshold_is_a_hundred_words_unless_it_is_set() -> None:
    assert Rules().long_words == 100
    assert answers("chat", rules=replace(ALLOWED, long_words=10), words=10) == "cloud"
    rows = {**ROWS, "chat": Row(("device", "own_server"), long_leaves=True)}
    assert answers("chat", rules=replace(ALLOWED, rows=rows), words=1000) == "device", "who is left out is left out"


# ---- privacy ----


def test_nothing_leaves_whoever_is_named() -> None:
    rules = always(Rules(), "research", ACME.key)
    decision = decided("research", rules=rules)
    assert decision.choice == NANO
    assert ("privacy", "Acme AI") in codes(decision)
    assert answers("research", rules=rules, once=ACME.key) == "builtin"
    assert answers("research", ACME, rules=rules, once=ACME.key) == "nobody"


def test_a_server_of_ours_is_a_device_of_ours() -> None:
    assert answers("chat", LLAMA, ACME, rules=Rules()) == "own_server"
    assert not decided("chat", LLAMA, rules=Rules(privacy="ask")).ask


def test_it_is_asked_before_anything_leaves() -> None:
    rules = Rules(privacy="ask")
    assert decided("research", rules=rules).ask
    assert decided("code", rules=rules, once=ACME.key).ask
    assert not decided("research").ask
    assert not decided("code", rules=rules).ask


def test_here_is_an_answer_too() -> None:
    decision = decided("research", rules=Rules(privacy="ask"), stay=True)
    assert (decision.choice, decision.ask) == (NANO, False)
    assert codes(decision) == [("kind", "Nano"), ("stay", "Acme AI")]
    assert ACME not in decision.others


# ---- what one can do ----


def test_who_failed_is_not_asked_again() -> None:
    decision = decided("research", failed=frozenset({ACME.key}))
    assert codes(decision) == [("kind", "Nano"), ("failed", "Acme AI")]
    assert answers("research", failed=frozenset({ACME.key}), once=ACME.key) == "builtin"


def test_it_has_to_fit_the_window() -> None:
    decision = decided("summarise", context_tokens=6001)
    assert decision.choice == LLAMA
    assert codes(decision) == [("kind", "llama"), ("window", "Nano"), ("window", "Tiny")]
    assert [each.number for each in decision.reasons[1:]] == [6000, 2000]
    assert answers("summarise", NANO, context_tokens=6001, once=NANO.key) == "nobody"


def test_who_is_too_slow_comes_last() -> None:
    slow, fast = replace(NANO, tokens_per_s=3.0), replace(TINY, tokens_per_s=5.0)
    rules = replace(ALLOWED, least_tokens_per_s=5.0)
    decision = decided("summarise", slow, fast, rules=rules)
    assert codes(decision) == [("kind", "Tiny"), ("slow", "Nano")]
    assert decision.others == (slow,)
    assert decided("summarise", slow, rules=rules).choice == slow, "rather than nobody"
    assert decided("summarise", slow, TINY, rules=rules).choice == TINY, "who was never measured may be fast"
    assert decided("summarise", slow, fast, rules=rules, once=slow.key).choice == slow


def test_a_form_is_for_who_can_keep_to_it() -> None:
    loose, strict = replace(TINY, key="loose", title="Loose", constrains=False, in_use=True), TINY
    decision = decided("course", loose, strict, schema=True)
    assert codes(decision) == [("kind", "Tiny"), ("no_schema", "Loose")]
    assert decided("course", loose, strict).choice == loose, "without a form it does not matter"
    assert decided("course", loose, LLAMA, schema=True).choice == loose, "nor is another tier better for it"


def test_what_is_in_use_is_taken_rather_than_its_equal() -> None:
    other = replace(TINY, key="other", title="Other", in_use=True)
    decision = decided("code", TINY, other)
    assert codes(decision) == [("kind", "Other")]
    assert decision.others[0] == TINY
    assert decided("code", TINY, replace(other, in_use=False)).choice == TINY, "else the first"


def test_what_it_may_cost() -> None:
    dear = replace(ACME, key="dear", title="Dear", cost=3.0)
    cheap = replace(ACME, key="cheap", title="Cheap", cost=1.0)
    rules = replace(ALLOWED, most_cost=2.0)
    decision = decided("research", ACME, dear, cheap, rules=rules)
    assert codes(decision) == [("kind", "Cheap"), ("cost_unknown", "Acme AI"), ("cost", "Dear")]
    assert decision.reasons[2].number == 3.0
    assert decided("research", dear, cheap, rules=rules, once="dear").choice == dear, "who is named is worth it"


def test_a_rule_may_name_one_that_is_gone() -> None:
    rules = always(ALLOWED, "code", "gone/wasm")
    assert codes(decided("code", rules=rules)) == [("kind", "Tiny"), ("gone", "")]
    assert codes(decided("code", rules=rules, once=NANO.key)) == [("once", "Nano")]


def test_nobody_is_an_answer_with_its_reasons() -> None:
    decision = decide(Situation(Needs("course"), ()), ALLOWED)
    assert decision == Decision(None, (), decision.reasons)
    assert codes(decision) == [("absent", "device"), ("absent", "builtin"), ("absent", "own_server")]


def test_one_from_outside_the_order_can_be_named_and_the_order_has_nothing_to_do_with_it() -> None:
    decision = decided("code", once=ACME.key, words=500)
    assert codes(decision) == [("once", "Acme AI")]
    assert decision.others == (TINY, NANO, LLAMA)


# ---- whatever the situation ----

SITUATIONS = 5_000 if sys.platform == "emscripten" else 100_000


def _candidate(chance: random.Random, key: int) -> Candidate:
    return Candidate(
        key=f"{key}",
        tier=chance.choice(TIERS),
        title=f"Model {key}",
        window_tokens=chance.choice((512, 2048, 8192)),
        tokens_per_s=chance.choice((None, 1.0, 20.0)),
        constrains=chance.random() < 0.5,
        in_use=chance.random() < 0.3,
        cost=chance.choice((None, 0.0, 5.0)),
    )


def _rules(chance: random.Random, keys: list[str]) -> Rules:
    def row() -> Row:
        order = chance.sample(TIERS, chance.randint(1, len(TIERS)))
        return Row(tuple(order), chance.random() < 0.5, chance.choice(keys) if chance.random() < 0.3 else "")

    return Rules(
        privacy=chance.choice(PRIVACIES),
        long_words=chance.choice((0, 100, 1000)),
        least_tokens_per_s=chance.choice((0.0, 10.0)),
        most_cost=chance.choice((None, 0.0, 2.0)),
        rows={kind: row() for kind in KINDS},
    )


def _situation(chance: random.Random, candidates: list[Candidate], keys: list[str]) -> Situation:
    needs = Needs(
        chance.choice(KINDS),
        words=chance.choice((0, 99, 100, 5000)),
        context_tokens=chance.choice((0, 1024, 4096)),
        schema=chance.random() < 0.5,
    )
    once = chance.choice(keys) if chance.random() < 0.3 else ""
    failed = frozenset(key for key in keys if chance.random() < 0.15)
    return Situation(needs, candidates, once, chance.random() < 0.2, failed)


def test_it_always_decides_the_same_and_privacy_is_never_broken() -> None:
    chance = random.Random(31)
    for _ in range(SITUATIONS):
        candidates = [_candidate(chance, key) for key in range(chance.randint(0, 6))]
        keys = [*(each.key for each in candidates), "gone"]
        rules, situation = _rules(chance, keys), _situation(chance, candidates, keys)
        decision = decide(situation, rules)
        assert decision == decide(situation, rules)
        able = [each for each in (decision.choice, *decision.others) if each]
        assert decision.choice or not able
        assert decision.reasons or not candidates
        for each in able:
            assert each in candidates
            assert not (each.leaves and (rules.privacy == "device_only" or situation.stay))
            assert each.key not in situation.failed
            assert each.window_tokens >= situation.needs.context_tokens
        leaves = decision.choice is not None and decision.choice.leaves
        assert decision.ask == (leaves and rules.privacy == "ask")
        named = situation.once or rules.rows[situation.needs.kind].always
        assert all(first.key == named or second.key != named for first, second in pairwise(able))
