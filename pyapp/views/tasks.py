"""The tasks in the page as HTML, in pieces: what can be begun, the form before it, and a run with what it has made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyapp.chat.tree import Origin
from pyapp.engine import Json
from pyapp.errors import BadInput, CandilError
from pyapp.figures import where
from pyapp.tasks.blocks import Block
from pyapp.tasks.records import Run
from pyapp.tasks.task import Field, Task
from pyapp.tasks_page import Form, Home, Reading, Row
from pyapp.views import routing
from pyapp.views.html import NOTHING, Html, fill, join
from pyapp.views.icons import icon
from pyapp.views.language import Language
from pyapp.views.task_blocks import Drawer, Piece

FEW = 4  # options that are all shown at once
_ICONS = ("summarise", "classify", "course")  # drawn for; others have the plugin's


# ---- what there is ----


def home(shown: Home, language: Language) -> tuple[Piece, ...]:
    return (
        Piece(_head(language.text("tasks.title"), _back("tasks-chat", "tasks.back_to_chat", language))),
        Piece(fill('<p class="lead">{text}</p>', text=language.text("tasks.lead"))),
        Piece(_cards(shown.tasks, language)),
        Piece(fill("<h3>{title}</h3>", title=language.text("tasks.runs"))),
        _rows(shown.rows, language),
    )


def _rows(rows: Sequence[Row], language: Language) -> Piece:
    if not rows:
        return Piece(fill('<p class="none">{text}</p>', text=language.text("tasks.none")))
    inside = tuple(Piece(_row(row, language)) for row in rows)
    return Piece(Html('<ul class="runs" data-inside>'), "runs", inside=inside, closing=Html("</ul>"))


def _cards(tasks: Sequence[Task], language: Language) -> Html:
    cards = [
        fill(
            '<li><button type="button" class="task-card" data-action="task-new" data-id="{name}">{icon}'
            "<strong>{title}</strong><span>{about}</span></button></li>",
            name=task.name,
            icon=icon(task.name if task.name in _ICONS else "plugin"),
            title=language.having(task.strings).text(f"{task.name}.title"),
            about=language.having(task.strings).text(f"{task.name}.about"),
        )
        for task in tasks
    ]
    return fill(
        '<ul class="task-cards" aria-label="{label}">{cards}</ul>',
        label=language.text("tasks.begin"),
        cards=join(cards),
    )


def _row(row: Row, language: Language) -> Html:
    run = row.run
    return fill(
        '<li class="run" data-status="{status}"><button type="button" class="run-open" data-action="task-open"'
        ' data-id="{id}"><strong dir="auto">{title}</strong><span class="run-line">{line}</span></button>'
        '<div class="run-actions">{actions}</div>{bar}</li>',
        status=status(row),
        id=run.id,
        title=run.title,
        line=" · ".join(_line(row, language)),
        actions=join(list(_row_actions(row, language))),
        bar=_bar(run, language) if run.status == "running" else NOTHING,
    )


def status(row: Row) -> str:
    """The last part of its string's key."""
    if row.elsewhere:
        return "elsewhere"
    return "waits" if row.waits else row.run.status


def _line(row: Row, language: Language) -> Iterator[str]:
    if row.task:
        yield language.having(row.task.strings).text(f"{row.task.name}.title")
    yield language.text(f"tasks.status.{status(row)}")
    if row.run.status != "done" and row.run.fraction is not None:
        yield language.percent(row.run.fraction)
    yield language.moment(row.run.created_ms)


def _row_actions(row: Row, language: Language) -> Iterator[Html]:
    if row.elsewhere:
        return
    run = row.run
    if row.task and run.status == "running":
        yield _icon_button("pause", "tasks.pause.named", "task-pause", run, language)
    elif row.task and run.status != "done":
        yield _icon_button("continue", "tasks.resume.named", "task-resume", run, language)
    yield _icon_button("delete", "tasks.delete.named", "task-delete", run, language)


def _icon_button(drawing: str, key: str, action: str, run: Run, language: Language) -> Html:
    return fill(
        '<button type="button" class="icon" data-action="{action}" data-id="{id}" aria-label="{label}" title="{label}">'
        "{icon}</button>",
        action=action,
        id=run.id,
        label=language.text(key, title=run.title),
        icon=icon(drawing),
    )


