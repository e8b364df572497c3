"""The browser's own model in real Chromium, three ways: as Debian ships it, which has none; Chrome's own AI stack on
Chromium's fake weights; and the echo of Chromium's headless shell, which wants a click and has a small window.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from pyapp.engine import GenerateRequest, Message, TextDelta, values
from pyapp.engines.builtin_ai import BuiltinAi
from pyapp.errors import ContextOverflow, EngineUnavailable
from pyapp.models.manifest import ModelSpec, Variant, parse
from pyapp.structured.subset import normalised
from tests.browser import on_device_manifest
from tests.browser.aside import aside, entered, wait
from tests.browser.conftest import CHROMIUM, DESKTOP, FLAGS, Candil, Site, show_list, variant_row
from tests.browser.documents import is_valid
from tests.browser.page_transport import PageTransport
from tests.contract.engine import QUESTION, Check, answer, applying, load, refused
from tests.schemas.corpus import CASES, Case

ROW = "browser-own.own"
HEADLESS_SHELL = Path(os.environ.get("CANDIL_HEADLESS_SHELL", "/usr/lib/chromium/chromium-headless-shell"))
HEAD = "CPU backendTopK: 64, Temp: 1"  # what the fake weights say before they repeat their prompt

OFFERED = """async () => {
  const text = [{ type: "text", languages: ["en"] }];
  const wanted = { expectedInputs: text, expectedOutputs: text };
  for (let n = 0; n < 50; n++) {
    if ((await LanguageModel.availability(wanted)) !== "unavailable") return true;
    await new Promise((next) => setTimeout(next, 200));
  }
  return false;
}"""

Loaded = tuple[BuiltinAi, ModelSpec, Variant, PageTransport]


def own(site_folder: Path) -> tuple[ModelSpec, Variant]:
    catalog = parse((site_folder / "model_manifest.json").read_text("utf-8"))
    model = next(model for model in catalog.models if model.id == "browser-own")
    return model, model.variants[0]


def engine_of(transport: PageTransport) -> BuiltinAi:
    return BuiltinAi(transport, languages=lambda: ["en-US"], now_ms=lambda: 1000 * time.monotonic())


@asynccontextmanager
async def bare_page(url: str, executable: str, flags: list[str]) -> AsyncIterator[PageTransport]:
    """A document of the site's origin without the application."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=[*FLAGS, *flags])
        page = await browser.new_page()
        await page.goto(f"{url}nothing-here")
        transport = PageTransport(page)
        await transport.start()
        yield transport
        await browser.close()


def models_row(candil: Candil) -> Any:
    show_list(candil.page).get_by_role("button", name="Models").click()
    return variant_row(candil.page, ROW)


# ---- as Debian ships it ----


def test_where_there_is_none_the_page_says_why_and_what_to_do(visitor: Candil, site: Site) -> None:
    visitor.open(f"{site.url}?device=wasm")
    visitor.page.get_by_role("button", name="Not now").click()
    row = models_row(visitor)
    expect(row).to_contain_text("Does not run here.")
    expect(row).to_contain_text("22 GB of free disk")
    expect(row).to_contain_text("made by Google")
    expect(row.get_by_role("button")).to_have_count(0)


def test_where_there_is_none_nothing_is_made(site: Site, site_folder: Path) -> None:
    async def story() -> None:
        async with bare_page(site.url, CHROMIUM, []) as transport:
            with refused(EngineUnavailable):
                await load(engine_of(transport), *own(site_folder))

    aside(story)()


# ---- Chrome's own AI stack, on fake weights ----


@pytest.fixture(scope="module")
def fake(playwright_session: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[str]]:
    """The flags that give Chromium its fake weights."""
    browser = playwright_session.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    version = browser.version
    browser.close()
    if not version.startswith(f"{on_device_manifest.VERSION}."):
        pytest.skip(f"the on-device manifest is for Chromium {on_device_manifest.VERSION}, this one is {version}")

    def flags(mode: on_device_manifest.Mode) -> list[str]:
        return on_device_manifest.flags(tmp_path_factory.mktemp("on-device") / mode, mode)

    return flags


