"""Whatever a text says, wherever it comes to stand, nothing acts; and what is shown can be used by everyone.

The page is the built site without a model: driver.py shows the texts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.browser.conftest import DESKTOP, PHONE, Site, wait_for
from tests.browser.driven import Driven, driven
from tests.browser.payloads import dompurify, naughty_strings, payloads
from tests.browser.test_accessibility import LOOKS, audit

TRAPS = Path(__file__).with_name("traps.js").read_text("utf-8")
ALL_KINDS = "```python\nx = 1\n```\n\n```html\n<p>\n```\n\n$x^2$ [a](https://a.test)\n"
# What a page that has started may still ask for: the lamp beside an answer, a language's colours, a formula's font.
OWN = re.compile(r"/(icons/candil\.svg|vendor/highlight/[a-z]+\.min\.js|vendor/temml/Temml\.woff2)")
BATCH = 150

# Where in an answer a payload stands, by name: a new one is one line here. Elsewhere on the page: driver.PLACES.
IN_ANSWERS: dict[str, str] = {
    "itself": "{}",
    "a sentence, and code in it": "Well, {} is what `{}` and ``{}`` say.",
    "a heading in a quote": "> # {}",
    "an item, and a task": "- {}\n- [x] {}",
    "a cell": "| {} | b |\n|---|--:|\n| {} | c |",
    "code": "```html\n{}\n```",
    "code that stays open": "```js\n{}",
    "a fence's language": "```{}\nx\n```",
    "a link's text": "[{}](https://a.test)",
    "a link's address": "[x]({}) [y](<{}>)",
    "a link's title": "[x](https://a.test '{}') [y](https://a.test \"{}\")",
    "a definition": "[x]\n\n[x]: {} '{}'",
    "an image": "![{}]({} '{}')",
    "an autolink": "<{}> https://a.test/{}",
    "a formula": "${}$ and \\({}\\)",
    "a display formula": "$$\n{}\n$$\n\n\\[{}\\]",
    "a formula's text": "$\\text{{}}$ $\\href{{}}{x}$ $\\color{{}}x$",
    "reasoning": "<think>{}</think>{}",
    "reasoning that stays open": "<think>{}",
}
ELSEWHERE = [
    "a message",
    "an attachment",
    "a draft",
    "a refused file's name",
    "an answer's error",
    "a notice",
    "a model's title",
    "a title that is edited",
    "a deleted chat",
    "chats' titles",
    "what a search finds",
]


@dataclass
class Asked:
    """The paths asked for, from the server's side."""

    app: ASGIApp
    paths: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.paths.append(scope["raw_path"].decode("latin-1"))
        await self.app(scope, receive, send)


@dataclass
class Watched:
    """A page on which nothing may act."""

    driven: Driven
    site: Site
    asked: list[str]
    sent: list[str]

    def check(self) -> None:
        assert self.driven.evaluate("acted()") == []
        assert self.driven.evaluate("dangers()") == []
        assert [url for url in self.sent if not OWN.fullmatch(url.removeprefix(self.site.url[:-1]))] == []
        assert [path for path in self.asked if not OWN.fullmatch(path)] == []
        assert self.site.violations == []


@pytest.fixture(scope="module")
def watched(chromium: Browser, site_folder: Path) -> Iterator[Watched]:
    servers: list[Asked] = []

    def listen(app: ASGIApp) -> ASGIApp:
        servers.append(Asked(app))
        return servers[0]

    site = driven(site_folder, listen).start()
    context = chromium.new_context(viewport=DESKTOP, service_workers="block")  # type: ignore[arg-type]
    page = Driven(context, site.url, TRAPS)
    page.drive("hurry", budget_ms=1000)
    page.drive("whole", texts=[ALL_KINDS])  # what colours code and sets formulas has come
    page.drive("clear")
    page.evaluate("remember()")
    asked, sent = servers[0].paths, []
    asked.clear()
    context.on("request", lambda request: sent.append(request.url))
    yield Watched(page, site, asked, sent)
    context.close()
    site.stop()


