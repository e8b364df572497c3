"""What is said of a model of the user's own, in both languages; the file's own words are text."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pyapp.errors import NotGguf, QuotaExceeded
from pyapp.models.choice import Fit
from pyapp.models.download import DownloadProgress
from pyapp.models.gguf import read_header
from pyapp.models.importing import Copied
from pyapp.models.manifest import OwnSource, UrlSource
from pyapp.models.own import OwnModel, Part, own_model
from pyapp.own_models import Asking, Fetching, Found, Keeping, Looking, OwnState, ShownOwn
from pyapp.setup.standing import Damaged, Row
from pyapp.setup.state import Downloading, Offer
from pyapp.views import models as models_view
from pyapp.views.language import Language
from pyapp.views.own_models import news, own_models, progress
from tests.unit.models.ggufs import CHATTY, gguf, reader
from tests.unit.models.made import model
from tests.unit.run import run
from tests.unit.views.languages import EN, ES

URL = "https://hub.test/x.gguf"
FITS = Fit("fits", ("single_thread",))


def own(*, url: str = "", **changes: object) -> OwnModel:
    content = gguf(CHATTY | {name.replace("__", "."): value for name, value in changes.items()})
    header = run(read_header(reader(content), len(content)))
    source = UrlSource(url) if url else OwnSource("<b>tiny</b>.gguf")
    return own_model([Part("x.gguf", header, "picked-1", url)], source)


def html(state: OwnState, fit: Fit | None = FITS, language: Language = EN, *, usable: bool = True) -> str:
    return str(own_models(ShownOwn(state, fit, usable), language))


def downloading(of: OwnModel) -> Downloading:
    moved = DownloadProgress("downloading", 300, of.variant.bytes, 0, 0.0, None)
    return Downloading(Offer(of.model, of.variant, (), 0), moved)


STATES: list[OwnState] = [
    Asking(),
    Asking("nonsense", no_address=True),
    Asking(URL, NotGguf()),
    Looking("x.gguf"),
    Found(own()),
    Found(own(url=URL), QuotaExceeded(bytes_needed=5), 300),
    Keeping(own(), Copied(100, 700)),
    Fetching(own(url=URL), downloading(own(url=URL))),
]


class Balanced(HTMLParser):
    """Every element is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "input":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def audit(text: str) -> None:
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []


@pytest.mark.parametrize("language", [EN, ES])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("fit", [FITS, Fit("no", ("too_big_for_wasm",)), None])
def test_every_state_is_sound_html(state: OwnState, fit: Fit | None, language: Language) -> None:
    audit(html(state, fit, language))
    audit(str(progress(ShownOwn(state, fit), language)))


def test_what_a_file_says_is_text() -> None:
    evil = own(general__name="<img src=x onerror=alert(1)>", general__license="<script>")
    shown = html(Found(evil))
    assert "<img" not in shown
    assert "<script" not in shown
    assert "&lt;b&gt;tiny" in shown


def test_a_model_that_fits_can_be_used_or_kept() -> None:
    shown = html(Found(own()))
    assert "Tiny Chatty" in shown
    assert "Fits this device." in shown
    assert all(f'data-action="own-{action}"' in shown for action in ("use", "keep", "cancel"))
    assert "own-download" not in shown


def test_one_at_an_address_can_be_downloaded() -> None:
    shown = html(Found(own(url=URL), received_bytes=300))
    assert all(f'data-action="own-{action}"' in shown for action in ("download", "cancel"))
    assert "own-use" not in shown
    assert "checksum" in shown
    assert "300" in shown


@pytest.mark.parametrize(
    ("state", "fit", "usable", "why"),
    [
        (Found(own()), Fit("no", ("too_big_for_wasm",)), True, "Does not run here. "),
        (Found(own()), None, True, "Looking"),
        (Found(own()), FITS, False, "Another tab"),
        (Found(own(tokenizer__chat_template="")), FITS, True, "Without a chat template"),
    ],
)
def test_one_that_cannot_be_used_says_why(state: OwnState, fit: Fit | None, usable: bool, why: str) -> None:
    shown = html(state, fit, usable=usable)
    assert why.strip() in shown
    assert "own-use" not in shown
    assert "own-cancel" in shown


def test_the_context_is_said_when_it_is_cut() -> None:
    assert "512 tokens" in html(Found(own()))
    cut = html(Found(own(llama__context_length=131_072)))
    assert "8,192 tokens here, of the 131,072" in cut


def test_a_file_that_names_no_licence() -> None:
    bare = own()
    bare = replace(bare, model=replace(bare.model, license="", license_url=""))
    assert "The file does not say" in html(Found(bare))


def test_progress() -> None:
    assert "100\N{NO-BREAK SPACE}B of 700\N{NO-BREAK SPACE}B" in progress(
        ShownOwn(Keeping(own(), Copied(100, 700))), EN
    )
    remote = own(url=URL)
    assert "<progress" in progress(ShownOwn(Fetching(remote, downloading(remote))), EN)
    assert progress(ShownOwn(Asking()), EN) == ""


def test_what_is_read_out() -> None:
    assert news(ShownOwn(Found(own()), FITS), EN) == "Tiny Chatty. Fits this device."
    assert news(ShownOwn(Found(own())), EN) == ""
    assert news(ShownOwn(Asking()), EN) == ""


def test_a_wrong_address_is_marked() -> None:
    shown = html(Asking("x<y", no_address=True))
    assert 'aria-invalid="true"' in shown
    assert "x&lt;y" in shown
    assert "not an https address" in shown


def test_nothing_else_is_shown_as_the_users_own() -> None:
    with pytest.raises(TypeError):
        html(Found(replace(own(), model=model())))


# ---- in the list of models ----


def row(of: OwnModel, **changes: object) -> str:
    made = Row(of.model, of.variant, FITS, Damaged(of.variant.files))
    return str(models_view.row(replace(made, **changes), EN))  # type: ignore[arg-type]


def test_in_the_list_it_is_called_so() -> None:
    assert "Your own file" in row(own())


def test_damaged_a_picked_file_cannot_be_fetched_again_but_an_address_can() -> None:
    assert "choose the file again" in row(own())
    assert "model-repair" not in row(own())
    assert "model-repair" in row(own(url=URL))


def test_a_licence_without_an_address() -> None:
    bare = own()
    bare = replace(bare, model=replace(bare.model, license_url=""))
    listed = models_view.models((Row(bare.model, bare.variant, FITS, Damaged(())),), EN)
    assert "<dd>mit</dd>" in listed
