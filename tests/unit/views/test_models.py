"""The models page in words: what there is, whether it fits, what can be done, what it takes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, get_args

import pytest

from pyapp.errors import EngineBusy, NetworkFailed
from pyapp.models.choice import Fit, Reason
from pyapp.models.download import DownloadProgress
from pyapp.models.manifest import BrowserSource, Device, HubSource, ManifestFile, ModelSpec, Variant
from pyapp.models.store import StoreUsage
from pyapp.models_page import Done, Shown
from pyapp.setup.standing import Absent, Damaged, Fetching, Partly, Row, Verifying, Whole
from pyapp.setup.state import Downloading, Offer
from pyapp.views import models as view
from pyapp.views.language import Language
from pyapp.views.storage import storage
from pyapp.views.strings import LANGUAGES
from tests.unit.models.made_hub import unpinned
from tests.unit.views.languages import EN, ES
from tests.unit.views.test_figures import words

FITS = Fit("fits", ())


def made_up(number: int) -> ModelSpec:
    """One of ten that do not exist, from 90 million to 7 billion parameters."""

    def variant(device: Device, dtype: str) -> Variant:
        weights = ManifestFile(f"onnx/model_{dtype}.onnx", "x", 10**8 * (number + 1), f"{number}" * 64)
        return Variant(f"{device}-{dtype}", "transformers_js", device, dtype, (), (weights,))

    return ModelSpec(
        id=f"model-{number}",
        title=f"Model <{number}>",
        parameters=(90_000_000, 7_000_000_000)[number % 2],
        context_tokens=1024 * (number + 1),
        license="MIT",
        license_url="https://example.org/license",
        languages=("en", "es", "eu"),
        source=HubSource("https://hub.example", "a/b"),
        verified=number > 0,
        variants=(variant("webgpu", "q4"), variant("wasm", "int8")),
    )


TEN = tuple(Row(m, v, FITS, Absent()) for m in map(made_up, range(10)) for v in m.variants)
ROW = TEN[1]
USAGE = StoreUsage(300_000_000, 0, 320_000_000, 10**10, 5_000_000)


def buttons(row: Row, language: Language = EN) -> list[str]:
    return re.findall(r"<button[^>]*>([^<]*)</button>", view.row(row, language))


def downloading(row: Row) -> Fetching:
    progress = DownloadProgress("downloading", 5 * 10**7, 2 * 10**8, 0, 10**6, 150.0)
    return Fetching(Downloading(Offer(row.model, row.variant, (), 0), progress))


def test_ten_models_are_ten_cards_of_two_rows() -> None:
    html = view.page(Shown(rows=TEN, usage=USAGE), EN)
    assert html.count('<details class="model"') == 10
    assert len(set(re.findall('data-key="([^"]*)"', html))) == html.count("data-key=") == 20
    assert len(set(re.findall('id="([^"]*)"', html))) == html.count(" id=")
    labels = re.findall('<button[^>]*aria-label="([^"]*)"', html)
    assert len(set(labels)) == len(labels)  # every button has a name of its own
    assert "Model <3>" not in html
    assert "Model &lt;3&gt;" in html


def test_what_a_card_says_of_a_model() -> None:
    text = words(view.models(TEN[:2], EN))
    assert "Languages English, Spanish, eu" in text
    assert "Context window 1,024 tokens" in text
    assert "90 million parameters" in text
    assert "We have not tried this model ourselves." in text
    text = words(view.models(TEN[2:4], ES))
    assert "7,0 mil millones de parámetros" in text
    assert "probado" not in text


def test_the_licence_is_a_link_that_shows_where_it_goes() -> None:
    html = view.models(TEN[:2], EN)
    assert '<a href="https://example.org/license" target="_blank" rel="noopener noreferrer">' in html
    assert "MIT example.org (opens in a new tab)" in words(html)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["Download"]),
        ({"standing": Partly(5)}, ["Continue", "Delete"]),
        ({"standing": Whole()}, ["Use this one", "Check", "Delete"]),
        ({"standing": Whole(), "use": "yes"}, ["Check", "Delete"]),
        ({"standing": Whole(), "use": "loading"}, ["Check", "Delete"]),
        ({"standing": Whole(), "usable": False}, ["Check", "Delete"]),
        ({"standing": Damaged(ROW.variant.files)}, ["Repair", "Delete"]),
        ({"standing": Verifying(1, 2)}, ["Stop checking"]),
        ({"standing": downloading(ROW)}, ["Pause"]),
        ({"standing": Whole(), "asks_to_delete": True}, ["Keep it", "Delete for good"]),
        ({"fit": Fit("doubtful", ("software_adapter",))}, ["Download"]),
        ({"fit": Fit("no", ("no_webgpu",))}, []),
        ({"fit": Fit("no", ("no_webgpu",)), "standing": Partly(5)}, ["Delete"]),
        ({"fit": Fit("no", ("no_webgpu",)), "standing": Whole()}, ["Check", "Delete"]),
    ],
)
def test_what_can_be_done(changes: dict[str, Any], expected: list[str]) -> None:
    assert buttons(replace(ROW, **changes)) == expected


def test_while_another_is_downloaded_nothing_else_changes_the_store() -> None:
    assert "disabled" in view.row(replace(ROW, blocked=True), EN)
    html = view.row(replace(ROW, blocked=True, standing=Whole()), EN)
    assert re.findall('data-action="model-([^"]*)"[^>]* disabled', html) == ["delete"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Download of 100 MB (int8)"),
        ({}, "Fits this device. Not downloaded."),
        ({"fit": Fit("no", ("too_big_for_wasm",))}, "Does not run here. It is larger than the 4 GB"),
        ({"fit": Fit("doubtful", ("buffer_too_small",))}, "May not run well here. The graphics card may have"),
        ({"fit": Fit("fits", ("space_may_be_short",))}, "Fits this device. The browser reports less free storage"),
        ({"fit": Fit("fits", ("space_may_be_short",)), "standing": Whole()}, "Fits this device. On this device."),
        ({"standing": Partly(5_000_000)}, "5.0 MB of 100 MB are here"),
        (
            {"standing": Damaged(ROW.variant.files)},
            "Damaged: onnx/model_int8.onnx. Repairing fetches just 100 MB.",
        ),
        ({"use": "yes", "recommended": True}, "For the processor In use Best here"),
        ({"use": "loading", "listed": False}, "For the processor Getting ready… No longer offered"),
        ({"remark": NetworkFailed()}, "The server could not be reached."),
        ({"remark": "intact"}, "Every byte was checked"),
        ({"asks_to_delete": True}, "frees up to 100 MB"),
    ],
)
def test_what_a_row_says(changes: dict[str, Any], expected: str) -> None:
    assert expected in words(view.row(replace(ROW, **changes), EN))


def test_a_row_keeps_still_while_its_progress_moves() -> None:
    one, other = (replace(ROW, standing=Verifying(n, 100)) for n in (1, 2))
    assert view.row(one, EN) == view.row(other, EN)
    assert view.progress(one, EN) != view.progress(other, EN)
    assert 'value="10"' in view.progress(one, EN)
    assert "Checking: 1 B of 100 B" in words(view.progress(one, EN))
    assert view.progress(ROW, EN) == ""
    bar = view.progress(replace(ROW, standing=downloading(ROW)), EN)
    assert 'aria-label="Model &lt;0&gt;, For the processor"' in bar
    assert "1.0 MB/s" in words(bar)


def test_every_reason_has_its_sentence() -> None:
    for code in get_args(Reason):
        assert f"models.why.{code}" in LANGUAGES["en"]


# ---- storage and notices ----


def test_storage_in_sentences() -> None:
    text = words(storage(Shown(usage=USAGE), EN))
    assert "Models take 300 MB. Your chats take 5.0 MB. Candil itself takes 15.0 MB." in text
    assert "About 9.7 GB of the 10.0 GB" in text
    assert "may delete models and chats by itself" in text
    assert 'data-action="model-persist"' in storage(Shown(usage=USAGE), EN)


@pytest.mark.parametrize(
    ("changes", "shown", "expected"),
    [
        ({"unfinished_bytes": 10**6}, {}, "Unfinished downloads take 1.0 MB."),
        ({"database_bytes": None}, {}, "Your chats and Candil itself take 20.0 MB."),
        ({"persisted": True}, {}, "has promised to keep all of this"),
        ({}, {"refused": True}, "The browser did not agree."),
        ({"lasting": False}, {}, "models are lost when you close it"),
    ],
)
def test_what_storage_may_be(changes: dict[str, Any], shown: dict[str, Any], expected: str) -> None:
    assert expected in words(storage(Shown(usage=replace(USAGE, **changes), **shown), EN))


def test_storage_that_says_little() -> None:
    little = replace(USAGE, usage_bytes=0, quota_bytes=0, database_bytes=None, persisted=True)
    assert words(storage(Shown(usage=little), EN)).startswith("Storage Models take 300 MB. The browser has")
    assert words(storage(Shown(), EN)) == "Looking at what is here…"
    assert storage(Shown(error=EngineBusy()), EN) == ""


def test_notices() -> None:
    assert view.notices(Shown(), EN) == ""
    assert "Another tab runs the model" in view.notices(Shown(elsewhere=True), EN)
    assert 'role="alert"' in view.notices(Shown(error=EngineBusy()), EN)
    waiting = (replace(ROW, blocked=True),)
    assert "Model &lt;0&gt; is being downloaded." in view.notices(Shown(rows=waiting, fetching="Model <0>"), EN)
    alone = (replace(ROW, standing=downloading(ROW)),)
    assert view.notices(Shown(rows=alone, fetching="Model <0>"), EN) == ""
    assert view.notices(Shown(fetching="Model <0>"), EN) == ""


def test_what_has_ended_is_said() -> None:
    assert view.done(Shown(), EN) == ""
    for what in get_args(Done):
        assert view.done(Shown(done=(what, "Tiny")), ES)
    assert view.done(Shown(done=("deleted", "Tiny")), ES) == "Tiny está borrado."


def test_what_is_not_pinned_says_so_before_a_download() -> None:
    variant = unpinned("config.json", host="https://hub.example", repo="a/b")
    model = replace(ROW.model, variants=(variant, replace(variant, name="other", dtype="q8")))
    for language in (EN, ES):
        html = view.row(replace(ROW, model=model, variant=variant), language)
        about = language.text("models.about", size=language.size(1000))
        assert about in html
        assert "hub.example" in html
        assert "tools.pin" in html
        assert f"{language.text('models.for.wasm')} · int8" in html  # two for one device are told apart
    assert "tools.pin" not in view.row(ROW, EN)
    unfit = replace(ROW, model=model, variant=variant, fit=Fit("no", ("no_wasm_simd",)))
    assert "tools.pin" not in view.row(unfit, EN)


def test_a_model_of_unknown_size_says_so() -> None:
    row = replace(ROW, model=replace(ROW.model, parameters=0))
    assert EN.text("models.parameters.unknown") in view.models((row,), EN)


def browsers_own() -> Row:
    variant = Variant("browser", "builtin_ai", "browser", "own", (), ())
    model = replace(made_up(1), id="own", parameters=0, source=BrowserSource(), variants=(variant,))
    return Row(model, variant, Fit("no", ("builtin_ai_unavailable",)), Absent())


def test_the_browsers_own_model_says_whose_it_is_and_what_to_do() -> None:
    row = browsers_own()
    said = words(view.models((row,), EN))
    assert "made by Google" in said
    assert "Chrome, not Candil, downloads it" in said
    assert "22 GB" in said
    assert "billion" not in said  # how large it is here nobody tells
    assert buttons(row) == []


def test_the_browsers_own_model_is_not_ours_to_check_or_delete() -> None:
    assert buttons(replace(browsers_own(), fit=FITS, standing=Whole())) == ["Use this one"]


def test_an_engine_nobody_has_seen_answer_says_so() -> None:
    assert "never seen answer" not in view.row(ROW, EN)
    assert "never seen answer" in view.row(replace(ROW, variant=replace(ROW.variant, engine="webllm")), EN)


def test_versions_that_concern_nobody_here_unfold() -> None:
    first, second = TEN[:2]

    def unfolded(*rows: Row) -> list[str]:
        shown, _, folded = view.models(rows, EN).partition('<details class="versions"')
        return [row.key for row in rows if row.key in shown and row.key not in folded]

    assert unfolded(first, replace(second, recommended=True)) == [second.key]
    assert unfolded(first, replace(second, use="yes")) == [second.key]
    assert unfolded(replace(first, standing=Whole()), replace(second, standing=Partly(1))) == [first.key, second.key]
    assert unfolded(first, second) == [first.key]  # none runs here: one says why
    assert "1 other version" in words(view.models((first, second), EN))
