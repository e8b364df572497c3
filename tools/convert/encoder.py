"""A small encoder for the texts the converter measures with.

It follows tokenizer.json except in one point: Python's `re` has no Unicode classes, so "letter" and "number" are
approximated by \\w and \\d. That is the same for ordinary prose; where it is not, the tokens are still valid ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from tools.convert.pre_tokenizers import expressions
from tools.convert.tokenizer_json import score_merges
from tools.convert.vocabulary import Vocabulary

_CLASSES = {  # inside and outside of brackets; Python cannot negate a class within one
    r"[^\r\n\p{L}\p{N}]": r"(?:[^\w\r\n]|_)",
    r"[^\s\p{L}\p{N}]": r"(?:[^\w\s]|_)",
    r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]": r"[^\W\d_a-zß-öø-ÿ]",
    r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]": r"[^\W\d_A-ZÀ-ÖØ-Þ]",
    r"[\p{P}\$\+<=>\^~\|]": r"(?:[^\w\s]|_)",
    r"\p{L}": r"[^\W\d_]",
    r"\p{N}": r"\d",
}


def byte_letters() -> list[str]:
    """GPT-2's letter for each of the 256 bytes: printable ones stand for themselves, the rest follow from U+0100."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


class Encoder:
    """Text -> token ids, without special tokens."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._spm = vocabulary.model == "llama"
        self._ids = {text: index for index, text in enumerate(vocabulary.tokens)}
        merges = score_merges(vocabulary) if self._spm else vocabulary.merges
        self._ranks = {pair: rank for rank, pair in reversed(list(enumerate(merges)))}
        self._cuts = [] if self._spm else [_translate(pattern) for pattern in expressions(vocabulary.pre)]
        self._letters = byte_letters()
        self._word_ids = lru_cache(maxsize=None)(self._merge)

    def encode(self, text: str) -> list[int]:
        words = self._sentencepiece_words(text) if self._spm else self._byte_level_words(text)
        return [index for word in words for index in self._word_ids(word)]

    def _sentencepiece_words(self, text: str) -> Iterator[str]:
        marked = ("\u2581" if self._vocabulary.add_space_prefix else "") + text.replace(" ", "\u2581")
        return (match.group() for match in re.finditer("\u2581*[^\u2581]+|\u2581+", marked))

    def _byte_level_words(self, text: str) -> Iterator[str]:
        pieces = [text]
        for cut in self._cuts:
            pieces = [part for piece in pieces for part in _isolate(cut, piece)]
        return ("".join(self._letters[byte] for byte in piece.encode()) for piece in pieces)

    def _merge(self, word: str) -> tuple[int, ...]:
        parts = list(word)
        while len(parts) > 1:
            ranks = [self._ranks.get(pair, len(self._ranks)) for pair in pairwise(parts)]
            best = min(ranks)
            if best == len(self._ranks):
                break
            at = ranks.index(best)
            parts[at : at + 2] = ["".join(parts[at : at + 2])]
        return tuple(index for part in parts for index in self._fallback(part))

    def _fallback(self, part: str) -> Iterator[int]:
        if part in self._ids:
            yield self._ids[part]
            return
        unknown = self._vocabulary.special.get("unk", 0)
        for byte in part.encode():
            yield self._ids.get(f"<0x{byte:02X}>", unknown)


def _translate(pattern: str) -> re.Pattern[str]:
    for theirs, ours in _CLASSES.items():
        pattern = pattern.replace(theirs, ours)
    return re.compile(pattern)


def _isolate(cut: re.Pattern[str], text: str) -> Iterator[str]:
    """The matches and what lies between them, in order."""
    end = 0
    for match in cut.finditer(text):
        yield from (part for part in (text[end : match.start()], match.group()) if part)
        end = match.end()
    if end < len(text):
        yield text[end:]
