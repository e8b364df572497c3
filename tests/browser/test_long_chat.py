"""A long conversation shows its end at once, and what came before when the reader goes there."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from bench.chats import messages
from pyapp.chat.records import chat_record
from pyapp.chat.tree import Chat
from tests.browser.chat_page import ChatPage, driven_site
from tests.browser.conftest import DESKTOP, wait_for

MESSAGES = 100


def test_earlier_messages_come_when_the_reader_goes_there(chromium: Browser, site_folder: Path) -> None:
    with driven_site(site_folder) as site:
        context = chromium.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
        tab = ChatPage.open(context, site.url)
        chat = chat_record(Chat("c", 0, 0, "Long", head=f"c-{MESSAGES - 1}"), 1)
        puts = {"chats": [chat], "messages": messages("c", MESSAGES)}
        tab.python("op", name="db.write", payload={"puts": puts, "deletes": {}, "expect": []})
        tab.page.close()
        tab = ChatPage.open(context, site.url)
        tab.python("open_latest")
        page, articles = tab.page, tab.page.locator("#conversation article")
        assert articles.count() < MESSAGES
        assert articles.last.get_attribute("data-id") == f"c-{MESSAGES - 1}"
        wait_for(lambda: "Step 99" in articles.last.inner_text(), "the last answer")
        first = articles.first.get_attribute("data-id")
        page.get_by_role("button", name="Earlier messages").click()
        wait_for(lambda: articles.first.get_attribute("data-id") != first, "earlier messages")
        page.locator("#main").hover()

        def scrolled_to_the_beginning() -> bool:
            page.mouse.wheel(0, -5000)
            return articles.count() == MESSAGES

        wait_for(scrolled_to_the_beginning, "the first message")
        assert [articles.nth(n).get_attribute("data-id") for n in range(MESSAGES)] == [
            f"c-{n}" for n in range(MESSAGES)
        ]
        assert page.get_by_role("button", name="Earlier messages").count() == 0
        tab.python("ask", text="and now 3")
        assert articles.count() == MESSAGES + 2
        context.close()
