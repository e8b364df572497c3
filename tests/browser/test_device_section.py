"""The section about this device in the models dialog, with a real runtime and a real model."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator

from tests.browser.conftest import Candil, wait_for

pytestmark = pytest.mark.real_model


def dialog(candil: Candil) -> Locator:
    candil.page.get_by_role("button", name="Models").first.click()
    return candil.page.get_by_role("dialog", name="Models")


def digit_said(models: Locator) -> str:
    answer = models.locator('[data-part="digit-answer"]')
    wait_for(lambda: "This is a" in answer.inner_text(), "the network has answered")
    return answer.inner_text()


def test_a_digit_is_named_by_a_network_on_this_device(resident: Candil) -> None:
    """By key, and drawn by hand."""
    models = dialog(resident)
    models.get_by_text("Try the runtime").click()
    models.get_by_role("button", name="Show it a 3").press("Enter")
    said = digit_said(models)
    assert "This is a 3." in said
    assert "ms by: processor" in said
    assert models.locator(".bars progress").count() == 10

    models.get_by_role("button", name="Clear").click()
    assert models.locator('[data-part="digit-answer"]').inner_text() == ""
    drawing = models.locator("#digit-drawing")
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    assert box
    mouse = resident.page.mouse
    corners = [(0.25, 0.2), (0.75, 0.2), (0.5, 0.5), (0.4, 0.85)]  # a seven
    mouse.move(box["x"] + corners[0][0] * box["width"], box["y"] + corners[0][1] * box["height"])
    mouse.down()
    for x, y in corners[1:]:
        mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
    mouse.up()
    assert "This is a 7." in digit_said(models)


def test_the_models_here_are_measured_and_ranked(resident: Candil) -> None:
    models = dialog(resident)
    section = models.locator('[data-part="device"]')
    section.get_by_text("We suggest").wait_for()
    models.get_by_role("button", name="Measure the models that are here").click()
    wait_for(lambda: "tokens/s" in section.inner_text(), "a speed", 120)
    assert "SmolLM2 135M Instruct, processor (transformers_js):" in section.inner_text()
    wait_for(models.get_by_role("button", name="Measure the models that are here").is_enabled, "it has ended", 120)
    assert resident.state() == "ready"
