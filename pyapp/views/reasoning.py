"""What a model thinks before it answers (`<think>…</think>` at the very beginning), apart from the answer."""

from __future__ import annotations

import re

from pyapp.views.html import Html, fill
from pyapp.views.language import Language
from pyapp.views.markdown import Patch, StreamingMarkdown, render

_OPENING = re.compile(r"\s*<(think|thinking|reasoning)>", re.IGNORECASE)
_MAY_OPEN = re.compile(r"\s*(?:<[a-zA-Z]{0,9})?")


def split(text: str) -> tuple[str, str]:
    """(reasoning, answer); reasoning that has not ended is all there is."""
    opening = _OPENING.match(text)
    if opening is None:
        return "", text
    reasoning, _, answer = text[opening.end() :].partition(f"</{opening[1]}>")
    return reasoning, answer


def frame(language: Language, reasoning: Html = Html()) -> Html:  # noqa: B008 -- immutable
    """The folded box; its part named "reasoning" is where reasoning that still grows goes."""
    return fill(
        '<details class="reasoning"><summary>{summary}</summary>'
        '<div class="markdown" data-part="reasoning">{reasoning}</div></details>\n',
        summary=language.text("chat.reasoning"),
        reasoning=reasoning,
    )


def answer(text: str, language: Language) -> Html:
    """A whole answer: its reasoning folded, then what it says."""
    thought, said = split(text)
    box = frame(language, render(thought, language)) if thought.strip() else Html()
    return fill('{box}<div class="markdown" data-part="answer">{answer}</div>', box=box, answer=render(said, language))


class StreamingAnswer:
    """An answer that grows: each `feed` is one step, and its patch is for "reasoning" or for "answer"."""

    def __init__(self, language: Language) -> None:
        self._parts = {"reasoning": StreamingMarkdown(language), "answer": StreamingMarkdown(language)}
        self._text: list[str] = []
        self._held = ""  # could be part of a tag
        self._part = ""  # which one grows; not known before the first characters
        self._closing = ""
        self._ended = False

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def said(self) -> str:
        """The answer so far, without the reasoning."""
        return self._parts["answer"].text

    @property
    def busy(self) -> bool:
        waits = self._held and (self._ended or self._part == "answer")
        return bool(waits) or any(part.busy for part in self._parts.values())

    def end(self) -> None:
        """The text is complete."""
        self._ended = True
        for part in self._parts.values():
            part.end()

    def feed(self, piece: str = "") -> tuple[str, Patch]:
        """(the part that changed, how)."""
        self._text.append(piece)
        thought, said = self._sort(piece)
        reasoning = self._parts["reasoning"]
        if thought or reasoning.busy:
            if said:
                self._held = said + self._held  # the answer's turn comes when the reasoning is done
            return "reasoning", reasoning.feed(thought)
        return "answer", self._parts["answer"].feed(said)

    def _sort(self, piece: str) -> tuple[str, str]:
        """What of the text that is held and new is reasoning, and what is answer."""
        text, self._held = self._held + piece, ""
        if not self._part:
            text = self._begin(text)
        if self._part == "answer":
            return "", text
        thought, closing, said = text.partition(self._closing) if self._part else ("", "", "")
        if closing:
            self._part = "answer"
            self._parts["reasoning"].end()
            return thought, said
        kept = 0 if self._ended else _overlap(thought, self._closing)
        self._held += thought[len(thought) - kept :]
        return thought[: len(thought) - kept], ""

    def _begin(self, text: str) -> str:
        """Decides which part the text begins with; holds it while that cannot be known."""
        opening = _OPENING.match(text)
        if opening:
            self._part, self._closing = "reasoning", f"</{opening[1]}>"
            return text[opening.end() :]
        if _MAY_OPEN.fullmatch(text) and not self._ended:
            self._held = text
            return ""
        self._part = "answer"
        return text


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` could be the beginning of `tag`."""
    return next((n for n in range(len(tag) - 1, 0, -1) if text.endswith(tag[:n])), 0)
