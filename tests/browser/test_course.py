"""A course of the real model across a reload, and its web page as a reader opens it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from playwright.sync_api import Browser, Page

from pyapp.tasks.course import TASK
from pyapp.views.language import Language
from tests.browser.conftest import Candil, show_list, wait_for
from tests.unit.run import run
from tests.unit.tasks.course.answers import GIVEN, made

WRITING_S = 600  # of one lesson, beside other tests


def exported(page: Page) -> dict[str, object]:
    with page.expect_download() as saved:
        page.get_by_role("button", name="JSON").click()
    course: dict[str, object] = json.loads(Path(str(saved.value.path())).read_text("utf-8"))
    return course


@pytest.mark.real_model
def test_a_course_goes_on_after_a_reload_and_is_whole(resident: Candil) -> None:
    page = resident.page
    show_list(page).get_by_role("button", name="Tasks", exact=True).click()
    page.locator(".task-card", has_text="Write a course").click()
    page.get_by_label("Topic").fill("How bread is made")
    page.get_by_label("Modules").fill("1")
    page.get_by_label("Lessons in each module").fill("1")
    page.get_by_role("button", name="Start", exact=True).click()
    wait_for(lambda: "exercises" in page.locator(".doing").inner_text(), "the lesson's text is whole", WRITING_S)
    page.reload()
    resident.wait_until_ready()
    kept = exported(page)
    page.get_by_role("button", name="Continue", exact=True).click()
    page.locator('.run-state[data-status="done"]').wait_for(timeout=1000 * WRITING_S)

    course = exported(page)
    Draft202012Validator(TASK.schema).validate(course)
    assert course["title"] == kept["title"]
    assert lesson(course)["content"] == lesson(kept)["content"]
    page.locator(".question .option").first.click()
    page.locator(".question .verdict").first.wait_for()


def lesson(course: dict[str, object]) -> dict[str, object]:
    modules = course["modules"]
    assert isinstance(modules, list)
    found: dict[str, object] = modules[0]["lessons"][0]
    return found


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
