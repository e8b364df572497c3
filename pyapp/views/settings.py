"""The settings as forms, made from the table: of the app, and of one chat, where every setting may be as in the app.

A control's name is its setting's key. In a chat's form the box named "inherit" with the key as its value is ticked
where the chat has nothing of its own, and the control is disabled then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyapp.settings.personas import Persona
from pyapp.settings.settings import Settings, Values, merged
from pyapp.settings.table import TABLE, Field, Wrong
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language

GROUPS = ("answer", "sampling", "context", "app")


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from: models as (id, title), and the personas, built-in ones included."""

    models: Sequence[tuple[str, str]] = ()
    personas: Sequence[Persona] = ()


@dataclass(frozen=True, slots=True)
class _Control:
    """One setting in one form. `inherited` is None in the app's form."""

    row: Field
    value: object
    scope: str  # "app" or "chat", in the ids
    wrong: Wrong | None
    inherited: bool | None = None

    @property
    def id(self) -> str:
        return f"{self.scope}-setting-{self.row.key}"


def app_form(settings: Settings, choices: Choices, language: Language, wrong: Sequence[Wrong] = ()) -> Html:
    """The inside of the settings dialog. `wrong` are shown beside their controls."""
    faults = {fault.key: fault for fault in wrong}
    controls = [_Control(row, settings.value(row.key), "app", faults.get(row.key)) for row in TABLE]
    return _form(controls, choices, language, None)


def chat_form(app: Settings, own: Values, choices: Choices, language: Language, wrong: Sequence[Wrong] = ()) -> Html:
    """The settings of one chat, `own` being its overrides."""
    faults = {fault.key: fault for fault in wrong}
    settings = merged(app, own)
    controls = [
        _Control(row, settings.value(row.key), "chat", faults.get(row.key), row.key not in own)
        for row in TABLE
        if row.per_chat
    ]
    return _form(controls, choices, language, app)


def _form(controls: Sequence[_Control], choices: Choices, language: Language, app: Settings | None) -> Html:
    """`app` is what a chat's form inherits; None in the app's own."""
    reset = fill(
        '<button type="button" class="quiet" data-action="reset-settings">{reset}</button>',
        reset=language.text("settings.reset"),
    )
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
        '<form class="settings" data-form="settings" data-scope="{scope}" novalidate'
        ' aria-labelledby="{scope}-settings">'
        '<h2 id="{scope}-settings">{title}</h2>{groups}<div class="buttons">{reset}'
        '<button type="button" class="secondary" data-action="close-dialog">{close}</button>'
        '<button type="submit" class="primary" data-action="save-settings">{save}</button></div></form>',
        scope="app" if app is None else "chat",
        title=language.text("settings.title" if app is None else "settings.chat.title"),
        groups=join(groups),
        reset=reset if app is None else "",
        close=language.text("settings.close"),
        save=language.text("settings.save"),
    )


def _control(control: _Control, choices: Choices, language: Language, app: Settings | None) -> Html:
    row = control.row
    return fill(
        '<div class="setting" data-setting="{key}"><label for="{id}">{label}</label>{inherit}{widget}'
        '<p class="help" id="{id}-help">{help}</p>{wrong}</div>',
        key=row.key,
        id=control.id,
        label=language.text(f"setting.{row.key}"),
        help=language.text(f"setting.{row.key}.help"),
        inherit=_inherit(control, language, app) if app is not None else "",
        widget=_widget(control, choices, language),
        wrong=_wrong(control, language),
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
        'id="{id}" name="{key}" aria-describedby="{id}-help{wrong}"{invalid}{disabled}',
        id=control.id,
        key=control.row.key,
        wrong=f" {control.id}-wrong" if control.wrong else "",
        invalid=Html(' aria-invalid="true"') if control.wrong else "",
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
    typed = control.wrong.value if control.wrong else control.value
    return fill(
        '<input type="number" inputmode="{mode}" min="{low}" max="{high}" step="{step}" value="{value}" {attributes}>',
        mode="numeric" if row.kind == "integer" else "decimal",
        low=row.low,
        high=row.high,
        step=row.step,
        value="" if typed is None else typed,
        attributes=attributes,
    )


def _options(control: _Control, choices: Choices, language: Language) -> Html:
    value, row = str(control.value), control.row
    pairs: Iterable[tuple[str, str]]
    if row.kind == "model":
        pairs = [("", language.text("setting.model_id.default")), *choices.models]
    elif row.kind == "persona":
        pairs = [("", language.text("settings.none")), *((p.id, p.title) for p in choices.personas)]
    else:
        pairs = [(choice, language.text(f"setting.{row.key}.{choice}")) for choice in row.choices]
    known = dict(pairs)
    known.setdefault(value, value)  # a model that is gone, or a persona that was deleted, is shown by its id
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


def _wrong(control: _Control, language: Language) -> Html:
    if control.wrong is None:
        return Html()
    sentence = language.text(
        f"settings.wrong.{control.wrong.fault}",
        low=_figure(control.row.low, language),
        high=_figure(control.row.high, language),
    )
    return fill('<p class="wrong" id="{id}-wrong" role="alert">{text}</p>', id=control.id, text=sentence)


def _shown(row: Field, value: object, language: Language) -> str:
    """A value short enough to stand in brackets; "" when there is none to show."""
    if isinstance(value, int | float):
        return _figure(value, language)
    return language.text(f"setting.{row.key}.{value}") if row.kind == "choice" else ""


def _figure(value: float, language: Language) -> str:
    return language.number(value, len(f"{value:.4g}".partition(".")[2]))
