"""Answers on the page: the texts that grow, are complete but not yet shown, or are there again after a reload.

In a frame there is at most BUDGET_MS of work, the newest answer first; the rest comes with the next frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from js import performance, window
from pyodide.ffi import create_once_callable

from pyapp.views import reasoning
from pyapp.views.language import Language
from pyapp.views.markdown import Patch
from pyapp.views.reasoning import StreamingAnswer

BUDGET_MS = 8.0


class Answers:
    """The texts of articles, by entry id. `shown` is called after each frame in which something changed."""

    def __init__(self, language: Language, find: Callable[[str], Any], shown: Callable[[], None]) -> None:
        self._language = language
        self._find = find
        self._shown = shown
        self._streams: dict[str, StreamingAnswer] = {}
        self._pending: dict[str, list[str]] = {}  # text that waits for the next frame
        self._frame_asked = False

    def clear(self, language: Language) -> None:
        """Forgets every text; what comes is in `language`."""
        self._language = language
        self._streams.clear()
        self._pending.clear()

    def begin(self, entry_id: str, text: str = "", *, complete: bool = False) -> None:
        """A text, all of it when `complete`; what was shown of the entry so far goes away."""
        self._streams[entry_id] = stream = StreamingAnswer(self._language)
        self._pending[entry_id] = [text]
        if complete:
            stream.end()
            _text_of(self._find(entry_id)).innerHTML = ""
        self._ask_frame()

    def grow(self, entry_id: str, piece: str) -> None:
        self._pending.setdefault(entry_id, []).append(piece)
        self._ask_frame()

    def end(self, entry_id: str, text: str) -> None:
        """The text is complete, and it is `text`. What is left of it is shown at once unless it is much."""
        stream = self._streams.get(entry_id)
        if stream is None or stream.text + "".join(self._pending.get(entry_id, [])) != text:
            self.begin(entry_id, text, complete=True)
        else:
            stream.end()
        self._work(entry_id, performance.now() + BUDGET_MS)
        self._ask_frame()

    def drop(self, entry_id: str) -> None:
        self._streams.pop(entry_id, None)
        self._pending.pop(entry_id, None)

    def said(self, entry_id: str) -> str:
        """What has been shown of a growing answer, as it was written; nothing of its reasoning."""
        stream = self._streams.get(entry_id)
        return stream.said if stream else ""

    def _ask_frame(self) -> None:
        if not self._frame_asked:
            self._frame_asked = True
            window.requestAnimationFrame(create_once_callable(self._frame))

    def _frame(self, _time: float) -> None:
        self._frame_asked = False
        end = performance.now() + BUDGET_MS
        for entry_id in list(reversed(self._streams)):
            self._work(entry_id, end)
            if performance.now() > end:
                break
        self._shown()
        if self._pending or any(stream.busy for stream in self._streams.values()):
            self._ask_frame()

    def _work(self, entry_id: str, end: float) -> None:
        stream, article = self._streams[entry_id], self._find(entry_id)
        piece = "".join(self._pending.pop(entry_id, []))
        if not article:
            return self.drop(entry_id)
        while piece or stream.busy:
            name, patch = stream.feed(piece)
            _apply(_text_of(article), name, patch, self._language)
            piece = ""
            if performance.now() > end:
                break
        if not stream.busy and article.dataset.state != "streaming":
            del self._streams[entry_id]
            for rest in article.querySelectorAll("[data-tail], .thinking"):  # an answer may say nothing at all
                rest.remove()


def _text_of(article: Any) -> Any:
    return article.querySelector('[data-part="text"]')


def _apply(text: Any, name: str, patch: Patch, language: Language) -> None:
    if not (
        patch.elements or patch.tail or patch.more or patch.replaced or text.querySelector(f'[data-part="{name}"]')
    ):
        return
    part = _part(text, name, language)
    tail = part.lastElementChild
    for index, html in patch.replaced.items():
        part.children[index].outerHTML = html
        _finish(part.children[index])
    if patch.elements:
        before = tail.previousElementSibling
        tail.insertAdjacentHTML("beforebegin", patch.settled)
        _finish_between(before.nextElementSibling if before else part.firstElementChild, tail)
    if patch.tail is not None:
        tail.innerHTML = patch.tail
    if patch.more:
        tail.querySelector("[data-grows]").append(patch.more)


def _part(text: Any, name: str, language: Language) -> Any:
    """Where the blocks of the reasoning or the answer go; its last child is the tail."""
    part = text.querySelector(f'[data-part="{name}"]')
    if part:
        if not part.querySelector(":scope > [data-tail]"):
            part.insertAdjacentHTML("beforeend", '<div data-tail=""></div>')
        return part
    if not text.querySelector("[data-part]"):
        text.innerHTML = ""  # the sign that an answer is coming
    html = reasoning.frame(language) if name == "reasoning" else '<div class="markdown" data-part="answer"></div>'
    text.insertAdjacentHTML("beforeend", html)
    return _part(text, name, language)


def _finish_between(element: Any, end: Any) -> None:
    """Only what is new: to look through all of a long answer again for each block would be felt."""
    while not element.isSameNode(end):
        _finish(element)
        element = element.nextElementSibling


def _finish(element: Any) -> None:
    """Colours finished code in it and sets finished formulas, when their libraries have come."""
    from pyscript.js_modules import bridge

    bridge.finish(element)
