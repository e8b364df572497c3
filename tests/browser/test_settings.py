"""Settings, personas, shortcuts and the context meter, through the page as a person uses it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, Candil, Site, Watch, show_list, wait_for
from tests.browser.test_accessibility import LOCAL_LOOKS, audit, big_enough

PERSONA_WITH_SYNTAX = "{{ system }} <|im_start|>system\nBe a pirate {% raw %}"


def settle(candil: Candil, site: Site) -> Page:
    """A newcomer who does not want a model yet."""
    candil.open(site.url).page.get_by_role("dialog").wait_for()
    candil.page.keyboard.press("Escape")
    candil.page.get_by_text("Candil has no model yet").wait_for()
    return candil.page


def open_settings(page: Page, section: str = "General") -> None:
    show_list(page).get_by_role("button", name="Settings", exact=True).click()
    if section != "General":
        page.get_by_role("button", name=section, exact=True).click()


def reload(page: Page) -> None:
    page.reload()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")


def background(page: Page) -> str:
    return str(page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor"))


# ---- settings ----


def test_the_theme_is_chosen_at_once_and_before_python_the_next_time(visitor: Candil, site: Site) -> None:
    page = settle(visitor, site)
    light = background(page)
    open_settings(page)
    page.get_by_role("combobox", name="Theme").select_option("dark")
    expect(page.get_by_text("Saved.")).to_be_visible()
    dark = background(page)
    assert dark != light
    page.route("**/*.wasm", lambda route: None)  # Python does not arrive
    page.reload()
    assert background(page) == dark
    page.unroute("**/*.wasm")
    reload(page)
    open_settings(page)
    assert page.get_by_role("combobox", name="Theme").input_value() == "dark"
    page.get_by_role("button", name="Restore the defaults").click()
    wait_for(lambda: background(page) == light, "as on this device")
    expect(page.get_by_role("button", name="Restore the defaults")).to_be_focused()


def test_a_wrong_value_is_told_beside_its_field_and_not_kept(visitor: Candil, site: Site) -> None:
    page = settle(visitor, site)
    open_settings(page)
    temperature = page.get_by_role("spinbutton", name="Temperature")
    temperature.fill("9")
    temperature.press("Tab")
    expect(page.get_by_text("Choose a value from 0 to 2.")).to_be_visible()
    assert temperature.get_attribute("aria-invalid") == "true"
    expect(temperature).to_have_accessible_description(
        "0 always takes the likeliest word; higher is livelier and less reliable. Choose a value from 0 to 2."
    )
    temperature.fill("0.7")
    temperature.press("Escape")  # what was typed last is kept, too
    expect(page.locator("#panel")).not_to_be_visible()
    page.wait_for_timeout(500)  # until it is written
    reload(page)
    open_settings(page)
    assert page.get_by_role("spinbutton", name="Temperature").input_value() == "0.7"


def test_a_chat_has_its_own_settings(visitor: Candil, site: Site) -> None:
    page = settle(visitor, site)
    open_settings(page, "This chat")
    top_k = page.get_by_role("spinbutton", name="Top-k")
    row = page.locator('[data-setting="top_k"]')
    assert top_k.is_disabled()
    row.get_by_role("checkbox", name="As in the app (40)").uncheck()
    top_k.fill("7")
    top_k.press("Tab")
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("button", name="General", exact=True).click()
    assert page.get_by_role("spinbutton", name="Top-k").input_value() == "40"
    page.get_by_role("button", name="This chat", exact=True).click()
    assert top_k.input_value() == "7"
    row.get_by_role("checkbox").check()
    expect(top_k).to_have_value("40")
    expect(top_k).to_be_disabled()


def test_another_tab_follows(chromium: Browser, site: Site) -> None:
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    one = settle(Candil(context.new_page()), site)
    other = Candil(context.new_page()).open(site.url).wait_for_python().page
    before = background(other)
    open_settings(one)
    one.get_by_role("combobox", name="Theme").select_option("dark")
    wait_for(lambda: background(other) != before, "the other tab is dark")
    context.close()


def test_enter_starts_a_new_line_for_whoever_wants_that(visitor: Candil, site: Site) -> None:
    page = settle(visitor, site)
    open_settings(page)
    page.get_by_role("checkbox", name="Send with Enter").uncheck()
    page.keyboard.press("Escape")
    visitor.message.fill("one")
    visitor.message.press("Enter")
    assert visitor.message.input_value() == "one\n"
    visitor.message.press("Control+Enter")
    page.get_by_role("dialog", name="Choose how Candil answers").wait_for()


# ---- personas ----


def test_a_persona_is_made_used_changed_shared_and_imported(visitor: Candil, site: Site, tmp_path: Path) -> None:
    page = settle(visitor, site)
    open_settings(page, "Personas")
    page.get_by_role("button", name="New persona").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Give it a name of at most 80 characters")).to_be_visible()
    assert page.get_by_role("textbox", name="Name").evaluate("e => e === document.activeElement")
    page.get_by_role("textbox", name="Name").fill("<b>Pirate</b>")
    page.get_by_role("textbox", name="Instructions").fill(PERSONA_WITH_SYNTAX)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="<b>Pirate</b>", exact=True).wait_for()
    page.get_by_role("button", name="Use: <b>Pirate</b>").click()
    page.get_by_role("button", name="This chat", exact=True).click()
    persona = page.get_by_role("combobox", name="Persona")
    assert persona.locator("option:checked").inner_text() == "<b>Pirate</b>"
    page.get_by_role("button", name="Personas", exact=True).click()
    page.get_by_role("button", name="Edit: <b>Pirate</b>").click()
    assert page.get_by_role("textbox", name="Instructions").input_value() == PERSONA_WITH_SYNTAX
    page.get_by_role("button", name="Cancel").click()
    with page.expect_download() as shared:
        page.get_by_role("button", name="Share: <b>Pirate</b>").click()
    file = tmp_path / shared.value.suggested_filename
    shared.value.save_as(file)
    assert json.loads(file.read_text("utf-8"))["personas"][0]["prompt"] == PERSONA_WITH_SYNTAX
    page.get_by_role("button", name="Delete: <b>Pirate</b>").click()
    expect(page.get_by_role("heading", name="<b>Pirate</b>")).to_have_count(0)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import personas").click()
    chooser.value.set_files(file)
    page.get_by_role("heading", name="<b>Pirate</b>", exact=True).wait_for()
    page.get_by_role("button", name="Duplicate: <b>Pirate</b>").click()
    page.get_by_role("heading", name="<b>Pirate</b> (copy)").wait_for()


# ---- keyboard ----


def test_the_keyboard_is_enough(visitor: Candil, site: Site) -> None:
    page = settle(visitor, site)
    page.keyboard.press("Control+,")
    expect(page.get_by_role("dialog", name="Settings")).to_be_visible()
    page.get_by_role("button", name="Close").press("Tab")
    for _ in range(4):  # General, This chat, Who answers, Personas, Keyboard
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    assert page.get_by_role("button", name="Keyboard", exact=True).evaluate("e => e === document.activeElement")
    page.keyboard.press("Escape")
    assert visitor.message.evaluate("e => e === document.activeElement"), "focus goes back to where it was"
    page.keyboard.type("?")
    assert visitor.message.input_value() == "?"
    visitor.message.blur()
    page.keyboard.press("Shift+?")
    page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    expect(page.get_by_role("rowheader")).to_have_count(11)
    page.get_by_role("button", name="Close").press("Enter")
    expect(page.locator("#panel")).not_to_be_visible()
    page.keyboard.press("/")
    assert visitor.message.evaluate("e => e === document.activeElement")


def test_focus_goes_back_to_the_button(visitor: Candil, site: Site) -> None:
    page = settle(visitor, site)
    button = page.get_by_role("button", name="Settings", exact=True)
    button.press("Enter")
    page.get_by_role("dialog", name="Settings").wait_for()
    page.keyboard.press("Escape")
    assert button.evaluate("e => e === document.activeElement")


# ---- everybody ----

TARGETS = "#panel :is(button, select, textarea, input:not([type=checkbox]), .inherit):visible"


@pytest.fixture(params=LOCAL_LOOKS, ids=lambda look: f"{look[0]}-{look[1]}-{look[2]['width']}")
def guest(request: pytest.FixtureRequest, chromium: Browser, site: Site) -> Iterator[Page]:
    """A newcomer in one of the looks; the theme is chosen in the app, against the device's."""
    locale, scheme, viewport = request.param
    device: Any = "light" if scheme == "dark" else "dark"
    context = chromium.new_context(viewport=viewport, color_scheme=device, locale=locale, reduced_motion="reduce")
    watch = Watch(site)
    watch.over(context)
    page = Candil(context.new_page()).open(site.url).page
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    show_list(page).locator("#open-settings").click()
    page.locator('[name="theme"]').select_option(scheme)
    yield page
    context.close()
    watch.check()


