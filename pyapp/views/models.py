"""The models page as HTML: the storage, and every variant of every model with what can be done to it.

A row is drawn in two parts, so that a button keeps the focus while a download runs: `row` changes when the situation
does, `progress` goes into its empty [data-part="progress"] as often as there is news.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import assert_never

from pyapp.models.manifest import ModelSpec, OwnSource
from pyapp.models_page import Shown
from pyapp.setup.standing import Absent, Damaged, Fetching, Partly, Row, Verifying, Whole
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language
from pyapp.views.links import host_of
from pyapp.views.setup import language_name, progress_figures, unpinned
from pyapp.views.storage import storage

_SHORT = ("space_may_be_short", "kept_until_tab_closes")  # of no interest once it is here


def page(shown: Shown, language: Language) -> Html:
    """The inside of the dialog."""
    return fill(
        '<div class="page-head"><h2 id="models-title">{title}</h2>'
        '<button type="button" class="quiet" data-action="model-close" aria-label="{close}">'
        '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="M6 6l12 12M18 6L6 18"/></svg></button>'
        '</div><p class="visually-hidden" role="status" data-part="done"></p>'
        '<div data-part="device"></div><div data-part="notices">{notices}</div>'
        '<section id="own" class="own" aria-labelledby="own-title"></section>'
        '<p class="visually-hidden" role="status" id="own-news"></p>'
        '<div data-part="models">{models}</div><div data-part="cloud"></div><div data-part="servers"></div>'
        '<div data-part="storage">{storage}</div><div data-part="digit"></div>',
        title=language.text("models.title"),
        close=language.text("settings.close"),
        storage=storage(shown, language),
        notices=notices(shown, language),
        models=models(shown.rows or (), language),
    )


def models(rows: tuple[Row, ...], language: Language) -> Html:
    """Open are the first, which a newcomer is offered, and those of which something is here."""
    groups = [(model, list(group)) for model, group in groupby(rows, key=lambda row: row.model)]
    return join([_model(model, group, language, first=at == 0) for at, (model, group) in enumerate(groups)])


def _model(model: ModelSpec, rows: list[Row], language: Language, *, first: bool) -> Html:
    """The version that suits this device and what is here of the others; the rest unfolds."""
    opened = first or any(row.use != "no" or not isinstance(row.standing, Absent) for row in rows)
    shown = [row for row in rows if _concerns(row)] or rows[:1]
    others = [row for row in rows if row not in shown]
    facts = {
        "choice.languages": ", ".join(language_name(code, language) for code in model.languages),
        "choice.context": language.text("choice.context.value", tokens=language.number(model.context_tokens)),
        "models.parameters": _millions(model.parameters, language),
        "choice.license": _license(model, language),
    }
    return fill(
        '<details class="model"{open}><summary><h3>{title}</h3> <span>{line}</span></summary>'
        '<dl class="facts">{facts}</dl>{unverified}<ul class="variants">{rows}</ul>{others}</details>',
        open=Html(" open") if opened else "",
        title=model.title,
        line=_line(model, shown[0], language),
        facts=join([fill("<dt>{name}</dt><dd>{fact}</dd>", name=language.text(k), fact=f) for k, f in facts.items()]),
        unverified="" if model.verified else _note(language.text("choice.unverified")),
        rows=_items(shown, language),
        others=_versions(others, language) if others else "",
    )


def _line(model: ModelSpec, best: Row, language: Language) -> str:
    """What there is to know of a model before it is unfolded."""
    size = [_size(best, language)] if best.variant.bytes else []
    return " · ".join([_millions(model.parameters, language), *size, language.text(f"models.fit.{best.fit.verdict}")])


def _concerns(row: Row) -> bool:
    return row.recommended or row.use != "no" or not isinstance(row.standing, Absent)


def _versions(rows: list[Row], language: Language) -> Html:
    return fill(
        '<details class="versions"><summary>{summary}</summary><ul class="variants">{rows}</ul></details>',
        summary=language.count("models.versions", len(rows)),
        rows=_items(rows, language),
    )


def _items(rows: list[Row], language: Language) -> Html:
    return join([_item(row_, language) for row_ in rows])


def _license(model: ModelSpec, language: Language) -> Html:
    if not model.license_url:  # only of the user's own
        return fill("{license}", license=model.license or language.text("own.license.none"))
    return fill(
        '<a href="{url}" target="_blank" rel="noopener noreferrer">{license} <span class="link-host">{host}</span>'
        '<span class="visually-hidden"> {new_tab}</span></a>',
        url=model.license_url,
        license=model.license or model.license_url,
        host=host_of(model.license_url),
        new_tab=language.text("models.new_tab"),
    )


def _millions(parameters: int, language: Language) -> str:
    if not parameters:
        return language.text("models.parameters.unknown")
    if parameters >= 10**9:
        return language.text("models.parameters.billions", n=language.number(parameters / 10**9, 1))
    return language.text("models.parameters.millions", n=language.number(max(1, round(parameters / 10**6))))


def _item(row_: Row, language: Language) -> Html:
    return fill('<li class="variant" data-key="{key}">{row}</li>', key=row_.key, row=row(row_, language))


# ---- one variant ----


def row(row: Row, language: Language) -> Html:
    return fill(
        "<h4>{device} {badges}</h4><p>{needs}</p>{fit}{trust}{standing}"
        '<div data-part="progress"></div>{remark}<div class="buttons">{buttons}</div>',
        device=_title(row, language),
        badges=join([fill('<span class="badge">{badge}</span> ', badge=badge) for badge in _badges(row, language)]),
        needs=_needs(row, language),
        fit=_fit(row, language),
        trust=_trust(row, language),
        standing=_standing(row, language),
        remark=_remark(row, language),
        buttons=join(list(_buttons(row, language))),
    )


def progress(row: Row, language: Language) -> Html:
    match row.standing:
        case Fetching(download):
            return _bar(row, download.fraction, progress_figures(download, language), language)
        case Verifying(checked_bytes, total_bytes):
            figures = language.text(
                "models.verifying", done=language.size(checked_bytes), total=language.size(total_bytes)
            )
            return _bar(row, checked_bytes / total_bytes, figures, language)
        case _:
            return Html()


def _bar(row: Row, fraction: float, figures: str, language: Language) -> Html:
    return fill(
        '<progress max="1000" value="{value}" aria-label="{label}"></progress><p class="quiet-line">{figures}</p>',
        value=int(1000 * fraction),
        label=f"{row.model.title}, {_title(row, language)}",
        figures=figures,
    )


def _title(row: Row, language: Language) -> str:
    title = language.text(f"models.for.{row.variant.device}")
    alike = [variant for variant in row.model.variants if variant.device == row.variant.device]
    return f"{title} · {row.variant.dtype}" if len(alike) > 1 else title


def _badges(row: Row, language: Language) -> Iterator[str]:
    if row.use != "no":
        yield language.text("models.in_use" if row.use == "yes" else "models.loading")
    if row.recommended:
        yield language.text("models.recommended")
    if row.model.own:
        yield language.text("own.badge")
    elif not row.listed:
        yield language.text("models.unlisted")


def _needs(row: Row, language: Language) -> str:
    needs = language.text(f"models.needs.{row.variant.device}", size=_size(row, language), dtype=row.variant.dtype)
    return f"{needs} {language.text('models.unseen')}" if row.variant.engine in _UNSEEN else needs


_UNSEEN = frozenset({"webllm"})  # engines that nobody of this project has seen answer


def _size(row: Row, language: Language) -> str:
    size = language.size(row.variant.bytes)
    return size if row.variant.pinned else language.text("models.about", size=size)


def _trust(row: Row, language: Language) -> Html:
    """Said before anything is downloaded: nobody here knows these files."""
    offered = not row.variant.pinned and row.fit.verdict != "no"
    return _note(unpinned(row.variant, language)) if offered else Html()


def _fit(row: Row, language: Language) -> Html:
    here = not isinstance(row.standing, Absent | Partly)
    why = [language.text(f"models.why.{code}") for code in row.fit.reasons if not (here and code in _SHORT)]
    return fill(
        '<p class="fit" data-fit="{verdict}"><strong>{title}</strong> {why}</p>',
        verdict=row.fit.verdict,
        title=language.text(f"models.fit.{row.fit.verdict}"),
        why=" ".join(why),
    )


def _standing(row: Row, language: Language) -> Html:
    match row.standing:
        case Partly(received_bytes):
            text = language.text(
                "models.partly", done=language.size(received_bytes), total=language.size(row.variant.bytes)
            )
        case Whole():
            text = language.text("models.whole")
        case Damaged() if isinstance(row.model.source, OwnSource):
            return _note(language.text("own.damaged"))
        case Damaged(files):
            names = ", ".join(file.path for file in files)
            missing = language.size(sum(file.bytes for file in files))
            return _note(language.text("models.damaged", files=names, size=missing))
        case Absent():
            text = language.text("models.absent")
        case _:
            return Html()
    return fill('<p class="quiet-line">{text}</p>', text=text)


def _remark(row: Row, language: Language) -> Html:
    if row.remark is None:
        return Html()
    if row.remark == "intact":
        return fill('<p class="good">{text}</p>', text=language.text("models.intact"))
    return fill('<p class="bad" role="alert">{text}</p>', text=language.error(row.remark))


def _buttons(row: Row, language: Language) -> Iterator[Html]:
    if row.asks_to_delete:
        question = language.text("models.delete.ask", size=language.size(row.variant.bytes))
        yield fill('<p class="question">{question}</p>', question=question)
        yield _button(row, "keep", language, "primary")
        yield _button(row, "confirm", language)
        return
    for number, action in enumerate(_actions(row)):
        yield _button(row, action, language, "primary" if number == 0 and action in _FIRST else "secondary")


_FIRST = ("download", "resume", "repair", "use")
_CHANGES_STORE = (*_FIRST[:3], "delete")


def _actions(row: Row) -> Iterator[str]:
    """What can be done; each is `models.do.<action>` in the languages."""
    can_run = row.fit.verdict != "no"
    match row.standing:
        case Absent():
            if can_run:
                yield "download"
        case Partly():
            if can_run:
                yield "resume"
            yield "delete"
        case Fetching():
            yield "pause"
        case Verifying():
            yield "stop"
        case Damaged():
            yield from ("delete",) if isinstance(row.model.source, OwnSource) else ("repair", "delete")
        case Whole():
            if can_run and row.usable and row.use == "no":
                yield "use"
            # The browser's own is the browser's to check and to delete.
            yield from () if row.variant.device == "browser" else ("verify", "delete")
        case _ as unknown:
            assert_never(unknown)


def _button(row: Row, action: str, language: Language, look: str = "secondary") -> Html:
    label = language.text(f"models.do.{action}")
    return fill(
        '<button type="button" class="{look}" data-action="model-{action}" aria-label="{label}: {what}"{disabled}>'
        "{label}</button>",
        look=look,
        disabled=Html(" disabled") if row.blocked and action in _CHANGES_STORE else "",
        action=action,
        label=label,
        what=f"{row.model.title}, {_title(row, language)}",
    )


# ---- the page as a whole ----


def notices(shown: Shown, language: Language) -> Html:
    """What holds for all rows."""
    found = []
    if shown.error:
        found.append(fill('<p class="bad" role="alert">{text}</p>', text=language.error(shown.error)))
    if shown.elsewhere:
        found.append(_note(language.text("models.elsewhere")))
    if shown.fetching and any(row.blocked for row in shown.rows or () if {*_actions(row)} & {*_CHANGES_STORE}):
        found.append(_note(language.text("models.one_at_a_time", model=shown.fetching)))
    return join(found)


def done(shown: Shown, language: Language) -> str:
    """For screen readers: what has just ended, and how."""
    if shown.done is None:
        return ""
    what, model = shown.done
    return language.text(f"models.done.{what}", model=model)


def _note(text: str) -> Html:
    return fill('<p class="note">{text}</p>', text=text)
