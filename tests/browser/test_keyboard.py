"""Every feature by keyboard alone, with a scripted model: no mouse is touched, and the focus is never lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FileChooser, Locator, Page, ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE, Site, Watch, wait_for

MOST_TABS = 80
NAME = """() => {
  const e = document.activeElement;
  const text = e.labels?.[0]?.textContent ?? e.innerText;
  return e.getAttribute("aria-label") ?? text.trim().split("\\n")[0];
}"""
LOST = "document.activeElement === document.body"


@dataclass
class Hands:
    """Somebody who has a keyboard and looks at the page."""

    page: Page

    @classmethod
    def open(cls, browser: Browser, site: Site, viewport: Any) -> Hands:
        size: ViewportSize = viewport
        context = browser.new_context(viewport=size, locale="en-US", service_workers="block")
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        hands = cls(context.new_page())
        hands.page.on("filechooser", lambda _chooser: None)  # asked for when the key is pressed, it may come too late
        hands.page.goto(f"{site.url}?device=wasm")
        html = hands.page.locator("html")
        wait_for(lambda: html.get_attribute("data-candil") == "ready", "the model is ready")
        return hands

    def focused(self) -> str:
        """What the element that has the focus is called."""
        return str(self.page.evaluate(NAME)).strip()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def go_to(self, name: str, *, back: bool = False) -> None:
        """With Tab, or Shift+Tab, until what is called `name` has the focus."""
        for _ in range(MOST_TABS):
            self.press("Shift+Tab" if back else "Tab")
            if re.fullmatch(name, self.focused()):
                return
        raise AssertionError(f"no way by keyboard to {name!r}")

    def push(self, name: str, *, back: bool = False) -> None:
        self.go_to(name, back=back)
        self.press("Enter")

    def sees(self, what: Locator, text: str | re.Pattern[str] | None = None, *, there: bool = True) -> None:
        """`what` is there, or gone, and the focus is somewhere all the same."""
        expect(what).to_be_visible() if there else expect(what).to_be_hidden()
        if text is not None:
            expect(what).to_contain_text(text)
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert not self.page.evaluate(LOST), what

    def is_at(self, name: str) -> None:
        wait_for(lambda: re.fullmatch(name, self.focused()), f"the focus is at {name!r}", 5)

    def ask(self, text: str) -> None:
        self.is_at("Message")
        self.type(text)
        self.press("Enter")

    def dialog(self, name: str) -> Locator:
        return self.page.get_by_role("dialog", name=name)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def articles(self, role: str) -> Locator:
        return self.page.locator(f'article[data-role="{role}"]')

    def answered(self) -> Locator:
        """The last answer, once it has ended; not the one that is about to go away."""
        last = self.articles("assistant").last
        expect(last).to_contain_text("one thing")
        expect(last).to_have_attribute("data-state", re.compile("done|stopped"))
        return last

    def says(self, sentence: str) -> Locator:
        return self.page.get_by_text(sentence)


@pytest.fixture
def hands(chromium: Browser, scripted_site: Site) -> Iterator[Hands]:
    yield from at_home(chromium, scripted_site, DESKTOP)


@pytest.fixture
def phone(chromium: Browser, scripted_site: Site) -> Iterator[Hands]:
    yield from at_home(chromium, scripted_site, PHONE)


def at_home(browser: Browser, site: Site, viewport: Any) -> Iterator[Hands]:
    watch = Watch(site)
    hands = Hands.open(browser, site, viewport)
    watch.over(hands.page.context)
    hands.go_to("Skip to the message box")
    hands.press("Enter")
    hands.is_at("Message")
    yield hands
    hands.page.context.close()
    watch.check()


def test_messages(hands: Hands) -> None:
    # Ask; stop with Escape; continue; stop with the button.
    hands.ask("Something long")
    hands.sees(hands.articles("assistant"), "word 5")
    hands.press("Escape")
    hands.sees(hands.says("Stopped").first)
    hands.push("Continue", back=True)
    hands.sees(hands.button("Stop"))
    hands.is_at("Message")
    hands.go_to("Stop")
    hands.press("Enter")
    hands.sees(hands.button("Stop"), there=False)
    hands.is_at("Message")

    # Edit and ask in other words; the versions; the draft that was put aside comes back.
    hands.type("a draft")
    hands.push("Edit", back=True)
    hands.sees(hands.says("You are editing a message."))
    hands.is_at("Message")
    hands.press("Control+A")
    hands.ask("Something short")
    hands.sees(hands.answered())
    expect(hands.page.locator("#message")).to_have_value("a draft")
    hands.is_at("Message")
    hands.push("Previous version", back=True)
    hands.sees(hands.articles("user"), "Something long")
    hands.is_at("Next version")
    hands.press("Enter")
    hands.sees(hands.articles("user"), "Something short")
    hands.is_at("Previous version")
    hands.go_to("Message")
    hands.press("Control+A", "Delete", "ArrowUp")
    hands.sees(hands.says("You are editing a message."))
    hands.push("Cancel the edit", back=True)
    hands.sees(hands.says("You are editing a message."), there=False)
    hands.is_at("Message")

    # Regenerate, and its versions.
    hands.push("Regenerate", back=True)
    hands.sees(hands.page.get_by_role("group", name="Version 2 of 2").last)
    hands.is_at("Message")
    hands.sees(hands.answered())
    hands.push("Previous version", back=True)
    hands.is_at("Next version")

    # Copy; delete and undo.
    hands.push("Copy")
    hands.sees(hands.button("Copied").first)
    hands.go_to("Message")
    hands.press("Control+Shift+Y")
    expect(hands.page.locator("#announcer")).to_have_text("Copied")
    assert "one thing" in hands.page.evaluate("navigator.clipboard.readText()")
    hands.push("Delete message", back=True)
    hands.is_at("Undo")
    hands.sees(hands.articles("assistant").get_by_role("group", name="Version"), there=False)
    hands.press("Enter")
    hands.sees(hands.articles("assistant").get_by_role("group", name="Version 1 of 2"))
    hands.is_at("Message")
    hands.push("Delete message", back=True)
    hands.push("Close")
    hands.sees(hands.says("were deleted."), there=False)
    hands.is_at("Message")


def test_files(hands: Hands) -> None:
    hands.go_to("Attach a text file", back=True)
    with hands.page.expect_file_chooser() as choosing:
        hands.press("Enter")
    choose(choosing.value, "notes.txt", b"Five words are in it")
    hands.sees(hands.says("notes.txt · 5 words"))
    hands.is_at("Message")
    hands.push(r"Remove notes\.txt", back=True)
    hands.sees(hands.says("notes.txt · 5 words"), there=False)
    hands.is_at("Message")
    hands.page.evaluate("navigator.clipboard.writeText('lorem ipsum '.repeat(500))")
    hands.press("Control+V")
    hands.sees(hands.says("Pasted text · 1,000 words"))
    hands.ask("What is it?")
    hands.answered()
    hands.push("Pasted text.*", back=True)
    hands.sees(hands.page.locator("details.file pre"))
    hands.go_to("Attach a text file")
    with hands.page.expect_file_chooser() as choosing:
        hands.press("Space")
    choose(choosing.value, "picture.png", b"\x89PNG\0")
    hands.sees(hands.says("“picture.png” is not a text file."))
    hands.push("Dismiss", back=True)
    hands.sees(hands.says("“picture.png” is not a text file."), there=False)
    hands.is_at("Message")


def choose(chooser: FileChooser, name: str, content: bytes) -> None:
    chooser.set_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})


def test_chats(hands: Hands) -> None:
    listed = hands.page.locator("#chats li button.chat")
    for question in ("About ships", "About trains"):
        hands.ask(question)
        hands.answered()
        hands.press("Control+Shift+O")
        hands.sees(hands.page.locator("#welcome"))
        hands.is_at("Message")
    expect(listed).to_have_text(["About trains", "About ships"])

    # Search and open what was found; the whole list again.
    hands.press("Control+K")
    hands.is_at("Search chats")
    hands.type("ship")
    expect(listed).to_have_text(["About ships"])
    hands.push("About ships")
    hands.sees(hands.articles("user"), "About ships")
    hands.is_at("Message")
    hands.press("Control+K", "Control+A", "Delete")
    expect(listed).to_have_count(2)

    # Open from the list; rename, with Enter and with Escape; pin; export.
    hands.push("About trains")
    hands.sees(hands.articles("user"), "About trains")
    hands.is_at("Message")
    hands.push("Rename", back=True)
    hands.is_at("Title of the chat")
    hands.type("Trains")
    hands.press("Enter")
    hands.is_at("Rename")
    expect(listed.first).to_have_text("Trains")
    hands.press("Enter")
    hands.is_at("Title of the chat")
    hands.type("never kept")
    hands.press("Escape")
    hands.is_at("Rename")
    expect(listed.first).to_have_text("Trains")
    hands.push("Pin")
    hands.sees(hands.page.get_by_role("heading", name="Pinned"))
    hands.is_at("Unpin")
    with hands.page.expect_download() as exported:
        hands.push("Export chat")
    assert "About trains" in Path(exported.value.path()).read_text("utf-8")
    hands.is_at("Export chat")

    # Delete, undo, delete.
    hands.push("Delete")
    hands.is_at("Undo")
    hands.sees(hands.page.locator("#welcome"))
    expect(listed).to_have_text(["About ships"])
    hands.press("Enter")
    hands.sees(hands.articles("user"), "About trains")
    hands.is_at("Message")
    expect(listed).to_have_text(["Trains", "About ships"])

    # The list goes away and comes back.
    hands.push("Hide the conversations", back=True)
    hands.is_at("Show the conversations")
    hands.press("Enter")
    hands.is_at("Hide the conversations")
    hands.press("Control+Shift+S")
    hands.is_at("Show the conversations")
    hands.press("Control+Shift+S")
    hands.is_at("Hide the conversations")
    hands.push("New chat")
    hands.sees(hands.page.locator("#welcome"))
    hands.is_at("Message")
    hands.push("Give me five ideas.*", back=True)
    hands.sees(hands.articles("user"), "Give me five ideas")
    hands.is_at("Message")
    hands.answered()


def test_settings_and_personas(hands: Hands) -> None:
    hands.push("Settings", back=True)
    hands.sees(hands.dialog("Settings"))
    hands.go_to("Theme")
    hands.press("ArrowDown", "ArrowDown")
    expect(hands.page.locator("html")).to_have_attribute("data-theme", "dark")
    hands.push("Restore the defaults")
    expect(hands.page.locator("html")).to_have_attribute("data-theme", "system")
    hands.is_at("Restore the defaults")

    # A persona: given up, made, used, deleted.
    hands.push("Personas", back=True)
    hands.is_at("Personas")
    hands.push("New persona")
    hands.is_at("Name")
    hands.push("Cancel")
    hands.sees(hands.button("New persona"))
    hands.push("New persona")
    hands.is_at("Name")
    hands.type("Pirate")
    hands.press("Tab")
    hands.type("You are a pirate.")
    hands.push("Save")
    hands.sees(hands.page.get_by_role("heading", name="Pirate", exact=True))
    hands.push("Use: Pirate")
    hands.sees(hands.says("This chat uses “Pirate” now."))
    hands.push("Delete: Pirate")
    hands.sees(hands.page.get_by_role("heading", name="Pirate", exact=True), there=False)

    # What goes out and comes in.
    hands.push("General", back=True)
    with hands.page.expect_download():
        hands.push("Export")
    hands.sees(hands.says("Saved as"))
    hands.go_to("Import")
    with hands.page.expect_file_chooser() as choosing:
        hands.press("Enter")
    choose(choosing.value, "none.json", b"no JSON")
    hands.sees(hands.says("This file cannot be imported"))
    hands.push("Delete everything…")
    hands.sees(hands.page.get_by_role("heading", name="Delete everything?"))
    hands.push("Keep it")
    hands.is_at("Delete everything…")
    hands.press("Escape")
    hands.sees(hands.dialog("Settings"), there=False)
    hands.is_at("Settings")


def test_models_speeds_shortcuts_and_language(hands: Hands) -> None:
    hands.ask("Something")
    hands.answered()
    hands.push("[0-9]+ tokens in .*", back=True)
    hands.push("Speeds on this device")
    hands.sees(hands.dialog("Speeds on this device"), "Every answer as a table")
    hands.is_at("Close")
    hands.push("Clear this history")
    hands.is_at("Keep them")
    hands.press("Enter")
    hands.is_at("Clear this history")
    hands.press("Escape")
    hands.is_at("Speeds on this device")

    hands.press("Shift+?")
    hands.sees(hands.dialog("Keyboard shortcuts"))
    hands.press("Escape")
    hands.is_at("Speeds on this device")
    hands.press("Control+,")
    hands.sees(hands.dialog("Settings"))
    hands.push("Close", back=True)
    hands.is_at("Speeds on this device")
    hands.press("/")
    hands.is_at("Message")

    hands.push("Models", back=True)
    hands.sees(hands.dialog("Models"), "In use")
    hands.push("Close")
    hands.sees(hands.dialog("Models"), there=False)
    hands.is_at("Models")
    hands.go_to("Language")
    hands.press("ArrowDown")
    hands.sees(hands.button("Chat nuevo"))
    hands.is_at("Idioma")


def test_the_list_on_a_phone(phone: Hands) -> None:
    phone.ask("About ships")
    phone.answered()
    phone.push("Show the conversations", back=True)
    phone.is_at("Hide the conversations")
    phone.press("Escape")
    phone.is_at("Show the conversations")
    phone.press("Enter")
    phone.is_at("Hide the conversations")
    phone.press("Enter")
    phone.is_at("Show the conversations")
    phone.press("Enter")
    phone.push("Delete")
    phone.is_at("Undo")  # and not under the list
    phone.press("Enter")
    phone.sees(phone.articles("user"), "About ships")
    phone.is_at("Message")
    phone.push("Show the conversations", back=True)
    phone.push("New chat")
    phone.is_at("Message")
    phone.press("Control+K")
    phone.is_at("Search chats")
    phone.type("ships")
    phone.push("About ships")
    phone.sees(phone.articles("user"), "About ships")
    phone.is_at("Message")
