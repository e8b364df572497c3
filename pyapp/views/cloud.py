"""The cloud as HTML: the question before it is used, its section of the models page, the line above the composer."""

from __future__ import annotations

from pyapp.cloud import Cloud
from pyapp.models.manifest import ServerSource
from pyapp.setup.state import Ready, SetupState
from pyapp.views.html import Html, fill
from pyapp.views.language import Language


def reader(state: SetupState, language: Language) -> str:
    """Above the composer: who reads what is sent from it; "" where it stays here or with the user's own server."""
    source = state.model.source if isinstance(state, Ready) else None
    if not isinstance(source, ServerSource) or not source.companies:
        return ""
    return language.text("cloud.reader", companies=source.readers)


def confirm(host: str, readers: str, language: Language, *, token: bool) -> Html:
    """The inside of the dialog in which the cloud is agreed to. `token`: the operator wants one, and there is none."""
    return fill(
        '<form method="dialog"><h2 id="choice-title">{title}</h2><p class="warning">{text}</p><p>{more}</p>{token}'
        '<div class="buttons">'
        '<button type="submit" class="secondary" value="cloud-no" formnovalidate autofocus>{back}</button>'
        '<button type="submit" class="primary" value="cloud-yes">{use}</button></div></form>',
        title=language.text("cloud.confirm"),
        text=language.text("cloud.confirm.text", host=host, companies=readers),
        more=language.text("cloud.confirm.more"),
        token=_token("cloud-token", language) if token else "",
        back=language.text("cloud.back"),
        use=language.text("cloud.use"),
    )


def section(cloud: Cloud, state: SetupState, language: Language) -> Html:
    """Empty where this site's server offers none."""
    if cloud.offer is None:
        return Html()
    return fill(
        '<section class="servers model" aria-labelledby="cloud-title"><h3 id="cloud-title">{title}</h3>'
        '<p>{lead}</p><p class="note">{leaves}</p><p role="status" data-cloud="{standing}">{now}</p>'
        '<div class="buttons">{use}{off}</div>{token}</section>',
        title=language.text("cloud.title"),
        lead=language.text("cloud.lead", companies=cloud.readers),
        leaves=language.text("cloud.leaves"),
        standing=_standing(cloud, state),
        now=language.text(f"cloud.{_standing(cloud, state)}", companies=cloud.readers),
        use="" if _standing(cloud, state) == "on" else _button("cloud", "cloud.use", language),
        off=_button("cloud-off", "cloud.switch_off", language) if cloud.on else "",
        token=_token_form(cloud, language) if cloud.offer.token_required else "",
    )


def _standing(cloud: Cloud, state: SetupState) -> str:
    if not cloud.on:
        return "off"
    return "on" if reader(state, Language("en")) else "idle"


def _button(action: str, key: str, language: Language) -> Html:
    return fill(
        '<button type="button" class="secondary" data-action="{action}">{label}</button>',
        action=action,
        label=language.text(key),
    )


def _token_form(cloud: Cloud, language: Language) -> Html:
    return fill(
        '<form class="cloud-form">{field}<p class="quiet-line">{kept}</p>'
        '<div class="buttons"><button type="submit" class="secondary">{save}</button></div></form>',
        field=_token("cloud-new-token", language),
        kept=language.text("cloud.token.kept") if cloud.has_token else "",
        save=language.text("cloud.token.save"),
    )


def _token(name: str, language: Language) -> Html:
    """One line of printable ASCII, as in a header."""
    return fill(
        '<label for="{name}">{label}</label><input id="{name}" type="password" autocomplete="off" required'
        ' pattern="\\s*[!-~]+\\s*" aria-describedby="{name}-hint"><p id="{name}-hint" class="quiet-line">{hint}</p>',
        name=name,
        label=language.text("cloud.token"),
        hint=language.text("cloud.token.hint"),
    )
