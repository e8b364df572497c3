"""A file of chats, ours or another program's: what is in it, and its chats one at a time.

Nothing is changed by reading. A chat that is damaged is named and left out; the others of its file are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyapp.chat.tree import Conversation
from pyapp.errors import ImportTooNew, ImportUnreadable
from pyapp.settings import personas as persona_library
from pyapp.settings.personas import Persona
from pyapp.settings.settings import Settings, parse
from pyapp.tasks.plugins.guest import PluginFile
from pyapp.tasks.records import Kept
from pyapp.transfer import chatgpt, llama_cpp, open_webui
from pyapp.transfer.form import FORMAT, VERSION, chat_read
from pyapp.transfer.loose import Loose, planted
from pyapp.transfer.own_tasks import file_read
from pyapp.transfer.reading import Damaged, Reason, document, loose_title
from pyapp.transfer.runs import run_read

OTHERS: tuple[tuple[Callable[[object], list[Any] | None], Callable[[object], Loose]], ...] = (
    (open_webui.chats, open_webui.read),
    (llama_cpp.chats, llama_cpp.read),
    (chatgpt.chats, chatgpt.read),
)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A chat or a run that is not imported. `title` may be empty."""

    title: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was understood. `settings` is None when it has none; `run_items` are runs of tasks."""

    items: Sequence[object]
    read: Callable[[object, Mapping[str, str]], Conversation]
    personas: tuple[Persona, ...] = ()
    settings: Settings | None = None
    run_items: Sequence[object] = ()
    own_task_items: Sequence[object] = ()

    def runs(self, new_id: Callable[[], str]) -> Iterator[Kept | Skipped]:
        """Every run of the file, with an id of its own."""
        for item in self.run_items:
            try:
                yield run_read(item, new_id)
            except Damaged as damaged:
                yield Skipped(_title(item), damaged.reason)

    def own_tasks(self) -> Iterator[PluginFile | Skipped]:
        """The files of the user's own tasks."""
        for item in self.own_task_items:
            try:
                yield file_read(item)
            except Damaged as damaged:
                yield Skipped("", damaged.reason)

    def chats(self, persona_ids: Mapping[str, str]) -> Iterator[Conversation | Skipped]:
        """Every chat of the file, with ids of its own. `persona_ids`: of the file -> of here."""
        for item in self.items:
            try:
                yield self.read(item, persona_ids)
            except Damaged as damaged:
                yield Skipped(_title(item), damaged.reason)


def source(text: str, new_id: Callable[[], str], now_ms: int) -> Source:
    """What is in a file. Raises ImportTooLarge, ImportTooNew and ImportUnreadable."""
    value = document(text)
    if isinstance(value, dict) and "format" in value:
        return _own(value, new_id)
    for chats, read in OTHERS:
        if found := chats(value):
            return Source(found, lambda item, _, read=read: planted(read(item), new_id, now_ms))  # type: ignore[misc]
    raise ImportUnreadable("The file has no chats in a form that is known")


def _own(value: Mapping[str, Any], new_id: Callable[[], str]) -> Source:
    version, chats = value.get("version"), value.get("chats")
    if value["format"] != FORMAT or isinstance(version, bool) or not isinstance(version, int):
        raise ImportUnreadable("The file is not one of chats")
    if version > VERSION:
        raise ImportTooNew(version=version, known=VERSION)
    if version < VERSION or not isinstance(chats, list):
        raise ImportUnreadable("The file is not one of chats")
    return Source(
        items=chats,
        read=lambda item, persona_ids: chat_read(item, new_id, persona_ids),
        personas=persona_library.parse(value.get("personas")),
        settings=parse(value["settings"]).settings if isinstance(value.get("settings"), dict) else None,
        run_items=value["runs"] if isinstance(value.get("runs"), list) else (),
        own_task_items=value["own_tasks"] if isinstance(value.get("own_tasks"), list) else (),
    )


def _title(item: object) -> str:
    """What a damaged chat is called, as far as that can be told."""
    outer = item if isinstance(item, dict) else {}
    inner = next((outer[name] for name in ("conv", "chat") if isinstance(outer.get(name), dict)), outer)
    return loose_title(outer.get("title")) or loose_title(inner.get("title")) or loose_title(inner.get("name"))
