"""Everything the user made is the user's: files of one chat or of all, files that come in, and deleting everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from pyapp.chat.groups import listed, local_day
from pyapp.chat.library import Library
from pyapp.chat.tree import Conversation
from pyapp.engine import Transport, values
from pyapp.errors import PluginError
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.models.record import Installed
from pyapp.preferences import Preferences, Text
from pyapp.settings.personas import Persona
from pyapp.settings.settings import Settings
from pyapp.tasks.plugins.guest import PluginFile
from pyapp.tasks.records import Kept
from pyapp.transfer import exporting
from pyapp.transfer.fingerprint import fingerprint
from pyapp.transfer.importing import Skipped, source
from pyapp.transfer.own_tasks import file_text
from pyapp.transfer.runs import run_mark, run_text


class Models(Protocol):
    """What is needed of pyapp.models.store."""

    async def records(self) -> Sequence[Installed]: ...

    async def delete(self, model: ModelSpec, variant: Variant) -> None: ...

    async def sweep(self, wanted: Collection[Variant]) -> None: ...


class TaskRuns(Protocol):
    """What is needed of pyapp.tasks.runs."""

    def everything(self) -> AsyncGenerator[Kept, None]: ...

    def add(self, kept: Kept) -> None: ...

    async def clear(self) -> None: ...


class OwnTasks(Protocol):
    """What is needed of pyapp.tasks.plugins.own."""

    def everything(self) -> AsyncGenerator[PluginFile, None]: ...

    async def take(self, file: PluginFile) -> bool:
        """False for one that is here already. Raises PluginError, StorageError."""
        ...


@dataclass(frozen=True, slots=True)
class File:
    name: str
    text: str
    type: Literal["application/json", "text/markdown"] = "application/json"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What `delete_everything` deletes."""

    chats: int
    personas: int
    models: int
    runs: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an import. `settings` are those of the file, when they were not taken because there are others."""

    chats: int = 0
    personas: int = 0
    skipped: tuple[Skipped, ...] = ()
    settings: Settings | None = None
    runs: int = 0
    own_tasks: int = 0


@dataclass
class YourData:
    library: Library
    preferences: Preferences
    models: Models
    transport: Transport
    text: Text
    new_id: Callable[[], str]
    now_ms: Callable[[], int]
    runs: Callable[[], TaskRuns]
    own_tasks: Callable[[], OwnTasks]
    _importing: asyncio.Lock = field(default_factory=asyncio.Lock)

    # ---- out ----

    async def chat_to_read(self, chat_id: str) -> File:
        """Raises KeyError for a chat that is gone."""
        return self.readable(await self.library.open(chat_id))

    def readable(self, conversation: Conversation) -> File:
        """A conversation as it is in memory, for when the database gives nothing any more."""
        name = self.file_name(conversation.chat.title, ".md")
        return File(name, exporting.markdown(conversation, self.text), "text/markdown")

    async def chat_to_keep(self, chat_id: str) -> File:
        """Raises KeyError for a chat that is gone."""
        conversation = await self.library.open(chat_id)
        text = exporting.document([exporting.chat_text(conversation)], self.now_ms())
        return File(self.file_name(conversation.chat.title, ".json"), text)

    async def everything(self) -> File:
        """All chats, settings, personas, runs of tasks and tasks of the user's own."""
        chats = [exporting.chat_text(each) async for each in self._conversations()]
        runs = [run_text(each) async for each in self.runs().everything()]
        own = [file_text(each) async for each in self.own_tasks().everything()]
        known = (self.now_ms(), self.preferences.app, self.preferences.mine)
        document = exporting.document(chats, *known, runs=runs, own_tasks=own)
        return File(self.file_name("", ".json"), document)

    def file_name(self, title: str, ending: str) -> str:
        """What a file of today is called."""
        return exporting.file_name(title, local_day(self.now_ms()), ending)

    async def _conversations(self) -> AsyncGenerator[Conversation, None]:
        """One at a time, so that nobody waits for all."""
        for chat in listed(list(self.library.chats.values())):
            if chat.id in self.library.chats:  # it may have been deleted meanwhile
                yield await self.library.open(chat.id)
                await asyncio.sleep(0)

    # ---- in ----

    async def take_in(self, text: str, on_step: Callable[[int, int], None] = lambda _done, _all: None) -> Report:
        """Adds what is in a file to what is here; what is here already is not doubled.

        `on_step` hears how many of how many chats were looked at. Raises ImportRefused with nothing changed.
        """
        async with self._importing:
            found = source(text, self.new_id, self.now_ms())
            known = {fingerprint(each) async for each in self._conversations()}
            personas, persona_ids = self._new_personas(found.personas)
            if personas:
                await self.preferences.keep((*self.preferences.mine, *personas))
            settings = await self._take_settings(found.settings, persona_ids)
            skipped: list[Skipped] = []
            for done, chat in enumerate(found.chats(persona_ids), start=1):
                if isinstance(chat, Skipped):
                    skipped.append(chat)
                elif (mark := fingerprint(chat)) in known:
                    skipped.append(Skipped(chat.chat.title, "already_here"))
                else:
                    known.add(mark)
                    self._add(chat)
                on_step(done, len(found.items))
                await asyncio.sleep(0)
            chats = len(found.items) - len(skipped)
            runs = await self._take_runs(found.runs(self.new_id), skipped)
            own = await self._take_own_tasks(found.own_tasks(), skipped)
            await self.library.keeper.settled()
            return Report(chats, len(personas), tuple(skipped), settings, runs, own)

    async def _take_own_tasks(self, found: Iterator[PluginFile | Skipped], skipped: list[Skipped]) -> int:
        """Looked at as if they were picked one by one; without what they were allowed elsewhere."""
        taken = 0
        for each in found:
            if isinstance(each, Skipped):
                skipped.append(each)
                continue
            try:
                new = await self.own_tasks().take(each)
            except PluginError:
                skipped.append(Skipped(each.name, "wrong_type"))
            else:
                taken += new
                skipped += [] if new else [Skipped(each.name, "already_here")]
        return taken

    async def _take_runs(self, found: Iterator[Kept | Skipped], skipped: list[Skipped]) -> int:
        runs = self.runs()
        known = {run_mark(each) async for each in runs.everything()}
        taken = 0
        for each in found:
            if isinstance(each, Skipped):
                skipped.append(each)
            elif (mark := run_mark(each)) in known:
                skipped.append(Skipped(each.run.title, "already_here"))
            else:
                known.add(mark)
                runs.add(each)
                taken += 1
            await asyncio.sleep(0)
        return taken

    def _add(self, conversation: Conversation) -> None:
        self.library.add(conversation.chat)
        for entry in conversation.entries.values():
            self.library.keep(entry)

    def _new_personas(self, found: Sequence[Persona]) -> tuple[list[Persona], dict[str, str]]:
        """Those that are not here yet, and the ids that all of `found` have here."""
        here = {(each.title, each.prompt): each.id for each in self.preferences.mine}
        taken = set(here.values())
        new: list[Persona] = []
        ids: dict[str, str] = {}
        for persona in found:
            said = (persona.title, persona.prompt)
            if said not in here:
                here[said] = self.new_id() if persona.id in taken else persona.id
                new.append(replace(persona, id=here[said]))
            ids[persona.id] = here[said]
        return new, ids

    async def _take_settings(self, found: Settings | None, persona_ids: dict[str, str]) -> Settings | None:
        """Those of the file are taken where none were chosen here; else they are given back, to ask."""
        if found is None:
            return None
        settings = replace(found, persona_id=persona_ids.get(found.persona_id, found.persona_id))
        if self.preferences.app == settings:
            return None
        if self.preferences.app != Settings():
            return settings
        await self.preferences.save(settings)
        return None

    # ---- the end ----

    async def inventory(self) -> Inventory:
        chats = sum(1 for _ in listed(self.library.chats.values()))
        runs = [each async for each in self.runs().everything()]
        return Inventory(chats, len(self.preferences.mine), len(await self.models.records()), len(runs))

    async def delete_everything(self) -> None:
        """Models, chats, runs of tasks, settings, personas, caches and whatever else this site has kept. Then the page
        must reload.

        Raises EngineBusy, with everything still there, while a model is being downloaded.
        """
        for each in await self.models.records():
            await self.models.delete(each.model, each.variant)
        await self.models.sweep(())
        await self.runs().clear()
        await self.library.clear()
        await self.preferences.forget()
        await values(self.transport, "page.forget")
