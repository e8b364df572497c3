"""Two tabs over one database, in a thousand interleavings: no message is lost, none is there twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.app import App
from pyapp.chat.branches import subtree
from pyapp.chat.drafts import Draft
from pyapp.chat.library import Library
from pyapp.chat.session import Session
from pyapp.chat.shown import Changed
from pyapp.chat.tree import Conversation
from pyapp.engine import Finished, GenerateEvent, GenerateRequest, TextDelta
from pyapp.setup.setup import Setup
from tests.unit.chat.scripted import USAGE, ScriptedEngine
from tests.unit.chat.tabs import Browser, PageWithTab
from tests.unit.run import run
from tests.unit.scripted_page import ScriptedPage
from tests.unit.setup.scripted import WASM, MemoryIntent, ScriptedStore, transport

LONG_S = 0.4  # the most that a step of the database or a message between tabs takes


@dataclass
class Talkative(ScriptedEngine):
    """Answers with words that no other answer has, and remembers which of them were taken."""

    chance: random.Random = field(default_factory=random.Random)
    said: dict[str, str] = field(default_factory=dict)  # by the first word

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        word = f"<a{self.chance.getrandbits(64)}>"
        await asyncio.sleep(self.chance.uniform(0, LONG_S))
        for piece in (word, *(f" {n}" for n in range(self.chance.randrange(5)))):
            yield TextDelta(piece)
            self.said[word] = self.said.get(word, "") + piece
            await asyncio.sleep(self.chance.uniform(0, 1))
        yield Finished("stop", USAGE)


class Person:
    """What somebody does in one tab, and what of it must be there in the end."""

    def __init__(self, browser: Browser, chance: random.Random, number: int) -> None:
        self.chance = chance
        self.number = number
        self.asked: set[str] = set()
        self.continued = 0
        self.deleted: set[str] = set()  # ids of entries
        self.deleted_chats: set[str] = set()
        self.last_deleted: set[str] = set()
        page_with_tab = PageWithTab(browser.tab(), transport())
        self.page = ScriptedPage()
        self.engine = Talkative(chance=chance)
        setup = Setup(page_with_tab, self.engine, ScriptedStore(here=[WASM]), MemoryIntent())
        library = Library(page_with_tab, new_id=self._new_id, now_ms=self._now_ms)
        session = Session(library.new(), library, self._new_id, self._now_ms, lambda _: None)
        self.app = App(self.page, setup, session, library)

    def _new_id(self) -> str:
        return f"{self.number}-{self.chance.getrandbits(64)}"

    def _now_ms(self) -> int:
        return int(1000 * asyncio.get_running_loop().time()) + 10 * self.number

    def do(self, action: str) -> None:
        entries = list(self.app.session.conversation.entries)
        chats = list(self.app.library.chats)
        if action in ("ask", "new_chat"):
            getattr(self, action)()
        elif action in ("stop", "undelete"):
            getattr(self, f"_{action}")()
        elif action.endswith("_chat") and chats:
            getattr(self, action)(self.chance.choice(chats))
        elif not action.endswith("_chat") and entries:
            getattr(self, action)(self.chance.choice(entries))

    def ask(self) -> None:
        text = f"<q{self.chance.getrandbits(64)}>"
        self.page.composer = Draft(text)
        self.app.send()
        if self.page.composer.empty:
            self.asked.add(text)

    def edit(self, entry_id: str) -> None:
        if self.app.session.conversation.entries[entry_id].role == "user" and not self.app.session.busy:
            text = f"<q{self.chance.getrandbits(64)}>"
            self.app.edit(entry_id)
            self.page.composer = replace(self.page.composer, text=text)
            self.app.send()

    def regenerate(self, entry_id: str) -> None:
        self.app.regenerate(entry_id)

    def continue_(self, entry_id: str) -> None:
        if self.app.session.conversation.entries[entry_id].role == "assistant":
            self.app.continue_(entry_id)
            self.continued += 1

    def switch(self, entry_id: str) -> None:
        self.app.switch(entry_id)

    def delete(self, entry_id: str) -> None:
        self.last_deleted = set(subtree(self.app.session.conversation, entry_id))
        self.deleted |= self.last_deleted
        self.app.delete(entry_id)

    def _undelete(self) -> None:
        self.app.undelete()

    def _stop(self) -> None:
        self.app.stop()

    def new_chat(self) -> None:
        self.app.new_chat()

    def open_chat(self, chat_id: str) -> None:
        self.app.open_chat(chat_id)

    def rename_chat(self, chat_id: str) -> None:
        self.app.rename_chat(chat_id, f"title {self.chance.random()}")

    def delete_chat(self, chat_id: str) -> None:
        self.deleted_chats.add(chat_id)
        self.app.delete_chat(chat_id)

    def undelete_chat(self, chat_id: str) -> None:
        self.app.undelete_chat(chat_id)


ACTIONS = (
    *("ask",) * 8,
    *("edit", "regenerate", "continue_", "switch", "delete", "undelete", "stop", "stop") * 2,
    *("new_chat", "open_chat", "open_chat", "rename_chat", "delete_chat", "undelete_chat"),
)
Step = tuple[int, str, float]
STEPS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(ACTIONS), st.sampled_from([0.0, 0.01, 0.2, 1.0, 3.0])),
    min_size=4,
    max_size=24,
)


async def lived(steps: Sequence[Step], seed: int) -> tuple[Browser, list[Person]]:
    chance = random.Random(seed)
    browser = Browser(delay=lambda: chance.uniform(0, LONG_S))
    people = [Person(browser, chance, number) for number in (0, 1)]
    for person in people:
        person.app.start()
        await asyncio.sleep(5)
        person.ask()  # the second finds the first one's chat
    for number, action, pause in steps:
        people[number].do(action)
        await asyncio.sleep(pause)
    await asyncio.sleep(20)  # until nothing grows and everything has been heard of
    return browser, people


def check(browser: Browser, people: Sequence[Person]) -> None:
    messages = browser.rows("messages")
    said = {word: text for person in people for word, text in person.engine.said.items()}
    asked = {text: text for person in people for text in person.asked}
    for word, text in (said | asked).items():
        holders = [message for message in messages if word in message["text"]]
        assert any(text in message["text"] for message in holders) or was_deleted(word, people), (word, holders)
    texts = [(m["chat_id"], m["parent"], m["text"]) for m in messages if m["text"]]
    assert len(texts) - len(set(texts)) <= sum(person.continued for person in people)  # they begin with the same words
    for person in people:
        assert_shown_is_kept(person.app.session.conversation, browser)
        assert person.page.notice != "not_kept"
    assert {message["chat_id"] for message in messages} <= set(browser.stores["chats"])


def was_deleted(word: str, people: Sequence[Person]) -> bool:
    shown = [event for person in people for event in person.page.events]
    entries = {
        event.entry.id: event.entry for event in shown if isinstance(event, Changed) and word in event.entry.text
    }
    return any(e.id in p.deleted or e.chat_id in p.deleted_chats for e in entries.values() for p in people)


def assert_shown_is_kept(conversation: Conversation, browser: Browser) -> None:
    if conversation.chat.id in browser.stores["chats"]:
        shown = {entry.id: (entry.text, entry.state) for entry in conversation.entries.values()}
        rows = [row for row in browser.rows("messages") if row["chat_id"] == conversation.chat.id]
        assert shown == {row["id"]: (row["text"], row["state"]) for row in rows}


@settings(max_examples=1000)
@given(STEPS, st.integers(0, 2**32))
def test_no_message_is_lost_or_doubled(steps: Sequence[Step], seed: int) -> None:
    browser, people = run(lived(steps, seed))
    check(browser, people)
