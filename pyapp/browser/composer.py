"""The message box and what is done to messages: keys, buttons, files and pasted texts as calls of pyapp.app.App."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pyapp.app import App
from pyapp.browser.events import Events
from pyapp.browser.page import BrowserPage, by_id
from pyapp.chat.attach import LARGEST_FILE_BYTES
from pyapp.chat.drafts import Draft
from pyapp.views import shortcuts


class Composer:
    """`sends_with_enter` is asked at every Enter."""

    def __init__(self, app: App, page: BrowserPage, sends_with_enter: Callable[[], bool]) -> None:
        self._app = app
        self._page = page
        self._sends_with_enter = sends_with_enter

    def connect(self, events: Events) -> None:
        app, page = self._app, self._page
        events.add(
            {
                "try-again": lambda button: app.try_again(button.dataset.id),
                "use-device": lambda button: app.use_device(button.dataset.id or None),
                "suggestion": lambda button: self._suggested(button.textContent),
                "copy-code": page.copy_code,
                "earlier": lambda _button: page.show_earlier(),
                "copy-message": page.copy_message,
                "edit-message": lambda button: self._edit(lambda: app.edit(button.dataset.id)),
                "cancel-edit": lambda _button: self._edit(app.cancel_edit),
                "regenerate": lambda button: app.regenerate(button.dataset.id),
                "continue": lambda button: app.continue_(button.dataset.id),
                "switch-branch": lambda button: page.keep_focus(button, lambda: app.switch(button.dataset.id)),
                "delete-message": lambda button: self._delete(button.dataset.id),
                "undo-message": lambda _button: self._undelete(),
                "attach": lambda _button: by_id("file").click(),
                "remove-file": lambda button: self._edit(lambda: app.remove_attachment(int(button.dataset.id))),
            }
        )
        events.on(by_id("composer"), "submit", self._submitted)
        events.on(by_id("message"), "input", lambda _event: self._typed())
        events.on(by_id("message"), "keydown", self._key_pressed)
        events.on(by_id("message"), "paste", self._pasted)
        events.on(by_id("stop"), "click", lambda _event: app.stop())
        events.on(by_id("file"), "change", self._files_chosen)

    def escape(self) -> None:
        """Leaves an edit, else stops the answer."""
        if self._page.draft().replaces is not None:
            self._edit(self._app.cancel_edit)
        else:
            self._app.stop()

    def _suggested(self, text: str) -> None:
        self._page.set_draft(Draft(text))
        by_id("message").focus()
        self._app.send()

    def _typed(self) -> None:
        self._page.draft_changed()
        self._app.draft_changed()

    def _submitted(self, event: Any) -> None:
        event.preventDefault()
        self._app.send()

    def _key_pressed(self, event: Any) -> None:
        if shortcuts.sends(
            event.key,
            mod=event.ctrlKey or event.metaKey,
            shift=event.shiftKey,
            composing=event.isComposing,
            with_enter=self._sends_with_enter(),
        ):
            event.preventDefault()
            self._app.send()
        elif event.key == "ArrowUp" and not event.target.value:
            event.preventDefault()
            self._edit(self._app.edit_last)

    def _edit(self, change: Callable[[], None]) -> None:
        change()
        by_id("message").focus()

    def _pasted(self, event: Any) -> None:
        text = event.clipboardData.getData("text/plain")
        if text and self._app.paste(self._page.language.text("attach.pasted"), text):
            event.preventDefault()

    def _files_chosen(self, event: Any) -> None:
        self.attach(list(event.target.files))
        event.target.value = ""

    def attach(self, files: list[Any]) -> None:
        """Texts that go with the message."""
        asyncio.ensure_future(self._read(files))  # noqa: RUF006 -- ends by itself

    async def _read(self, files: list[Any]) -> None:
        for file in files:
            part = file.slice(0, LARGEST_FILE_BYTES + 1)  # enough to see that it is too large
            self._app.attach(file.name, (await part.arrayBuffer()).to_bytes())
        by_id("message").focus()

    def _delete(self, entry_id: str) -> None:
        self._app.delete(entry_id)
        self._page.show_undo("message.deleted", "undo-message")

    def _undelete(self) -> None:
        self._app.undelete()
        self._page.hide_toast()
