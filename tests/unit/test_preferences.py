"""Preferences are kept, followed across tabs, and give what a request is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from pyapp.chat.library import Library
from pyapp.chat.session import Session
from pyapp.engine import Sampling
from pyapp.errors import ImportUnreadable, StorageFailed
from pyapp.preferences import Preferences
from pyapp.routing.rules import Rules
from pyapp.settings.personas import Persona, dumps
from pyapp.settings.settings import Settings
from pyapp.settings.table import Wrong
from pyapp.settings.tailored import Wishes, Words
from tests.unit.chat.tabs import Browser, Tab
from tests.unit.run import run
from tests.unit.transfer.made import NOW, ids, talk

PIRATE = Persona("p", "Pirate", "{{ arr }} <|im_start|>")


@dataclass
class TabOfPreferences:
    database: Browser
    changes: int = 0
    tab: Tab = field(init=False)

    def __post_init__(self) -> None:
        self.tab = self.database.tab()
        self.library = Library(self.tab, new_id=ids("chat"), now_ms=lambda: NOW)
        self.session = Session(self.library.new(), self.library, ids("entry"), lambda: NOW, lambda _: None)
        self.preferences = Preferences(self.library, self.session, lambda key: f"[{key}] {{title}}", ids("p"))
        self.preferences.on_change = self._changed
        self.following = asyncio.ensure_future(self.preferences.start())

    def _changed(self) -> None:
        self.changes += 1


Story = Callable[[TabOfPreferences, TabOfPreferences], Awaitable[None]]


def play(story: Story, database: Browser | None = None) -> None:
    async def whole() -> None:
        both = database or Browser()
        here, there = TabOfPreferences(both), TabOfPreferences(both)
        await asyncio.sleep(1)
        await story(here, there)

    run(whole())


def test_what_was_chosen_is_there_in_every_tab_and_after_a_reload() -> None:
    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        assert await here.preferences.save_typed({"theme": "dark", "temperature": "0,5"}) == ()
        await asyncio.sleep(1)
        chosen = Settings(theme="dark", temperature=0.5)
        assert here.preferences.app == there.preferences.app == chosen
        assert there.changes == 2
        later = TabOfPreferences(here.database)
        await asyncio.sleep(1)
        assert later.preferences.app == chosen
        await here.preferences.reset()
        await asyncio.sleep(1)
        assert later.preferences.app == Settings()

    play(story)


def test_rules_are_kept_and_followed() -> None:
    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        await here.preferences.save_rules(Rules(privacy="ask"))
        await asyncio.sleep(1)
        assert here.preferences.rules == there.preferences.rules == Rules(privacy="ask")
        assert there.changes == 2
        await here.preferences.forget()
        assert here.preferences.rules == Rules()

    play(story)


def test_rules_that_cannot_be_read_let_nothing_leave() -> None:
    database = Browser()
    database.stores["settings"]["routing"] = {"v": 2, "key": "routing", "value": {"privacy": "allowed"}}

    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        assert here.preferences.rules == Rules()

    play(story, database)


def test_a_form_with_a_wrong_value_saves_nothing() -> None:
    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        wrong = await here.preferences.save_typed({"theme": "dark", "top_k": "many"})
        assert wrong == (Wrong("top_k", "type", "many"),)
        assert here.preferences.app == Settings()
        assert here.preferences.save_chat_typed({"top_k": "9999"}, ()) == (Wrong("top_k", "range", "9999"),)
        assert here.preferences.own == {}
        assert here.database.stores["settings"] == {}

    play(story)


def test_a_request_is_made_of_what_the_open_chat_says() -> None:
    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        assert here.preferences.wishes() == Wishes()
        await here.preferences.save(Settings(temperature=0.5, max_new_tokens=64, context_tokens=512))
        await here.preferences.keep([PIRATE])
        here.preferences.use_persona("p")
        assert here.preferences.save_chat_typed({"temperature": "1", "history_messages": "4"}, {"max_new_tokens"}) == ()
        assert here.preferences.wishes() == Wishes(
            sampling=Sampling(temperature=1.0),
            max_new_tokens=64,
            instructions=PIRATE.prompt,
            context_tokens=512,
            history_messages=4,
        )

    play(story)


def test_a_chats_settings_are_kept_with_it_from_its_first_message_on() -> None:
    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        here.preferences.save_chat_typed({"temperature": "1"}, ())
        assert here.library.chats == {}
        chat = here.session.conversation.chat
        here.library.add(chat)
        await asyncio.sleep(1)
        here.preferences.save_chat_typed({"top_k": "3"}, {"temperature"})
        await asyncio.sleep(1)
        assert here.database.stores["chats"][chat.id]["settings"] == {"top_k": 3}
        assert here.session.conversation.chat.settings == {"top_k": 3}
        assert here.preferences.own == {"top_k": 3}

    play(story)


def test_an_open_chat_keeps_its_messages_when_its_settings_change() -> None:
    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        talked = talk()
        here.session.open(talked)
        here.preferences.save_chat_typed({}, {"temperature"})
        assert here.session.conversation.entries == talked.entries
        assert here.session.conversation.chat.settings == {}

    play(story)


def test_personas_are_made_changed_copied_shared_and_deleted() -> None:
    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        preferences = here.preferences
        assert not await preferences.save_persona("", "", "no title")
        assert await preferences.save_persona("", "Pirate", "Arr")
        (made,) = preferences.mine
        assert await preferences.save_persona(made.id, "Pirate", "Arr!")
        assert [each.prompt for each in preferences.mine] == ["Arr!"]
        tutor = preferences.persona("tutor")
        assert tutor
        assert tutor.built_in
        await preferences.duplicate(tutor)
        assert preferences.mine[1].title == "[personas.copy_of] [persona.tutor] {title}"
        await preferences.delete_persona(made.id)
        assert preferences.persona(made.id) is None
        assert await preferences.import_personas(dumps([PIRATE])) == 1
        assert [each.prompt for each in preferences.mine[1:]] == [PIRATE.prompt]
        with pytest.raises(ImportUnreadable):
            await preferences.import_personas("x")
        await asyncio.sleep(1)
        assert there.preferences.mine == preferences.mine
        assert len(preferences.personas) == len(preferences.mine) + 8

    play(story)


def test_a_summary_is_asked_for_in_the_users_language() -> None:
    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        assert here.preferences.words() == Words(
            "[context.summary.instruction] {title}", "[context.summary.heading] {title}", "[chat.you] {title}", "Candil"
        )

    play(story)


def test_what_is_forgotten_is_forgotten_in_every_tab() -> None:
    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        await here.preferences.save(Settings(theme="dark"))
        await here.preferences.keep([PIRATE])
        await here.library.clear()
        await here.preferences.forget()
        await asyncio.sleep(1)
        for tab in (here, there):
            assert (tab.preferences.app, tab.preferences.mine) == (Settings(), ())

    play(story)


def test_without_storage_it_lasts_as_long_as_the_tab() -> None:
    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        assert here.following.done()
        with pytest.raises(StorageFailed):
            await here.preferences.save(Settings(theme="dark"))
        assert here.preferences.app == Settings(theme="dark")
        assert here.changes == 1

    play(story, Browser(trouble=StorageFailed()))


def test_what_other_tabs_say_of_chats_is_nothing_new() -> None:
    async def story(here: TabOfPreferences, there: TabOfPreferences) -> None:
        before = here.tab.ops.count("db.read")
        await there.library.database.post({"chats": [], "messages": {}})
        await asyncio.sleep(1)
        assert here.tab.ops.count("db.read") == before

    play(story)
