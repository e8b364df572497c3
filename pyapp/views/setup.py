"""The way to a loaded model as HTML: the status in the header, the choice dialog, the card above the composer."""

from __future__ import annotations

from typing import assert_never

from pyapp.cloud import CLOUD
from pyapp.errors import CloudError
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.setup.state import (
    Checking,
    Choosing,
    Declined,
    DownloadFailed,
    Downloading,
    Elsewhere,
    LoadFailed,
    Loading,
    Offer,
    Ready,
    SetupState,
    Unavailable,
)
from pyapp.views.chat import use_device
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language
from pyapp.views.links import host_of

NOTHING = Html()
_ICONS = {
    "private": "M6 11V8a6 6 0 0 1 12 0v3M5 11h14v9H5z",
    "offline": "M12 19h.01M8.5 15.5a5 5 0 0 1 7 0M5 12a10 10 0 0 1 5-2.7M14 9.3a10 10 0 0 1 5 2.7M3 3l18 18",
    "free": "M20 12v9H4v-9M2 7h20v5H2zM12 21V7M12 7H7.5a2.5 2.5 0 1 1 2.5-3zM12 7h4.5a2.5 2.5 0 1 0-2.5-3z",
}


# Reasons that only explain which part of the device does the work; the others are warnings.
_EXPLAIN_DEVICE = frozenset(
    {"no_webgpu", "software_adapter", "feature_missing", "buffer_too_small", "memory_too_small", "single_thread"}
)


def status(state: SetupState, language: Language) -> tuple[str, str]:
    """(tone, sentence) of the header: tone is idle, busy, ready or bad."""
    match state:
        case Checking():
            return "busy", language.text("status.starting")
        case Choosing() | Declined():
            return "idle", language.text("status.none")
        case Downloading():
            return "busy", language.text("status.downloading", percent=language.percent(state.fraction))
        case Loading():
            return "busy", language.text("status.loading")
        case Ready():
            key = "status.ready.server" if state.variant.device == "server" else "status.ready"
            return "ready", language.text(key, model=state.model.title, device=device(state.variant, language))
        case Elsewhere():
            return "idle", language.text("status.elsewhere")
        case DownloadFailed() | LoadFailed() | Unavailable():
            return "bad", language.text("status.failed")
        case _ as unknown:
            assert_never(unknown)


def device(variant: Variant, language: Language) -> str:
    return language.text("device.cloud" if variant.name == CLOUD else f"device.{variant.device}")


def pick(model: ModelSpec, variant: Variant, language: Language) -> str:
    """A variant in a list of several."""
    return f"{model.title} · {device(variant, language)}"


def choice(offer: Offer, language: Language, readers: str = "") -> Html:
    """The inside of the dialog in which the download is agreed to. `readers`: companies that could answer instead."""
    return fill(
        '<form method="dialog"><h2 id="choice-title">{title}</h2><p>{lead}</p>{promises}{facts}{warnings}{instead}'
        '<div class="buttons"><button type="submit" class="secondary" value="later">{later}</button>{cloud}'
        '<button type="submit" class="primary" value="download" autofocus>{download}</button></div></form>',
        title=language.text("choice.title"),
        lead=language.text("choice.lead"),
        promises=_promises(offer, language),
        facts=_facts(offer, language),
        warnings=_warnings(offer, language),
        instead=fill("<p>{text}</p>", text=language.text("choice.cloud", companies=readers)) if readers else "",
        cloud=_cloud_button(language) if readers else "",
        later=language.text("choice.later"),
        download=language.text("choice.download"),
    )


def _cloud_button(language: Language) -> Html:
    label = language.text("cloud.use")
    return fill('<button type="submit" class="secondary" value="cloud">{label}</button>', label=label)


def _promises(offer: Offer, language: Language) -> Html:
    rows = [
        fill(
            '<li><svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{icon}"/></svg>'
            "<div><strong>{title}</strong><span>{text}</span></div></li>",
            icon=icon,
            title=language.text(f"choice.{key}.title"),
            text=language.text(f"choice.{key}.text", device=device(offer.variant, language)),
        )
        for key, icon in _ICONS.items()
    ]
    return fill('<ul class="promises">{rows}</ul>', rows=join(rows))


def _facts(offer: Offer, language: Language) -> Html:
    size = language.text(
        "choice.size.browser" if offer.variant.device == "browser" else "choice.size.value",
        total=language.size(offer.total_bytes),
        model=language.size(offer.variant.bytes),
        engine=language.size(offer.engine_bytes),
    )
    facts = {
        "choice.model": offer.model.title,
        "choice.size": size,
        "choice.license": offer.model.license,
        "choice.languages": ", ".join(language_name(code, language) for code in offer.model.languages),
        "choice.context": language.text("choice.context.value", tokens=language.number(offer.model.context_tokens)),
        "choice.runs_on": _runs_on(offer, language),
    }
    rows = [fill("<dt>{name}</dt><dd>{value}</dd>", name=language.text(k), value=v) for k, v in facts.items()]
    return fill('<dl class="facts">{rows}</dl>', rows=join(rows))


def _runs_on(offer: Offer, language: Language) -> Html:
    why = [language.text(f"choice.why.{reason}") for reason in offer.reasons if reason in _EXPLAIN_DEVICE]
    return fill('{device} <span class="why">{why}</span>', device=device(offer.variant, language), why=" ".join(why))


