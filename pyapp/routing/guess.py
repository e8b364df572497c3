"""What a prompt of a chat is about, guessed from its words in English and Spanish: no model is asked.

A block of code is code, a table of commas data. Else the first lines decide, where people say what they want: the kind
most of whose words are there wins, the earlier one in WORDS where two are equal; without any it is "chat". A wrong
guess changes who is asked first; whether anything may leave at all is for the rules' privacy to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyapp.chat.search import fold
from pyapp.routing.needs import Kind, Needs

READ = 1000  # characters: what is pasted below what is asked does not count
CHARS_PER_TOKEN = 5  # more than there are: nobody is ruled out who could do it
TABLE_LINES = 3

# Beginnings of words, without accents.
WORDS: Mapping[Kind, tuple[str, ...]] = {
    "code": (
        *("code", "python", "javascript", "typescript", "sql", "regex", "html", "css", "bash", "function", "compil"),
        *("debug", "refactor", "script", "stacktrace", "programa", "codigo", "funcion", "depura", "expresion regular"),
    ),
    "data": (
        *("csv", "dataset", "spreadsheet", "column", "average", "median", "correlat", "outlier", "chart"),
        *("datos", "tabla", "promedio", "mediana", "correlac", "hoja de calculo", "grafic"),
    ),
    "creative": (
        *("poem", "story", "novel", "lyrics", "song", "haiku", "limerick", "fairy tale", "slogan", "screenplay"),
        *("poema", "cuento", "cancion", "relato", "personaje", "eslogan", "verso", "rima", "guion"),
    ),
    "research": (
        *("research", "sources", "evidence", "literature", "studies", "state of the art", "compare", "history of"),
        *("investig", "fuentes", "evidencia", "bibliogra", "estudios", "estado del arte", "compara", "historia de"),
    ),
}

_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)
_BEGINNING = {
    kind: re.compile("|".join(rf"\b{word}" for word in sorted(words, key=len, reverse=True)))
    for kind, words in WORDS.items()
}


def kind_of(prompt: str) -> Kind:
    if _FENCE.search(prompt):
        return "code"
    if _is_table(prompt):
        return "data"
    text = fold(prompt[:READ])
    found = {kind: len(set(pattern.findall(text))) for kind, pattern in _BEGINNING.items()}
    best = max(found, key=lambda kind: found[kind])
    return best if found[best] else "chat"


def needs_of(prompt: str) -> Needs:
    """Of what is asked in a chat; the rest of the conversation can be left out, and needs no window."""
    return Needs(kind_of(prompt), words=len(prompt.split()), context_tokens=len(prompt) // CHARS_PER_TOKEN)


def _is_table(prompt: str) -> bool:
    """Lines one after the other with equally many commas, semicolons or tabs, two at least."""
    lines = prompt.splitlines()
    for mark in ",;\t":
        rows = 0
        for before, line in zip(["", *lines], lines, strict=False):
            marks = line.count(mark)
            rows = 0 if marks < 2 else rows + 1 if marks == before.count(mark) else 1
            if rows == TABLE_LINES:
                return True
    return False
