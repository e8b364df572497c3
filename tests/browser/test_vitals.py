"""Nothing on the page moves by itself: the layout shifts of a session, as the browser counts them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from bench.vitals import CLS_BAR, SESSION, Visit
from tests.browser.conftest import DESKTOP, PHONE, Site


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_moves_by_itself(chromium: Browser, scripted_site: Site, viewport: Any) -> None:
    visit = Visit.begin(chromium, scripted_site.url, viewport)
    assert visit.layout_shift() <= CLS_BAR, "while the app starts"
    for name, step in SESSION.items():
        step(visit.page)
        assert visit.layout_shift() <= CLS_BAR, name
    visit.page.wait_for_timeout(600)  # what moves within 500 ms of an input was meant to
    visit.page.locator(".dock").evaluate("dock => { dock.style.paddingBottom = '300px'; }")
    assert visit.layout_shift() > CLS_BAR, "it is measured"
    visit.end()