async def until_offered(transport: PageTransport) -> None:
    """The service reads its manifest after the page is there."""
    for _ in range(50):
        probe = await values(transport, "builtin_ai.probe", {"languages": ["en"]})
        if probe[-1]["availability"] != "unavailable":
            return
        await asyncio.sleep(0.2)
    pytest.skip("this Chromium does not take the on-device manifest: availability stays unavailable")


@pytest.fixture(scope="module")
def chrome(fake: Callable[..., list[str]], site: Site, site_folder: Path) -> Iterator[Loaded]:
    @asynccontextmanager
    async def loaded() -> AsyncIterator[Loaded]:
        async with bare_page(site.url, CHROMIUM, fake("ready")) as transport:
            await until_offered(transport)
            engine = engine_of(transport)
            await load(engine, *own(site_folder))
            yield engine, *own(site_folder), transport

    with entered(loaded()) as chrome:
        yield chrome


@pytest.mark.parametrize("check", applying(BuiltinAi.cannot), ids=lambda check: check.__name__)
def test_the_contract_holds(chrome: Loaded, check: Check) -> None:
    aside(check)(*chrome[:3])  # type: ignore[arg-type]


def said(chrome: Loaded, *messages: Message, **wishes: Any) -> str:
    return wait(answer(chrome[0], GenerateRequest(messages, **wishes)))[0]


def test_the_template_has_every_role_in_its_order(chrome: Loaded) -> None:
    talk = [Message("system", "SYS"), Message("user", "u1"), Message("assistant", "a1"), Message("user", "u2")]
    told = "System: SYS End.User: u1 End.Model: a1 End.User: u2 End.Model: "
    assert said(chrome, *talk) == HEAD + told
    assert said(chrome, *talk) == HEAD + told  # from the session that is kept, nothing is said twice
    assert said(chrome, *talk[1:]) == HEAD + told.removeprefix("System: SYS End.")


def test_what_was_said_since_is_appended_to_the_session(chrome: Loaded) -> None:
    start = (Message("system", "S"), Message("user", "first"))
    said(chrome, *start)
    more = (*start, Message("assistant", "other words"), Message("user", "second"))
    whole = "System: S End.User: first End.Model: other words End.User: second End.Model: "
    assert said(chrome, *more) == HEAD + whole


def test_an_answer_goes_on_where_it_ended(chrome: Loaded) -> None:
    talk = (Message("user", "count"), Message("assistant", "one, two"))
    assert said(chrome, *talk, continue_last=True) == f"{HEAD}User: count End.Model: one, two"


def test_a_schema_is_enforced_and_not_told(chrome: Loaded) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    text = said(chrome, Message("user", "u"), schema=schema | {"additionalProperties": False})
    told, _, value = text.partition("Model: ")
    assert set(json.loads(value)) == {"a"}
    assert "JSON" not in told


@pytest.mark.parametrize("case", CASES[9::40], ids=lambda case: case.name)
def test_chrome_holds_answers_to_schemas_in_normal_form(chrome: Loaded, case: Case) -> None:
    text = said(chrome, Message("user", "u"), schema=normalised(case.schema))
    assert is_valid(case, text.partition("Model: ")[2])


def test_the_answer_streams_and_stops(chrome: Loaded) -> None:
    async def story() -> list[str]:
        stream = chrome[0].generate(GenerateRequest((*QUESTION,)))
        first = await anext(stream)
        await stream.aclose()
        assert isinstance(first, TextDelta)
        whole = [
            event.text async for event in chrome[0].generate(GenerateRequest(QUESTION)) if isinstance(event, TextDelta)
        ]
        assert whole[0] == first.text
        return whole

    assert len(wait(story())) > 1


def test_what_does_not_fit_says_by_how_much(chrome: Loaded) -> None:
    with pytest.raises(ContextOverflow) as caught:
        said(chrome, Message("user", "x" * 9000))
    assert caught.value.details["context_tokens"] == 6144
    assert int(str(caught.value.details["prompt_tokens"])) > 9000
    assert said(chrome, Message("user", "short"))


def test_too_much_at_once_for_a_new_session_is_the_same_error(chrome: Loaded) -> None:
    sessions = chrome[3]
    payload = {"id": 10**6, "languages": ["en"], "messages": [{"role": "user", "content": "x" * 9000}]}

    async def story() -> dict[str, Any]:
        try:
            await values(sessions, "builtin_ai.create", payload | {"sampling": None})
        except ContextOverflow as error:
            return error.details
        raise AssertionError

    assert wait(story())["context_tokens"] == 8192


