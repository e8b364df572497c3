"""What stands unsent in each chat: kept with it, seldom enough to cost nothing while somebody types."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pyapp.chat.tree import Attachment, Chat

INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True)
class Draft:
    """What the composer holds."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    replaces: str | None = None  # the id of the message that is being edited

    @property
    def empty(self) -> bool:
        return not (self.text.strip() or self.attachments)


@dataclass
class Drafts:
    """The text of each chat's draft. `chats` are those there are; `change` changes one and keeps it."""

    chats: Mapping[str, Chat]
    change: Callable[[str, Callable[[Chat], Chat]], None]
    _latest: dict[str, str] = field(default_factory=dict)  # not kept yet
    _of_new: str = ""  # of a chat that is not in the library before its first message

    def get(self, chat_id: str) -> str:
        """Empty for a chat without a draft."""
        chat = self.chats.get(chat_id)
        return self._latest.get(chat_id, chat.draft) if chat else self._of_new

    def set(self, chat_id: str, text: str) -> None:
        """Kept within INTERVAL_S."""
        if chat_id not in self.chats:
            self._of_new = text
            return
        if not self._latest:
            asyncio.get_running_loop().call_later(INTERVAL_S, self._keep)
        self._latest[chat_id] = text

    def _keep(self) -> None:
        latest, self._latest = self._latest, {}
        for chat_id, text in latest.items():
            if chat_id in self.chats and self.chats[chat_id].draft != text:
                self._keep_one(chat_id, text)

    def _keep_one(self, chat_id: str, text: str) -> None:
        self.change(chat_id, lambda chat: replace(chat, draft=text))
