"""The browser's own summarizer through its ops."""

from __future__ import annotations

import pytest

from pyapp.engines.browser_summarizer import BrowserSummarizer
from tests.unit.run import run
from tests.unit.transport import ScriptedTransport


@pytest.mark.parametrize(("availability", "ready"), [("available", True), ("downloadable", False), ("missing", False)])
def test_it_is_used_only_where_it_needs_no_download(availability: str, ready: bool) -> None:
    transport = ScriptedTransport({"summarizer.probe": lambda _: [{"availability": availability}]})
    assert run(BrowserSummarizer(transport).is_ready("es")) is ready
    assert transport.calls == [("summarizer.probe", {"language": "es"})]


def test_it_says_what_a_text_takes() -> None:
    measured = {"tokens": 7, "window_tokens": 1000}
    summarizer = BrowserSummarizer(ScriptedTransport({"summarizer.measure": lambda _: [measured]}))
    assert (run(summarizer.window()), run(summarizer.count("Text."))) == (1000, 7)


@pytest.mark.parametrize(("n", "length"), [(1, "short"), (3, "short"), (4, "medium"), (6, "long"), (12, "long")])
def test_points_come_in_pieces_and_in_about_that_number(n: int, length: str) -> None:
    transport = ScriptedTransport({"summarizer.summarise": lambda _: [{"piece": "- One."}, {"piece": "\n- Two."}]})

    async def main() -> list[str]:
        return [piece async for piece in BrowserSummarizer(transport).points("Text.", n, "ru")]

    assert run(main()) == ["- One.", "\n- Two."]
    assert transport.calls == [("summarizer.summarise", {"text": "Text.", "length": length, "language": ""})]
