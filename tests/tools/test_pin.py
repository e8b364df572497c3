"""`python -m tools.pin` against a hub on this machine that behaves, and misbehaves, as real ones do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from pyapp.models.manifest import parse
from pyapp.models.policy import Policy
from tests import hub as hubs
from tests.hub import Hub, status
from tests.unit.models.made import hub_entry, repository, sha256
from tests.unit.models.made_hub import REVISION
from tools.pin.__main__ import pin_all
from tools.pin.layout import laid_out
from tools.pin.reading import HubReader

WEIGHTS = bytes(range(256))
FILES = {"config.json": b'{"model_type": "llama"}', "onnx/model_q4.onnx": WEIGHTS}


@pytest.fixture
def hub() -> Iterator[Hub]:
    yield from hubs.running()


class Pinning:
    """One catalog of two unpinned entries, a.one of org/a and b.one of org/b."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub = hub
        self.path = folder / "model_manifest.json"
        self.path.write_text(laid_out({"format": 1, "models": [self.entry("a"), self.entry("b")]}), "utf-8")
        self.slept: list[float] = []
        for repo in ("org/a", "org/b"):
            hub.publish(repo, FILES)

    def entry(self, name: str) -> dict[str, Any]:
        source = {"kind": "hub", "host": self.hub.origin, "repo": f"org/{name}"}
        where = repository(host=self.hub.origin, repo=f"org/{name}")
        one = {"name": "one", "engine": "transformers_js", "device": "webgpu", "dtype": "q4", "repository": where}
        return hub_entry(id=name, source=source, variants=[one])

    def run(self, *only: str, token: str | None = None, again: bool = False) -> int:
        policy = Policy(attempts=3, first_delay_s=0.01, longest_retry_after_s=600)
        reader = HubReader(token, policy=policy, sleep=self.slept.append)
        return asyncio.run(pin_all(self.path, reader, list(only) or None, again=again))

    def written(self, name: str) -> Any:
        (model,) = (each for each in json.loads(self.path.read_text("utf-8"))["models"] if each["id"] == name)
        return model["variants"][0]

    def pinned(self) -> list[str]:
        return [m.id for m in parse(self.path.read_text("utf-8")).models if m.variants[0].pinned]


@pytest.fixture
def pinning(hub: Hub, tmp_path: Path) -> Pinning:
    return Pinning(hub, tmp_path)


def test_revision_sizes_and_hashes_are_written_and_nothing_else_changes(pinning: Pinning) -> None:
    before = json.loads(pinning.path.read_text("utf-8"))
    assert pinning.run() == 0
    text = pinning.path.read_text("utf-8")
    after = json.loads(text)
    assert laid_out(after) == text
    for model in after["models"]:
        (variant,) = model["variants"]
        assert variant["repository"].pop("revision") == REVISION
        listed = [{"path": p, "bytes": len(c), "sha256": sha256(c)} for p, c in sorted(FILES.items())]
        assert variant.pop("files") == listed
    assert after == before
    assert not [asked for asked in pinning.hub.asked if asked.path.endswith(".onnx")]  # no weights were fetched


def test_only_what_is_named_and_what_is_done_is_not_asked_again(pinning: Pinning, capsys: Any) -> None:
    assert pinning.run("b") == 0
    assert pinning.pinned() == ["b"]
    pinning.hub.repos.pop("org/b")
    assert pinning.run() == 0
    assert pinning.pinned() == ["a", "b"]
    assert pinning.run() == 0
    assert "Nothing to pin." in capsys.readouterr().out


def test_again_takes_the_newest(pinning: Pinning) -> None:
    pinning.run()
    pinning.hub.repos["org/a"].listing["sha"] = pinning.hub.repos["org/a"].revision = "d" * 40
    assert pinning.run("a.one", again=True) == 0
    assert pinning.written("a")["repository"]["revision"] == "d" * 40


def test_a_failure_is_told_and_the_others_are_done(pinning: Pinning, capsys: Any) -> None:
    pinning.hub.repos.pop("org/a")
    assert pinning.run() == 1
    assert pinning.pinned() == ["b"]
    assert "HF_TOKEN" in capsys.readouterr().err


def test_a_gated_repository_needs_the_right_token(pinning: Pinning, capsys: Any) -> None:
    pinning.hub.gated["org/a"] = "good"
    assert pinning.run("a") == 1
    assert "accept its terms there, make a token" in capsys.readouterr().err
    assert pinning.run("a", token="bad") == 1
    assert "does not let the account of HF_TOKEN in" in capsys.readouterr().err
    assert pinning.run("a", token="good") == 0


def test_a_token_does_not_leave_its_origin(pinning: Pinning) -> None:
    """A small file of another origin is read there, without the token."""
    pinning.hub.redirects["org/a/config.json"] = f"http://localhost:{pinning.hub.port}/model/elsewhere"
    pinning.hub.put("elsewhere", FILES["config.json"])
    assert pinning.run("a", "b", token="secret") == 0
    sent = {asked.path: asked.headers.get("authorization") for asked in pinning.hub.asked}
    assert sent == {"elsewhere": None, "org/b/config.json": "Bearer secret"}


@pytest.mark.parametrize(("header", "at_least"), [("7", 7.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)])
def test_a_busy_hub_is_asked_again_when_it_says(pinning: Pinning, header: str, at_least: float) -> None:
    pinning.hub.api_faults.append(Response("slow down", 429, headers={"Retry-After": header}))
    assert pinning.run("a") == 0
    assert len(pinning.slept) == 1
    assert at_least <= pinning.slept[0] < at_least + 1


def test_a_hub_that_stays_busy(pinning: Pinning, capsys: Any) -> None:
    pinning.hub.api_faults += [Response("no", 503, headers={"Retry-After": "soon"}) for _ in range(3)]
    assert pinning.run("a") == 1
    assert "Run again later" in capsys.readouterr().err
    pinning.hub.api_faults.append(Response("no", 429, headers={"Retry-After": "3600"}))
    assert pinning.run("a") == 1
    assert len(pinning.slept) == 2  # an hour is not waited for


def test_a_file_the_repository_does_not_have(pinning: Pinning, capsys: Any) -> None:
    del pinning.hub.repos["org/a"].listing["siblings"][0]
    assert pinning.run("a") == 1
    assert "has no config.json. Correct the entry's `wants`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "says"), [(404, "not there any more"), (410, "not there any more"), (418, "status 418")]
)
def test_other_refusals(pinning: Pinning, capsys: Any, code: int, says: str) -> None:
    pinning.hub.api_faults.append(Response("no", code))
    assert pinning.run("a") == 1
    assert says in capsys.readouterr().err


def test_content_that_is_not_what_the_hub_lists(pinning: Pinning, capsys: Any) -> None:
    pinning.hub.files["org/a/config.json"] = b'{"model_type": "other"}'
    assert pinning.run("a") == 1
    assert "not the one the hub lists" in capsys.readouterr().err
    pinning.hub.files["org/a/config.json"] = b"\xff\xfe"
    assert pinning.run("a") == 1
    assert "not text" in capsys.readouterr().err
    assert pinning.pinned() == []


def test_a_hub_that_cannot_be_reached(pinning: Pinning, capsys: Any) -> None:
    pinning.hub.stop()
    assert pinning.run("a") == 1
    assert "cannot be reached" in capsys.readouterr().err
    pinning.hub.start()


def test_faults_of_a_small_file_count_too(pinning: Pinning) -> None:
    pinning.hub.faults["org/a/config.json"] = [status(503)]
    assert pinning.run("a") == 0
    assert len(pinning.slept) == 1
