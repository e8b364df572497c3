"""The list of chats as a person uses it: it opens, finds, renames, pins and deletes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from pyapp.app import App
from pyapp.chat.groups import Group
from pyapp.chat.library import UNDO_S
from pyapp.chat.search import Found
from pyapp.chat.tree import Chat


class ListPage(Protocol):
    """The part of the page that shows the list. No method raises."""

    def soon(self, show: Callable[[], None]) -> None:
        """Calls `show` before the next frame: once, however often the list has changed until then."""
        ...

    def show_chats(self, groups: Sequence[Group], open_id: str, count: Callable[[str], int]) -> None:
        """`count` gives how many messages the chat of an id has, as far as they are known yet."""
        ...

    def show_found(self, hits: Sequence[Found]) -> None: ...

    def show_rename(self, chat: Chat) -> None:
        """The line of a chat becomes a box with its title."""
        ...

    def show_deleted(self, chat: Chat | None) -> None:
        """With a way to undo it; None when that is over."""
        ...


class ChatList:
    """Shows the list, or what a search has found, whenever it is different."""

    def __init__(self, page: ListPage, app: App) -> None:
        self._page = page
        self._app = app
        self._query = ""
        self._deleted: str | None = None  # the chat deleted last, while it can come back
        self._timer: asyncio.TimerHandle | None = None
        app.on_chats = self.refresh

    @property
    def _chats(self) -> Mapping[str, Chat]:
        return self._app.library.chats

    def refresh(self) -> None:
        self._page.soon(self._show)

    def _show(self) -> None:
        if self._query:
            self._page.show_found(self._app.library.search(self._query))
        else:
            library = self._app.library
            self._page.show_chats(library.groups(), self._app.open_id, library.index.count)

    def search(self, query: str) -> None:
        """Shows what has every word of `query`; everything again when there is none."""
        self._query = query.strip()
        self.refresh()

    def begin_rename(self, chat_id: str) -> None:
        if chat_id in self._chats:
            self._page.show_rename(self._chats[chat_id])

    def rename(self, chat_id: str, title: str) -> None:
        """An empty title leaves the chat as it is called."""
        if chat_id in self._chats:
            self._app.rename_chat(chat_id, title)
        self.refresh()

    def pin(self, chat_id: str) -> None:
        """To the top of the list, or back among the others."""
        if chat_id in self._chats:
            self._app.pin_chat(chat_id, not self._chats[chat_id].pinned)

    def delete(self, chat_id: str) -> None:
        """It can come back for UNDO_S seconds."""
        if chat_id not in self._chats:
            return
        self._app.delete_chat(chat_id)
        self.leave_undo()
        self._deleted = chat_id
        self._page.show_deleted(self._chats[chat_id])
        self._timer = asyncio.get_running_loop().call_later(UNDO_S, self.leave_undo)

    def undo(self) -> None:
        """Brings the chat back that was deleted last."""
        chat_id = self._deleted
        self.leave_undo()
        if chat_id is not None and chat_id in self._chats:
            self._app.undelete_chat(chat_id)

    def leave_undo(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._deleted = self._timer = None
        self._page.show_deleted(None)
