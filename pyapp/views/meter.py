"""How much of the model's window the conversation takes."""

from __future__ import annotations

from pyapp.settings.context_plan import FULL_AT, WARN_AT, Meter
from pyapp.views.html import Html, fill
from pyapp.views.language import Language

_SENTENCES = {
    "ok": "context.meter",
    "warn": "context.meter.warn",
    "full": "context.meter.full",
    "over": "context.meter.over",
}


def meter(value: Meter, language: Language) -> Html:
    """The inside of the button: a gauge for the eyes, its share, and a sentence for whoever listens."""
    return fill(
        '<meter aria-hidden="true" max="{window}" low="{warn}" high="{full}" optimum="0" value="{used}"></meter>'
        '<span aria-hidden="true">{share}</span><span class="visually-hidden">{sentence}</span>',
        window=value.window_tokens,
        warn=int(WARN_AT * value.window_tokens),
        full=int(FULL_AT * value.window_tokens),
        used=value.used_tokens,
        share=language.percent(value.used_tokens / value.window_tokens),
        sentence=sentence(value, language),
    )


def sentence(value: Meter, language: Language) -> str:
    return language.text(
        _SENTENCES[value.level],
        used=language.number(value.used_tokens),
        window=language.number(value.window_tokens),
        left_out=language.number(value.left_out),
    )
