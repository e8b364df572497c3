"""The browser's own summarizer in Chromium's headless shell, whose model repeats what it is asked; and where there is
none, that this is said."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from pyapp.engine import values
from pyapp.engines.browser_summarizer import BrowserSummarizer
from pyapp.tasks.summarise.excerpts import excerpts
from pyapp.tasks.summarise.made import Made, made_of
from pyapp.tasks.summarise.summarising import Wanted, summarising
from tests.browser.aside import aside
from tests.browser.conftest import CHROMIUM, Site
from tests.browser.test_builtin_ai import HEADLESS_SHELL, bare_page
from tests.unit.tasks.scripted import ScriptedWork

SENTENCE = "The queen of the bees lays two thousand eggs a day in summer, and the foragers dance in the hive."


def test_where_there_is_none_it_is_not_used(site: Site) -> None:
    async def main() -> None:
        async with bare_page(site.url, CHROMIUM, []) as transport:
            assert not await BrowserSummarizer(transport).is_ready("en")

    aside(main)()


def test_it_is_asked_through_the_page_and_its_points_have_sources(site: Site) -> None:
    if not HEADLESS_SHELL.exists():
        pytest.skip(f"no {HEADLESS_SHELL}: apt-get install chromium-headless-shell")

    async def main() -> None:
        async with bare_page(site.url, str(HEADLESS_SHELL), []) as transport:
            own = BrowserSummarizer(transport)
            assert not await own.is_ready("en")  # it is still to be fetched, which a task does not begin
            await values(transport, "summarizer.measure", {"text": "", "language": "en"})
            assert await own.is_ready("en")
            window = await own.window()
            assert window > 100
            assert 0 < await own.count(SENTENCE) < await own.count(SENTENCE * 3)

            async with aclosing(own.points(SENTENCE, 3, "en")) as pieces:
                assert "two thousand eggs" in "".join([piece async for piece in pieces])
            left = own.points(SENTENCE, 3, "en")
            await anext(left)
            await left.aclose()

            work = ScriptedWork(own_summarizer=own)  # whose own model is not to be asked
            found = excerpts(["\n\n".join(f"{n}. {SENTENCE * 2}" for n in range(40))])
            job = await summarising(found, Wanted(3, 60, "points", "en", "en"), work)
            made = made_of([step async for step in job.run(Made("en"))][-1].state)
            assert made.read == 40
            assert made.chosen
            assert all(said.sources for said in made.chosen)

    site.violations.clear()
    aside(main)()
    assert site.violations == []
