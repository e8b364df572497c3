"""The embedded GGUF in the application: chosen among the models, downloaded, asked, and asked again offline."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import DESKTOP, Candil, Site, Watch, show_list, variant_row

pytestmark = pytest.mark.real_model

ROW = "smollm2-135m-instruct.wllama-gguf"


@pytest.fixture
def newcomer(chromium: Browser, site: Site) -> Iterator[Candil]:
    context = chromium.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    watch = Watch(site)
    watch.over(context)
    yield Candil(context.new_page()).open(site.url)
    watch.check()
    context.close()


def test_the_gguf_is_chosen_answers_and_answers_offline(newcomer: Candil) -> None:
    page = newcomer.page
    page.get_by_role("button", name="Not now").click()
    show_list(page).get_by_role("button", name="Models").click()
    row = variant_row(page, ROW)
    expect(row).to_contain_text("Q4_1")
    row.get_by_role("button", name=re.compile("^Download:")).click()
    newcomer.wait_until_ready(seconds=300)
    expect(row).to_contain_text("In use")
    page.get_by_role("button", name="Close").click()
    newcomer.ask("What is the capital of France? Answer in one short sentence.")
    expect(newcomer.articles("assistant").last).to_contain_text("Paris", timeout=300_000)

    page.context.set_offline(True)
    page.reload()
    newcomer.wait_until_ready(seconds=300)
    assert "Paris" in newcomer.articles("assistant").last.inner_text()
    newcomer.ask("And what is the capital of Spain? One short sentence.")
    assert newcomer.begun(seconds=300).strip()
    page.context.set_offline(False)
