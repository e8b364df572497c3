"""Where a conversation is kept as it changes; pyapp.chat.library is the real one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from pyapp.chat.tree import Chat, Entry


class Shelf(Protocol):
    """Every call is immediate and does not raise."""

    def add(self, chat: Chat) -> None:
        """A chat that has a message; known ones stay as they are."""
        ...

    def change(self, chat_id: str, change: Callable[[Chat], Chat]) -> None:
        """`change` may be applied again, to a fresher value that another tab has written."""
        ...

    def keep(self, entry: Entry) -> None: ...

    def forget(self, chat_id: str, entry_ids: Iterable[str]) -> None: ...
