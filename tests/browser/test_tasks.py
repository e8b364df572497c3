"""Tasks as a person uses them: begun, left alone, paused, changed, gone on with after a reload, deleted, saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import DESKTOP, Candil, Site, Watch, show_list, wait_for
from tests.browser.tasks_site import tasks_site
from tests.browser.test_accessibility import LOCAL_LOOKS, audit

PART = "This is what is said of part {n}, in twenty words or so, so that it can be seen to grow."


@pytest.fixture(scope="module")
def tasks(site_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with tasks_site(site_folder, tmp_path_factory.mktemp("tasks")) as site:
        yield site


@pytest.fixture(scope="module")
def context(chromium: Browser, tasks: Site) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=DESKTOP, locale="en-US", accept_downloads=True)  # type: ignore[arg-type]
    watch = Watch(tasks)
    watch.over(context)
    yield context
    context.close()
    watch.check()


@pytest.fixture(scope="module")
def started(context: BrowserContext, tasks: Site) -> Page:
    return Candil(context.new_page()).open(tasks.url).wait_until_ready().page


@pytest.fixture
def page(started: Page) -> Page:
    """A new chat, and nothing that was made by another test works."""
    open_tasks(started)
    for button in started.locator('[data-action="task-pause"]').all():
        button.click()
    for _ in started.locator(".run").all():
        started.locator('[data-action="task-delete"]').first.click()
    expect(started.locator(".run")).to_have_count(0)
    started.get_by_role("button", name="New chat").click()
    return started


def open_tasks(page: Page) -> Page:
    show_list(page).get_by_role("button", name="Tasks", exact=True).click()
    expect(page.get_by_role("heading", name="Tasks", exact=True)).to_be_focused()
    return page


def begin(page: Page, topic: str = "Lamps", parts: int = 3) -> str:
    """Its address."""
    open_tasks(page).get_by_role("button", name="Notes").click()
    page.get_by_label("Topic").fill(topic)
    page.get_by_label("Parts").fill(str(parts))
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name=topic, level=2)).to_be_focused()
    return page.url


def status(page: Page, name: str) -> None:
    expect(page.locator(".run-state .run-line")).to_contain_text(name, timeout=30_000)


def test_from_a_form_to_a_result_that_is_saved(page: Page) -> None:
    open_tasks(page).get_by_role("button", name="Notes").click()
    page.get_by_role("button", name="Start").click()
    topic = page.get_by_label("Topic")
    expect(topic).to_be_focused()
    expect(page.get_by_text("This is needed.")).to_be_visible()
    topic.fill("forbidden")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Choose another topic")).to_be_visible()
    topic.fill("Lamps")
    page.get_by_role("radio", name="Kind").check()
    file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"One two three."}
    page.locator('input[type="file"][name="source"]').set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_text("1 page, 3 words")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    status(page, "Working")
    expect(page.locator(".doing")).to_contain_text("Writing part")
    status(page, "Done")
    expect(page.locator(".result .markdown").first).to_have_text(PART.format(n=1))
    expect(page.get_by_text("Nothing left this device.")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Text", exact=True).click()
    assert saved.value.suggested_filename == "Lamps.txt"
    assert PART.format(n=3).replace("twenty", "*twenty*") in Path(str(saved.value.path())).read_text("utf-8")
    page.get_by_role("button", name="Source 2: This is what is said of part 2").click()
    passage = page.locator("[data-found]")
    expect(passage).to_be_focused()
    expect(passage).to_contain_text("part 2")
    expect(passage).to_be_in_viewport()


def test_a_draft_of_the_form_survives_a_reload(page: Page) -> None:
    open_tasks(page).get_by_role("button", name="Notes").click()
    page.get_by_label("Topic").fill("Half a thou")
    page.wait_for_timeout(1200)
    page.reload()
    expect(page.get_by_label("Topic")).to_have_value("Half a thou", timeout=60_000)


def test_paused_reloaded_and_gone_on_with(page: Page) -> None:
    address = begin(page, parts=8)
    expect(page.locator(".question").nth(1)).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    status(page, "Paused")
    expect(page.get_by_role("button", name="Continue")).to_be_focused()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".question").nth(3)).to_be_visible()
    page.reload()  # in the middle of it
    status(page, "Paused")
    assert page.url == address
    wait_for(lambda: page.locator("html").get_attribute("data-candil") == "ready", "a model")
    expect(page.locator(".result .markdown").nth(2)).to_have_text(PART.format(n=2))
    page.get_by_role("button", name="Continue").click()
    status(page, "Done")
    texts = page.locator(".result [data-inside] > .markdown")
    assert [(text.text_content() or "").strip() for text in texts.all()] == [PART.format(n=n) for n in range(1, 9)]


def test_a_chat_goes_on_beside_it_and_each_is_stopped_alone(page: Page) -> None:
    begin(page, parts=20)
    page.get_by_role("button", name="All tasks").click()
    page.get_by_role("button", name="Back to chat").click()
    chat = Candil(page)
    expect(chat.message).to_be_focused()
    chat.ask("Say something long")
    wait_for(lambda: "word 3" in chat.articles("assistant").last.inner_text(), "words")
    open_tasks(page)
    done = page.locator("#tasks progress")
    at = float(done.get_attribute("value") or 0)
    wait_for(lambda: float(done.get_attribute("value") or 0) > at, "the task goes on")
    page.get_by_role("button", name="Pause “Lamps”").click()
    page.go_back()
    said = chat.articles("assistant").last.inner_text()
    wait_for(lambda: len(chat.articles("assistant").last.inner_text()) > len(said), "the answer goes on")
    open_tasks(page).get_by_role("button", name="Continue “Lamps”").click()
    expect(page.get_by_role("button", name="Pause “Lamps”")).to_be_visible()
    page.get_by_role("button", name="Back to chat").click()
    page.get_by_role("button", name="Stop").click()
    expect(chat.articles("assistant").last).to_have_attribute("data-state", "stopped")
    open_tasks(page)
    at = float(done.get_attribute("value") or 0)
    wait_for(lambda: float(done.get_attribute("value") or 0) > at, "the task goes on alone")


def test_changed_where_it_stands(page: Page) -> None:
    begin(page, parts=2)
    status(page, "Done")
    page.get_by_role("button", name="Change: Title").click()
    box = page.get_by_role("textbox", name="Title")
    expect(box).to_be_focused()
    box.fill("Lights")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Change: Title")).to_be_focused()
    expect(page.locator("#tasks-title")).to_have_text("Lamps")
    page.keyboard.press("Enter")
    box.fill("Lights")
    page.keyboard.press("Enter")
    expect(page.locator("#tasks-title")).to_have_text("Lights")
    expect(page.locator(".edit-text")).to_have_text("Lights")
    page.get_by_role("group", name="What is it?").first.get_by_role("button", name="One thing").click()
    expect(page.locator(".verdict")).to_have_text("Not quite. It is said above.")
    expect(page.locator("#announcer")).to_have_text("Not quite.")
    page.get_by_role("group", name="What is it?").first.get_by_role("button", name="Another").click()
    expect(page.locator(".verdict")).to_have_text("Right. It is said above.")
    page.get_by_role("button", name="Write it again").first.click()
    expect(page.locator(".result .markdown").first).to_contain_text("said of again", timeout=20_000)
    status(page, "Done")


def test_deleted_and_back(page: Page) -> None:
    begin(page, parts=2)
    status(page, "Done")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("“Lamps” was deleted.")).to_be_visible()
    undo = page.locator("#toast").get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    expect(page.get_by_text("Nothing yet.")).to_be_visible()
    undo.click()
    expect(page.locator(".run")).to_have_count(1)
    page.locator(".run-open").click()
    status(page, "Done")


def test_back_and_forward_go_where_one_was(page: Page) -> None:
    address = begin(page, parts=1)
    status(page, "Done")
    page.go_back()
    expect(page.get_by_role("heading", name="Tasks", exact=True)).to_be_visible()
    page.go_back()
    expect(Candil(page).message).to_be_visible()
    page.go_forward()
    page.go_forward()
    status(page, "Done")
    assert page.url == address
    page.get_by_role("button", name="New chat").click()
    expect(Candil(page).message).to_be_focused()
    assert "#" not in page.url
    page.evaluate("location.hash = '#tasks'")  # as when it is typed
    expect(page.get_by_role("heading", name="Tasks", exact=True)).to_be_visible()
    page.go_back()
    expect(Candil(page).message).to_be_visible()


def test_another_tab_sees_it_and_leaves_it_alone(page: Page, context: BrowserContext, tasks: Site) -> None:
    begin(page, parts=40)
    other = Candil(context.new_page()).open(f"{tasks.url}#tasks").wait_for_python().page
    expect(other.locator(".run-line")).to_contain_text("Working in another tab", timeout=60_000)
    assert other.get_by_role("button", name="Pause “Lamps”").count() == 0
    page.bring_to_front()
    page.get_by_role("button", name="Pause").click()
    expect(other.locator(".run-line")).to_contain_text("Paused")
    other.close()


def test_the_keyboard_is_enough(page: Page) -> None:
    page.locator("#open-tasks").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tasks", exact=True)).to_be_focused()
    page.keyboard.press("Tab")  # Notes; what comes with Candil may stand before it
    while page.evaluate("document.activeElement.dataset.id") != "scripted":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Notes")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("Lamps")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("40")
    page.keyboard.press("Enter")
    status(page, "Working")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Continue")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()


@pytest.mark.parametrize("language", ["en", "es"])
def test_nothing_axe_would_mind(page: Page, language: str) -> None:
    """Every view in both themes and both sizes."""
    page.locator("#language").select_option(language)
    page.locator("#open-tasks").click()
    views: list[Any] = [lambda: None]
    views.append(lambda: page.locator('[data-action="task-new"][data-id="scripted"]').click())
    views.append(lambda: page.locator(".task-form .primary").click())
    views.append(lambda: page.locator('[name="parts"]').fill("40"))
    views.append(lambda: page.locator('[name="topic"]').fill("Lamps"))
    views.append(lambda: page.keyboard.press("Enter"))
    views.append(lambda: page.locator('[data-action="task-pause"]').click())
    views.append(lambda: page.locator('[data-action="task-resume"]').click())
    for at, view in enumerate(views):
        view()
        page.wait_for_timeout(1500 if at == 7 else 300)
        looks(page, language, f"{at}")
    page.locator(".fold summary").click()
    page.locator('[data-action="task-edit"]').first.click()
    page.locator(".option").first.click()
    looks(page, language, "all of it")
    page.locator('[data-action="tasks-home"]').click()
    looks(page, language, "the list")
    page.locator("#language").select_option("en")


def looks(page: Page, language: str, what: str) -> None:
    for scheme, viewport in [(scheme, size) for spoken, scheme, size in LOCAL_LOOKS if spoken == language]:
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        audit(page, f"{language} {what} {scheme} {viewport['width']}")
        assert page.locator("html").evaluate("e => e.scrollWidth <= e.clientWidth"), what
        small = page.locator("#tasks").evaluate(
            """tasks => [...tasks.querySelectorAll("button:not(.source), select")].filter((e) => e.checkVisibility())
              .filter((e) => e.offsetHeight < 44 || e.offsetWidth < 44).map((e) => e.outerHTML)"""
        )
        assert small == [], what
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
