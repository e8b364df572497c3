"""The settings as forms, made from the table: of the app, and of one chat, where every setting may be as in the app.

A control's name is its setting's key. In a chat's form the box named "inherit" with the key as its value is ticked
where the chat has nothing of its own, and the control is disabled then. What is chosen is kept at once: there is
nothing to send. Beside each control is an empty place for what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyapp.settings.settings import Settings, Values, merged
from pyapp.settings.table import BY_KEY, TABLE, Field, Kind, Wrong
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language

Choices = Mapping[Kind, Sequence[tuple[str, str]]]  # what there is to choose from by now: (value, title)

GROUPS = ("app", "answer", "sampling", "context")


@dataclass(frozen=True, slots=True)
class _Control:
    """One setting in one form. `inherited` is None in the app's form."""

    row: Field
    value: object
    scope: str  # "app" or "chat", in the ids
    inherited: bool | None = None

    @property
    def id(self) -> str:
        return f"{self.scope}-setting-{self.row.key}"


def app_form(settings: Settings, choices: Choices, language: Language) -> Html:
    controls = [_Control(row, settings.value(row.key), "app") for row in TABLE if row.per_app]
    reset = fill(
        '<div class="buttons">'
        '<button type="button" class="secondary" data-action="reset-settings">{reset}</button></div>',
        reset=language.text("settings.reset"),
    )
    return _form(controls, choices, language, reset)


def chat_form(app: Settings, own: Values, choices: Choices, language: Language) -> Html:
    """The settings of one chat, `own` being its overrides."""
    here = merged(app, own)
    controls = [_Control(row, here.value(row.key), "chat", row.key not in own) for row in TABLE if row.per_chat]
    return _form(controls, choices, language, Html(), app)


def fault(wrong: Wrong, language: Language) -> str:
    """What is wrong with what was typed."""
    row = BY_KEY[wrong.key]
    return language.text(
        f"settings.wrong.{wrong.fault}", low=_figure(row.low, language), high=_figure(row.high, language)
    )


def _form(
    controls: Sequence[_Control],
    choices: Choices,
    language: Language,
    end: Html,
    app: Settings | None = None,
) -> Html:
    """`app` is what a chat's form inherits; None in the app's own."""
    groups = [
        fill(
            "<fieldset><legend>{legend}</legend>{controls}</fieldset>",
            legend=language.text(f"settings.group.{group}"),
            controls=join([_control(c, choices, language, app) for c in controls if c.row.group == group]),
        )
        for group in GROUPS
        if any(c.row.group == group for c in controls)
    ]
    return fill(
        '<form class="settings" data-form="{scope}-settings" novalidate>{groups}{end}</form>',
        scope="app" if app is None else "chat",
        groups=join(groups),
        end=end,
    )


def _control(control: _Control, choices: Choices, language: Language, app: Settings | None) -> Html:
    row = control.row
    return fill(
        '<div class="setting" data-setting="{key}"><label for="{id}">{label}</label>{inherit}{widget}'
        '<p class="help" id="{id}-help">{help}</p><p class="wrong" id="{id}-wrong" role="alert"></p></div>',
        key=row.key,
        id=control.id,
        label=language.text(f"setting.{row.key}"),
        help=language.text(f"setting.{row.key}.help"),
        inherit=_inherit(control, language, app) if app is not None else "",
        widget=_widget(control, choices, language),
    )


def _inherit(control: _Control, language: Language, app: Settings) -> Html:
    shown = _shown(control.row, app.value(control.row.key), language)
    return fill(
        '<label class="inherit" for="{id}-inherit">'
        '<input type="checkbox" id="{id}-inherit" name="inherit" value="{key}" data-action="inherit-setting"'
        '{checked} aria-describedby="{id}-help"> {text}</label>',
        id=control.id,
        key=control.row.key,
        checked=Html(" checked") if control.inherited else "",
        text=language.text("settings.chat.inherit.value", value=shown)
        if shown
        else language.text("settings.chat.inherit"),
    )


def _widget(control: _Control, choices: Choices, language: Language) -> Html:
    attributes = fill(
        'id="{id}" name="{key}" aria-describedby="{id}-help {id}-wrong"{disabled}',
        id=control.id,
        key=control.row.key,
        disabled=Html(" disabled") if control.inherited else "",
    )
    match control.row.kind:
        case "flag":
            checked = Html(" checked") if control.value else ""
            return fill(
                '<input type="checkbox" value="on" {attributes}{checked}>', attributes=attributes, checked=checked
            )
        case "text":
            return fill(
                '<textarea rows="4" {attributes}>{value}</textarea>', attributes=attributes, value=control.value
            )
        case "number" | "integer":
            return _number(control, attributes)
        case _:
            options = _options(control, choices, language)
            return fill("<select {attributes}>{options}</select>", attributes=attributes, options=options)


def _number(control: _Control, attributes: Html) -> Html:
    row = control.row
    return fill(
        '<input type="number" inputmode="{mode}" min="{low}" max="{high}" step="{step}" value="{value}" {attributes}>',
        mode="numeric" if row.kind == "integer" else "decimal",
        low=row.low,
        high=row.high,
        step=row.step,
        value="" if control.value is None else control.value,
        attributes=attributes,
    )


def _options(control: _Control, choices: Choices, language: Language) -> Html:
    value, row = str(control.value), control.row
    if row.kind == "choice":
        pairs = [(choice, language.text(f"setting.{row.key}.{choice}")) for choice in row.choices]
    else:
        pairs = [("", language.text(f"setting.{row.key}.none")), *choices.get(row.kind, ())]
    known = dict(pairs)
    known.setdefault(value, value)  # what was deleted is shown by its id
    return join(
        [
            fill(
                '<option value="{value}"{selected}>{title}</option>',
                value=key,
                title=title,
                selected=Html(" selected") if key == value else "",
            )
            for key, title in known.items()
        ]
    )


def _shown(row: Field, value: object, language: Language) -> str:
    """A value short enough to stand in brackets; "" when there is none to show."""
    if isinstance(value, int | float):
        return _figure(value, language)
    return language.text(f"setting.{row.key}.{value}") if row.kind == "choice" else ""


def _figure(value: float, language: Language) -> str:
    return language.number(value, len(f"{value:.4f}".rstrip("0").partition(".")[2]))
