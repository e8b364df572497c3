"""Every situation of the setup has a status, and a card or a dialog where there is something to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyapp.errors import CloudFailed, EngineUnavailable, HashMismatch, OutOfMemory
from pyapp.models.manifest import Variant
from pyapp.setup.state import (
    Checking,
    Choosing,
    Declined,
    DownloadFailed,
    Downloading,
    Elsewhere,
    LoadFailed,
    Loading,
    Offer,
    Ready,
    SetupState,
    Unavailable,
)
from pyapp.views.language import Language
from pyapp.views.setup import card, choice, pick, progress_figures, status, update
from pyapp.views.strings import LANGUAGES
from tests.unit.models.made_hub import unpinned
from tests.unit.setup.scripted import MODEL, WASM, progress
from tests.unit.views.test_chat import words

EN = Language("en")
OFFER = Offer(MODEL, WASM, ("no_webgpu",), engine_bytes=200)
STATES: list[tuple[SetupState, str, str, str]] = [
    (Checking(), "busy", "Starting…", ""),
    (Choosing(OFFER), "idle", "No model yet", ""),
    (Declined(OFFER), "idle", "No model yet", 'data-action="choose"'),
    (Downloading(OFFER), "busy", "Downloading 0 %", 'data-action="cancel"'),
    (DownloadFailed(OFFER, HashMismatch()), "bad", "Not ready", 'data-action="resume"'),
    (Loading(MODEL, WASM), "busy", "Loading the model…", 'aria-busy="true"'),
    (Loading(MODEL, WASM, "self_test"), "busy", "Loading the model…", "computes correctly"),
    (LoadFailed(MODEL, WASM, OutOfMemory()), "bad", "Not ready", 'data-action="retry-setup"'),
    (Ready(MODEL, WASM), "ready", "Tiny · processor · private", ""),
    (Elsewhere(), "idle", "Open in another tab", 'data-action="take-over"'),
    (Unavailable(EngineUnavailable()), "bad", "Not ready", 'data-action="retry-setup"'),
]


@pytest.mark.parametrize(("state", "tone", "sentence", "inside"), STATES)
def test_states(state: SetupState, tone: str, sentence: str, inside: str) -> None:
    assert status(state, EN) == (tone, sentence.replace(" %", "\N{NO-BREAK SPACE}%"))
    assert inside in card(state, EN)
    assert bool(inside) == bool(card(state, EN))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_state_can_be_said_in_every_language(code: str) -> None:
    for state, *_ in STATES:
        status(state, Language(code))
        card(state, Language(code))


def test_the_dialog_says_what_how_big_which_licence_how_private() -> None:
    text = words(choice(OFFER, EN))
    for expected in (
        "Choose how Candil answers",
        "Private",
        "Works offline",
        "Tiny",
        "1.2 kB",
        "Apache-2.0",
        "English, xx",
    ):
        assert expected in text
    assert "offers no WebGPU" in text
    assert 'value="download"' in choice(OFFER, EN)
    assert "Not now" in text


def test_the_dialog_warns() -> None:
    offer = replace(OFFER, model=replace(MODEL, verified=False), received_bytes=400, reasons=("unknown_reason",))
    text = words(choice(offer, EN))
    assert "We have not tried this model" in text
    assert "400 B of it are already here" in text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "58 % · 700 B of 1.2 kB"),
        ({"bytes_per_s": 2000.0, "seconds_left": 90.0}, "58 % · 700 B of 1.2 kB · 2.0 kB/s · 2 min left"),
        ({"retrying": "network_failed"}, "58 % · 700 B of 1.2 kB · The connection broke. Trying again…"),
        ({"phase": "checking"}, "58 % · 700 B of 1.2 kB · Checking every byte…"),
        ({"phase": "waiting"}, "58 % · 700 B of 1.2 kB · Waiting for another tab to finish…"),
    ],
)
def test_progress_says_what_is_known(changes: dict[str, object], expected: str) -> None:
    figures = progress_figures(Downloading(OFFER, progress(500, **changes), 200), EN)
    assert figures.replace("\N{NO-BREAK SPACE}", " ") == expected


def test_the_engine_is_named_while_it_is_fetched() -> None:
    assert progress_figures(Downloading(OFFER, None, 100), EN).endswith("Fetching the engine…")


def test_a_variant_among_several() -> None:
    assert pick(MODEL, WASM, EN) == "Tiny · processor"


def test_a_new_version_is_offered() -> None:
    assert words(update(EN)) == "A new version of Candil is ready. Reload Later"


def test_the_dialog_says_that_nobody_here_knows_the_files() -> None:
    variant = unpinned("config.json", host="https://hub.example", repo="a/b")
    said = words(choice(replace(OFFER, variant=variant), EN))
    assert "hub.example which files a/b has now" in said


def test_a_download_of_the_browsers_own_has_no_size() -> None:
    variant = Variant("browser", "builtin_ai", "browser", "own", (), ())
    offer = replace(OFFER, variant=variant, engine_bytes=0, reasons=("browser_downloads",))
    said = words(choice(offer, EN))
    assert "it does not say how much" in said
    assert "0 B" not in said
    figures = progress_figures(Downloading(offer, share=0.5), EN)
    assert figures == "50\N{NO-BREAK SPACE}% · the browser downloads its own model from its maker"


def test_the_cloud_is_offered_only_where_there_is_one_and_says_who_reads() -> None:
    assert 'value="cloud"' not in choice(OFFER, EN)
    offered = choice(OFFER, EN, "Acme <AI>")
    assert 'value="cloud"' in offered
    assert "pass your messages on to Acme &lt;AI&gt;" in offered


def test_a_cloud_that_does_not_load_has_a_way_out() -> None:
    assert 'data-action="use-device"' in card(LoadFailed(MODEL, WASM, CloudFailed()), EN)
    assert 'data-action="use-device"' not in card(LoadFailed(MODEL, WASM, OutOfMemory()), EN)
    cloud = replace(WASM, name="cloud", device="server")
    assert pick(MODEL, cloud, EN) == "Tiny · the cloud"
    assert status(Ready(MODEL, cloud), EN) == ("ready", "Tiny · the cloud")  # and nothing of private
    assert status(Ready(MODEL, replace(cloud, name="server")), Language("es")) == ("ready", "Tiny · un servidor tuyo")
