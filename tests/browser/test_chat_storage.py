"""Chats in the real IndexedDB of the real Chromium: written, followed, migrated, deleted under the page, survived."""

from __future__ import annotations

import itertools
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright

from tests.browser.chat_page import ChatPage, driven_site, kill_renderers
from tests.browser.conftest import CHROMIUM, FLAGS, Site, wait_for

KILLS = int(os.environ.get("KILLS", "15"))  # the bar is 50, and was held by 50: KILLS=50 takes four minutes
LANES = 5  # at once
CHAT = {"id": "c", "rev": 1, "title": "a"}
MESSAGE = {"id": "1", "chat_id": "c", "text": "x"}


@pytest.fixture(scope="module")
def driven(site_folder: Path) -> Iterator[Site]:
    with driven_site(site_folder) as site:
        yield site


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    yield context
    context.close()


@pytest.fixture
def tab(context: BrowserContext, driven: Site) -> ChatPage:
    return ChatPage.open(context, driven.url)


def write(tab: ChatPage, rev: int, /, *, deletes: Any = (), **puts: list[dict[str, Any]]) -> Any:
    """Writes; the record of chat "c" must have the revision `rev`."""
    expect = [{"store": "chats", "key": "c", "rev": rev}]
    (answer,) = tab.python("op", name="db.write", payload={"puts": puts, "deletes": dict(deletes), "expect": expect})
    return answer


def read(tab: ChatPage, store: str, **where: Any) -> Any:
    (answer,) = tab.python("op", name="db.read", payload={"store": store, **where})
    return answer["records"]


def test_records_are_written_all_or_none_and_read_by_key_and_index(tab: ChatPage) -> None:
    assert write(tab, 0, chats=[CHAT], messages=[MESSAGE, MESSAGE | {"id": "2", "chat_id": "d"}]) == {"written": True}
    assert read(tab, "chats") == [CHAT]
    assert read(tab, "messages", index="chat_id", key="c") == [MESSAGE]
    assert read(tab, "messages", keys=["2", "3"]) == [MESSAGE | {"id": "2", "chat_id": "d"}]
    answer = write(tab, 0, chats=[CHAT | {"rev": 9}], messages=[MESSAGE | {"id": "4"}])
    assert answer == {"written": False, "found": [{"store": "chats", "key": "c", "record": CHAT}]}
    assert len(read(tab, "messages")) == 2
    assert write(tab, 1, deletes={"chats": ["c"], "messages": ["1"]}) == {"written": True}
    assert write(tab, 1) == {"written": False, "found": [{"store": "chats", "key": "c", "record": None}]}
    assert write(tab, 0, settings=[{"key": "k", "value": 1}])["written"]
    assert tab.python("op", name="db.clear", payload={}) == []
    assert [read(tab, store) for store in ("chats", "messages", "settings")] == [[], [], []]


def test_what_cannot_be_stored_is_an_error_and_nothing_of_it_is_there(tab: ChatPage) -> None:
    payload = {"puts": {"messages": [MESSAGE, {"no": "key"}]}, "deletes": {}, "expect": []}
    assert tab.python("op", name="db.write", payload=payload) == "storage_failed"
    assert read(tab, "messages") == []


def test_two_tabs_follow_each_other(context: BrowserContext, tab: ChatPage, driven: Site) -> None:
    tab.python("ask", text="first 3")
    second = ChatPage.open(context, driven.url)
    second.python("open_latest")
    assert second.python("shown") == tab.python("shown")
    tab.python("ask", text="second 100", wait=False)
    growing = wait_for(
        lambda: [m for m in second.python("shown") if m[1] == "streaming" and m[2]], "it grows there too"
    )
    assert growing[0][0] == "assistant"
    wait_for(lambda: tab.python("shown")[-1][1] == "done", "the answer has ended")
    wait_for(lambda: second.python("shown") == tab.python("shown"), "both show the same")
    own = [message for message in tab.python("posted") if message["messages"]]
    assert own == []  # a tab does not hear itself
    second.python("ask", text="third 3")
    wait_for(lambda: second.python("shown") == tab.python("shown"), "and the other way")
    assert len(read(tab, "messages")) == len(tab.python("shown")) == 6