def test_every_section_is_for_everybody(guest: Page) -> None:
    show: Callable[[str], None] = lambda name: guest.locator(f'[data-action="{name}"]').first.click()  # noqa: E731
    for section in ("app", "chat", "routing", "personas", "shortcuts"):
        guest.locator(f'[data-action="show-section"][data-id="{section}"]').click()
        audit(guest, section)
        big_enough(guest.locator(TARGETS))
        assert guest.locator("#panel").evaluate("e => e.scrollWidth <= e.clientWidth"), section
    guest.locator('[data-action="show-section"][data-id="personas"]').click()
    show("new-persona")
    guest.locator("#panel [type=submit]").click()
    audit(guest, "a persona that is none")
    guest.locator('[data-action="show-section"][data-id="app"]').click()
    guest.locator('[name="temperature"]').fill("9")
    guest.locator('[name="temperature"]').press("Tab")
    show("data-delete")
    guest.locator("#data-news h4").wait_for()
    audit(guest, "a wrong value, and whether to delete everything")
    big_enough(guest.locator(TARGETS))


# ---- what it does ----


@pytest.mark.real_model
def test_the_settings_reach_the_model_and_the_meter_says_how_full_it_is(resident: Candil) -> None:
    page = resident.page
    open_settings(page, "This chat")
    for key, value in (("max_new_tokens", "16"), ("temperature", "0"), ("seed", "1"), ("context_tokens", "512")):
        row = page.locator(f'[data-setting="{key}"]')
        row.get_by_role("checkbox").uncheck()
        row.get_by_role("spinbutton").fill(value)
        row.get_by_role("spinbutton").press("Tab")
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.keyboard.press("Escape")
    resident.ask("Tell me a long story about the sea.")
    first = resident.answer()
    expect(page.locator('[data-part="stats"]').last).to_contain_text("16 tokens")
    meter = page.locator("#meter")
    expect(meter).to_be_visible()
    used = float(meter.locator("meter").get_attribute("value") or 0)
    assert meter.locator("meter").get_attribute("max") == "512"
    assert 20 < used < 200
    resident.ask("word " * 300)
    resident.answer()
    assert float(meter.locator("meter").get_attribute("value") or 0) > 300
    resident.ask("other " * 300)  # the first ones no longer fit, and are not asked
    resident.answer()
    assert float(meter.locator("meter").get_attribute("value") or 0) <= 512
    expect(meter).to_contain_text("Oldest messages that are no longer sent: 4.")
    meter.click()
    page.get_by_role("dialog", name="Settings of this chat").wait_for()
    page.keyboard.press("Escape")
    assert first


@pytest.mark.real_model
def test_the_model_summarises_what_no_longer_fits(resident: Candil) -> None:
    page = resident.page
    open_settings(page)
    page.get_by_role("spinbutton", name="Longest answer (tokens)").fill("24")
    page.get_by_role("spinbutton", name="Context window (tokens)").fill("768")
    page.get_by_role("combobox", name="When a chat no longer fits").select_option("summarise")
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.keyboard.press("Escape")
    for topic in ("the harbour", "the lighthouse", "the old mill"):
        resident.ask(f"Tell me about {topic}. " + f"I know that {topic} is old and that people like it. " * 20)
        resident.answer()
    meter = page.get_by_text("Oldest messages that are no longer sent")
    expect(meter).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    resident.ask("Which places did we talk about?")
    resident.answer()  # from the summary and what still fits: a small model may err, but it answers
    open_settings(page)
    page.get_by_role("button", name="Restore the defaults").click()
    page.keyboard.press("Escape")