@pytest.fixture(autouse=True)
def cleared(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "watched" in request.fixturenames:
        request.getfixturevalue("watched").driven.drive("clear")


def batches(texts: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(texts), BATCH):
        yield texts[at : at + BATCH]


def cut(text: str, chance: random.Random) -> list[str]:
    """In a few pieces, cut anywhere."""
    at = sorted(chance.sample(range(len(text) + 1), min(chance.randint(1, 4), len(text) + 1)))
    return [text[i:j] for i, j in zip([0, *at], [*at, len(text)], strict=True)]


def test_there_are_payloads_enough() -> None:
    assert len(set(dompurify())) >= 180
    assert len(set(naughty_strings())) >= 480
    assert len(payloads()) >= 900


@pytest.mark.parametrize("name", IN_ANSWERS)
def test_payloads_in_answers(watched: Watched, name: str) -> None:
    """A third of the payloads, a third of those growing; as an answer itself, all of them both ways."""
    chance = random.Random(name)
    chosen = list(payloads()) if name == "itself" else chance.sample(list(payloads()), len(payloads()) // 3)
    texts = [IN_ANSWERS[name].replace("{}", payload) for payload in chosen]
    for batch in batches(texts):
        chance.shuffle(batch)
        third = len(batch) // 3
        both = name == "itself"
        grown = watched.driven.drive("grow", pieces=[cut(text, chance) for text in (batch if both else batch[:third])])
        whole = watched.driven.drive("whole", texts=batch if both else batch[third:])
        watched.check()
        assert not both or grown == whole
        watched.driven.drive("clear")


@pytest.mark.parametrize("place", ELSEWHERE)
def test_payloads_elsewhere(watched: Watched, place: str) -> None:
    for batch in batches(list(payloads())):
        watched.driven.drive("put", place=place, texts=batch)
        watched.check()
        watched.driven.drive("clear")


# ---- what people can use ----

SHOWN = """### A model begins anywhere

A [link](https://a.test/x "a title"), a formula $x^2$, an ![chart](https://evil.test/chart.png) and ![](https://evil.test/p.png).

# Then back

```python
print("{long}")
```

| a | b |
|---|--:|
| {word} | 2 |

$$\\sum_{{i=0}}^n x_i = {sum}$$

- [x] done
- [ ] open

> ## Quoted

<b>not bold</b>
""".format(long="long " * 60, word="long" * 60, sum="+".join(f"x_{{{n}}}" for n in range(60)))


Opened = Callable[..., Driven]


@pytest.fixture(scope="module")
def plain_page(chromium: Browser, site_folder: Path) -> Iterator[Driven]:
    site = driven(site_folder).start()
    context = chromium.new_context(service_workers="block", permissions=["clipboard-read", "clipboard-write"])
    yield Driven(context, site.url)
    context.close()
    site.stop()


@pytest.fixture
def opened(plain_page: Driven) -> Iterator[Opened]:
    """Shows `texts` as answers, on a page that looks as told."""

    def open_(texts: list[str], *, viewport: Any = DESKTOP, **media: Any) -> Driven:
        plain_page.page.set_viewport_size(viewport)
        plain_page.page.emulate_media(**{"color_scheme": "light", "reduced_motion": "reduce", **media})
        plain_page.drive("clear")
        plain_page.drive("whole", texts=texts)
        return plain_page

    yield open_
    plain_page.page.emulate_media(forced_colors="none")
    plain_page.drive("clear")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[0]}-{look[1]['width']}")
def test_axe_finds_nothing_in_answers(opened: Opened, look: tuple[str, dict[str, int]]) -> None:
    scheme, viewport = look
    page = opened([SHOWN, f"<think>## Why\n\n{SHOWN}</think>{SHOWN}"], color_scheme=scheme, viewport=viewport)
    page.drive("put", place="a message", texts=["A long message. " * 400])
    for summary in page.page.locator("summary").all():
        summary.click()
    audit(page.page, "answers")
    wide = page.evaluate("document.querySelector('#main').scrollWidth - document.querySelector('#main').clientWidth")
    assert wide <= 0, "the page scrolls sideways"


def test_links_say_where_they_go_and_take_nothing_along(opened: Opened) -> None:
    link = opened([SHOWN]).page.get_by_role("link", name="link", exact=True)
    assert link.get_attribute("href") == "https://a.test/x"
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert link.get_attribute("target") == "_blank"
    assert "link (a.test)" in link.locator("..").inner_text()


def test_images_are_named_and_never_loaded(opened: Opened) -> None:
    page = opened([SHOWN]).page
    assert "chart (Image not loaded: evil.test)" in page.get_by_role("log").inner_text()
    assert page.locator("#conversation img").count() == 0


def test_headings_have_their_place_below_the_page_s_title(opened: Opened) -> None:
    page = opened([SHOWN]).page
    assert page.get_by_role("heading", level=1).all_inner_texts() == ["Candil"]
    assert page.get_by_role("heading", level=2).all_inner_texts() == ["A model begins anywhere", "Then back"]
    assert page.get_by_role("heading", level=3).all_inner_texts() == ["Quoted"]


@pytest.mark.parametrize("selector", ["pre", ".table", "div.formula"])
def test_what_is_too_wide_scrolls_by_keyboard(opened: Opened, selector: str) -> None:
    page = opened([SHOWN], viewport=PHONE)
    wide = page.page.locator(f"#conversation {selector}").first
    wide.focus()
    page.page.keyboard.press("ArrowRight")
    query = f"document.querySelector('#conversation {selector}').scrollLeft"
    wait_for(lambda: page.evaluate(query) > 0, "it has scrolled")


def test_code_can_be_copied_by_keyboard(opened: Opened) -> None:
    page = opened(["```python\nx < 1\n```"])
    page.page.locator(".code-copy").focus()
    page.page.keyboard.press("Enter")
    page.page.get_by_role("button", name="Copied", exact=True).wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "x < 1\n"


def test_formulas_are_read_as_formulas(opened: Opened) -> None:
    page = opened(["A formula $\\frac{a}{b}$."])
    tree = page.cdp.send("Accessibility.getFullAXTree")["nodes"]
    roles = [str(node["role"]["value"]) for node in tree if not node.get("ignored")]
    assert {"MathMLMath", "MathMLFraction"} <= set(roles), roles


def test_nothing_moves_for_those_who_asked_for_it(opened: Opened) -> None:
    moving = "document.getAnimations().filter((animation) => animation.playState === 'running').length"
    for motion, moves in (("no-preference", True), ("reduce", False)):
        page = opened([], reduced_motion=motion)
        page.drive("begin")
        assert bool(page.evaluate(moving)) == moves


def test_forced_colours_hide_nothing(opened: Opened) -> None:
    page = opened([SHOWN], forced_colors="active")
    page.drive("put", place="a message", texts=["Mine"])
    page.drive("begin")
    colour = "getComputedStyle(document.querySelector('{}')).{}"
    canvas = page.evaluate(colour.format("body", "backgroundColor"))
    assert page.evaluate(colour.format(".thinking span", "backgroundColor")) != canvas
    assert page.evaluate(colour.format("article[data-role=user] > [data-part=text]", "borderTopStyle")) == "solid"
    assert page.evaluate(colour.format(".markdown th", "borderTopStyle")) == "solid"