def language_name(code: str, language: Language) -> str:
    return language.strings.get(f"language.{code}", code)


def _warnings(offer: Offer, language: Language) -> Html:
    codes = [reason for reason in offer.reasons if reason not in _EXPLAIN_DEVICE]
    sentences = [language.text(f"choice.why.{c}") for c in codes if f"choice.why.{c}" in language.strings]
    if not offer.model.verified:
        sentences.append(language.text("choice.unverified"))
    if not offer.variant.pinned:
        sentences.append(unpinned(offer.variant, language))
    if offer.received_bytes:
        sentences.append(language.text("choice.resume", done=language.size(offer.received_bytes)))
    return join([fill('<p class="warning">{sentence}</p>', sentence=s) for s in sentences])


def unpinned(variant: Variant, language: Language) -> str:
    """What a download of files that the catalog does not know relies on."""
    assert variant.repository is not None  # every other variant is pinned
    return language.text("choice.unpinned", host=host_of(variant.repository.host), repo=variant.repository.repo)


def card(state: SetupState, language: Language) -> Html:
    """What stands above the composer until a model is ready; empty when there is nothing to say."""
    text = language.text
    match state:
        case Declined():
            return _card(text("setup.declined.title"), text("setup.declined.text"), "choose", text("setup.choose"))
        case Downloading():
            return _progress_card(state, language)
        case DownloadFailed():
            sentence = f"{language.error(state.error)} {text('setup.failed.kept')}"
            return _card(text("setup.failed.title"), sentence, "resume", text("setup.resume"), failed=True)
        case Loading():
            return _loading_card(state, language)
        case LoadFailed() | Unavailable():
            sentence = language.error(state.error)
            title = text("setup.load_failed.title")
            instead = use_device(language) if isinstance(state.error, CloudError) else Html()
            return _card(title, sentence, "retry-setup", text("setup.try_again"), failed=True, instead=instead)
        case Elsewhere():
            title = text("setup.elsewhere.title")
            return _card(title, text("setup.elsewhere.text"), "take-over", text("setup.elsewhere.take"))
        case Checking() | Choosing() | Ready():
            return Html()
        case _ as unknown:
            assert_never(unknown)


def _card(title: str, text: str, action: str, label: str, *, failed: bool = False, instead: Html = NOTHING) -> Html:
    return fill(
        '<section class="card{failure}"{role}><div class="card-row">'
        '<div class="grow"><h2>{title}</h2><p>{text}</p></div>'
        '<button type="button" class="primary" data-action="{action}">{label}</button>{instead}</div></section>',
        failure=" failure" if failed else "",
        role=Html(' role="alert"') if failed else "",
        title=title,
        text=text,
        action=action,
        label=label,
        instead=instead,
    )


def _progress_card(state: Downloading, language: Language) -> Html:
    return fill(
        '<section class="card"><div class="card-row"><div class="grow"><h2>{title}</h2></div>'
        '<button type="button" class="secondary" data-action="cancel">{cancel}</button></div>'
        '<progress max="1000" value="{value}" aria-label="{label}"></progress>'
        '<p class="figures" data-part="figures">{figures}</p><p class="figures">{once}</p></section>',
        title=language.text("setup.download.title", model=state.offer.model.title),
        cancel=language.text("setup.cancel"),
        value=int(1000 * state.fraction),
        label=language.text("setup.download.bar"),
        figures=progress_figures(state, language),
        once=language.text("setup.download.once"),
    )


def progress_figures(state: Downloading, language: Language) -> str:
    """Percent, bytes of bytes, speed, time left: what is known of them."""
    if state.offer.variant.device == "browser":
        return f"{language.percent(state.fraction)} · {language.text('setup.download.browser')}"
    figures = [
        language.text(
            "setup.download.figures",
            percent=language.percent(state.fraction),
            received=language.size(state.received_bytes),
            total=language.size(state.offer.total_bytes),
        )
    ]
    progress = state.progress
    if progress is None:
        figures.append(language.text("setup.download.engine"))
    elif progress.retrying:
        figures.append(language.text("setup.download.retrying"))
    elif progress.phase == "waiting":
        figures.append(language.text("setup.download.waiting"))
    elif progress.phase != "downloading":
        figures.append(language.text("setup.download.checking"))
    else:
        if progress.bytes_per_s:
            figures.append(language.text("setup.download.speed", speed=language.size(round(progress.bytes_per_s))))
        if progress.seconds_left is not None:
            figures.append(language.text("setup.download.left", time=language.duration(progress.seconds_left)))
    return " · ".join(figures)


def _loading_card(state: Loading, language: Language) -> Html:
    testing = state.stage == "self_test"
    return fill(
        '<section class="card" aria-busy="true"><h2>{title}</h2><p>{text}</p>'
        '<progress aria-label="{title}"></progress></section>',
        title=language.text("setup.loading.title", model=state.model.title),
        text=language.text("setup.loading.self_test" if testing else "setup.loading.text"),
    )


def update(language: Language) -> Html:
    """A new version waits; it never reloads by itself."""
    return fill(
        '<span>{text}</span><button type="button" class="primary" data-action="apply-update">{apply}</button>'
        '<button type="button" class="quiet" data-action="later-update">{later}</button>',
        text=language.text("update.text"),
        apply=language.text("update.apply"),
        later=language.text("update.later"),
    )
