"""The library of personas, and the form in which one is written."""

from __future__ import annotations

from collections.abc import Sequence

from pyapp.settings.personas import LONGEST_TITLE, Persona
from pyapp.settings.table import LONGEST_TEXT
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language

_BUTTONS = ("use", "edit", "duplicate", "share", "delete")
_BUILT_IN_BUTTONS = ("use", "duplicate", "share")


def library(personas: Sequence[Persona], language: Language) -> Html:
    """Every persona with its buttons; the built-in ones can be copied, not changed."""
    return fill(
        "<p>{lead}</p>"
        '<div class="buttons"><button type="button" class="primary" data-action="new-persona">{new}</button>'
        '<button type="button" class="secondary" data-action="import-personas">{import_}</button></div>'
        '<ul class="personas">{rows}</ul>',
        lead=language.text("personas.lead"),
        new=language.text("personas.new"),
        import_=language.text("personas.import"),
        rows=join([_row(persona, language) for persona in personas]),
    )


def _row(persona: Persona, language: Language) -> Html:
    buttons = [
        fill(
            '<button type="button" class="quiet" data-action="{action}-persona" data-id="{id}"'
            ' aria-label="{label}: {title}">{label}</button>',
            action=action,
            id=persona.id,
            label=language.text(f"personas.{action}"),
            title=persona.title,
        )
        for action in (_BUILT_IN_BUTTONS if persona.built_in else _BUTTONS)
    ]
    return fill(
        '<li data-id="{id}"><h3 dir="auto">{title}</h3>{mark}<p dir="auto">{prompt}</p>'
        '<div class="buttons">{buttons}</div></li>',
        id=persona.id,
        title=persona.title,
        mark=fill('<p class="mark">{text}</p>', text=language.text("personas.built_in")) if persona.built_in else "",
        prompt=persona.prompt,
        buttons=join(buttons),
    )


def form(persona: Persona | None, language: Language) -> Html:
    """The form for `persona`, or for a new one. `fault` goes into its alert."""
    return fill(
        '<form class="settings" data-form="persona" data-id="{id}" novalidate aria-labelledby="persona-form-title">'
        '<h3 id="persona-form-title">{heading}</h3>'
        '<div class="setting"><label for="persona-name">{name}</label>'
        '<input type="text" id="persona-name" name="title" maxlength="{longest}" required dir="auto"'
        ' aria-describedby="persona-wrong" value="{title}"></div>'
        '<div class="setting"><label for="persona-prompt">{instructions}</label>'
        '<textarea id="persona-prompt" name="prompt" rows="8" required dir="auto"'
        ' aria-describedby="persona-help persona-wrong">'
        '{prompt}</textarea><p class="help" id="persona-help">{help}</p></div>'
        '<p class="wrong" id="persona-wrong" role="alert"></p>'
        '<div class="buttons"><button type="button" class="secondary" data-action="cancel-persona">{cancel}</button>'
        '<button type="submit" class="primary">{save}</button></div></form>',
        id=persona.id if persona else "",
        heading=language.text("personas.form.edit" if persona else "personas.new"),
        name=language.text("personas.form.title"),
        longest=LONGEST_TITLE,
        title=persona.title if persona else "",
        instructions=language.text("personas.form.prompt"),
        prompt=persona.prompt if persona else "",
        help=language.text("personas.form.help"),
        cancel=language.text("personas.form.cancel"),
        save=language.text("settings.save"),
    )


def fault(language: Language) -> str:
    """What a persona needs."""
    limits = {"title": language.number(LONGEST_TITLE), "prompt": language.number(LONGEST_TEXT)}
    return language.text("personas.form.wrong", **limits)
