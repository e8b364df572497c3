"""A chat, a summary, labels and a course of the real model, with the cloud off: nobody but our own server is asked.

The fixture watches every request, of workers too. The course is written across a reload.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from playwright.sync_api import Page, expect

from pyapp.tasks.course import TASK
from tests.browser.conftest import Candil, show_list, wait_for
from tests.browser.test_tasks import open_tasks

pytestmark = pytest.mark.real_model

WRITING_S = 400  # of one lesson, beside other tests
OPINIONS = ("I love it, it works great!", "Terrible. It broke after one day.")
LAMP = (
    "An oil lamp burns oil through a wick. The oil rises in the wick because its fibres draw it up, as a paper draws "
    "water. The flame warms the oil until it is a vapour, and the vapour burns. A lamp with a round wick gives more "
    "light, because more air reaches the flame. A glass chimney makes the air rise faster, so the flame is steady."
)


@pytest.mark.timeout(1200)
def test_a_whole_session_asks_nobody_else(resident: Candil) -> None:
    page = resident.page
    assert resident.ask("What is the capital of France?").answer().strip()
    open_tasks(page)
    before = page.locator(".run").count()
    summarised(page)
    labelled(page)
    course = written(resident)
    expect(show_list(page).get_by_role("button", name="New chat")).to_be_visible()
    open_tasks(page)
    expect(page.locator(".run")).to_have_count(before + 3)
    expect(page.locator(".run").first).to_contain_text(str(course["title"]))


def start(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()


def done(page: Page) -> None:
    expect(page.locator('.run-state[data-status="done"]')).to_be_visible(timeout=1000 * WRITING_S)


def summarised(page: Page) -> None:
    open_tasks(page)
    page.locator(".task-card", has_text="Summarise").click()
    page.get_by_role("textbox", name="Text", exact=True).fill(LAMP)
    start(page)
    done(page)
    expect(page.locator(".result .points li").first).to_contain_text("lamp")


def labelled(page: Page) -> None:
    open_tasks(page)
    page.locator(".task-card", has_text="Classify").click()
    page.get_by_role("textbox", name="Text", exact=True).fill("\n".join(OPINIONS))
    page.get_by_role("textbox", name="Labels", exact=True).fill("positive\nnegative")
    start(page)
    done(page)
    expect(page.locator(".result table").last.locator("tbody tr")).to_have_count(len(OPINIONS))


def written(resident: Candil) -> dict[str, object]:
    page = resident.page
    open_tasks(page)
    page.locator(".task-card", has_text="Write a course").click()
    page.get_by_label("Topic").fill("How bread is made")
    page.get_by_label("Modules").fill("1")
    page.get_by_label("Lessons in each module").fill("1")
    start(page)
    wait_for(lambda: "exercises" in page.locator(".doing").inner_text(), "the lesson's text is whole", WRITING_S)
    page.reload()
    resident.wait_until_ready()
    before = exported(page)
    page.get_by_role("button", name="Continue", exact=True).click()
    done(page)

    course = exported(page)
    Draft202012Validator(TASK.schema).validate(course)
    assert course["title"] == before["title"]
    assert lesson(course)["content"] == lesson(before)["content"]
    shown = words(page.locator(".result").text_content() or "")  # inner_text leaves out what is out of sight
    assert words(str(lesson(course)["content"])) in shown
    page.locator(".question .option").first.click()
    expect(page.locator(".question .verdict").first).to_be_visible()
    return course


def words(text: str) -> str:
    """Without what Markdown writes between them."""
    return " ".join(re.findall(r"\w+", text))


def exported(page: Page) -> dict[str, object]:
    with page.expect_download() as saved:
        page.get_by_role("button", name="JSON").click()
    course: dict[str, object] = json.loads(Path(str(saved.value.path())).read_text("utf-8"))
    return course


def lesson(course: dict[str, object]) -> dict[str, object]:
    modules = course["modules"]
    assert isinstance(modules, list)
    found: dict[str, object] = modules[0]["lessons"][0]
    return found
