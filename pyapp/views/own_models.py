"""A model of the user's own: how to give one, what it is, what can be done with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from pyapp.models.choice import Fit
from pyapp.models.manifest import ModelSpec, OwnSource, UrlSource
from pyapp.models.own import OwnModel
from pyapp.own_models import Asking, Fetching, Found, Keeping, Looking, ShownOwn
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language
from pyapp.views.setup import language_name, progress_figures


def own_models(shown: ShownOwn, language: Language) -> Html:
    """The inside of its section; `progress` goes into [data-part="own-progress"] as often as there is news."""
    return fill('<h3 id="own-title">{title}</h3>{body}', title=language.text("own.title"), body=_body(shown, language))


def progress(shown: ShownOwn, language: Language) -> Html:
    match shown.state:
        case Keeping(own, copied):
            fraction = copied.done_bytes / copied.total_bytes
            sizes = {"done": language.size(copied.done_bytes), "total": language.size(copied.total_bytes)}
            figures = language.text("own.keeping", **sizes)
        case Fetching(own, download):
            fraction, figures = download.fraction, progress_figures(download, language)
        case _:
            return Html()
    return fill(
        '<progress max="1000" value="{value}" aria-label="{label}"></progress><p class="quiet-line">{figures}</p>',
        value=int(1000 * fraction),
        label=own.model.title,
        figures=figures,
    )


def news(shown: ShownOwn, language: Language) -> str:
    """For screen readers: what was found, and whether it runs here."""
    match shown.state:
        case Found(own) if shown.fit:
            return f"{own.model.title}. {language.text(f'models.fit.{shown.fit.verdict}')}"
        case _:
            return ""


def _body(shown: ShownOwn, language: Language) -> Html:
    match shown.state:
        case Looking(name):
            text = language.text("own.reading", name=name)
            return fill('<p aria-busy="true">{text}</p>{cancel}', text=text, cancel=_buttons(["cancel"], language))
        case Found(own) as found:
            return _found(found, own, shown, language)
        case Keeping(own, _) | Fetching(own, _):
            bar = Html('<div data-part="own-progress"></div>')
            return join([_facts(own, language), bar, _buttons(["cancel"], language)])
        case Asking() as asking:
            return _asking(asking, language)
        case _ as unknown:
            assert_never(unknown)


def _asking(asking: Asking, language: Language) -> Html:
    return fill(
        "<p>{lead}</p>{error}"
        '<p class="own-file"><button type="button" class="secondary" data-action="own-pick">{pick}</button> {drop}</p>'
        '<form class="own-address" data-form="own-address" novalidate><label for="own-address">{label}</label>'
        '<div><input type="url" id="own-address" name="address" value="{address}" autocomplete="off" spellcheck="false"'
        ' aria-describedby="own-address-help own-address-wrong" aria-invalid="{invalid}">'
        '<button type="submit" class="secondary">{look}</button></div>'
        '<p class="quiet-line" id="own-address-help">{help}</p>'
        '<p class="wrong" id="own-address-wrong" role="alert">{wrong}</p></form>',
        lead=language.text("own.lead"),
        error=_bad(language.error(asking.error)) if asking.error else "",
        pick=language.text("own.pick"),
        drop=language.text("own.drop"),
        label=language.text("own.address"),
        address=asking.address,
        invalid="true" if asking.no_address else "false",
        look=language.text("own.look"),
        help=language.text("own.address.help"),
        wrong=language.text("own.address.wrong") if asking.no_address else "",
    )


def _found(found: Found, own: OwnModel, shown: ShownOwn, language: Language) -> Html:
    parts = [_facts(own, language), _fit(shown.fit, language)]
    parts += [fill('<p class="note">{text}</p>', text=text) for text in _notes(found, shown, language)]
    if not found.own.has_template:
        parts.append(_bad(language.text("own.template.why")))
    if found.error:
        parts.append(_bad(language.error(found.error)))
    return join([*parts, _buttons(list(_actions(found, shown)), language)])


def _facts(own: OwnModel, language: Language) -> Html:
    model = own.model
    here = language.text("choice.context.value", tokens=language.number(model.context_tokens))
    if own.trained_context and own.trained_context > model.context_tokens:
        trained = language.number(own.trained_context)
        here = language.text("own.context.cut", tokens=language.number(model.context_tokens), trained=trained)
    size = language.text("own.size.value", size=language.size(own.variant.bytes), dtype=own.variant.dtype)
    facts = {
        "own.from": _from(model),
        "own.size": size,
        "own.architecture": own.architecture,
        "choice.context": here,
        "choice.license": model.license or model.license_url or language.text("own.license.none"),
        "choice.languages": ", ".join(language_name(code, language) for code in model.languages),
        "own.template": language.text("own.template.yes" if own.has_template else "own.template.no"),
    }
    rows = [fill("<dt>{name}</dt><dd>{fact}</dd>", name=language.text(k), fact=v) for k, v in facts.items() if v]
    return fill('<h4>{title}</h4><dl class="facts">{rows}</dl>', title=model.title, rows=join(rows))


def _from(model: ModelSpec) -> str:
    match model.source:
        case OwnSource(name):
            return name
        case UrlSource(url):
            return url
        case _:
            raise TypeError("not the user's own")


def _fit(fit: Fit | None, language: Language) -> Html:
    if fit is None:
        return fill('<p aria-busy="true">{text}</p>', text=language.text("models.looking"))
    return fill(
        '<p class="fit" data-fit="{verdict}"><strong>{title}</strong> {why}</p>',
        verdict=fit.verdict,
        title=language.text(f"models.fit.{fit.verdict}"),
        why=" ".join(language.text(f"models.why.{code}") for code in fit.reasons),
    )


def _notes(found: Found, shown: ShownOwn, language: Language) -> Iterator[str]:
    yield language.text("own.unverified")
    if found.remote:
        yield language.text("own.first_use")
    if found.received_bytes:
        yield language.text("choice.resume", done=language.size(found.received_bytes))
    if not shown.usable:
        yield language.text("models.elsewhere")


def _actions(found: Found, shown: ShownOwn) -> Iterator[str]:
    if found.own.has_template and shown.fit and shown.fit.verdict != "no" and shown.usable:
        yield from ("download",) if found.remote else ("use", "keep")
    yield "cancel"


_EXPLAINED = ("use", "keep")


def _buttons(actions: list[str], language: Language) -> Html:
    return fill(
        '<div class="buttons">{buttons}</div>{explained}',
        buttons=join([_button(action, first=n == 0, language=language) for n, action in enumerate(actions)]),
        explained=join(
            [
                fill(
                    '<p class="quiet-line" id="own-{action}-help"><strong>{what}</strong>: {help}</p>',
                    action=action,
                    what=language.text(f"own.do.{action}"),
                    help=language.text(f"own.{action}.help"),
                )
                for action in actions
                if action in _EXPLAINED
            ]
        ),
    )


def _button(action: str, *, first: bool, language: Language) -> Html:
    described = fill(' aria-describedby="own-{action}-help"', action=action) if action in _EXPLAINED else Html()
    return fill(
        '<button type="button" class="{look}" data-action="own-{action}"{described}>{label}</button>',
        look="primary" if first and action != "cancel" else "secondary",
        action=action,
        described=described,
        label=language.text(f"own.do.{action}"),
    )


def _bad(text: str) -> Html:
    return fill('<p class="bad" role="alert">{text}</p>', text=text)