def deleted(run: Run, language: Language) -> str:
    return language.text("tasks.deleted", title=run.title)


# ---- the form ----


def form(shown: Form, language: Language) -> tuple[Piece, ...]:
    spoken = language.having(shown.task.strings)
    fields = tuple(_field(_Control(field, shown, spoken)) for field in shown.task.fields)
    error = fill('<p class="wrong" role="alert">{text}</p>', text=language.error(shown.error)) if shown.error else ""
    button = fill(
        '<div class="buttons">{error}<button type="submit" class="primary"{disabled}>{text}</button></div>',
        error=error if not shown.error_field else "",
        disabled=Html(' aria-disabled="true"') if shown.starting or shown.reading else "",
        text=language.text("tasks.starting" if shown.starting else "tasks.start"),
    )
    return (
        Piece(_head(spoken.text(f"{shown.task.name}.title"), _back("tasks-home", "tasks.back", language))),
        Piece(fill('<p class="lead">{text}</p>', text=spoken.text(f"{shown.task.name}.about"))),
        Piece(
            Html('<form class="task-form" data-form="task" novalidate data-inside>'),
            "form",
            inside=(*fields, Piece(button)),
            closing=Html("</form>"),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Control:
    """One field of the form. `language` has the task's words."""

    field: Field
    shown: Form
    language: Language

    @property
    def id(self) -> str:
        return f"task-field-{self.field.name}"

    @property
    def key(self) -> str:
        """Of its strings."""
        return f"{self.shown.task.name}.{self.field.name}"

    @property
    def value(self) -> Json:
        return self.shown.values.get(self.field.name)

    @property
    def help(self) -> str:
        key = f"{self.key}.help"
        return self.language.text(key) if key in self.language.strings else ""

    @property
    def wrong(self) -> str:
        shown, name = self.shown, self.field.name
        if shown.wrong and shown.wrong.details["field"] == name:
            return wrong(shown.wrong, self.language)
        return self.language.error(shown.error) if shown.error and shown.error_field == name else ""

    @property
    def attributes(self) -> Html:
        described = " ".join(f"{self.id}-{part}" for part, text in (("help", self.help), ("wrong", self.wrong)) if text)
        return fill(
            'id="{id}" name="{name}"{described}{invalid}{required}',
            id=self.id,
            name=self.field.name,
            described=fill(' aria-describedby="{ids}"', ids=described) if described else "",
            invalid=Html(' aria-invalid="true"') if self.wrong else "",
            required=Html(' aria-required="true"') if self.field.required and self.field.kind in _WRITTEN else "",
        )

    @property
    def grouped(self) -> bool:
        """All options are shown at once."""
        return self.field.kind == "choice" and len(self.field.options) <= FEW


_WRITTEN = ("line", "text", "number")


def _field(control: _Control) -> Piece:
    field, id_ = control.field, control.id
    optional = not (field.required or field.instead or field.kind in ("check", "choice"))
    parts = {
        "label": control.language.text(control.key),
        "optional": _optional(control.language) if optional else NOTHING,
        "control": _control(control),
        "help": _paragraph("help", id_, control.help),
        "wrong": _paragraph("wrong", id_, control.wrong),
    }
    # What is written in is the user's: it is drawn again only when something else about it is different.
    key = "|".join([field.name, control.wrong, control.language.code, _file_key(control)])
    form = _FORMS.get("group" if control.grouped else field.kind, _PLAIN)
    return Piece(fill(form, id=id_, name=field.name, **parts), key=key)


def _paragraph(kind: str, id_: str, text: str) -> Html:
    return fill('<p class="{kind}" id="{id}-{kind}">{text}</p>', kind=kind, id=id_, text=text) if text else NOTHING


def _optional(language: Language) -> Html:
    return fill(' <span class="optional">({text})</span>', text=language.text("tasks.optional"))


_PLAIN = (
    '<div class="field" data-field="{name}"><label for="{id}">{label}{optional}</label>{help}{control}{wrong}</div>'
)
_FORMS = {
    "check": '<div class="field check" data-field="{name}"><label for="{id}">{control} {label}</label>{help}{wrong}'
    "</div>",
    "group": '<fieldset class="field" data-field="{name}"><legend>{label}{optional}</legend>{help}{control}{wrong}'
    "</fieldset>",
    "file": '<div class="field" data-field="{name}" role="group" aria-labelledby="{id}-label">'
    '<span class="label" id="{id}-label">{label}{optional}</span>{help}{control}{wrong}</div>',
}


def wrong(error: BadInput, language: Language) -> str:
    """What is wrong with a field, and what to do. `language` has the task's words."""
    values = {name: _figure(value, language) for name, value in error.details.items() if name not in ("field", "why")}
    return language.text(str(error.details["why"]), **values)


def _figure(value: object, language: Language) -> object:
    return language.number(value) if isinstance(value, int | float) else value


def _file_key(control: _Control) -> str:
    if control.field.kind != "file":
        return ""
    reading = control.shown.reading
    if reading and reading.field == control.field.name:
        return f"reading {reading.done}"
    return str(control.value["name"]) if control.value else "none"


def _control(control: _Control) -> Html:
    field, value, attributes = control.field, control.value, control.attributes
    match field.kind:
        case "text":
            return fill(
                '<textarea rows="6" {attributes}>\n{value}</textarea>', attributes=attributes, value=value or ""
            )
        case "check":
            checked = Html(" checked") if value else ""
            return fill('<input type="checkbox" {attributes}{checked}>', attributes=attributes, checked=checked)
        case "choice":
            return _radios(control) if control.grouped else _select(control)
        case "file":
            return _file(control)
        case _:
            number = Html(' inputmode="numeric"') if field.kind == "number" else ""
            return fill(
                '<input type="text" autocomplete="off"{number} value="{value}" {attributes}>',
                number=number,
                value="" if value is None else value,
                attributes=attributes,
            )


def _options(control: _Control) -> list[tuple[str, str]]:
    return [(option, control.language.text(f"{control.key}.{option}")) for option in control.field.options]


def _select(control: _Control) -> Html:
    options = [
        fill(
            '<option value="{value}"{selected}>{text}</option>',
            value=option,
            selected=Html(" selected") if option == control.value else "",
            text=text,
        )
        for option, text in _options(control)
    ]
    return fill("<select {attributes}>{options}</select>", attributes=control.attributes, options=join(options))


def _radios(control: _Control) -> Html:
    radios = [
        fill(
            '<label class="radio"><input type="radio" name="{name}" value="{value}"{checked}><span>{text}</span>'
            "</label>",
            name=control.field.name,
            value=option,
            checked=Html(" checked") if option == control.value else "",
            text=text,
        )
        for option, text in _options(control)
    ]
    return fill('<div class="radios">{radios}</div>', radios=join(radios))


def _file(control: _Control) -> Html:
    return fill(
        '<div class="drop" data-drop="{name}">{inside}<input type="file" hidden accept="{accept}" {attributes}></div>',
        name=control.field.name,
        inside=_picked(control),
        accept=control.field.accept,
        attributes=control.attributes,
    )


def _picked(control: _Control) -> Html:
    name, value, language = control.field.name, control.value, control.language
    reading = control.shown.reading
    if reading and reading.field == name:
        key = "tasks.file.reading.pages" if reading.total else "tasks.file.reading"
        return fill(
            '<span aria-busy="true">{text}</span>'
            '<button type="button" class="secondary" data-action="task-detach" data-id="{field}">{cancel}</button>',
            text=language.text(key, done=language.number(reading.done), total=language.number(reading.total)),
            field=name,
            cancel=language.text("tasks.cancel"),
        )
    if value:
        return fill(
            '<span class="picked">{icon}<strong dir="auto">{name}</strong> <span>{size}</span></span>'
            '<button type="button" class="icon" data-action="task-detach" data-id="{field}" aria-label="{remove}"'
            ' title="{remove}">{close}</button>',
            icon=icon("file"),
            name=value["name"],
            size=_size(value["pages"], language),
            field=name,
            remove=language.text("tasks.file.remove", name=value["name"]),
            close=icon("close"),
        )
    return fill(
        '<button type="button" class="secondary" data-action="task-pick">{pick}</button> <span>{drop}</span>',
        pick=language.text("tasks.file.pick"),
        drop=language.text("tasks.file.drop"),
    )


def _size(pages: Sequence[str], language: Language) -> str:
    words = sum(len(page.split()) for page in pages)
    return language.count("tasks.file.pages", len(pages), words=language.number(words))


# ---- one run ----


def reading(shown: Reading, drawer: Drawer, language: Language) -> tuple[Piece, ...]:
    row, run = shown.row, shown.row.run
    result = drawer.pieces(shown.blocks, shown.pending or {})
    return (
        Piece(_head(run.title, _back("tasks-home", "tasks.back", language))),
        Piece(_about(shown, language)),
        Piece(_controls(row, language)),
        Piece(_route(shown, language)),
        Piece(_others(shown, language)),
        Piece(_trouble(shown, language)),
        Piece(Html('<div class="result" data-inside>'), "result", inside=result, closing=Html("</div>")),
        Piece(_exports(row, shown.blocks, language)),
    )


def _about(shown: Reading, language: Language) -> Html:
    run = shown.row.run
    line = list(_line(shown.row, language))
    works = run.status == "running"
    return fill(
        '<div class="run-state" data-status="{status}"><p class="run-line">{line}</p>{bar}{doing}</div>',
        status=status(shown.row),
        line=" · ".join(line),
        bar=_bar(run, language) if run.status != "done" and (works or run.fraction) else NOTHING,
        doing=fill('<p class="doing">{text}</p>', text=_doing(shown, language)) if works else NOTHING,
    )


def _doing(shown: Reading, language: Language) -> str:
    parts = [doing(shown, language)]
    if shown.seconds_left is not None:
        parts.append(language.text("tasks.left", time=language.duration(shown.seconds_left)))
    if shown.pending:
        parts.append(language.text("tasks.queued"))
    return " · ".join(part for part in parts if part)


def doing(shown: Reading, language: Language) -> str:
    """What it does now, in the task's words."""
    step, task = shown.step, shown.row.task
    if step is None or task is None or not step.doing:
        return ""
    return language.having(task.strings).text(step.doing, **step.values)


def _bar(run: Run, language: Language) -> Html:
    value = NOTHING if run.fraction is None else fill(' value="{value}"', value=int(1000 * run.fraction))
    return fill(
        '<progress max="1000"{value} aria-label="{label}"></progress>',
        value=value,
        label=f"{language.text('tasks.progress')}: {run.title}",
    )


def _controls(row: Row, language: Language) -> Html:
    run, buttons = row.run, []
    if not row.elsewhere and row.task:
        if run.status == "running":
            buttons.append(("task-pause", "tasks.pause", "secondary"))
        elif run.status != "done":
            key = "tasks.retry" if run.status == "failed" else "tasks.resume"
            buttons.append(("task-resume", key, "primary"))
    if not row.elsewhere:
        buttons.append(("task-delete", "tasks.delete", "secondary"))
    shown = [
        fill(
            '<button type="button" class="{look}" data-action="{action}" data-id="{id}">{text}</button>',
            look=look,
            action=action,
            id=run.id,
            text=language.text(key),
        )
        for action, key, look in buttons
    ]
    return fill('<div class="buttons run-controls">{buttons}</div>', buttons=join(shown))


def _route(shown: Reading, language: Language) -> Html:
    """Who does it or did, and whether anything left the device."""
    run = shown.row.run
    now = [shown.routed.origin] if shown.routed and run.status == "running" else []
    origins = [origin for origin in run.by if origin not in now] + now
    lines = [
        fill(
            '<span class="{kind}">{text}</span>',
            kind="private" if _stayed(origin) else "sent",
            text=by(origin, language),
        )
        for origin in origins
    ]
    if run.status == "done" and origins:
        stayed = all(map(_stayed, origins))
        lines.append(fill("<span>{text}</span>", text=language.text("tasks.private" if stayed else "tasks.sent")))
    if run.usage.new_tokens:
        took = language.text(
            "tasks.took", tokens=language.number(run.usage.new_tokens), time=language.duration(run.worked_ms / 1000)
        )
        lines.append(fill('<span class="took">{text}</span>', text=took))
    return fill('<div class="route"><p>{lines}</p></div>', lines=Html(" ".join(lines)))


def _others(shown: Reading, language: Language) -> Html:
    """Apart from what changes while it works: it can be open."""
    row = shown.row
    begun = shown.routed or row.run.by
    choose = _choose(shown, language) if begun and row.run.status != "done" and row.task and not row.elsewhere else ""
    return fill('<div class="route">{choose}</div>', choose=choose)


def by(origin: Origin, language: Language) -> str:
    return language.text(
        f"tasks.by.{where(origin)}",
        model=origin.model,
        device=language.text(f"device.{origin.device}"),
        host=origin.host,
        provider=origin.provider,
    )


def _stayed(origin: Origin) -> bool:
    return where(origin) in ("here", "this_computer")


def _choose(shown: Reading, language: Language) -> Html:
    """Why it is this one, and who else could do it: at once where that is known, else when it is asked for."""
    if shown.routed:
        return routing.line(shown.routed, shown.row.run.id, language, "task")
    if shown.choices is None:
        return fill(
            '<button type="button" class="quiet-text" data-action="task-choices">{text}</button>',
            text=language.text("tasks.choose"),
        )
    if not shown.choices:
        return fill("<p>{text}</p>", text=language.text("tasks.choose.none"))
    buttons = [
        fill(
            '<button type="button" class="secondary" data-action="task-once" data-key="{key}">{text}</button>',
            key=choice.key,
            text=by(choice.origin, language),
        )
        for choice in shown.choices
    ]
    return fill('<div class="choices">{buttons}</div>', buttons=join(buttons))


def _trouble(shown: Reading, language: Language) -> Html:
    run = shown.row.run
    lines = []
    if shown.row.task is None:
        lines.append(language.text("tasks.gone"))
    if run.status == "failed" and run.error:
        lines.append(f"{_error(run.error, shown.row.task, language)} {language.text('tasks.kept')}")
    if shown.refused:
        lines.append(_error(shown.refused, shown.row.task, language))
    if not lines:
        return Html("<div></div>")
    return fill(
        '<div class="trouble" role="alert">{lines}</div>',
        lines=join([fill("<p>{text}</p>", text=each) for each in lines]),
    )


def _error(error: CandilError, task: Task | None, language: Language) -> str:
    spoken = language.having(task.strings) if task else language
    if isinstance(error, BadInput) and error.details.get("why") in spoken.strings:
        return wrong(error, spoken)
    return language.error(error)


def _exports(row: Row, blocks: Sequence[Block], language: Language) -> Html:
    if row.task is None or not row.task.exports or not blocks:
        return Html("<div></div>")
    spoken = language.having(row.task.strings)
    buttons = [
        fill(
            '<button type="button" class="secondary" data-action="task-export" data-id="{kind}">{text}</button>',
            kind=kind,
            text=spoken.text(f"{row.task.name}.export.{kind}"),
        )
        for kind in row.task.exports
    ]
    return fill(
        '<section class="exports" aria-label="{label}"><h3>{label}</h3><div class="buttons">{buttons}</div></section>',
        label=language.text("tasks.export"),
        buttons=join(buttons),
    )


# ---- said to those who cannot see it ----


def said(shown: Reading, language: Language) -> str:
    run = shown.row.run
    if run.status != "running":
        return language.text(f"tasks.say.{run.status}", title=run.title)
    what = [doing(shown, language) or language.text(f"tasks.status.{status(shown.row)}")]
    what += [] if run.fraction is None else [language.percent(run.fraction)]
    return language.text("tasks.say.running", title=run.title, what=", ".join(what))


# ---- small parts ----


def _head(title: str, back: Html) -> Html:
    return fill(
        '<div class="tasks-head">{back}<h2 id="tasks-title" tabindex="-1" dir="auto">{title}</h2></div>',
        back=back,
        title=title,
    )


def _back(action: str, key: str, language: Language) -> Html:
    return fill(
        '<button type="button" class="back" data-action="{action}">{icon}<span>{text}</span></button>',
        action=action,
        icon=icon("previous"),
        text=language.text(key),
    )
