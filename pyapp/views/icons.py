"""The drawings on the buttons, as SVG paths on a 24 by 24 grid. A button has its name in words too."""

from __future__ import annotations

from pyapp.views.html import Html, fill

_PATHS: dict[str, str] = {
    "rename": "M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4",
    "pin": "M12 17v5M8 3h8l-1 7 3 4H6l3-4z",
    "export": "M12 3v12M7 10l5 5 5-5M4 20h16",
    "delete": "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
    "copy": "M9 9h11v11H9zM15 9V4H4v11h5",
    "edit": "M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4",
    "regenerate": "M20 12a8 8 0 1 1-2.5-5.8M20 3v5h-5",
    "continue": "M5 12h13M13 6l6 6-6 6",
    "previous": "M15 5l-7 7 7 7",
    "next": "M9 5l7 7-7 7",
    "close": "M6 6l12 12M18 6L6 18",
    "pause": "M8 5v14M16 5v14",
    "summarise": "M5 4h14M5 9h14M5 14h8M5 19h5M15 16l2 2 4-4",
    "classify": "M4 4h7l9 9-7 7-9-9zM8 8h.01",
    "course": "M12 6c-2-1.5-5-2-8-2v14c3 0 6 .5 8 2 2-1.5 5-2 8-2V4c-3 0-6 .5-8 2zM12 6v14",
    "plugin": "M9 4v5M15 4v5M6 9h12v3a6 6 0 0 1-12 0zM12 18v3",
    "file": "M7 3h7l4 4v14H7zM14 3v5h4",
}


def icon(name: str) -> Html:
    """Raises KeyError for a name there is no drawing of (a bug)."""
    return fill(
        '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{path}"/></svg>', path=_PATHS[name]
    )


def button(name: str, label: str, action: str, entry_id: str, *, disabled: bool = False, drawing: str = "") -> Html:
    """A button that shows its drawing and says its name to whoever cannot see it or rests on it."""
    return fill(
        '<button type="button" class="icon" data-action="{action}" data-id="{id}" aria-label="{label}"'
        ' title="{label}"{disabled}>{icon}</button>',
        action=action,
        id=entry_id,
        label=label,
        disabled=Html(" disabled") if disabled else "",
        icon=icon(drawing or name),
    )
