"""Whatever a text says, wherever it comes to stand, nothing acts; and what is shown can be used by everyone.

The page is the built site without a model: driver.py shows the texts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.browser.conftest import DESKTOP, Site
from tests.browser.driven import Driven, driven
from tests.browser.payloads import dompurify, naughty_strings, payloads

TRAPS = Path(__file__).with_name("traps.js").read_text("utf-8")
ALL_KINDS = "```python\nx = 1\n```\n\n```html\n<p>\n```\n\n$x^2$ [a](https://a.test)\n"
# What a page that has started may still ask for: the lamp beside an answer, a language's colours, a formula's font.
OWN = re.compile(r"/(icons/candil\.svg|vendor/highlight/[a-z]+\.min\.js|vendor/temml/Temml\.woff2)")
BATCH = 150

# Where in an answer a payload stands, by name: a new one is one line here. Elsewhere on the page: driver.PLACES.
IN_ANSWERS: dict[str, str] = {
    "itself": "{}",
    "a sentence": "Well, {} is what it is.",
    "a heading": "# {}",
    "a quote": "> {}",
    "an item": "- {}\n- x",
    "a task": "- [x] {}\n- [ ] {}",
    "a cell": "| {} | b |\n|---|--:|\n| {} | c |",
    "code": "```html\n{}\n```",
    "code that stays open": "```js\n{}",
    "a fence's language": "```{}\nx\n```",
    "code in a line": "`{}` and ``{}``",
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
ELSEWHERE = ["a message", "a draft", "an answer's error", "a notice", "a model's title"]


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
    """A third of them growing, the others there at once; as an answer itself, all of them both."""
    chance = random.Random(name)
    texts = [IN_ANSWERS[name].replace("{}", payload) for payload in payloads()]
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
