"""The page as pyapp.app.Page: puts HTML where it belongs, at most once per frame.

Streaming text goes through StreamingMarkdown, so finished blocks are put there once. Elements are
looked up when needed and never kept beside a handler: cycles across the two heaps are not collected.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from js import document, localStorage, window
from pyodide.ffi import create_once_callable

from pyapp.app import Notice
from pyapp.browser.scroll import Follow
from pyapp.chat.conversation import Entry
from pyapp.chat.session import Changed, Cut, SessionEvent
from pyapp.errors import CandilError
from pyapp.setup.state import Checking, Choosing, Downloading, Ready, SetupState
from pyapp.views import chat as chat_view
from pyapp.views import setup as setup_view
from pyapp.views.announce import Sentences
from pyapp.views.language import Language
from pyapp.views.markdown import StreamingMarkdown

DRAFT_KEY = "candil.draft"


def by_id(name: str) -> Any:
    return document.getElementById(name)


class BrowserPage:
    """`language` may change at any time; `redraw` then shows everything again."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._state: SetupState = Checking()
        self._notice: Notice = None
        self._entries: dict[int, Entry] = {}
        self._busy = False
        self._follow = Follow(by_id("main"), by_id("jump"))
        self._streams: dict[int, StreamingMarkdown] = {}
        self._pending: dict[int, list[str]] = {}  # text that waits for the next frame, by entry
        self._frame_asked = False
        self._sentences = Sentences()

    # ---- pyapp.app.Page ----

    def show_setup(self, state: SetupState) -> None:
        before, self._state = self._state, state
        tone, sentence = setup_view.status(state, self.language)
        by_id("status").dataset.tone = tone
        by_id("status").lastElementChild.textContent = sentence
        document.documentElement.dataset.candil = "ready" if isinstance(state, Ready) else "python"
        if isinstance(state, Downloading) and isinstance(before, Downloading):
            return self._show_progress(state)
        by_id("setup").innerHTML = setup_view.card(state, self.language)
        self._show_choice(state)
        if isinstance(state, Ready):
            self._announce(sentence)

    def show_session(self, event: SessionEvent) -> None:
        match event:
            case Changed(entry, None):
                self._entries[entry.id] = entry
                self._put(entry)
            case Changed(entry, str() as delta):
                self._entries[entry.id] = entry
                self._pending.setdefault(entry.id, []).append(delta)
                self._ask_frame()
            case Cut(from_id):
                self._cut(from_id)
        self._show_log()

    def show_busy(self, busy: bool) -> None:
        self._busy = busy
        by_id("stop").hidden = not busy
        by_id("send").hidden = busy
        self.refresh_composer()

    def show_notice(self, notice: Notice) -> None:
        self._notice = notice
        target = by_id("notice")
        if notice is None:
            target.innerHTML = ""
        elif isinstance(notice, CandilError):
            target.innerHTML = chat_view.notice(self.language.error(notice), self.language, tone="bad")
        else:
            sentence = self.language.text("chat.waiting")
            target.innerHTML = chat_view.notice(sentence, self.language, label="chat.waiting.cancel")

    def draft(self) -> str:
        return str(by_id("message").value)

    def set_draft(self, text: str) -> None:
        by_id("message").value = text
        self.draft_changed()

    # ---- what only the browser's edge needs ----

    def draft_changed(self) -> None:
        """Keeps the draft for a reload; a browser that refuses storage keeps it on the page only."""
        with suppress(Exception):  # quota, or storage switched off: the text is still in the box
            localStorage.setItem(DRAFT_KEY, self.draft())
        self.refresh_composer()

    def restore_draft(self) -> None:
        """What was typed before Python arrived wins over what was kept."""
        if not self.draft():
            by_id("message").value = localStorage.getItem(DRAFT_KEY) or ""
        self.refresh_composer()

    def refresh_composer(self) -> None:
        by_id("send").disabled = self._busy or not self.draft().strip()

    def redraw(self) -> None:
        """Everything Python has put on the page, in the language of now."""
        for element in document.querySelectorAll("[data-i18n]"):
            element.textContent = self.language.text(element.dataset.i18n)
        for name in ("aria-label", "title", "placeholder"):
            for element in document.querySelectorAll(f"[data-i18n-{name}]"):
                element.setAttribute(name, self.language.text(element.getAttribute(f"data-i18n-{name}")))
        state, self._state = self._state, Checking()
        self.show_setup(state)
        self.show_notice(self._notice)
        self._streams.clear()
        by_id("conversation").innerHTML = ""
        for entry in self._entries.values():
            self._put(entry)

    def show_update(self, shown: bool) -> None:
        by_id("update").innerHTML = setup_view.update(self.language) if shown else ""
        by_id("update").hidden = not shown

    # ---- parts ----

    def _show_choice(self, state: SetupState) -> None:
        dialog = by_id("choice")
        if not isinstance(state, Choosing):
            if dialog.open:
                dialog.close("shown-elsewhere")
            return
        dialog.innerHTML = setup_view.choice(state.offer, self.language)
        if not dialog.open:
            dialog.showModal()

    def _show_progress(self, state: Downloading) -> None:
        card = by_id("setup")
        card.querySelector("progress").value = int(1000 * state.fraction)
        card.querySelector('[data-part="figures"]').textContent = setup_view.progress_figures(state, self.language)

    def _show_log(self) -> None:
        empty = not by_id("conversation").childElementCount
        by_id("conversation").hidden = empty
        by_id("welcome").hidden = not empty
        by_id("new-chat").hidden = empty

    def _article(self, entry_id: int) -> Any:
        return by_id("conversation").querySelector(f'article[data-id="{entry_id}"]')

    def _put(self, entry: Entry) -> None:
        """A new entry, or one that has settled."""
        article = self._article(entry.id)
        if not article:
            by_id("conversation").insertAdjacentHTML("beforeend", chat_view.article(entry, self.language))
            if entry.state == "streaming":
                self._streams[entry.id] = StreamingMarkdown(self.language)
                if entry.text:
                    self._pending[entry.id] = [entry.text]
                    self._ask_frame()
                self._announce(self.language.text("chat.answering"))
            self._follow.to_end(force=entry.role == "user")
            return
        self._pending.pop(entry.id, None)
        self._streams.pop(entry.id, None)
        article.dataset.state = entry.state
        article.querySelector('[data-part="text"]').innerHTML = chat_view.text(entry, self.language)
        article.querySelector('[data-part="foot"]').innerHTML = chat_view.foot(entry, self.language)
        self._announce(self._sentences.rest(entry.text))
        self._follow.to_end()

    def _cut(self, from_id: int) -> None:
        for article in list(by_id("conversation").children):
            if int(article.dataset.id) >= from_id:
                article.remove()
        for entry_id in [i for i in self._entries if i >= from_id]:
            del self._entries[entry_id]
            self._streams.pop(entry_id, None)
            self._pending.pop(entry_id, None)

    def _ask_frame(self) -> None:
        if not self._frame_asked:
            self._frame_asked = True
            window.requestAnimationFrame(create_once_callable(self._frame))

    def _frame(self, _time: float) -> None:
        self._frame_asked = False
        for entry_id, pieces in self._pending.items():
            if stream := self._streams.get(entry_id):
                self._grow(entry_id, stream, "".join(pieces))
        self._pending.clear()
        self._follow.to_end()

    def _grow(self, entry_id: int, stream: StreamingMarkdown, piece: str) -> None:
        patch = stream.feed(piece)
        text = self._article(entry_id).querySelector('[data-part="text"]')
        tail = text.querySelector(":scope > [data-tail]")
        if not tail:
            text.innerHTML = '<div data-tail=""></div>'
            tail = text.firstElementChild
        if patch.settled:
            tail.insertAdjacentHTML("beforebegin", patch.settled)
        tail.innerHTML = patch.tail
        self._announce(self._sentences.feed(stream.text))

    def _announce(self, sentence: str) -> None:
        """To screen readers, politely: whole sentences, never tokens."""
        if sentence:
            by_id("announcer").textContent = sentence
