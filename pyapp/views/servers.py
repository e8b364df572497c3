"""The section "A server of yours" of the models page, as HTML. What is typed stays: only parts are drawn again."""

from __future__ import annotations

from typing import assert_never

from pyapp.servers.discovery import Finding, Found, Place, Troubled, Unreachable
from pyapp.servers.served import title_of
from pyapp.servers_page import Listed, Shown
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language


def section(language: Language) -> Html:
    """Its parts named "server-findings", "server-message" and "server-list" are filled by the functions below."""
    return fill(
        '<section class="servers model" aria-labelledby="servers-title"><h3 id="servers-title">{title}</h3>'
        '<p>{lead}</p><p class="note">{warning}</p>'
        '<div class="buttons"><button type="button" class="secondary" data-action="servers-look">{look}</button></div>'
        '<div data-part="server-findings" aria-live="polite"></div>'
        '<form class="server-form"><label for="server-address">{address}</label>'
        '<input id="server-address" type="text" inputmode="url" autocomplete="off" autocapitalize="off"'
        ' spellcheck="false" placeholder="http://localhost:8080/v1" aria-describedby="server-message">'
        '<p class="quiet-line">{elsewhere}</p><label for="server-key">{key}</label>'
        '<input id="server-key" type="password" autocomplete="off" aria-describedby="server-key-hint">'
        '<p id="server-key-hint" class="quiet-line">{hint}</p>'
        '<div id="server-message" data-part="server-message" role="status"></div>'
        '<div class="buttons"><button type="submit" class="secondary">{connect}</button></div>'
        '</form><div data-part="server-list"></div></section>',
        title=language.text("servers.title"),
        lead=language.text("servers.lead"),
        warning=language.text("servers.warning"),
        look=language.text("servers.look"),
        address=language.text("servers.address"),
        elsewhere=language.text("servers.elsewhere"),
        key=language.text("servers.key"),
        hint=language.text("servers.key.hint"),
        connect=language.text("servers.connect"),
    )


def message(shown: Shown, language: Language) -> Html:
    """What came of connecting."""
    if shown.connecting:
        return fill('<p class="quiet-line">{text}</p>', text=language.text("servers.connecting"))
    if shown.wrong:
        return fill('<p class="bad">{text}</p>', text=language.text(f"servers.wrong.{shown.wrong}"))
    if shown.error:
        return fill('<p class="bad">{text}</p>', text=language.error(shown.error))
    if shown.connected:
        return fill('<p class="good">{text}</p>', text=language.text("servers.connected", host=shown.connected.shown))
    return Html()


def findings(shown: Shown, language: Language) -> Html:
    """What is at the usual ports."""
    if shown.findings is None:
        return Html()
    rows = [_finding(place, finding, language) for place, finding in shown.findings]
    return fill(
        '<ul class="findings">{rows}</ul><p class="quiet-line">{more}</p>',
        rows=join(rows),
        more=language.text("servers.other_port"),
    )


def servers(shown: Shown, language: Language) -> Html:
    return join([_server(server, language) for server in shown.servers])


def _finding(place: Place, finding: Finding | None, language: Language) -> Html:
    return fill(
        "<li><strong>{program}</strong> ({host}): {what}{advice}</li>",
        program=language.text(f"servers.program.{place.program}"),
        host=place.address.shown,
        what=_what(finding, language),
        advice=_advice(place, language) if isinstance(finding, Unreachable) else "",
    )


def _what(finding: Finding | None, language: Language) -> str:
    match finding:
        case None:
            return language.text("servers.looking")
        case Found(models):
            return language.count("servers.found", len(models))
        case Unreachable():
            return language.text("servers.unreachable")
        case Troubled(error):
            return language.error(error)
        case _ as unknown:
            assert_never(unknown)


def _advice(place: Place, language: Language) -> Html:
    return fill(
        "<details><summary>{title}</summary><p>{text}</p></details>",
        title=language.text("servers.advice"),
        text=language.text(f"servers.advice.{place.program}"),
    )


def _server(server: Listed, language: Language) -> Html:
    return fill(
        '<article class="variant server" data-address="{address}"><h4>{host}</h4>'
        '<p class="quiet-line">{where}</p><ul class="server-models">{models}</ul>'
        '<div class="buttons">{buttons}</div></article>',
        address=server.address,
        host=server.address.shown,
        where=language.text(f"servers.place.{server.address.place}"),
        models=join([_model(server, model.id, language) for model in server.models]),
        buttons=join(_buttons(server, language)),
    )


def _model(server: Listed, model_id: str, language: Language) -> Html:
    label = language.text("servers.use")
    return fill(
        '<li data-model="{model}"><span>{title}</span> <button type="button" class="secondary" data-action="server-use"'
        ' aria-label="{label}: {title}, {host}">{label}</button></li>',
        model=model_id,
        title=title_of(model_id),
        label=label,
        host=server.address.shown,
    )


def _buttons(server: Listed, language: Language) -> list[Html]:
    actions = ["reconnect", "forget"] if server.kept else []
    return [
        fill(
            '<button type="button" class="secondary" data-action="server-{action}" aria-label="{label}: {host}">'
            "{label}</button>",
            action=action,
            label=language.text(f"servers.{action}"),
            host=server.address.shown,
        )
        for action in actions
    ]
