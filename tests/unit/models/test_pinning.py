"""What a hub says becomes revision, sizes and hashes, or an error; a pin that was made here is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyapp.errors import AccessDenied, FileMissing, NetworkFailed, ServerBusy, WrongContent
from pyapp.models.manifest import Manifest, ManifestFile
from pyapp.models.pinning import pin, with_pins
from pyapp.models.policy import Policy
from pyapp.models.record import Installed
from pyapp.models.store import Store
from tests.unit.models.made import file, model, sha256, variant
from tests.unit.models.made_hub import REVISION, MadeHub, unpinned
from tests.unit.models.scripted_worker import ScriptedWorker, Server
from tests.unit.run import run

WEIGHTS = bytes(range(256)) * 4
FILES = {
    "config.json": b'{"a": "\xc3\xb1"}',
    "onnx/model_int8.onnx": WEIGHTS,
    "onnx/model_int8.onnx_data": WEIGHTS[::-1],
    "onnx/deeper/model_int8.onnx": b"not wanted",
    "README.md": b"hello",
}
WANTS = ("config.json", "onnx/model_int8.onnx*", "chat_template*")


def test_the_hubs_hash_for_large_files_and_a_computed_one_for_small_ones() -> None:
    hub = MadeHub(FILES)
    pinned = run(pin(unpinned(*WANTS), hub.read))
    assert pinned.pinned
    assert pinned.repository == replace(unpinned(*WANTS), repository=pinned.repository).repository
    assert pinned.files == tuple(
        ManifestFile(path, hub.url(path), len(FILES[path]), sha256(FILES[path]))
        for path in ("config.json", "onnx/model_int8.onnx", "onnx/model_int8.onnx_data")
    )
    assert pinned.repository is not None
    assert pinned.repository.revision == REVISION
    assert len(hub.asked) == 2  # the listing and the config: no weights are read


def test_a_file_two_names_ask_for_is_there_once() -> None:
    pinned = run(pin(unpinned("config.json", "*.json"), MadeHub(FILES).read))
    assert [each.path for each in pinned.files] == ["config.json"]


def test_a_file_that_must_be_there() -> None:
    with pytest.raises(FileMissing) as caught:
        run(pin(unpinned("tokenizer.json"), MadeHub(FILES).read))
    assert caught.value.details == {"path": "tokenizer.json"}


@pytest.mark.parametrize(
    "change",
    [
        {"sha": "main"},
        {"sha": None},
        {"siblings": {}},
        {"siblings": [{"rfilename": "config.json", "size": 12}]},
        {"siblings": [{"rfilename": "config.json", "size": 11, "blobId": "0" * 40}]},
        {"siblings": [{"rfilename": "config.json", "size": 12, "blobId": "0" * 40}]},
        {"siblings": [{"rfilename": "config.json", "size": 0, "blobId": "0" * 40}]},
        {"siblings": [{"rfilename": "config.json", "lfs": {"sha256": "x", "size": 1}}]},
        {"siblings": [{"rfilename": "config.json", "lfs": {"sha256": "0" * 64, "size": -1}}]},
        {"siblings": [{"size": 3}]},
    ],
)
def test_an_answer_that_is_no_hubs(change: dict[str, Any]) -> None:
    hub = MadeHub(FILES)
    hub.listing |= change
    with pytest.raises(WrongContent):
        run(pin(unpinned("config.json"), hub.read))


def test_a_web_page_is_no_listing() -> None:
    async def login(_url: str) -> str:
        return "<!doctype html><title>Log in</title>"

    with pytest.raises(WrongContent, match=r"hub\.test answered about org/tiny"):
        run(pin(unpinned("config.json"), login))


def test_a_name_that_would_leave_the_model_is_refused() -> None:
    hub = MadeHub(FILES)
    hub.listing["siblings"][0]["rfilename"] = "a\\b.json"
    with pytest.raises(WrongContent):
        run(pin(unpinned("*.json"), hub.read))


# ---- through the store's worker ----


def ask(worker: ScriptedWorker, **policy: Any) -> Any:
    return run(Store(worker, policy=Policy(**policy), chance=lambda: 0.0).pin(unpinned(*WANTS)))


def test_a_busy_hub_is_asked_again() -> None:
    worker = ScriptedWorker(Server(texts=MadeHub(FILES).texts()))
    worker.server.text_faults = [ServerBusy("429", status=429, retry_after_s=3.0), NetworkFailed("gone")]
    assert ask(worker).pinned
    assert len(worker.asked("read")) == 4


def test_hope_has_an_end() -> None:
    worker = ScriptedWorker(Server(texts=MadeHub(FILES).texts()))
    worker.server.text_faults = [NetworkFailed("gone")] * 3
    with pytest.raises(NetworkFailed):
        ask(worker, attempts=3)
    worker.server.text_faults = [AccessDenied("401", status=401)]
    with pytest.raises(AccessDenied):
        ask(worker)


# ---- what was pinned here ----

HERE = run(pin(unpinned(*WANTS), MadeHub(FILES).read))


def test_what_was_pinned_at_its_download_stays_so() -> None:
    catalog = Manifest((model(unpinned(*WANTS), variant(file("x", b"x"), name="other")),))
    (shown,) = with_pins(catalog, [Installed(model(HERE), HERE)]).models
    assert shown.variants == (HERE, catalog.models[0].variants[1])


@pytest.mark.parametrize(
    "entry",
    [
        unpinned("another.json"),
        unpinned(*WANTS, repo="org/other"),
        replace(unpinned(*WANTS), dtype="q8"),
        unpinned(*WANTS, name="renamed"),
        replace(HERE, files=HERE.files[:1]),
    ],
)
def test_an_entry_that_says_something_else_now_is_left_alone(entry: Any) -> None:
    catalog = Manifest((model(entry),))
    assert with_pins(catalog, [Installed(model(HERE), HERE)]) == catalog


def test_a_record_that_is_not_of_a_hub_does_not_pin() -> None:
    catalog = Manifest((model(unpinned(*WANTS)),))
    embedded = replace(HERE, repository=None)
    assert with_pins(catalog, [Installed(model(embedded), embedded)]) == catalog
    assert with_pins(catalog, [Installed(model(unpinned(*WANTS)), unpinned(*WANTS))]) == catalog
