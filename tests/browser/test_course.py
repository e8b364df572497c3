"""A course as a web page, as a reader opens it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from pyapp.tasks.course import TASK
from pyapp.views.language import Language
from tests.unit.run import run
from tests.unit.tasks.course.answers import GIVEN, made


def test_its_web_page_is_read_without_any_request(chromium: Browser, tmp_path: Path) -> None:
    file = run(TASK.export(GIVEN, run(made()), "html", Language("en").having(TASK.strings)))
    path = tmp_path / file.name
    path.write_bytes(file.data)
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    assert requests == [path.as_uri()]
    assert page.title() == "All about tea"
    assert page.locator("h3").count() == 8  # four lessons, and as many quizzes with answers
    page.get_by_role("link", name="Leaves 1, day 1").click()
    assert page.get_by_role("heading", name="2.2 Leaves 1, day 1").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()
