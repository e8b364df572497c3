"""Who answers, through the whole page and the real relay: nothing leaves unasked, and the rules are the user's."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, Candil, Site, wait_for
from tests.browser.driven import SCRIPTED
from tests.browser.test_accessibility import audit, big_enough
from tests.browser.test_cloud import Company, company, newcomer, relaying
from tests.browser.test_settings import TARGETS, open_settings, settle
from tests.server.peers import Reply, delta, says

__all__ = ["company"]  # a fixture

LONG = "Tell me more about it. " * 25
ASKED = "Send this to Acme AI? It leaves your devices."


def agree(page: Page) -> None:
    """To the cloud, and back to this device."""
    page.get_by_role("button", name="Models", exact=True).first.click()
    section = page.get_by_role("region", name="The cloud")
    section.get_by_role("button", name="Use the cloud").click()
    page.locator("#choice").get_by_role("button", name="Use the cloud").click()
    section.get_by_text("On and in use").wait_for()
    page.get_by_role("button", name="Close", exact=True).first.click()


def may_leave(page: Page, privacy: str) -> None:
    open_settings(page, "Who answers")
    page.get_by_role("combobox", name="What may leave").select_option(privacy)
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.keyboard.press("Escape")


def why(candil: Candil) -> str:
    return str(candil.articles("assistant").last.locator("[data-part=routing] summary").inner_text())


def test_nothing_leaves_unasked_and_who_answers_is_explained_and_overridden(
    chromium: Browser, site_folder: Path, company: Company
) -> None:
    with relaying(site_folder, company.peer.base_url, SCRIPTED) as site, newcomer(chromium, site) as (candil, _):
        page = candil.page
        candil.wait_until_ready()
        agree(page)
        may_leave(page, "ask")

        assert "An answer" in candil.ask("Hi").answer()
        assert "a short text stays here (words: 1)" in why(candil)
        assert company.peer.asked == []

        candil.ask(LONG)
        page.get_by_text(ASKED).wait_for()
        audit(page, "a question before anything leaves")

        assert company.peer.asked == [], "before yes"
        page.get_by_role("button", name="Answer here").press("Enter")
        assert "An answer" in candil.answer()
        assert company.peer.asked == []
        assert "Stayed on this device" in candil.articles("assistant").last.inner_text()
        assert "you said to answer here" in why(candil)

        candil.ask(LONG)
        page.get_by_role("button", name="Send to Acme AI").click()
        assert candil.answer() == "Hello"
        assert why(candil).startswith("Acme AI: a long text (words: 125).")
        assert "Sent to Acme AI (large-1)" in candil.articles("assistant").last.inner_text()
        assert len(company.peer.asked) == 1
        expect(page.get_by_text(ASKED)).to_have_count(0)

        company.peer.replies[:] = [Reply([delta("Half an "), delta("answer"), 0.3, "reset"])]
        candil.ask(LONG)
        page.get_by_role("button", name="Always send, without asking").click()
        wait_for(
            lambda: "did not answer" in (why(candil) if page.locator("#conversation article").count() == 8 else ""),
            "somebody else",
        )
        assert "An answer" in candil.answer()
        expect(candil.articles("assistant").last.get_by_role("group", name="Version 2 of 2")).to_be_visible()

        first = candil.articles("assistant").first
        first.locator("[data-part=routing] summary").press("Enter")
        audit(page, "others that could answer")

        company.peer.replies[:] = [says("Hel", "lo")]
        first.get_by_role("button", name="Ask it this once: Acme AI").click()
        wait_for(lambda: "you asked for it" in why(candil), "Acme AI again")


def test_the_rules_are_set_from_the_keyboard_kept_saved_and_read_again(
    visitor: Candil, site: Site, tmp_path: Path
) -> None:
    page = settle(visitor, site)
    open_settings(page, "Who answers")
    audit(page, "the rules")
    code = page.locator("#route-code")
    expect(code.locator("summary")).to_contain_text("this device → the browser's own model → my server")
    code.locator("summary").press("Enter")
    up = code.get_by_role("button", name="Up: the browser's own model")
    up.press("Enter")
    expect(code.locator("summary")).to_contain_text("the browser's own model → this device → my server")
    expect(code.get_by_role("button", name="Down: the browser's own model")).to_be_focused()
    code.get_by_role("button", name="Leave out: my server").press("Enter")
    expect(code.get_by_role("button", name="Also ask: my server")).to_be_focused()
    audit(page, "one kind of work, unfolded")

    big_enough(page.locator(TARGETS))

    words = page.get_by_role("textbox", name="A long text begins at (words)")
    words.fill("many")
    words.press("Tab")
    expect(page.get_by_text("Write a number from 0 to 1,000,000.")).to_be_visible()
    words.fill("50")
    words.press("Escape")  # what was typed last is kept, too
    page.wait_for_timeout(500)
    page.reload()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    open_settings(page, "Who answers")
    assert words.input_value() == "50"

    expect(code.locator("summary")).to_contain_text("the browser's own model → this device")
    assert page.locator("#panel").evaluate("e => e.scrollWidth <= e.clientWidth")

    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the rules as a file").click()
    file = tmp_path / "rules.json"
    saved.value.save_as(file)
    rules = json.loads(file.read_text("utf-8"))
    assert (rules["format"], rules["long_words"], rules["kinds"]["code"]["order"]) == (
        "candil.routing",
        50,
        ["builtin", "device"],
    )
    page.get_by_role("button", name="Restore these rules").click()
    expect(words).to_have_value("100")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Take rules from a file").click()
    chooser.value.set_files(file)
    expect(page.get_by_text("The rules of the file apply now.")).to_be_visible()
    expect(words).to_have_value("50")
    file.write_text('{"format": "candil.routing", "version": 1, "privacy": "everything"}')
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Take rules from a file").click()
    chooser.value.set_files(file)
    wait_for(lambda: "apply now" not in page.locator("#panel-status").inner_text(), "it is refused")
    expect(words).to_have_value("50")
