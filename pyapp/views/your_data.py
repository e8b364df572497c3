"""Export, import and the end of everything, as they are shown."""

from __future__ import annotations

from collections.abc import Sequence

from pyapp.transfer.importing import Skipped
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language
from pyapp.your_data import Inventory, Report

MOST_SHOWN = 20  # of what was not imported


def section(language: Language, *, chat: bool) -> Html:
    """The end of the app's settings. `chat`: one is open that has messages."""
    rows = [
        _row("export", ("export",), language),
        _row("chat", ("export-markdown", "export-json"), language) if chat else Html(),
        _row("import", ("import",), language),
        _row("delete", ("delete",), language),
    ]
    return fill(
        '<section id="your-data" aria-labelledby="data-title"><h3 id="data-title">{title}</h3><p>{lead}</p>'
        '<div id="data-news"></div>{rows}</section>',
        title=language.text("data.title"),
        lead=language.text("data.lead"),
        rows=join(rows),
    )


def _row(name: str, actions: Sequence[str], language: Language) -> Html:
    buttons = [
        fill(
            '<button type="button" class="{tone}" data-action="data-{action}" aria-describedby="data-{name}-help">'
            "{label}</button>",
            tone="danger" if action == "delete" else "secondary",
            action=action,
            name=name,
            label=language.text(f"data.{action}"),
        )
        for action in actions
    ]
    return fill(
        '<div class="data-row"><p id="data-{name}-help">{help}</p><div class="buttons">{buttons}</div></div>',
        name=name,
        help=language.text(f"data.{name}.help"),
        buttons=join(buttons),
    )


def confirmation(inventory: Inventory, language: Language) -> Html:
    """Asked before everything is deleted."""
    return fill(
        '<section class="confirm" aria-labelledby="confirm-title"><h4 id="confirm-title">{title}</h4><p>{text}</p>'
        '<div class="buttons"><button type="button" class="secondary" data-action="data-keep">'
        '{cancel}</button><button type="button" class="danger" data-action="data-delete-confirmed">{confirm}</button>'
        "</div></section>",
        title=language.text("data.delete.title"),
        text=language.text(
            "data.delete.text",
            chats=language.number(inventory.chats),
            personas=language.number(inventory.personas),
            models=language.number(inventory.models),
            runs=language.number(inventory.runs),
        ),
        cancel=language.text("data.delete.cancel"),
        confirm=language.text("data.delete.confirm"),
    )


def report(done: Report, language: Language) -> Html:
    """What came of an import."""
    sentences = [language.text("import.done", n=language.number(done.chats))]
    sentences += [language.text("import.personas", n=language.number(done.personas))] if done.personas else []
    sentences += [language.text("import.runs", n=language.number(done.runs))] if done.runs else []
    sentences += [language.text("import.own_tasks", n=language.number(done.own_tasks))] if done.own_tasks else []
    return fill(
        '<section class="report" aria-labelledby="report-title"><h4 id="report-title">{first}</h4>{more}{skipped}'
        "{settings}</section>",
        first=sentences[0],
        more=join([fill("<p>{sentence}</p>", sentence=sentence) for sentence in sentences[1:]]),
        skipped=_skipped(done.skipped, language) if done.skipped else "",
        settings=_settings(language) if done.settings else "",
    )


def _skipped(skipped: Sequence[Skipped], language: Language) -> Html:
    rows = [
        fill(
            "<li><bdi>{title}</bdi>: {reason}</li>",
            title=each.title or language.text("import.untitled"),
            reason=language.text(f"import.reason.{each.reason}"),
        )
        for each in skipped[:MOST_SHOWN]
    ]
    more = len(skipped) - MOST_SHOWN
    if more > 0:
        rows.append(fill("<li>{more}</li>", more=language.text("import.more", n=language.number(more))))
    return fill(
        "<p>{count}</p><ul>{rows}</ul>",
        count=language.text("import.skipped", n=language.number(len(skipped))),
        rows=join(rows),
    )


def _settings(language: Language) -> Html:
    return fill(
        '<p>{text}</p><div class="buttons"><button type="button" class="secondary" data-action="data-use-settings">'
        "{apply}</button></div>",
        text=language.text("import.settings"),
        apply=language.text("import.settings.apply"),
    )
