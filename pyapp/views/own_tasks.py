"""Tasks of the user's own as HTML: what they are, what they may do, and the question before one is added."""

from __future__ import annotations

from collections.abc import Iterable

from pyapp.tasks.plugins.described import with_english
from pyapp.tasks.plugins.own import Adding, Own
from pyapp.views.html import NOTHING, Html, fill, join
from pyapp.views.icons import button
from pyapp.views.language import Language
from pyapp.views.task_blocks import Piece


def section(kept: Iterable[Own], adding: Adding | None, asking: str, language: Language) -> Piece:
    """`asking`: the name of the task whose use of the network is being asked about."""
    html = fill(
        '<section class="own-tasks" aria-labelledby="own-tasks-title"><h3 id="own-tasks-title">{title}</h3>'
        '<p class="help">{lead}</p>{rows}{adding}<input type="file" id="own-task-file" accept=".py,.whl" hidden>'
        "</section>",
        title=language.text("own_tasks.title"),
        lead=language.text("own_tasks.lead"),
        rows=_rows([_row(own, own.described.name == asking, language) for own in kept]),
        adding=_adding(adding, language)
        if adding
        else _buttons(("own-task-pick", "own_tasks.pick"), language=language),
    )
    return Piece(html)


def title(own: Own, language: Language) -> str:
    return language.having(with_english(own.described.strings)).text(f"{own.described.name}.title")


def _rows(rows: list[Html]) -> Html:
    return fill('<ul class="runs">{rows}</ul>', rows=join(rows)) if rows else NOTHING


def _row(own: Own, asking: bool, language: Language) -> Html:
    named = title(own, language)
    return fill(
        '<li class="run"><div class="run-open"><strong dir="auto">{title}</strong><span class="run-line">{line}</span>'
        '</div><div class="run-actions">{actions}</div>{network}</li>',
        title=named,
        line=" · ".join((_file(own, language), language.text(f"own_tasks.{_reach(own)}"))),
        actions=join(
            [
                button("export", language.text("own_tasks.save", title=named), "own-task-save", own.described.name),
                button("delete", language.text("own_tasks.remove", title=named), "own-task-remove", own.described.name),
            ]
        ),
        network=_network(own, asking, language),
    )


def _reach(own: Own) -> str:
    return "online" if own.online else "offline"


def _file(own: Own, language: Language) -> str:
    return f"{own.file}, {language.size(own.size)}"


def _network(own: Own, asking: bool, language: Language) -> Html:
    name = own.described.name
    if asking:
        return fill(
            '<div class="own-network" role="group" aria-label="{label}"><p>{text}</p>{buttons}</div>',
            label=language.text("own_tasks.allow"),
            text=language.text("own_tasks.allow.question", title=title(own, language)),
            buttons=_buttons(
                ("own-task-allow", "own_tasks.allow.yes"),
                ("own-task-cancel", "own_tasks.allow.no"),
                id=name,
                language=language,
            ),
        )
    one = ("own-task-forbid", "own_tasks.forbid") if own.online else ("own-task-ask", "own_tasks.allow")
    return fill('<div class="own-network">{buttons}</div>', buttons=_buttons(one, id=name, language=language))


def _adding(adding: Adding, language: Language) -> Html:
    if adding.error:
        return fill(
            '<div class="own-adding"><p class="wrong" role="alert">{text}</p>{buttons}</div>',
            text=language.error(adding.error),
            buttons=_buttons(
                ("own-task-pick", "own_tasks.pick_other"), ("own-task-give-up", "own_tasks.close"), language=language
            ),
        )
    if adding.own is None:
        return fill(
            '<div class="own-adding"><p role="status">{text}</p>{buttons}</div>',
            text=language.text("own_tasks.looking", file=adding.file),
            buttons=_buttons(("own-task-give-up", "own_tasks.cancel"), language=language),
        )
    spoken = language.having(with_english(adding.own.described.strings))
    return fill(
        '<div class="own-adding" role="group" aria-label="{question}"><p>{question}</p>'
        '<p class="own-what"><strong dir="auto">{title}</strong> <span dir="auto">{about}</span></p>'
        '<p class="help">{file}</p><p class="help">{explained}</p>{buttons}</div>',
        question=language.text("own_tasks.question"),
        title=spoken.text(f"{adding.own.described.name}.title"),
        about=spoken.text(f"{adding.own.described.name}.about"),
        file=_file(adding.own, language),
        explained=language.text("own_tasks.explained"),
        buttons=_buttons(
            ("own-task-add", "own_tasks.add"),
            ("own-task-give-up", "own_tasks.cancel"),
            language=language,
            first="primary",
        ),
    )


def _buttons(*buttons: tuple[str, str], language: Language, id: str = "", first: str = "secondary") -> Html:
    """(action, key of its text) of each."""
    made = [
        fill(
            '<button type="button" class="{kind}" data-action="{action}" data-id="{id}">{text}</button>',
            kind=first if number == 0 else "secondary",
            action=action,
            id=id,
            text=language.text(key),
        )
        for number, (action, key) in enumerate(buttons)
    ]
    return fill('<div class="buttons">{buttons}</div>', buttons=join(made))