@pytest.fixture
def chrome_user(fake: Callable[..., list[str]], playwright_session: Playwright) -> Iterator[Callable[[str, str], Page]]:
    """A newcomer's page of a Chromium that has a model of its own."""
    opened: list[Browser] = []

    def open_(mode: str, url: str) -> Page:
        browser = playwright_session.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *fake(mode)])
        opened.append(browser)
        context: BrowserContext = browser.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{url}nothing-here")  # the browser's service is there before Candil looks at the device
        if not page.evaluate(OFFERED):
            pytest.skip("this Chromium does not take the on-device manifest: availability stays unavailable")
        return page

    yield open_
    for browser in opened:
        browser.close()


def test_a_chat_in_the_page_with_a_model_that_is_already_there(chrome_user: Any, site: Site) -> None:
    page: Page = chrome_user("ready", site.url)
    candil = Candil(page).open(site.url).wait_until_ready()
    expect(page.locator("body")).to_contain_text("Chrome Built-in AI · browser · private")
    first = candil.ask("What is the sea?").answer()
    assert "User: What is the sea? End.Model:" in first
    second = candil.ask("And the sky?").answer()
    assert "User: And the sky? End." in second
    assert second.index("What is the sea?") < second.index("And the sky?")
    assert second.count("User: What is the sea? End.") == 1
    row = models_row(candil)
    expect(row).to_contain_text("In use")
    expect(row.get_by_role("button")).to_have_count(0)  # the browser checks and deletes it, not we


def test_its_download_from_the_models_dialog(chrome_user: Any, site: Site) -> None:
    page: Page = chrome_user("download", site.url)
    candil = Candil(page).open(site.url)
    page.get_by_role("button", name="Not now").click()  # it is not what a newcomer is offered
    row = models_row(candil)
    expect(row).to_contain_text("Chrome has yet to download it")
    row.get_by_role("button", name="Download").click()
    candil.wait_until_ready()
    expect(row).to_contain_text("In use")
    page.get_by_role("button", name="Close").click()
    assert "User: Hello End." in candil.ask("Hello").answer()


# ---- the headless shell's echo ----


@pytest.fixture(scope="module")
def shell(playwright_session: Playwright) -> Iterator[Browser]:
    if not HEADLESS_SHELL.exists():
        pytest.skip(f"no {HEADLESS_SHELL}: apt-get install chromium-headless-shell")
    browser = playwright_session.chromium.launch(executable_path=str(HEADLESS_SHELL), args=FLAGS)
    yield browser
    browser.close()


def test_a_download_needs_a_click_and_shows_its_progress(shell: Browser, site: Site) -> None:
    context = shell.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    candil = Candil(context.new_page())
    # As after a reload in the middle of a download: it was agreed to, but nobody has clicked.
    context.add_init_script('localStorage.setItem("candil.download", "browser-own/own")')
    # What Playwright does in a page counts as a click there: so nothing is asked of it until the browser was.
    with candil.page.expect_response("**/engines/builtin_ai.js"):
        candil.open(site.url)
    candil.page.wait_for_timeout(2000)
    card = candil.page.locator(".card:visible")
    expect(card).to_contain_text("The browser fetches its own model only after a click.")
    card.get_by_role("button").click()
    candil.wait_until_ready()
    assert "echoing back the input" in candil.ask("Hello there").answer()
    context.close()


def test_the_shells_small_window_is_told(shell: Browser, site: Site) -> None:
    context = shell.new_context(viewport=DESKTOP, locale="en-US")  # type: ignore[arg-type]
    candil = Candil(context.new_page()).open(f"{site.url}")
    candil.page.get_by_role("button", name="Not now").click()
    models_row(candil).get_by_role("button", name="Download").click()
    candil.wait_until_ready()
    candil.page.get_by_role("button", name="Close").click()
    candil.ask("word " * 300)
    expect(candil.page.get_by_role("alert")).to_contain_text("it takes 1,500, and 999 fit")
    assert candil.ask("Hello there").answer()
    context.close()
