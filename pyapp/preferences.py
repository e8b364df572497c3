"""What the user prefers: the app's settings, what the open chat has otherwise, and personas; kept, and followed across
tabs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from pyapp.chat.library import Library
from pyapp.chat.records import VERSION
from pyapp.chat.session import Session
from pyapp.errors import CandilError, ImportRefused
from pyapp.routing import rules as routing_rules
from pyapp.routing.rules import Rules
from pyapp.settings import personas as persona_library
from pyapp.settings import settings as app_settings
from pyapp.settings.personas import Persona
from pyapp.settings.settings import Settings, Values
from pyapp.settings.table import Wrong
from pyapp.settings.tailored import Wishes, Words

APP, PERSONAS, RULES = "app", "personas", "routing"  # keys in the database's store "settings"

Text = Callable[[str], str]  # key -> sentence, in the language of now


class Preferences:
    """`on_change` hears every change of `app`, `rules` or `personas`, here or in another tab; it must not raise.

    What the database refuses lasts until the tab closes; saving raises its StorageError then.
    """

    def __init__(self, library: Library, session: Session, text: Text, new_id: Callable[[], str]) -> None:
        self.app = Settings()
        self.mine: tuple[Persona, ...] = ()
        self.rules = Rules()  # who answers what
        self.on_change: Callable[[], None] = lambda: None
        self._library = library
        self._session = session
        self._text = text
        self._new_id = new_id

    async def start(self) -> None:
        """Reads what is kept, and follows other tabs until it is cancelled."""
        with suppress(CandilError):  # no storage: the library tells
            await self._read()
            async for post in self._library.database.posts():
                if "settings" in post:
                    await self._read()

    # ---- for a request ----

    def wishes(self) -> Wishes:
        """What is asked in the open chat is asked so."""
        here = app_settings.merged(self.app, self.own)
        return Wishes(
            sampling=app_settings.sampling(here),
            max_new_tokens=here.max_new_tokens,
            instructions=persona_library.instructions(here, self.personas),
            context_tokens=here.context_tokens,
            history_messages=here.history_messages,
            overflow=here.overflow,
        )

    def words(self) -> Words:
        return Words(
            instruction=self._text("context.summary.instruction"),
            heading=self._text("context.summary.heading"),
            user=self._text("chat.you"),
            assistant="Candil",
        )

    # ---- settings ----

    @property
    def own(self) -> Values:
        """What the open chat has otherwise than the app."""
        chat = self._session.conversation.chat
        return self._library.chats.get(chat.id, chat).settings

    async def save(self, settings: Settings) -> None:
        self.app = settings
        self.on_change()
        await self._write(APP, app_settings.to_json(settings))

    async def save_typed(self, texts: Mapping[str, str]) -> Sequence[Wrong]:
        """Saves the app's form, by key; nothing of it when something in it is wrong."""
        read = app_settings.typed(self.app, texts)
        if not read.wrong:
            await self.save(read.settings)
        return read.wrong

    async def reset(self) -> None:
        await self.save(app_settings.reset(self.app))

    async def save_rules(self, rules: Rules) -> None:
        self.rules = rules
        self.on_change()
        await self._write(RULES, routing_rules.differences(rules))

    def save_chat_typed(self, texts: Mapping[str, str], inherited: Collection[str]) -> Sequence[Wrong]:
        """As `save_typed`, for the open chat; the keys in `inherited` are as in the app."""
        read = app_settings.typed_overrides(self.own, texts, inherited)
        if not read.wrong:
            self._set_own(read.values)
        return read.wrong

    def _set_own(self, values: Values) -> None:
        chat = replace(self._session.conversation.chat, settings=values)
        self._session.follow(chat)
        if chat.id in self._library.chats:  # else it is kept with its first message
            self._library.change(chat.id, lambda latest: replace(latest, settings=values))

    # ---- personas ----

    @property
    def personas(self) -> tuple[Persona, ...]:
        """All there are, the built-in ones first."""
        return (*persona_library.built_in(self._text), *self.mine)

    def persona(self, persona_id: str) -> Persona | None:
        return next((each for each in self.personas if each.id == persona_id), None)

    def use_persona(self, persona_id: str) -> None:
        """In the open chat."""
        self._set_own({**self.own, "persona_id": persona_id})

    async def save_persona(self, persona_id: str, title: str, prompt: str) -> bool:
        """Changes one, or makes a new one when there is none of that id; False when it is not one."""
        try:
            persona = persona_library.made(title, prompt, persona_id or self._new_id())
        except ValueError:
            return False
        known = any(each.id == persona.id for each in self.mine)
        await self.keep(persona_library.edited(self.mine, persona) if known else (*self.mine, persona))
        return True

    async def duplicate(self, persona: Persona) -> None:
        title = self._text("personas.copy_of").format(title=persona.title)
        await self.keep((*self.mine, persona_library.duplicate(persona, title, self._new_id())))

    async def delete_persona(self, persona_id: str) -> None:
        await self.keep(persona_library.deleted(self.mine, persona_id))

    async def import_personas(self, text: str) -> int:
        """How many there were in a shared file. Raises ImportRefused."""
        found = persona_library.loads(text, self._new_id)
        await self.keep((*self.mine, *found))
        return len(found)

    async def keep(self, personas: Sequence[Persona]) -> None:
        self.mine = tuple(personas)
        self.on_change()
        await self._write(PERSONAS, persona_library.to_json(self.mine))

    # ---- keeping ----

    async def forget(self) -> None:
        """The defaults, as after everything was deleted; other tabs look again."""
        self.app, self.mine, self.rules = Settings(), (), Rules()
        self.on_change()
        await self._tell()

    async def _read(self) -> None:
        records = await self._library.database.read("settings", keys=[APP, PERSONAS, RULES])
        kept = {record["key"]: record.get("value") for record in records}
        self.app = app_settings.parse(kept.get(APP, {})).settings
        self.mine = persona_library.parse(kept.get(PERSONAS))
        self.rules = _rules(kept.get(RULES))
        self.on_change()

    async def _write(self, key: str, value: object) -> None:
        await self._library.database.write({"settings": [{"v": VERSION, "key": key, "value": value}]}, {}, {})
        await self._tell()

    async def _tell(self) -> None:
        await self._library.database.post({"chats": [], "messages": {}, "settings": True})


def _rules(value: object) -> Rules:
    """What cannot be read lets nothing leave."""
    try:
        return routing_rules.parse(value)
    except ImportRefused:
        return Rules()
