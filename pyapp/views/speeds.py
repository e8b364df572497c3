"""The page of this device's speeds as HTML: what is usual, how it went over time, and all of it as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from pyapp.figures import seconds
from pyapp.speeds import MOST, Figure, Runner, Summary, summaries
from pyapp.views.chart import Series, chart, marker
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language


def page(figures: Sequence[Figure], language: Language, *, asks_to_clear: bool = False) -> Html:
    """The inside of the dialog."""
    return fill(
        '<div class="page-head"><h2 id="figures-title">{title}</h2>'
        '<button type="button" class="quiet" data-action="figures-close" aria-label="{close}">'
        '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="M6 6l12 12M18 6L6 18"/></svg></button>'
        "</div><p>{lead}</p>{content}",
        title=language.text("figures.open"),
        close=language.text("settings.close"),
        lead=language.text("figures.lead", most=language.number(MOST)),
        content=_content(figures, language, asks_to_clear) if figures else _empty(language),
    )


def _empty(language: Language) -> Html:
    return fill('<p class="quiet-line">{text}</p>', text=language.text("figures.empty"))


def _content(figures: Sequence[Figure], language: Language, asks_to_clear: bool) -> Html:
    usual = summaries(figures)
    return join(
        [
            _usual(usual, language),
            _over_time("figures.decode", figures, usual, lambda figure: figure.usage.tokens_per_s, language),
            _over_time("figures.first", figures, usual, lambda figure: figure.first_token_s, language),
            _table(figures, language),
            _clear(language, asks_to_clear),
        ]
    )


def _usual(usual: Sequence[Summary], language: Language) -> Html:
    rows = [
        fill(
            '<tr><th scope="row">{marker}{runner}</th><td>{answers}</td><td>{speed}</td><td>{first}</td></tr>',
            marker=marker(number),
            runner=_name(each.runner, language),
            answers=language.number(each.answers),
            speed=language.number(each.tokens_per_s, 1),
            first=language.number(each.first_token_s, 2),
        )
        for number, each in enumerate(usual)
    ]
    return _tabled(
        "figures.usual", ("choice.model", "figures.answers", "figures.decode", "figures.first"), rows, language
    )


def _over_time(
    key: str, figures: Sequence[Figure], usual: Sequence[Summary], value: Callable[[Figure], float], language: Language
) -> Html:
    series = [
        Series(
            _name(each.runner, language),
            tuple((place, value(figure)) for place, figure in enumerate(figures) if figure.runner == each.runner),
        )
        for each in usual
    ]
    values = [value(figure) for figure in figures]
    title = language.text(
        "figures.chart",
        what=language.text(key),
        low=language.number(min(values), 2),
        high=language.number(max(values), 2),
        last=language.number(values[-1], 2),
    )
    return fill(
        '<figure class="speeds"><figcaption>{caption} <span>{order}</span></figcaption>{chart}</figure>',
        caption=language.text(key),
        order=language.text("figures.order"),
        chart=chart(title, series, language),
    )


def _table(figures: Sequence[Figure], language: Language) -> Html:
    rows = [
        fill(
            "<tr><td>{at}</td><td>{runner}</td><td>{speed}</td><td>{first}</td><td>{tokens}</td><td>{time}</td></tr>",
            at=f"{datetime.fromtimestamp(figure.at_ms / 1000):%Y-%m-%d %H:%M}",
            runner=_name(figure.runner, language),
            speed=language.number(figure.usage.tokens_per_s, 1),
            first=language.number(figure.first_token_s, 2),
            tokens=language.number(figure.usage.new_tokens),
            time=language.number(seconds(figure.usage), 1),
        )
        for figure in reversed(figures)
    ]
    heads = ("figures.at", "choice.model", "figures.decode", "figures.first", "figures.tokens", "figures.time")
    return fill(
        "<details><summary>{title}</summary>{table}</details>",
        title=language.text("figures.table"),
        table=_tabled("figures.all", heads, rows, language),
    )


def _tabled(caption: str, heads: Sequence[str], rows: list[Html], language: Language) -> Html:
    return fill(
        '<div class="table" tabindex="0" role="region" aria-label="{caption}"><table><caption>{caption}</caption>'
        "<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>",
        caption=language.text(caption),
        heads=join([fill('<th scope="col">{head}</th>', head=language.text(head)) for head in heads]),
        rows=join(rows),
    )


def _clear(language: Language, asks: bool) -> Html:
    if not asks:
        return fill(
            '<div class="buttons">'
            '<button type="button" class="secondary" data-action="figures-ask">{clear}</button></div>',
            clear=language.text("figures.clear"),
        )
    return fill(
        '<p>{question}</p><div class="buttons">'
        '<button type="button" class="primary" data-action="figures-keep">{keep}</button>'
        '<button type="button" class="secondary" data-action="figures-clear">{clear}</button></div>',
        question=language.text("figures.clear.ask"),
        keep=language.text("figures.keep"),
        clear=language.text("figures.clear.confirm"),
    )


def _name(runner: Runner, language: Language) -> str:
    model, device = runner
    return f"{model}, {language.text(f'device.{device}')}"
