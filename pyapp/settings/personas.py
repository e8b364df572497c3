"""Personas: named instructions for the model, some built in, others made by the user and shared as JSON.

A persona's text is text: template syntax in it ({{ }}, <|im_start|>) means nothing, here and in the engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyapp.errors import ImportTooLarge, ImportTooNew, ImportUnreadable
from pyapp.models.strict_json import DEEPEST, deepest
from pyapp.settings.settings import Settings
from pyapp.settings.table import LONGEST_TEXT

FORMAT = "candil.personas"
VERSION = 1
LARGEST_FILE = 4_000_000  # characters
LONGEST_TITLE = 80

BUILT_IN = ("tutor", "examiner", "teacher", "writer", "editor", "translator", "developer", "planner")


@dataclass(frozen=True, slots=True)
class Persona:
    id: str  # of a built-in one, its name in BUILT_IN
    title: str
    prompt: str
    built_in: bool = False


def built_in(text: Callable[[str], str]) -> tuple[Persona, ...]:
    """The library in the language of `text` (key -> sentence)."""
    return tuple(Persona(name, text(f"persona.{name}"), text(f"persona.{name}.prompt"), True) for name in BUILT_IN)


def made(title: str, prompt: str, new_id: str) -> Persona:
    """A persona of the user. Raises ValueError when it has no title or no prompt, or is too long."""
    title, prompt = (part.encode(errors="replace").decode() for part in (" ".join(title.split()), prompt.strip()))
    if not title or not prompt or len(title) > LONGEST_TITLE or len(prompt) > LONGEST_TEXT:
        raise ValueError("A persona has a title and a prompt, neither of them too long")
    return Persona(new_id, title, prompt)


def edited(personas: Sequence[Persona], persona: Persona) -> tuple[Persona, ...]:
    """With the one of the same id replaced. The built-in ones are not in `personas` and stay as they are."""
    return tuple(persona if p.id == persona.id else p for p in personas)


def duplicate(persona: Persona, title: str, new_id: str) -> Persona:
    """The user's own copy, to be edited."""
    return replace(persona, id=new_id, title=title[:LONGEST_TITLE], built_in=False)


def deleted(personas: Sequence[Persona], persona_id: str) -> tuple[Persona, ...]:
    return tuple(p for p in personas if p.id != persona_id)


def instructions(settings: Settings, personas: Sequence[Persona]) -> str:
    """The system prompt of a chat: who the model is, then what the user wants besides. "" is none."""
    prompts = [p.prompt for p in personas if p.id == settings.persona_id]
    return "\n\n".join(part for part in (*prompts[:1], settings.system_prompt.strip()) if part)


def to_json(personas: Sequence[Persona]) -> list[dict[str, str]]:
    return [{"id": p.id, "title": p.title, "prompt": p.prompt} for p in personas if not p.built_in]


def parse(value: object) -> tuple[Persona, ...]:
    """The personas in a JSON value; what is none of ours is left out, and the second of one id."""
    found: dict[str, Persona] = {}
    for item in value if isinstance(value, list) else []:
        try:
            persona = made(item["title"], item["prompt"], item["id"])
        except (TypeError, KeyError, ValueError, AttributeError):
            continue
        if isinstance(persona.id, str) and persona.id and persona.id not in BUILT_IN:
            found.setdefault(persona.id, persona)
    return tuple(found.values())


def dumps(personas: Sequence[Persona]) -> str:
    """A file to share: built-in ones become the receiver's own."""
    shared = [replace(p, built_in=False) for p in personas]
    return json.dumps({"format": FORMAT, "version": VERSION, "personas": to_json(shared)}, ensure_ascii=False, indent=1)


def loads(text: str, new_id: Callable[[], str]) -> tuple[Persona, ...]:
    """The personas of a shared file, with ids of their own.

    Raises ImportTooLarge, ImportTooNew and ImportUnreadable (also when there is none in it).
    """
    document = _document(text)
    items = document.get("personas")
    found: list[Persona] = []
    for item in items if isinstance(items, list) else []:
        found += parse([{**item, "id": new_id()}] if isinstance(item, dict) else [])
    if not found:
        raise ImportUnreadable("The file has no persona")
    return tuple(found)


def _document(text: str) -> dict[str, Any]:
    if len(text) > LARGEST_FILE:
        raise ImportTooLarge(f"The file has {len(text)} characters")
    if deepest(text) > DEEPEST:
        raise ImportUnreadable("The file is nested too deep")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ImportUnreadable(f"The file is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ImportUnreadable("The file is not one of personas")
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise ImportTooNew(version=version, known=VERSION)
    return document
