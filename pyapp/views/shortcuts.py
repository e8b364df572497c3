"""The keyboard: one table for what is shown with "?" and for what a key does."""

from __future__ import annotations

from dataclasses import dataclass

from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language


@dataclass(frozen=True, slots=True)
class Keys:
    """`key` is KeyboardEvent.key in lower case. `mod` is Ctrl, or the command key on Apple's keyboards."""

    key: str
    mod: bool = False
    shift: bool = False


@dataclass(frozen=True, slots=True)
class Shortcut:
    action: str
    keys: tuple[Keys, ...]
    while_typing: bool = True  # also when the focus is where text is written
    shown_only: bool = False  # the message box itself hears it


SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut("send", (Keys("enter"),), shown_only=True),
    Shortcut("newline", (Keys("enter", shift=True),), shown_only=True),
    Shortcut("stop", (Keys("escape"),), shown_only=True),
    Shortcut("edit-last", (Keys("arrowup"),), shown_only=True),
    Shortcut("focus-message", (Keys("/"),), while_typing=False),
    Shortcut("new-chat", (Keys("o", mod=True, shift=True),)),
    Shortcut("search", (Keys("k", mod=True),)),
    Shortcut("toggle-chats", (Keys("s", mod=True, shift=True),)),
    Shortcut("copy-answer", (Keys("y", mod=True, shift=True),)),
    Shortcut("settings", (Keys(",", mod=True),)),
    Shortcut("shortcuts", (Keys("?"),), while_typing=False),
)

_NAMED = {"enter": "key.enter", "escape": "key.escape", "arrowup": "key.up"}


def action(key: str, *, mod: bool, shift: bool, typing: bool) -> str | None:
    """What a key pressed anywhere in the page does; None for nothing. `typing`: the focus is where text is written."""
    for shortcut in SHORTCUTS:
        if shortcut.shown_only or (typing and not shortcut.while_typing):
            continue
        for keys in shortcut.keys:
            # A sign such as "?" needs Shift on one keyboard and none on another: the key that arrives says it all.
            shifted = shift == keys.shift or (not keys.key.isalnum() and not keys.mod)
            if (keys.key, keys.mod) == (key.lower(), mod) and shifted:
                return shortcut.action
    return None


def sends(key: str, *, mod: bool, shift: bool, composing: bool, with_enter: bool) -> bool:
    """Whether a key pressed in the message box sends. `composing`: Enter chooses a character of an input method."""
    return key.lower() == "enter" and not composing and not shift and (with_enter or mod)


def table(language: Language, *, apple: bool = False) -> Html:
    """What "?" shows. `apple`: the command key instead of Ctrl."""
    rows = [
        fill(
            '<tr><th scope="row">{does}</th><td>{keys}</td></tr>',
            does=language.text(f"shortcut.{shortcut.action}"),
            keys=Html(f" {language.text('shortcut.or')} ".join(_keys(k, language, apple) for k in shortcut.keys)),
        )
        for shortcut in SHORTCUTS
    ]
    return fill(
        '<table class="shortcuts"><thead><tr><th scope="col">{does}</th><th scope="col">{keys}</th></tr></thead>'
        "<tbody>{rows}</tbody></table>",
        does=language.text("shortcuts.does"),
        keys=language.text("shortcuts.keys"),
        rows=join(rows),
    )


def _keys(keys: Keys, language: Language, apple: bool) -> Html:
    names = [language.text("key.cmd" if apple else "key.ctrl")] if keys.mod else []
    names += [language.text("key.shift")] if keys.shift else []
    names.append(language.text(_NAMED[keys.key]) if keys.key in _NAMED else keys.key.upper())
    return Html("+".join(fill("<kbd>{name}</kbd>", name=name) for name in names))
