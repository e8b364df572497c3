"""The page as pyapp.app.Page: puts HTML where it belongs, at most once per frame.

What answers say is shown by pyapp.browser.answers. Elements are
looked up when needed and never kept beside a handler: cycles across the two heaps are not collected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from js import document, localStorage, navigator

from pyapp.app import Notice
from pyapp.browser import focus
from pyapp.browser.answers import Answers
from pyapp.browser.scroll import Follow
from pyapp.chat.drafts import Draft
from pyapp.chat.shown import Changed, Cut, Opened, SessionEvent
from pyapp.chat.tree import Attachment, Entry
from pyapp.errors import CandilError
from pyapp.figures import Conditions
from pyapp.routing.route import Routed
from pyapp.setup.state import Checking, Choosing, Downloading, Ready, SetupState
from pyapp.views import chat as chat_view
from pyapp.views import chats as chats_view
from pyapp.views import cloud as cloud_view
from pyapp.views import routing as routing_view
from pyapp.views import setup as setup_view
from pyapp.views.announce import Sentences
from pyapp.views.html import Html
from pyapp.views.language import Language
from pyapp.views.reasoning import split

DRAFT_KEY = "candil.draft"
AT_ONCE = 40  # messages that are put on the page at a time, the latest first
COPIED_S = 2.0  # how long a button says that it has copied


def by_id(name: str) -> Any:
    return document.getElementById(name)


class BrowserPage:
    """`language` may change at any time; `redraw` then shows everything again."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._state: SetupState = Checking()
        self._notice: Notice = None
        self._entries: dict[str, Entry] = {}
        self._siblings: dict[str, tuple[str, ...]] = {}
        self._routed: dict[str, Routed] = {}  # by the id of the answer
        self._attachments: tuple[Attachment, ...] = ()  # to what is being written
        self._replaces: str | None = None  # the message that is being edited
        self._busy = False
        self._readers = ""  # the companies that the cloud on offer has
        self.conditions = Conditions()  # what answers that settle are measured by
        self._earlier = 0  # of self._entries, those at the beginning that are not on the page yet
        self._follow = Follow(by_id("main"), by_id("jump"), self.show_earlier)
        self._answers = Answers(language, self._article, self._frame_shown)
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
        with focus.kept(by_id("setup")):
            by_id("setup").innerHTML = setup_view.card(state, self.language)
        self._show_choice(state)
        by_id("reader").textContent = cloud_view.reader(state, self.language)
        by_id("reader").hidden = not by_id("reader").textContent
        if isinstance(state, Ready):
            self.announce(sentence)

    def show_session(self, event: SessionEvent) -> None:
        with focus.kept(by_id("conversation")):
            self._show_event(event)
            self._show_log()

    def _show_event(self, event: SessionEvent) -> None:
        match event:
            case Opened(conversation):
                self._entries = {entry.id: entry for entry in conversation.path()}
                self._siblings = {entry_id: conversation.siblings(entry_id) for entry_id in self._entries}
                self._put_all()
                document.title = f"{conversation.chat.title} – Candil" if conversation.chat.title else "Candil"
            case Changed(entry, None, siblings):
                is_new = entry.id not in self._entries
                self._entries[entry.id], self._siblings[entry.id] = entry, siblings
                if is_new:
                    self._add(entry)
                elif article := self._article(entry.id):
                    self._put(article, entry)
            case Changed(entry, str() as delta):
                self._entries[entry.id] = entry
                self._answers.grow(entry.id, delta)
            case Cut(from_id):
                self._cut(from_id)

    def show_entry(self, entry_id: str) -> None:
        while self._earlier and not self._article(entry_id):
            self.show_earlier()
        if article := self._article(entry_id):
            self._follow.leave()
            article.scrollIntoView(block="center")
            article.dataset.found = ""

    def show_busy(self, busy: bool) -> None:
        self._busy = busy
        with focus.kept(by_id("composer")):
            by_id("stop").hidden = not busy
            by_id("send").hidden = busy
            self.refresh_composer()

    def show_notice(self, notice: Notice) -> None:
        self._notice = notice
        with focus.kept(by_id("notice")):
            self._put_notice(by_id("notice"), notice)

    def _put_notice(self, target: Any, notice: Notice) -> None:
        if notice is None:
            target.innerHTML = ""
        elif isinstance(notice, CandilError):
            target.innerHTML = chat_view.notice(self.language.error(notice), self.language, tone="bad")
        elif notice == "not_kept":
            target.innerHTML = chat_view.not_kept(self.language)
        elif notice == "vanished":
            target.innerHTML = chat_view.notice(self.language.text("chat.vanished"), self.language, tone="bad")
        else:
            sentence = self.language.text("chat.waiting")
            target.innerHTML = chat_view.notice(sentence, self.language, label="chat.waiting.cancel")

    def show_routed(self, entry_id: str, routed: Routed) -> None:
        self._routed[entry_id] = routed

    def draft(self) -> Draft:
        return Draft(str(by_id("message").value), self._attachments, self._replaces)

    def set_draft(self, draft: Draft) -> None:
        self._attachments, self._replaces = draft.attachments, draft.replaces
        by_id("message").value = draft.text
        by_id("files").innerHTML = chat_view.files(draft.attachments, self.language)
        by_id("files").hidden = not draft.attachments
        by_id("editing").innerHTML = chat_view.editing(self.language) if draft.replaces else ""
        self.draft_changed()

    # ---- what only the browser's edge needs ----

    def routed(self, entry_id: str) -> Routed:
        return self._routed[entry_id]

    def draft_changed(self) -> None:
        """Keeps the draft for a reload; a browser that refuses storage keeps it on the page only."""
        with suppress(Exception):  # quota, or storage switched off: the text is still in the box
            localStorage.setItem(DRAFT_KEY, self.draft().text)
        self.refresh_composer()

    def restore_draft(self) -> None:
        """What was typed before Python arrived wins over what was kept."""
        if not self.draft().text:
            by_id("message").value = localStorage.getItem(DRAFT_KEY) or ""
        self.refresh_composer()

    def refresh_composer(self) -> None:
        by_id("send").disabled = self._busy or self.draft().empty

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
        self._put_all()

    def show_update(self, shown: bool) -> None:
        with focus.kept(by_id("update")):
            by_id("update").innerHTML = setup_view.update(self.language) if shown else ""
            by_id("update").hidden = not shown

    def show_undo(self, key: str, action: str) -> None:
        """A sentence with an Undo, where focus is now: what had it is gone."""
        by_id("toast").innerHTML = chats_view.undo(self.language.text(key), action, self.language)
        by_id("toast").hidden = False
        by_id("toast").querySelector("button").focus()

    def hide_toast(self) -> None:
        with focus.kept(by_id("toast")):
            by_id("toast").hidden = True

    def keep_focus(self, button: Any, change: Callable[[], None]) -> None:
        """`change` shows another version of a message: the same button of that one has the focus then."""
        label, target = button.getAttribute("aria-label"), button.dataset.id
        change()
        article = self._article(target)
        if article:
            tools = article.querySelector(".branches")
            same = tools and tools.querySelector(f'[aria-label="{label}"]:enabled')
            (same or tools.querySelector("button:enabled")).focus()

    def announce(self, sentence: str) -> None:
        """To screen readers, politely: whole sentences, never tokens."""
        if sentence:
            by_id("announcer").textContent = sentence

    def copy_code(self, button: Any) -> None:
        """Puts the code that a button belongs to on the clipboard, and says so."""
        text = button.closest(".code").querySelector("code").textContent
        asyncio.ensure_future(self._copy(text, button))  # noqa: RUF006 -- ends by itself

    def copy_message(self, button: Any) -> None:
        """What was said, as it was written: an answer as Markdown."""
        text = self._entries[button.dataset.id].text
        asyncio.ensure_future(self._copy(text, button))  # noqa: RUF006 -- ends by itself

    def copy_last(self) -> None:
        """The last answer."""
        buttons = document.querySelectorAll('article[data-role="assistant"] [data-action="copy-message"]')
        if buttons.length:
            self.copy_message(buttons.item(buttons.length - 1))

    async def _copy(self, text: str, button: Any) -> None:
        try:
            await navigator.clipboard.writeText(text)
        except Exception:  # the browser or the user may refuse; then nothing was copied and nothing says so
            return
        before, name = button.innerHTML, button.getAttribute("aria-label")
        copied = self.language.text("message.copied")
        button.textContent = copied
        if name:
            button.setAttribute("aria-label", copied)
        self.announce(copied)
        await asyncio.sleep(COPIED_S)
        button.innerHTML = before
        if name:
            button.setAttribute("aria-label", name)

    def offer_cloud(self, readers: str) -> None:
        """The companies that could answer instead of a download."""
        self._readers = readers
        with focus.kept(by_id("choice")):
            self._show_choice(self._state)

    def ask_cloud(self, host: str, token: bool) -> None:
        """Once more and plainly; the answer is what the dialog returns. `token`: the operator wants one."""
        by_id("choice").innerHTML = cloud_view.confirm(host, self._readers, self.language, token=token)
        by_id("choice").showModal()

    def choose_again(self) -> None:
        """Back from `ask_cloud`: to the choice, if that is where it was asked."""
        self._show_choice(self._state)

    # ---- parts ----

    def _show_choice(self, state: SetupState) -> None:
        dialog = by_id("choice")
        if not isinstance(state, Choosing):
            if dialog.open:
                dialog.close("shown-elsewhere")
            return
        dialog.innerHTML = setup_view.choice(state.offer, self.language, self._readers)
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

    def _article(self, entry_id: str) -> Any:
        return by_id("conversation").querySelector(f'article[data-id="{entry_id}"]')

    def _put_all(self) -> None:
        """The latest, however many there are; the earlier ones come when the reader goes there."""
        self._answers.clear(self.language)
        self._earlier = max(0, len(self._entries) - AT_ONCE)
        by_id("conversation").innerHTML = chat_view.earlier(self.language) if self._earlier else ""
        self._put_many("beforeend", list(self._entries.values())[self._earlier :])
        self._follow.to_end(force=True)

    def show_earlier(self) -> None:
        """The messages before the first one on the page, without moving what is being read."""
        if not self._earlier:
            return
        shown, self._earlier = self._earlier, max(0, self._earlier - AT_ONCE)
        button = by_id("conversation").firstElementChild
        with focus.kept(button), self._follow.kept_place():
            self._put_many("afterbegin", list(self._entries.values())[self._earlier : shown])
            button.remove()
            if self._earlier:
                by_id("conversation").prepend(button)

    def _put_many(self, where: str, entries: list[Entry]) -> None:
        """The articles first, what they say in the frames that follow."""
        by_id("conversation").insertAdjacentHTML(where, "".join(self._frame_of(entry) for entry in entries))
        for entry in entries:
            if entry.role == "assistant":
                self._answers.begin(entry.id, entry.text, complete=entry.state != "streaming")

    def _put(self, article: Any, entry: Entry) -> None:
        """An entry that has settled, or an answer that grows again."""
        article.dataset.state = entry.state
        article.querySelector('[data-part="foot"]').innerHTML = chat_view.foot(
            entry, self._siblings[entry.id], self.language, self.conditions, self._why(entry)
        )
        if entry.state == "streaming":
            article.querySelector('[data-part="text"]').innerHTML = ""
            self._answers.begin(entry.id, entry.text)
        elif entry.role == "assistant":
            self._answers.end(entry.id, entry.text)
            self.announce(self._sentences.rest(split(entry.text)[1]))
        self._follow.to_end()

    def _add(self, entry: Entry) -> None:
        by_id("conversation").insertAdjacentHTML("beforeend", self._frame_of(entry))
        if entry.role == "assistant":
            self._answers.begin(entry.id, entry.text, complete=entry.state != "streaming")
        if entry.state == "streaming":
            self.announce(self.language.text("chat.answering"))
        self._follow.to_end(force=entry.role == "user")

    def _frame_of(self, entry: Entry) -> str:
        siblings = self._siblings[entry.id]
        return chat_view.article(entry, siblings, self.language, self.conditions, self._why(entry))

    def _why(self, entry: Entry) -> Html:
        """Why an answer of this visit is whose it is."""
        routed = self._routed.get(entry.id)
        return routing_view.line(routed, entry.id, self.language) if routed else Html()

    def _cut(self, from_id: str) -> None:
        ids = list(self._entries)
        at = ids.index(from_id)
        for entry_id in ids[at:]:
            del self._entries[entry_id]
        if at <= self._earlier:
            return self._put_all()
        for entry_id in ids[at:]:
            self._article(entry_id).remove()
            self._answers.drop(entry_id)

    def _frame_shown(self) -> None:
        growing = next((e for e in reversed(self._entries.values()) if e.state == "streaming"), None)
        if growing:
            self.announce(self._sentences.feed(self._answers.said(growing.id)))
        self._follow.to_end()
