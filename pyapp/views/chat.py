"""The conversation as HTML: articles, figures, errors. Parts have names the page patches them by."""

from __future__ import annotations

from pyapp.chat.tree import Entry
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language
from pyapp.views.reasoning import answer

LAMP = Html(
    '<svg class="lamp" viewBox="0 0 64 64" aria-hidden="true" focusable="false">'
    '<use href="icons/candil.svg#lamp"/></svg>'
)


def article(entry: Entry, language: Language) -> Html:
    """A whole entry: `article` with data-id, data-role, data-state and its parts."""
    return fill(
        '<article data-id="{id}" data-role="{role}" data-state="{state}" aria-label="{who}">{lamp}'
        '<div data-part="text">{text}</div><div data-part="foot">{foot}</div></article>',
        id=entry.id,
        role=entry.role,
        state=entry.state,
        who=language.text("chat.you") if entry.role == "user" else "Candil",
        lamp=LAMP if entry.role == "assistant" else "",
        text=text(entry, language),
        foot=foot(entry, language),
    )


def text(entry: Entry, language: Language) -> Html:
    """The user's own words as they were typed; an answer as Markdown."""
    if entry.role == "user":
        return fill("{text}", text=entry.text)
    if entry.state == "streaming" and not entry.text:
        return thinking(language)
    return answer(entry.text, language)


def thinking(language: Language) -> Html:
    return fill(
        '<span class="thinking" role="img" aria-label="{label}"><span></span><span></span><span></span></span>',
        label=language.text("chat.thinking"),
    )


def foot(entry: Entry, language: Language) -> Html:
    """Under an answer that has ended: the error with its way out, and the figures."""
    if entry.role == "user" or entry.state == "streaming":
        return Html()
    return join([_error(entry, language), _stats(entry, language)])


def _error(entry: Entry, language: Language) -> Html:
    if entry.error is None:
        return Html()
    return fill(
        '<div class="answer-error"><p>{sentence}</p>'
        '<button type="button" class="secondary" data-action="try-again" data-id="{id}">{again}</button></div>',
        sentence=language.error(entry.error),
        id=entry.id,
        again=language.text("chat.try_again"),
    )


def _stats(entry: Entry, language: Language) -> Html:
    figures = [fill("<li>{figure}</li>", figure=f) for f in _figures(entry, language)]
    private = fill('<li class="private">{text}</li>', text=language.text("stats.private"))
    return fill('<ul data-part="stats">{figures}{private}</ul>', figures=join(figures), private=private)


def _figures(entry: Entry, language: Language) -> list[str]:
    figures: list[str] = []
    if entry.state == "stopped":
        figures.append(language.text("stats.stopped"))
    if entry.reason == "length":
        figures.append(language.text("stats.length"))
    if entry.usage:
        one = entry.usage.new_tokens == 1
        figures += [
            language.text(
                "stats.tokens.one" if one else "stats.tokens", tokens=language.number(entry.usage.new_tokens)
            ),
            language.text("stats.speed", speed=language.number(entry.usage.tokens_per_s, 1)),
            language.text("stats.first", seconds=language.number(entry.usage.prefill_ms / 1000, 2)),
        ]
    if entry.origin:
        device = language.text(f"device.{entry.origin.device}")
        figures.append(language.text("stats.model", model=entry.origin.model, device=device))
    return figures


def earlier(language: Language) -> Html:
    """Before the first message on the page, while there are earlier ones."""
    return fill(
        '<button type="button" class="quiet earlier" data-action="earlier">{label}</button>',
        label=language.text("chat.earlier"),
    )


def notice(sentence: str, language: Language, *, tone: str = "plain", label: str = "chat.dismiss") -> Html:
    """A line above the composer, with a button to be rid of it."""
    return fill(
        '<p data-tone="{tone}">{sentence}</p>'
        '<button type="button" class="quiet" data-action="dismiss">{label}</button>',
        tone=tone,
        sentence=sentence,
        label=language.text(label),
    )
