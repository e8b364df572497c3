"""What a text that has no title is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

TITLE_CHARACTERS = 50

# HTML is text; a number before a line and one's indentation belong to what was written.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable(["list", "code", "lheading", "reference"])


def beginning(text: str) -> str:
    """Its first words in one line, without the marks of Markdown, cut at a word; "" where it has none.

    What is nothing but marks is called by them.
    """
    begun = text.strip()[: 8 * TITLE_CHARACTERS]
    words = " ".join("".join(_said(_MARKDOWN.parse(begun))).split()) or " ".join(begun.split())
    if len(words) <= TITLE_CHARACTERS:
        return words
    cut = words[: TITLE_CHARACTERS + 1].rsplit(" ", 1)[0][:TITLE_CHARACTERS]
    return cut.rstrip(" ,.;:") + "…"


def _said(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.children:
            yield from _said(token.children)
        elif token.type in ("softbreak", "hardbreak"):
            yield " "
        elif not token.nesting:
            yield token.content
        if token.block:
            yield " "
