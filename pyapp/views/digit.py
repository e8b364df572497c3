"""The self-test of the runtime as HTML: where a digit is drawn or picked, and what the network takes it for."""

from __future__ import annotations

from pyapp.digit import Digits, Named
from pyapp.errors import CandilError
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language

PLACE = 256  # CSS pixels of the drawing


def self_test(digits: Digits, language: Language) -> Html:
    """Drawn once; `answer` goes into its [data-part="digit-answer"]."""
    samples = [
        fill(
            '<button type="button" class="secondary" data-action="digit-sample" data-digit="{digit}" '
            'aria-label="{label}">{digit}</button>',
            digit=digit,
            label=language.text("digit.sample", digit=digit),
        )
        for digit in range(len(digits.samples))
    ]
    return fill(
        '<details class="storage"><summary>{title}</summary><p>{lead}</p>'
        '<div class="digit"><canvas id="digit-drawing" width="{place}" height="{place}" role="img" '
        'aria-label="{drawing}"></canvas><div class="grow"><div class="buttons">{samples}'
        '<button type="button" class="quiet" data-action="digit-clear">{clear}</button></div>'
        '<div data-part="digit-answer" role="status"></div></div></div></details>',
        title=language.text("digit.title"),
        lead=language.text("digit.lead", accuracy=language.percent(digits.accuracy)),
        place=PLACE,
        drawing=language.text("digit.drawing"),
        samples=join(samples),
        clear=language.text("digit.clear"),
    )


def answer(named: Named | CandilError | None, language: Language) -> Html:
    if named is None:
        return Html()
    if isinstance(named, CandilError):
        return fill('<p class="bad">{text}</p>', text=language.error(named))
    took = language.text(
        "digit.took", part=language.text(f"device.{named.device}"), time=language.number(named.run_ms, 1)
    )
    loaded = language.text("digit.loaded", time=language.number(named.load_ms)) if named.load_ms else ""
    return fill(
        '<p><strong>{verdict}</strong> {took} {loaded}</p><ol class="bars" start="0">{bars}</ol>',
        verdict=language.text("digit.verdict", digit=named.digit),
        took=took,
        loaded=loaded,
        bars=join([_bar(digit, share, language) for digit, share in enumerate(named.probabilities)]),
    )


def _bar(digit: int, share: float, language: Language) -> Html:
    return fill(
        '<li><span>{digit}</span><progress max="1000" value="{value}" aria-label="{digit}"></progress>'
        "<span>{percent}</span></li>",
        digit=digit,
        value=round(1000 * share),
        percent=language.percent(share),
    )
