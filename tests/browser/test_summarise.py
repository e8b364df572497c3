"""A PDF summarised in the page, offline, by the real embedded model: every point leads to the passage it is from."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import made_pdfs
from tests.browser.conftest import Candil, show_list, wait_for

pytestmark = pytest.mark.real_model

BEES = (Path(__file__).parents[1] / "texts" / "bees.en.txt").read_text("utf-8").split("\n\n")

PDF_IS_KEPT = """async () => {
  const cache = await caches.open((await caches.keys()).find((name) => name.startsWith("candil-files")));
  return (await cache.keys()).some(({ url }) => url.endsWith("__candil/group/pdf"));
}"""


@pytest.fixture
def offline(resident: Candil) -> Iterator[Page]:
    """On the form for a summary, with what reads PDF files kept, and no connection from then on."""
    page = resident.page
    show_list(page).get_by_role("button", name="Tasks", exact=True).click()
    page.locator(".task-card", has_text="Summarise").click()
    wait_for(lambda: page.evaluate(PDF_IS_KEPT), "what reads PDF files is kept")
    page.context.set_offline(True)
    yield page
    page.context.set_offline(False)


def give(page: Page, pdf: bytes) -> None:
    file = {"name": "bees.pdf", "mimeType": "application/pdf", "buffer": pdf}
    page.locator("#task-field-file").set_input_files(file)  # type: ignore[arg-type]


def state(page: Page, name: str, seconds: float) -> None:
    expect(page.locator(".run-state .run-line")).to_contain_text(name, timeout=1000 * seconds)


def test_a_pdf_is_summarised_offline_and_every_point_leads_to_its_passage(offline: Page) -> None:
    page = offline
    give(page, made_pdfs.scanned())
    expect(page.get_by_text("There is no text in “bees.pdf”")).to_be_visible()
    give(page, made_pdfs.report([BEES[:2], BEES[2:4], BEES[4:]], title="On bees", header="Bees of the world"))
    expect(page.get_by_text("3 pages")).to_be_visible()
    page.get_by_role("radio", name=re.compile("Short")).check()
    page.get_by_role("button", name="Start", exact=True).click()

    expect(page.get_by_text("Reading page 1 of 3", exact=True)).to_be_visible(timeout=60_000)
    expect(page.locator(".result")).to_contain_text(re.compile("[a-z]{3}"), timeout=60_000)  # words are coming
    page.get_by_role("button", name="Pause").click()
    before = time.monotonic()
    state(page, "Paused", 10)
    assert time.monotonic() - before < 1
    page.get_by_role("button", name="Continue").click()
    state(page, "Done", 300)

    points = page.locator(".result .points").first.locator("li")
    assert points.count() == 3
    for point in points.all():
        assert len(point.locator(".markdown").inner_text().split()) > 3
        assert point.locator("button.source").count() >= 1
    points.last.locator("button.source").first.click()
    passage = page.locator("[data-found]")
    expect(passage).to_be_in_viewport()
    expect(passage).to_contain_text("Page ")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Markdown, with sources").click()
    text = Path(str(saved.value.path())).read_text("utf-8")
    assert saved.value.suggested_filename == "bees-summary.md"
    assert text.count("\n- ") == 3
    assert "[^1]: Page " in text
