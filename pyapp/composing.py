"""What is being written: the draft of each chat, the texts attached to it, and whether it replaces a message."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from pyapp.chat.tree import Attachment, Entry
from pyapp.errors import FileTooLarge, NotText

LONG_PASTE_CHARACTERS = 4_000  # a text this long is easier to live with as an attachment
_CONTROL = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f]")  # what no text has
LARGEST_FILE_BYTES = 2_000_000  # far beyond every context window there is


class ComposerPage(Protocol):
    """The box and what is above it. No method raises."""

    def draft(self) -> str: ...

    def set_draft(self, text: str) -> None: ...

    def show_files(self, attachments: Sequence[Attachment]) -> None: ...

    def show_editing(self, editing: bool) -> None: ...


class Composing:
    """`keep` is called with (chat id, text) whenever a draft changes."""

    def __init__(self, page: ComposerPage, keep: Callable[[str, str], None]) -> None:
        self._page = page
        self._keep = keep
        self._chat_id = ""
        self._set_aside = ""  # the draft that an edit took the place of
        self._aside_files: tuple[Attachment, ...] = ()
        self.files: tuple[Attachment, ...] = ()
        self.editing: str | None = None  # the id of the message that is edited

    def open(self, chat_id: str, draft: str) -> None:
        """Another chat is on the page: its draft is in the box."""
        self._leave_edit()
        self._chat_id = chat_id
        self._show_files(())
        self._page.set_draft(draft)

    def changed(self) -> None:
        """Something was typed. The text of an edit is not the chat's draft."""
        if self.editing is None:
            self._keep(self._chat_id, self._page.draft())

    @property
    def empty(self) -> bool:
        return not self._page.draft().strip() and not self.files

    def attach(self, name: str, data: bytes) -> None:
        """Another text goes with the message. Raises NotText, FileTooLarge."""
        if len(data) > LARGEST_FILE_BYTES:
            raise FileTooLarge(name=name, limit_bytes=LARGEST_FILE_BYTES)
        self.attach_text(name, decoded(name, data))

    def attach_text(self, name: str, text: str) -> None:
        self._show_files((*self.files, Attachment(name, text)))

    def remove(self, number: int) -> None:
        """Takes the attachment at a place away; a place there is not is left alone."""
        self._show_files(self.files[:number] + self.files[number + 1 :])

    def edit(self, entry: Entry) -> None:
        """Puts a message into the box; what was there comes back with `cancel_edit` or once it was sent."""
        if self.editing is None:
            self._set_aside, self._aside_files = self._page.draft(), self.files
        self.editing = entry.id
        self._page.show_editing(True)
        self._show_files(entry.attachments)
        self._page.set_draft(entry.text)

    def cancel_edit(self) -> None:
        if self.editing is not None:
            self._leave_edit()
            self._show_files(self._aside_files)
            self._page.set_draft(self._set_aside)

    def take(self) -> tuple[str, tuple[Attachment, ...], str | None]:
        """What is to be sent: text, attachments, the message it replaces. The box is as it was before an edit."""
        text, files, editing = self._page.draft(), self.files, self.editing
        if editing is None:
            self._show_files(())
            self._page.set_draft("")
            self._keep(self._chat_id, "")
        else:
            self.cancel_edit()
        return text, files, editing

    def give_back(self, text: str, files: tuple[Attachment, ...], replaces: Entry | None = None) -> None:
        """What could not be sent: before whatever was written since, or as the edit it was."""
        if replaces is not None and self.editing is None:
            self.edit(replace(replaces, text=text, attachments=files))
            return
        newer = self._page.draft()
        self._show_files((*files, *self.files))
        self._page.set_draft(f"{text}\n\n{newer}" if newer else text)
        self.changed()

    def _leave_edit(self) -> None:
        if self.editing is not None:
            self.editing = None
            self._page.show_editing(False)

    def _show_files(self, files: tuple[Attachment, ...]) -> None:
        self.files = files
        self._page.show_files(files)


def decoded(name: str, data: bytes) -> str:
    """The text of a file, in UTF-8, UTF-16 with its mark, or what old Windows programs write. Raises NotText."""
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text):
            return text.replace("\r\n", "\n")
    raise NotText(name=name)
