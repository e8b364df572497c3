"""Figures on the real page: the line under an answer, what is behind it, and the history of speeds."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import DESKTOP, Candil, Site
from tests.browser.test_accessibility import LOCAL_LOOKS, audit

pytestmark = pytest.mark.real_model


def stats(candil: Candil) -> Locator:
    """Of the last answer, in any language."""
    return candil.page.locator('#conversation article[data-role="assistant"]').last.locator('[data-part="stats"]')


def speeds(candil: Candil) -> Locator:
    """Opens the history from under the last answer."""
    stats(candil).locator("summary").click()
    stats(candil).locator('[data-action="open-figures"]').click()
    return candil.page.locator("dialog#figures")


def test_one_line_and_all_of_it_behind(resident: Candil) -> None:
    resident.page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    resident.ask("Say hello in five words.").answer()
    line = stats(resident).locator("summary")
    expect(line).to_contain_text(re.compile(r"\d+ tokens in [\d.]+ s"))
    expect(line).to_contain_text("tokens/s")
    expect(line).to_contain_text("Stayed on this device")
    height = line.bounding_box()
    assert height
    assert height["height"] <= 48  # one line, with room for a thumb
    expect(stats(resident)).not_to_have_text("Reading")
    line.focus()
    resident.page.keyboard.press("Enter")
    facts = stats(resident).locator("dl")
    expect(facts).to_contain_text(re.compile(r"Reading\d+ tokens in .* tokens/s"))
    expect(facts).to_contain_text(re.compile(r"Writing\d+ tokens in .* tokens/s"))
    expect(facts).to_contain_text("transformers.js")
    resident.ask("And goodbye.").answer()
    stats(resident).locator("summary").click()
    expect(stats(resident).locator("dl")).to_contain_text(re.compile(r"Not read again\d+ tokens were still in memory"))


def test_the_history_grows_survives_a_reload_and_can_be_cleared(resident: Candil, site: Site) -> None:
    for question in ("Say hello in five words.", "Say goodbye in five words."):
        resident.ask(question).answer()
    page, keys = resident.page, resident.page.keyboard
    dialog = speeds(resident)
    expect(dialog.get_by_role("img")).to_have_count(2)
    rows = dialog.locator("details tbody tr")
    expect(rows).not_to_have_count(0)
    kept = rows.count()
    assert kept >= 2
    dialog.get_by_text("Every answer as a table").click()
    expect(rows.first).to_contain_text("SmolLM2 135M Instruct, processor")
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    resident.open(f"{site.url}?device=wasm").wait_until_ready()
    expect(stats(resident)).to_be_visible()
    dialog = speeds(resident)
    expect(rows).to_have_count(kept)
    page.get_by_role("button", name="Clear this history").focus()
    keys.press("Enter")
    expect(page.get_by_role("button", name="Keep them")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    expect(dialog).to_contain_text("Nothing yet")
    expect(page.get_by_role("button", name="Close")).to_be_focused()


@pytest.mark.parametrize("look", LOCAL_LOOKS, ids=lambda look: f"{look[0]}-{look[1]}-{look[2]['width']}")
def test_axe_finds_nothing(resident: Candil, site: Site, look: tuple[str, str, Any]) -> None:
    language, scheme, viewport = look
    resident.page.set_viewport_size(viewport)
    resident.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    resident.open(f"{site.url}?device=wasm&lang={language}").wait_until_ready()
    answers = resident.page.locator('article[data-role="assistant"][data-state="done"]')
    before = answers.count()
    resident.page.locator("#message").fill("Say hello in five words.")
    resident.page.locator("#send").click()
    expect(answers).to_have_count(before + 1, timeout=90_000)
    dialog = speeds(resident)
    audit(resident.page, "the figures of an answer, and the speeds")
    dialog.locator("summary").click()
    dialog.locator('[data-action="figures-ask"]').click()
    audit(resident.page, "a question")
