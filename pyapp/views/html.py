"""HTML text from values: everything that is not `Html` is escaped."""

from __future__ import annotations

from html import escape


class Html(str):
    """Text that is HTML already. Only the views make it, from escaped parts."""

    __slots__ = ()


NOTHING = Html()


def fill(template: str, **values: object) -> Html:
    """`template` with its {names} filled in, each value escaped for element content and quoted attributes alike."""
    return Html(template.format_map({k: v if isinstance(v, Html) else escape(str(v)) for k, v in values.items()}))


def join(parts: list[Html]) -> Html:
    return Html("".join(parts))
