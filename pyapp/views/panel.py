"""The dialog of everything that can be set: its frame with the sections, and each section's title."""

from __future__ import annotations

from typing import Literal, get_args

from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language

Section = Literal["app", "chat", "routing", "personas", "shortcuts"]
SECTIONS: tuple[Section, ...] = get_args(Section)
_TITLES: dict[Section, str] = {
    "app": "shell.settings",
    "chat": "settings.chat.title",
    "routing": "route.title",
    "personas": "personas.title",
    "shortcuts": "shortcuts.title",
}


def panel(section: Section, body: Html, language: Language) -> Html:
    """The inside of the dialog, which is named by the heading "panel-title"."""
    tabs = [
        fill(
            '<li><button type="button" data-action="show-section" data-id="{section}"{current}>{title}</button></li>',
            section=each,
            current=Html(' aria-current="true"') if each == section else "",
            title=language.text(f"panel.{each}"),
        )
        for each in SECTIONS
    ]
    return fill(
        '<header class="panel-head"><h2 id="panel-title">{title}</h2>'
        '<button type="button" class="quiet" data-action="close-panel" aria-label="{close}" title="{close}">'
        '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="M6 6l12 12M18 6L6 18"/></svg>'
        '</button></header><nav class="panel-tabs" aria-label="{sections}"><ul>{tabs}</ul></nav>'
        '<p class="panel-status" role="status" id="panel-status"></p>'
        '<div class="panel-body" id="panel-body">{body}</div>',
        title=language.text(_TITLES[section]),
        close=language.text("settings.close"),
        sections=language.text("panel.sections"),
        tabs=join(tabs),
        body=body,
    )
