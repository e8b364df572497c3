"""What a model is asked, and how its answer is read.

The text comes first and the wish after it, and the answer's first characters are given: a model of a hundred million
parameters copies the text's sentences then, where it makes things up when it is asked for a summary in so many words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from pyapp.engine import Message
from pyapp.tasks.summarise.excerpts import sentences

Style = Literal["points", "paragraph", "child"]

FIRST = "1."  # how the answer to `listing` begins
TOKENS_OF_A_POINT = 60  # in a language that the tokenizer was not made for
LONGEST_POINT = 45  # words
ROUND_WORDS = 40  # the last ones, in which a model that goes round says the same again and again

_WISH = {
    "en": {
        "listing": "List the {n} main points of the text above, one short sentence each.",
        "listing.1": "Write the main point of the text above in one short sentence.",
        "paragraph": "Write these notes as one paragraph of about {words} words. Add nothing that is not in them.",
        "child": "Explain these notes to a child of eight in about {words} words, in short and simple sentences. "
        "Add nothing that is not in them.",
        "in": "Write in {language}.",
    },
    "es": {
        "listing": "Escribe las {n} ideas principales del texto anterior, una frase corta cada una.",
        "listing.1": "Escribe la idea principal del texto anterior en una frase corta.",
        "paragraph": "Escribe estas notas como un párrafo de unas {words} palabras. No añadas nada que no digan.",
        "child": "Explica estas notas a un niño de ocho años en unas {words} palabras, con frases cortas y sencillas. "
        "No añadas nada que no digan.",
        "in": "Escribe en {language}.",
    },
}
_NAMES = {
    "en": {"en": "English", "es": "Spanish", "fr": "French", "de": "German", "it": "Italian", "pt": "Portuguese"},
    "es": {"en": "inglés", "es": "español"},
}

_MARK = re.compile(r"\s*(?:[-*•–]|\(?\d{1,2}[.):])\s+|\s*\d{1,2}[.):](?=\D)")
_AFTER = re.compile(r"\n\s*\n(?=[^\s\d*•(-])")
_BOLD = re.compile(r"\*\*(.+?)\*\*|__(.+?)__")
_QUOTES = re.compile(r"""^["“«']+(.*?)["”»']+\.?$""")


def listing(text: str, n: int, language: str, written: str) -> list[Message]:
    """For `n` points in `language`, of a text that is written in `written` ("": nobody knows)."""
    return _asked(text, "listing" if n > 1 else "listing.1", language, written, n=n)


def retelling(notes: Sequence[str], style: Style, words: int, language: str, written: str) -> list[Message]:
    return _asked("\n".join(notes), style, language, written, words=words)


def _asked(text: str, wish: str, language: str, written: str, **values: object) -> list[Message]:
    """In the language that is wanted where we speak it; said aloud where the text might suggest another."""
    ours = language if language in _WISH else "en"
    asked = _WISH[ours][wish].format(**values)
    name = _NAMES[ours].get(language)
    if name and language != written:
        asked = f"{asked} {_WISH[ours]['in'].format(language=name)}"
    return [Message("user", f"{text.strip()}\n\n{asked}")]


def points_in(answer: str, *, is_whole: bool) -> list[str]:
    """The points of a list, or the sentences of what is none. With `is_whole` false its end is missing."""
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    marked = [_MARK.sub("", line, count=1) for line in lines if _MARK.match(line)]
    found = [_tidied(line) for line in marked] if marked else list(_sentences(lines))
    if found and not is_whole and (not marked or _MARK.match(lines[-1])):
        found[-1] = finished(found[-1])
    return [_ended(point) for point in map(_shortened, found) if any(map(str.isalpha, point))]


def is_over(answer: str) -> bool:
    """Whether nothing more of a list can come: another text has begun, a point has come again, or words go round."""
    lines = [_MARK.sub("", line, count=1).strip() for line in answer.splitlines()[:-1] if line.strip()]
    words = answer.split()[-ROUND_WORDS:]
    rounds = Counter(tuple(words[at : at + 4]) for at in range(len(words) - 3))
    return bool(_AFTER.search(answer)) or len(set(lines)) < len(lines) or max(rounds.values(), default=0) > 2


def finished(text: str) -> str:
    """What of a text that breaks off is whole sentences."""
    whole = sentences(text)
    return " ".join(whole if whole and _has_end(whole[-1]) else whole[:-1])


def _sentences(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if not line.endswith(":"):  # it announces what follows
            yield from map(_tidied, sentences(line))


def _tidied(text: str) -> str:
    text = _BOLD.sub(lambda bold: bold[1] or bold[2], text).strip()
    quoted = _QUOTES.match(text)
    return quoted[1] if quoted else text


def _shortened(text: str) -> str:
    """Its first sentences, as many as a point may be long; one is always taken."""
    first, *more = sentences(text) or [""]
    for sentence in more:
        if len(f"{first} {sentence}".split()) > LONGEST_POINT:
            break
        first = f"{first} {sentence}"
    return first


def _has_end(text: str) -> bool:
    return text.rstrip("\"'”’»)]").endswith((".", "!", "?", "…", "。"))


def _ended(text: str) -> str:
    return text if _has_end(text) else f"{text.rstrip(' ,;:')}."
