"""Who answers, as HTML: the question before anything is sent, the line that says why with an answer, and the rules."""

from __future__ import annotations

from collections.abc import Sequence

from pyapp.routing.needs import Kind
from pyapp.routing.route import Routed
from pyapp.routing.router import Question
from pyapp.routing.rules import KINDS, PRIVACIES, TIERS, Rules, Tier
from pyapp.routing.table import Candidate, Reason
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language

NUMBERS = ("long_words", "least_tokens_per_s", "most_cost")
Models = Sequence[tuple[str, str]]  # that can be named for good: (key, title)


def question(asked: Question | None, language: Language) -> Html:
    """Above the composer; empty where nothing is asked."""
    if asked is None:
        return Html()
    here = "route.ask.here" if asked.here else "route.ask.not"
    return fill(
        '<p id="consent-text">{sentence}</p><div class="buttons">{here}{send}{always}</div>',
        sentence=language.text("route.ask", company=asked.company),
        here=_consent("here", language.text(here)),
        send=_consent("send", language.text("route.ask.send", company=asked.company)),
        always=_consent("always", language.text("route.ask.always")),
    )


def _consent(consent: str, label: str) -> Html:
    return fill(
        '<button type="button" class="secondary" data-action="route-consent" data-id="{consent}">{label}</button>',
        consent=consent,
        label=label,
    )


# ---- with an answer ----


def line(routed: Routed, entry_id: str, language: Language, actions: str = "route") -> Html:
    """Why it is this one, in one line; it opens, and then others can be asked once or always. `actions` is what those
    of the buttons begin with."""
    choice = routed.decision.choice
    candidates = [*([choice] if choice else []), *routed.decision.others]
    kind = routed.needs.kind
    rows = [_candidate(each, kind, entry_id, language, first=each is choice, actions=actions) for each in candidates]
    return fill(
        '<details class="routing" data-part="routing"><summary>{why}</summary><ul>{rows}</ul>'
        '<button type="button" class="quiet" data-action="open-routing">{rules}</button></details>',
        why=why(routed, language),
        rows=join(rows),
        rules=language.text("route.rules"),
    )


def why(routed: Routed, language: Language) -> str:
    return " ".join(_reason(reason, routed.needs.kind, language) for reason in routed.reasons)


def _reason(reason: Reason, kind: Kind, language: Language) -> str:
    return language.text(
        f"route.why.{reason.code}",
        title=reason.title,
        tier=language.text(f"route.tier.{reason.tier}") if reason.tier else "",
        number=language.number(reason.number),
        kind=language.text(f"route.kind.{kind}"),
    )


def _candidate(
    candidate: Candidate, kind: Kind, entry_id: str, language: Language, *, first: bool, actions: str
) -> Html:
    def act(action: str, label: str) -> Html:
        return fill(
            '<button type="button" class="quiet" data-action="{action}" data-id="{id}" data-key="{key}"'
            ' data-kind="{kind}" aria-label="{label}: {title}">{label}</button>',
            action=action,
            id=entry_id,
            key=candidate.key,
            kind=kind,
            label=label,
            title=candidate.title,
        )

    return fill(
        '<li><span>{title} ({tier})</span> <span class="acts">{once}{always}</span></li>',
        title=candidate.title,
        tier=language.text(f"route.tier.{candidate.tier}"),
        once="" if first else act(f"{actions}-once", language.text("route.once")),
        always=act(f"{actions}-always", language.text("route.always", kind=language.text(f"route.kind.{kind}"))),
    )


# ---- the rules ----


def form(rules: Rules, models: Models, language: Language) -> Html:
    """The section of the settings. What is chosen is kept at once."""
    return fill(
        '<form class="settings" data-form="routing" novalidate><p>{lead}</p>{privacy}{numbers}'
        '<fieldset class="route-kinds"><legend>{legend}</legend><p class="help">{help}</p>{kinds}</fieldset>'
        '<div class="buttons">{reset}{save}{read}</div></form>',
        lead=language.text("route.lead"),
        privacy=_privacy(rules, language),
        numbers=join([_number(name, rules, language) for name in NUMBERS]),
        legend=language.text("route.kinds"),
        help=language.text("route.kinds.help"),
        kinds=join([_kind(kind, rules, models, language) for kind in KINDS]),
        reset=_button("route-reset", "route.reset", language),
        save=_button("route-export", "route.export", language),
        read=_button("route-import", "route.import", language),
    )


def _setting(name: str, widget: Html, language: Language) -> Html:
    return fill(
        '<div class="setting"><label for="route-{name}">{label}</label>{widget}'
        '<p class="help" id="route-{name}-help">{help}</p>'
        '<p class="wrong" id="route-{name}-wrong" role="alert"></p></div>',
        name=name,
        label=language.text(f"route.{name}"),
        widget=widget,
        help=language.text(f"route.{name}.help"),
    )