def test_what_version_1_kept_is_a_chat_now(context: BrowserContext, driven: Site) -> None:
    empty = {"origin": None, "usage": None, "reason": None, "error": None}
    entries = [
        {"id": 1, "role": "user", "text": "Hello", "state": "done"} | empty,
        {"id": 2, "role": "assistant", "text": "Half", "state": "streaming"} | empty,
    ]
    before = ChatPage.open(context, f"{driven.url}model_manifest.json", wait=False)
    before.javascript(
        """new Promise((done) => {
          const opening = indexedDB.open("candil", 1);
          opening.onupgradeneeded = () => opening.result.createObjectStore("kept");
          opening.onsuccess = () => {
            const transaction = opening.result.transaction("kept", "readwrite");
            transaction.objectStore("kept").put(VALUE, "conversation");
            transaction.oncomplete = () => { opening.result.close(); done(); };
          };
        })""".replace("VALUE", json.dumps(json.dumps({"entries": entries})))
    )
    before.page.close()
    tab = ChatPage.open(context, driven.url)
    tab.python("open_latest")
    assert tab.python("shown") == [["user", "done", "Hello"], ["assistant", "stopped", "Half"]]
    tab.python("settled")
    assert read(tab, "settings") == []
    assert tab.javascript("indexedDB.databases().then((all) => all.find((one) => one.name == 'candil').version)") == 3
    again = ChatPage.open(context, driven.url)
    assert again.python("listed") == ["Hello"]


def test_a_tab_with_an_older_version_open_is_said_and_waited_for_by_nobody(
    context: BrowserContext, driven: Site
) -> None:
    older = ChatPage.open(context, f"{driven.url}model_manifest.json", wait=False)
    older.javascript(
        'new Promise((done) => { window.opening = indexedDB.open("candil", 1); opening.onsuccess = () => done(); })'
    )
    tab = ChatPage.open(context, driven.url)
    assert "does not keep your chats" in tab.page.locator("#notice").inner_text()
    tab.python("ask", text="kept later 3")
    older.page.close()
    tab.python("ask", text="now 3")
    tab.python("settled")
    assert len(read(tab, "messages")) == 4
    assert tab.page.locator("#notice").inner_text() == ""


def test_the_database_deleted_under_the_page_gets_what_is_on_it(tab: ChatPage) -> None:
    tab.python("ask", text="before 3")
    deleted = 'new Promise((done) => { indexedDB.deleteDatabase("candil").onsuccess = () => done(true); })'
    assert tab.javascript(deleted)
    tab.python("ask", text="after 3")
    tab.python("settled")
    assert sorted(m["text"] for m in read(tab, "messages")) == sorted(m[2] for m in tab.python("shown"))


@dataclass
class Lane:
    """A browser profile of its own, so that several are killed at once."""

    context: BrowserContext
    asked: list[str] = field(default_factory=list)
    killed_ms: float = 0.0

    def open(self, url: str) -> ChatPage:
        return ChatPage.open(self.context, url, wait=False)

    def check(self, tab: ChatPage) -> None:
        """What was asked before the last kill is there, and the answer up to a second before it."""
        tab.wait_for_python()
        tab.python("open_latest")
        shown = tab.python("shown")
        assert [text for role, _, text in shown if role == "user"] == self.asked
        assert [role for role, _, _ in shown] == ["user", "assistant"] * len(self.asked)
        if self.asked:
            times = [int(token) for token in shown[-1][2].split()]
            assert shown[-1][1] == "stopped"
            assert self.killed_ms - max(times) <= 1000
            assert max(b - a for a, b in itertools.pairwise(times)) < 1000  # nothing is missing in between


def test_the_renderer_is_killed_while_an_answer_streams(playwright_session: Playwright, driven: Site) -> None:
    """At random points: no message is lost, and of the partial answer at most its last second.

    A scripted engine plays the model, 50 tokens a second, each token the time at which it was said.
    """
    browser = playwright_session.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    lanes = [Lane(browser.new_context()) for _ in range(LANES)]
    chance = random.Random(5)
    for number in range(KILLS // LANES + 1):
        tabs = [lane.open(driven.url) for lane in lanes]
        for lane, tab in zip(lanes, tabs, strict=True):
            lane.check(tab)
            lane.asked.append(f"question {number} 5000")
            tab.python("ask", text=lane.asked[-1], wait=False)
        time.sleep(chance.uniform(0.7, 2.0))
        for lane in lanes:
            lane.killed_ms = time.time() * 1000
        kill_renderers(browser)
        for tab in tabs:
            tab.page.close()
    browser.close()
