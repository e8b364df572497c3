"""A table gets labels by the real model, with its probabilities, across a reload."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Candil, wait_for

pytestmark = pytest.mark.real_model

COMMENTS = (
    "I love it, it works great!",
    "Terrible. It broke after one day.",
    "Excellent quality, very happy.",
    "A waste of money, I hate it.",
    "The best I have ever bought.",
)
TABLE = "\n".join(["nº;comment;año", *(f"{n};{comment};2025" for n, comment in enumerate(COMMENTS, 1))])


def rows(page: Page) -> Locator:
    """Of the items that are labelled."""
    return page.locator(".result table").last.locator("tbody tr")


def test_a_table_is_labelled_across_a_reload(resident: Candil) -> None:
    page = resident.page
    page.get_by_role("button", name="Tasks", exact=True).click()
    page.locator(".task-card", has_text="Classify").click()
    file = {"name": "opinión.csv", "mimeType": "text/csv", "buffer": TABLE.encode("latin-1")}
    page.locator("#task-field-file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_text("opinión.csv").wait_for()
    page.get_by_label("Column to read").fill("comments")
    page.get_by_label(re.compile("^Labels")).first.fill("positive\npos\nnegative")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("nº, comment, año").wait_for()  # there is no such column
    page.get_by_label("Column to read").fill("comment")
    page.get_by_role("button", name="Start", exact=True).click()

    wait_for(lambda: rows(page).count() >= 1, "an item is labelled", 120)
    page.reload()
    resident.wait_until_ready()
    wait_for(lambda: rows(page).count() >= 1, "what was labelled is there again")
    assert rows(page).count() < len(COMMENTS)
    page.get_by_role("button", name="Continue", exact=True).click()
    page.locator('.run-state[data-status="done"]').wait_for(timeout=120_000)

    shown = [[cell.strip() for cell in row.locator("td").all_inner_texts()] for row in rows(page).all()]
    assert [row[1] for row in shown] == list(COMMENTS)
    assert all(row[3].endswith("%") for row in shown)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as JSON").click()
    items = json.loads(Path(saved.value.path()).read_text("utf-8"))["items"]
    for item in items:
        assert list(item["probabilities"]) == ["positive", "pos", "negative"]
        assert math.fsum(item["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    by_negative = sorted(range(len(items)), key=lambda n: items[n]["probabilities"]["negative"])
    assert set(by_negative[-2:]) == {1, 3}  # the two complaints

    rows(page).nth(0).get_by_role("combobox").select_option("negative")
    rows(page).nth(0).get_by_text("by hand").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    lines = Path(saved.value.path()).read_text("utf-8-sig").split("\n")
    assert lines[0] == "nº;comment;año;Label;Probability"
    assert lines[1] == "1;I love it, it works great!;2025;negative;"
    assert re.fullmatch(r"2;Terrible\. It broke after one day\.;2025;\w+;0,\d{4}", lines[2])
