"""What a weak model writes, made fit to be read: its numbering, its loops and its broken ends go."""

from __future__ import annotations

import re
from collections.abc import Iterable

# No XML document and no UTF-8 file can hold these (XML 1.0, 2.2).
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMBERING = re.compile(
    r"^(?:[\s#>*\-–—•\"“”«»]+|(?:module|lesson|course|chapter|unit|módulo|lección|curso|capítulo|unidad)\s+\d+\s*[:.)\-–—]"
    r"|\d{1,2}[.):]\s)+",
    re.IGNORECASE,
)
_CODE = re.compile(r"://|\./|[{}<>]")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
_SENTENCE_END = re.compile(r"[.!?…][)\]»”\"'*_]*(?=\s|$)")
_PARAGRAPH = re.compile(r"(?<=[.!?…])\n(?=[A-ZÁÉÍÓÚÜÑ¿¡“«])")
_AROUND = " \t\n.,;:!?¿¡…\"'“”‘’«»*_`"


def clean(text: str) -> str:
    """Without what no file could hold."""
    return _UNFIT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def line(text: str) -> str:
    return " ".join(clean(text).split())


def name(text: str, most: int) -> str:
    """A title without its number and its quotes; "" where it was broken off."""
    title = line(text)
    return _NUMBERING.sub("", title).strip(' *_#"“”«»`').rstrip(" .,;:-–—") if len(title) < most else ""


def key(text: str) -> str:
    """Equal for texts that a reader takes for the same. Accents and signs count: they may be what is taught."""
    return " ".join(text.casefold().split()).strip(_AROUND) or text


def letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def looks_like_code(text: str) -> bool:
    """What small models fall into where a word of prose was asked for."""
    return bool(_CODE.search(text))


def distinct(texts: Iterable[str]) -> list[str]:
    """The first of those that read the same."""
    found: dict[str, str] = {}
    for text in texts:
        found.setdefault(key(text), text)
    return list(found.values())


def ended(text: str) -> str:
    """Of a text that was broken off: its whole sentences, or its whole words."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else text.rpartition(" ")[0].rstrip(_AROUND) + "…"


def fitting(text: str, most: int) -> str:
    """A text that reached its limit was broken off there."""
    return text if len(text) < most else ended(text[: most - 1])


def without_repeats(markdown: str) -> str:
    """Each sentence once: a small model goes round in circles. A line of prose that ends is a paragraph, which
    Markdown would not see. What is in fences stays as it is."""
    seen: set[str] = set()
    blocks = []
    for block in re.split(r"\n\s*\n", markdown):
        kept = block if "```" in block else _new_sentences(block, seen)
        if kept:
            blocks.append(kept)
    return "\n\n".join(blocks)


def _new_sentences(block: str, seen: set[str]) -> str:
    lines = []
    for row in block.split("\n"):
        sentences = []
        for sentence in _SENTENCE.split(row):
            if key(sentence) not in seen:
                sentences.append(sentence)
                seen.add(key(sentence))
        if sentences:
            lines.append(" ".join(sentences))
    return _PARAGRAPH.sub("\n\n", "\n".join(lines).strip("\n"))
