"""The list of chats as a person uses it: it opens, finds, renames, pins and deletes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from pyapp.chat.groups import Group
from pyapp.chat.library import UNDO_S, Library
from pyapp.chat.search import Found
from pyapp.chat.tree import Chat


class ListPage(Protocol):
    """The part of the page that shows the list. No method raises."""

    def show_chats(self, groups: Sequence[Group], open_id: str) -> None: ...

    def show_found(self, hits: Sequence[Found]) -> None: ...

    def show_rename(self, chat: Chat) -> None:
        """The line of a chat becomes a box with its title."""
        ...

    def show_deleted(self, chat: Chat | None) -> None:
        """With a way to undo it; None when that is over."""
        ...


class ChatList:
    """`open_id` gives the id of the chat on the page; the list is shown again whenever `refresh` is called."""

    def __init__(self, page: ListPage, library: Library, open_id: Callable[[], str]) -> None:
        self._page = page
        self._library = library
        self._open_id = open_id
        self._query = ""
        self._deleted: str | None = None  # the last one, while it can come back
        self._timer: asyncio.TimerHandle | None = None

    def refresh(self) -> None:
        if self._query:
            self._page.show_found(self._library.search(self._query))
        else:
            self._page.show_chats(self._library.groups(), self._open_id())

    def search(self, query: str) -> None:
        """Shows what has every word of `query`; everything again when there is none."""
        self._query = query.strip()
        self.refresh()

    def begin_rename(self, chat_id: str) -> None:
        if chat_id in self._library.chats:
            self._page.show_rename(self._library.chats[chat_id])

    def rename(self, chat_id: str, title: str) -> None:
        """An empty title leaves the chat as it is called."""
        if chat_id in self._library.chats:
            self._library.rename(chat_id, title)
        self.refresh()

    def pin(self, chat_id: str) -> None:
        """To the top of the list, or back among the others."""
        if chat_id in self._library.chats:
            self._library.pin(chat_id, not self._library.chats[chat_id].pinned)

    def delete(self, chat_id: str) -> None:
        """It can come back for UNDO_S seconds."""
        if chat_id not in self._library.chats:
            return
        self._library.delete(chat_id)
        self._deleted = chat_id
        self._page.show_deleted(self._library.chats[chat_id])
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(UNDO_S, self.leave_undo)

    def undo(self) -> str | None:
        """Brings the chat back that was deleted last; gives its id."""
        chat_id = self._deleted
        self.leave_undo()
        if chat_id in self._library.chats:
            self._library.undelete(chat_id)
            return chat_id
        return None

    def leave_undo(self) -> None:
        self._deleted = None
        self._page.show_deleted(None)
