"""What the library tells: changes that did not come from the conversation on the page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pyapp.chat.tree import Chat, Entry
from pyapp.errors import CandilError


@dataclass(frozen=True, slots=True)
class ChatsChanged:
    """The list is different: new, renamed, moved, deleted chats, here or in another tab."""

    chat_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Followed:
    """Another tab has changed a chat: itself, these messages of it, or some are gone."""

    chat: Chat
    entries: Sequence[Entry] = ()
    gone: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class NotKept:
    """The database refuses: what is said from now on lasts until the tab closes. None: it is kept again, all of it."""

    error: CandilError | None


@dataclass(frozen=True, slots=True)
class Vanished:
    """The database was deleted under the page: of this chat there is what the page still has."""

    chat_id: str


LibraryEvent = ChatsChanged | Followed | NotKept | Vanished
