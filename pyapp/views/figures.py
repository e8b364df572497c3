"""Figures as HTML: the line under an answer with what is behind it, and the advice when it was slow."""

from __future__ import annotations

from pyapp.chat.tree import Entry, Origin
from pyapp.engine import Usage
from pyapp.figures import Conditions, advice, prefill_tokens, prefill_tokens_per_s, seconds, where
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language

_WHERE = {"here": "stats.private", "this_computer": "stats.this_computer", "sent": "stats.sent", "cloud": "stats.cloud"}


def stats(entry: Entry, language: Language, conditions: Conditions) -> Html:
    """One line, which opens; empty for an answer of which nothing is known, such as an imported one."""
    line = [fill("<span>{figure}</span> ", figure=figure) for figure in _line(entry, language)]
    if entry.origin:
        place = where(entry.origin)
        kind = "private" if place in ("here", "this_computer") else "sent"
        text = language.text(
            _WHERE[place], host=entry.origin.host, provider=entry.origin.provider, model=entry.origin.model
        )
        line.append(fill('<span class="{kind}">{text}</span>', kind=kind, text=text))
    if not line:
        return Html()
    return fill(
        '<div data-part="stats">{slow}<details><summary>{line}</summary>{facts}</details></div>',
        slow=_slow(entry, language, conditions),
        line=join(line),
        facts=_facts(entry, language),
    )


def _line(entry: Entry, language: Language) -> list[str]:
    figures: list[str] = []
    if entry.state == "stopped":
        figures.append(language.text("stats.stopped"))
    if entry.reason == "length":
        figures.append(language.text("stats.length"))
    if entry.usage:
        figures += [
            _tokens(entry.usage.new_tokens, seconds(entry.usage), language),
            language.text("stats.speed", speed=language.number(entry.usage.tokens_per_s, 1)),
            language.text("stats.first", seconds=language.number(entry.usage.prefill_ms / 1000, 2)),
        ]
    if entry.origin and not entry.origin.provider:  # with one, the model is named beside it
        figures.append(entry.origin.model)
    return figures


def _tokens(tokens: int, time_s: float, language: Language) -> str:
    return language.count("stats.spent", tokens, seconds=language.number(time_s, 1))


def _facts(entry: Entry, language: Language) -> Html:
    facts: dict[str, str] = {}
    if entry.usage:
        facts |= {"stats.prefill": _prefill(entry.usage, language), "stats.decode": _decode(entry.usage, language)}
        if entry.usage.cached_tokens:
            cached = language.number(entry.usage.cached_tokens)
            facts["stats.cached"] = language.text("stats.cached.value", tokens=cached)
    if entry.origin:
        facts |= _facts_of(entry.origin, language)
    rows = [fill("<dt>{name}</dt><dd>{value}</dd>", name=language.text(key), value=v) for key, v in facts.items()]
    return fill(
        '<dl class="facts">{rows}</dl>'
        '<button type="button" class="secondary" data-action="open-figures">{speeds}</button>',
        rows=join(rows),
        speeds=language.text("figures.open"),
    )


def _facts_of(origin: Origin, language: Language) -> dict[str, str]:
    place = f"{_WHERE[where(origin)]}.text"
    facts = {
        "choice.model": origin.model,
        "stats.engine": language.text(f"engine.{origin.engine}"),
        "choice.runs_on": language.text(f"device.{origin.device}"),
        "stats.where": language.text(place, host=origin.host, provider=origin.provider),
    }
    if origin.provider:  # whatever they run it on
        del facts["stats.engine"]
        facts["choice.runs_on"] = language.text("device.cloud")
    return facts


def _prefill(usage: Usage, language: Language) -> str:
    return language.text(
        "stats.prefill.value",
        tokens=language.number(prefill_tokens(usage)),
        seconds=language.number(usage.prefill_ms / 1000, 2),
        speed=language.number(prefill_tokens_per_s(usage), 1),
    )


def _decode(usage: Usage, language: Language) -> str:
    return language.text(
        "stats.decode.value",
        tokens=language.number(usage.new_tokens),
        seconds=language.number(usage.decode_ms / 1000, 2),
        speed=language.number(usage.tokens_per_s, 1),
    )


def _slow(entry: Entry, language: Language, conditions: Conditions) -> Html:
    if not (entry.usage and entry.origin):
        return Html()
    hints = _hints(entry.usage, entry.origin, language, conditions)
    if not hints:
        return Html()
    sentence = language.text(
        "stats.slow",
        seconds=language.duration(seconds(entry.usage)),
        budget=language.duration(conditions.budget_s),
    )
    return fill('<p class="slow">{sentence} {hints}</p>', sentence=sentence, hints=" ".join(hints))


def _hints(usage: Usage, origin: Origin, language: Language, conditions: Conditions) -> list[str]:
    tokens = {"prompt": language.number(usage.prompt_tokens), "answer": language.number(usage.new_tokens)}
    return [language.text(f"stats.advice.{code}", **tokens) for code in advice(usage, origin, conditions)]
