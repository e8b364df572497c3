"""Conversations and messages as people use them, with the real model: made, found, changed, deleted, brought back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import DESKTOP, PHONE, Candil, Site, wait_for

FRANCE = "What is the capital of France? Answer in one short sentence."
SPAIN = "What is the capital of Spain? Answer in one short sentence."


def button(candil: Candil, name: str) -> Any:
    return candil.page.get_by_role("button", name=name, exact=True)


def conversations(candil: Candil) -> Any:
    return candil.page.get_by_role("navigation", name="Conversations")


def chat(candil: Candil, title: str) -> Any:
    return conversations(candil).get_by_role("button", name=title, exact=True)


def settled(candil: Candil) -> str:
    """The last answer, once it has ended."""
    last = candil.articles("assistant").last
    wait_for(lambda: last.get_attribute("data-state") != "streaming", "the answer has ended", 120)
    return str(last.locator('[data-part="text"]').inner_text())


@pytest.fixture
def alone(resident: Candil) -> Candil:
    """Nothing is listed but what the test makes: what other tests made is deleted."""
    while (first := conversations(resident).locator("li button.chat").first).is_visible():
        first.click()
        button(resident, "Delete").click()
        resident.page.get_by_role("status").get_by_role("button", name="Close").click()
    return resident


def test_a_chat_is_listed_by_its_first_message_and_survives_a_reload(alone: Candil) -> None:
    alone.ask("Say hello to everybody who reads this rather long first message of a chat.").begun()
    title = "Say hello to everybody who reads this rather long…"
    expect(chat(alone, title)).to_be_visible()
    assert conversations(alone).get_by_role("heading", name="Today").is_visible()
    button(alone, "New chat").click()
    alone.ask("Say goodbye.").begun()
    titles = conversations(alone).locator("li button.chat")
    assert titles.all_inner_texts() == ["Say goodbye.", title]  # newest first
    alone.page.reload()
    alone.wait_until_ready()
    expect(titles).to_have_text(["Say goodbye.", title])
    chat(alone, title).click()
    expect(alone.articles("user")).to_have_text(re.compile("rather long first message of a chat"))


def test_rename_pin_and_delete_with_undo(alone: Candil) -> None:
    for text in ("First question", "Second question"):
        button(alone, "New chat").click()
        alone.ask(text).begun()
    chat(alone, "First question").click()
    button(alone, "Rename").click()
    alone.page.get_by_role("textbox", name="Title of the chat").fill("Ships")
    alone.page.keyboard.press("Enter")
    expect(chat(alone, "Ships")).to_be_visible()
    button(alone, "Rename").click()
    alone.page.keyboard.type("never kept")
    alone.page.keyboard.press("Escape")
    expect(chat(alone, "Ships")).to_be_visible()
    button(alone, "Pin").click()
    expect(conversations(alone).get_by_role("heading", name="Pinned")).to_be_visible()
    button(alone, "Delete").click()
    expect(chat(alone, "Ships")).to_be_hidden()
    expect(alone.articles("user")).to_have_count(0)
    button(alone, "Undo").click()
    expect(chat(alone, "Ships")).to_be_visible()
    expect(alone.articles("user")).to_have_count(1)


def test_search_as_you_type_finds_titles_and_messages_without_accents(alone: Candil) -> None:
    alone.ask("¿Cuándo se recoge la piña en Canarias?").begun()
    button(alone, "New chat").click()
    alone.ask("Something else").begun()
    box = alone.page.get_by_role("searchbox", name="Search chats")
    box.press_sequentially("pina cuan")
    marks = conversations(alone).locator("mark")
    expect(marks).to_have_text(["Cuán", "piña", "Cuán", "piña"])
    box.fill("nothing has this")
    expect(conversations(alone)).to_contain_text("No chat has all these words.")
    box.fill("piña")
    conversations(alone).locator("li button.chat").first.click()
    expect(alone.articles("user")).to_have_text(re.compile("Canarias"))
    box.fill("")
    expect(conversations(alone).locator("li button.chat")).to_have_count(2)


def test_regenerate_keeps_every_version(resident: Candil) -> None:
    assert "Paris" in resident.ask(FRANCE).answer()
    button(resident, "Regenerate").click()
    expect(resident.articles("assistant").get_by_role("group", name="Version 2 of 2")).to_be_visible()
    settled(resident)
    button(resident, "Previous version").click()
    expect(resident.articles("assistant").get_by_role("group", name="Version 1 of 2")).to_be_visible()
    assert resident.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Next version"
    assert resident.articles("assistant").count() == 1


def test_edit_makes_a_branch_and_keeps_the_draft(resident: Candil) -> None:
    assert "Paris" in resident.ask(FRANCE).answer()
    resident.message.fill("written meanwhile")
    button(resident, "Edit").click()
    assert resident.message.input_value() == FRANCE
    resident.message.fill(SPAIN)
    button(resident, "Send").click()
    expect(resident.articles("user")).to_have_text(re.compile("Spain"))
    assert "Madrid" in settled(resident)
    assert resident.message.input_value() == "written meanwhile"
    button(resident, "Previous version").click()
    expect(resident.articles("assistant")).to_contain_text("Paris")
    resident.message.fill("")
    resident.message.press("ArrowUp")
    assert resident.message.input_value() == FRANCE
    resident.message.press("Escape")
    assert resident.message.input_value() == ""


def test_a_stopped_answer_goes_on_where_it_ended(resident: Candil) -> None:
    resident.ask("Count from one to fifty in words.")
    text = resident.articles("assistant").last.locator('[data-part="text"]')
    wait_for(lambda: len(text.inner_text()) > 20, "the answer has begun")
    button(resident, "Stop").click()
    begun = text.inner_text()
    button(resident, "Continue").click()
    wait_for(lambda: len(text.inner_text()) > len(begun) + 10, "it grows")
    assert text.inner_text().startswith(begun.rstrip("…")[:20])
    button(resident, "Stop").click()
    assert resident.articles("assistant").count() == 1


def test_a_message_is_copied_as_markdown_and_deleted_with_undo(resident: Candil) -> None:
    resident.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    resident.ask("Answer with the word **yes**.").begun()
    resident.articles("user").hover()
    resident.articles("user").get_by_role("button", name="Copy", exact=True).click()
    expect(resident.articles("user").get_by_role("button", name="Copied")).to_be_visible()
    assert resident.page.evaluate("navigator.clipboard.readText()") == "Answer with the word **yes**."
    resident.articles("user").get_by_role("button", name="Delete message").click()
    expect(resident.articles("user")).to_have_count(0)
    button(resident, "Undo").click()
    expect(resident.articles("user")).to_have_count(1)
    expect(resident.articles("assistant")).to_have_count(1)


def test_files_and_long_texts_go_with_a_message(resident: Candil) -> None:
    chosen = resident.page.locator("#file")
    chosen.set_input_files({"name": "señas.txt", "mimeType": "text/plain", "buffer": "Peñíscola".encode("cp1252")})
    attached = resident.page.get_by_role("list", name="Attached")
    expect(attached).to_contain_text("señas.txt · 1 word")
    chosen.set_input_files({"name": "picture.png", "mimeType": "image/png", "buffer": b"\x89PNG\0"})
    expect(resident.page.locator("#notice")).to_contain_text("“picture.png” is not a text file.")
    resident.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    resident.page.evaluate("navigator.clipboard.writeText('lorem ipsum '.repeat(500))")
    resident.message.focus()
    resident.page.keyboard.press("Control+V")
    expect(attached).to_contain_text("Pasted text · 1,000 words")
    button(resident, "Remove Pasted text").click()
    resident.ask("Which town is in the file?").begun()
    folded = resident.articles("user").locator("details")
    assert not folded.locator("pre").is_visible()
    folded.locator("summary").click()
    assert folded.locator("pre").inner_text() == "Peñíscola"


def test_drafts_are_kept_for_each_chat(alone: Candil) -> None:
    alone.ask("One").begun()
    alone.message.fill("for one")
    button(alone, "New chat").click()
    assert alone.message.input_value() == ""
    alone.ask("Two").begun()
    alone.message.fill("for two")
    chat(alone, "One").click()
    expect(alone.message).to_have_value("for one")
    chat(alone, "Two").click()
    expect(alone.message).to_have_value("for two")
    alone.page.wait_for_timeout(1500)  # written within a second
    alone.page.reload()
    alone.wait_until_ready()
    expect(alone.message).to_have_value("for two")


def test_the_list_hides_and_on_a_phone_covers(resident: Candil, site: Site) -> None:
    page = resident.page
    button(resident, "Hide the conversations").click()
    expect(conversations(resident)).to_be_hidden()
    page.reload()
    resident.wait_until_ready()
    expect(conversations(resident)).to_be_hidden()  # remembered
    button(resident, "Show the conversations").click()
    expect(conversations(resident)).to_be_visible()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.reload()
    resident.wait_until_ready()
    expect(conversations(resident)).to_be_hidden()
    button(resident, "Show the conversations").click()
    expect(conversations(resident)).to_be_visible()
    assert page.locator("#main").evaluate("main => main.inert")
    page.keyboard.press("Escape")
    expect(conversations(resident)).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "show-chats"
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]


def test_scrolling_up_is_respected(chromium: Browser, scripted_site: Site) -> None:
    context = chromium.new_context(viewport={"width": 800, "height": 420}, locale="en-US")
    candil = Candil(context.new_page()).open(f"{scripted_site.url}?device=wasm").wait_until_ready()
    candil.ask("Say something long")
    main = candil.page.locator("#main")
    wait_for(lambda: main.evaluate("m => m.scrollHeight - m.clientHeight") > 300, "more than a screenful")
    main.evaluate("m => { m.scrollTop = 0; }")
    candil.page.wait_for_timeout(700)
    assert main.evaluate("m => m.scrollTop") < 5
    button(candil, "Jump to latest").click()
    wait_for(lambda: main.evaluate("m => m.scrollHeight - m.scrollTop - m.clientHeight") < 80, "at the end")
    button(candil, "Stop").click()
    context.close()


THROWS = 'IDBFactory.prototype.open = () => { throw new DOMException("no", "SecurityError"); };'
MISSING = 'Object.defineProperty(window, "indexedDB", { value: undefined, configurable: true });'


@pytest.mark.parametrize("databases", [THROWS, MISSING], ids=["refused", "missing"])
def test_without_a_database_it_is_said_and_the_chat_can_be_saved(
    chromium: Browser, scripted_site: Site, databases: str
) -> None:
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    context.add_init_script(databases)
    candil = Candil(context.new_page()).open(f"{scripted_site.url}?device=wasm").wait_until_ready()
    candil.ask("Kept nowhere").answer()
    notice = candil.page.locator("#notice")
    expect(notice).to_contain_text("This browser does not keep your chats")
    with candil.page.expect_download() as download:
        notice.get_by_role("button", name="Save this chat as a file").click()
    assert "Kept nowhere" in download.value.path().read_text("utf-8")
    context.close()