def _privacy(rules: Rules, language: Language) -> Html:
    titles = [(each, language.text(f"route.privacy.{each}")) for each in PRIVACIES]
    widget = fill(
        '<select id="route-privacy" name="privacy" aria-describedby="route-privacy-help">{options}</select>',
        options=_options(titles, rules.privacy),
    )
    return _setting("privacy", widget, language)


def _number(name: str, rules: Rules, language: Language) -> Html:
    value = getattr(rules, name)
    widget = fill(
        '<input id="route-{name}" name="{name}" inputmode="decimal" value="{value}"'
        ' aria-describedby="route-{name}-help route-{name}-wrong">',
        name=name,
        value="" if value is None else f"{value:g}",
    )
    return _setting(name, widget, language)


def _kind(kind: Kind, rules: Rules, models: Models, language: Language) -> Html:
    return fill(
        '<details class="route-kind" id="route-{kind}">{inside}</details>',
        kind=kind,
        inside=kind_inside(kind, rules, models, language),
    )


def kind_inside(kind: Kind, rules: Rules, models: Models, language: Language) -> Html:
    """Of the part that opens for one kind of work: what is in force, and how to change it."""
    row = rules.rows[kind]
    titles = dict(models)
    order = " → ".join(language.text(f"route.tier.{tier}") for tier in row.order)
    return fill(
        "<summary><strong>{title}</strong> <span>{now}</span></summary><ol>{asked}</ol>{left_out}{long}{always}",
        title=language.text(f"route.kind.{kind}"),
        now=titles.get(row.always, row.always) or order,
        asked=join([_asked(kind, row.order, place, language) for place in range(len(row.order))]),
        left_out=_left_out(kind, [tier for tier in TIERS if tier not in row.order], language),
        long=_long(kind, rules, language) if "cloud" in row.order else "",
        always=_always(kind, row.always, titles, language),
    )


def _asked(kind: Kind, order: Sequence[Tier], place: int, language: Language) -> Html:
    tier = order[place]
    name = language.text(f"route.tier.{tier}")

    def act(action: str, *, disabled: bool) -> Html:
        return fill(
            '<button type="button" class="quiet" data-action="route-{action}" data-kind="{kind}" data-id="{tier}"'
            ' aria-label="{label}: {name}"{disabled}>{label}</button>',
            action=action,
            kind=kind,
            tier=tier,
            label=language.text(f"route.{action}"),
            name=name,
            disabled=Html(" disabled") if disabled else "",
        )

    return fill(
        '<li><span>{name}</span> <span class="acts">{up}{down}{out}</span></li>',
        name=name,
        up=act("up", disabled=place == 0),
        down=act("down", disabled=place == len(order) - 1),
        out=act("toggle", disabled=len(order) == 1),
    )


def _left_out(kind: Kind, tiers: Sequence[Tier], language: Language) -> Html:
    buttons = [
        fill(
            '<button type="button" class="quiet" data-action="route-toggle" data-kind="{kind}" data-id="{tier}">'
            "{label}</button>",
            kind=kind,
            tier=tier,
            label=language.text("route.add", tier=language.text(f"route.tier.{tier}")),
        )
        for tier in tiers
    ]
    return fill('<p class="acts">{buttons}</p>', buttons=join(buttons)) if buttons else Html()


def _long(kind: Kind, rules: Rules, language: Language) -> Html:
    return fill(
        '<label class="inherit"><input type="checkbox" name="long" data-kind="{kind}"{checked}> {label}</label>',
        kind=kind,
        checked=Html(" checked") if rules.rows[kind].long_leaves else "",
        label=language.count("route.long", rules.long_words),
    )


def _always(kind: Kind, named: str, titles: dict[str, str], language: Language) -> Html:
    """One that is not here any more is shown by its key."""
    known = {"": language.text("route.by_order"), **titles}
    known.setdefault(named, named)
    return fill(
        '<div class="setting"><label for="route-{kind}-always">{label}</label>'
        '<select id="route-{kind}-always" name="always" data-kind="{kind}">{options}</select></div>',
        kind=kind,
        label=language.text("route.always.with"),
        options=_options(list(known.items()), named),
    )


def _options(pairs: Sequence[tuple[str, str]], chosen: str) -> Html:
    return join(
        [
            fill(
                '<option value="{value}"{selected}>{title}</option>',
                value=value,
                title=title,
                selected=Html(" selected") if value == chosen else "",
            )
            for value, title in pairs
        ]
    )


def _button(action: str, key: str, language: Language) -> Html:
    return fill(
        '<button type="button" class="secondary" data-action="{action}">{label}</button>',
        action=action,
        label=language.text(key),
    )
